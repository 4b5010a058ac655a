"""The facets about models: those whose stored predictions repeat a label, and those whose mean doubts it.

``app.issues.facets`` lists them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from sqlalchemy import ColumnElement, literal, select

from app.catalogue.records import Dataset
from app.domain.review.verdicts import Category
from app.errors import FilterError, near_names
from app.issues.facet import CountedIn, Facet, Others
from app.schema import tables

_i, _v, _p = tables.issues.c, tables.verdicts.c, tables.predictions.c


# Of stored models


def _read_models(dataset: Dataset, name: str, value: str) -> int:
    _require_models(dataset, name, value)
    return _read_number(name, value, dataset.n_models)


def _read_number(name: str, value: str, most: int) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) < 6 and 1 <= int(value) <= most):
        raise FilterError(name, value, [f"a whole number from 1 to {most}"])
    return int(value)


def _read_model(dataset: Dataset, name: str, value: str) -> str:
    _require_models(dataset, name, value)
    if value not in dataset.models:
        raise FilterError(name, value, near_names(value, dataset.models) or dataset.models)
    return value


def _require_models(dataset: Dataset, name: str, value: str) -> None:
    if not dataset.models:
        raise FilterError(
            name, value, [], f"No model's predictions for {dataset.title} are in this catalogue to filter by."
        )


def _model_words(dataset: Dataset, least: int) -> str:
    """The minimum number of models as text: "at least 7 of 13 models"."""
    return _at_least(least, dataset.n_models)


def _at_least(least: int, n: int) -> str:
    if least == n:
        return f"all {least} models" if least > 1 else "the only model"
    return f"at least {'one' if least == 1 else least} of {n} models"


def _some_numbers(n: int, taken: Sequence[int]) -> list[int]:
    """A few numbers of models to choose among, and those chosen."""
    return sorted({1, -(-n // 4), n // 2 + 1, -(-3 * n // 4), n, *taken})


def _repeated(dataset: Dataset, chosen: Mapping[str, Any]) -> str:
    models = [_model_words(dataset, chosen["models"])] if "models" in chosen else []
    who = " and ".join([*([chosen["model"]] if "model" in chosen else []), *models])
    verb = "predict" if models and dataset.n_models > 1 else "predicts"
    judges = "the expert" if dataset.raters == 1 else "reviewers"
    return f"whose given label {who} {verb} although {judges} corrected it"


def _models_predict(_: Dataset, values: Sequence[int], __: bool) -> list[ColumnElement[bool]]:
    (least,) = values
    many = select(literal(1)).where(_p.issue_id == _v.issue_id, _p.n_given >= least)
    return [_v.category == Category.CORRECTABLE.value, many.exists()]


def _model_predicts(dataset: Dataset, values: Sequence[str], _: bool) -> list[ColumnElement[bool]]:
    (model,) = values
    r, place = tables.repeats.c, dataset.models.index(model)
    one = select(literal(1)).where(r.dataset_id == dataset.id, r.model == place, r.issue_id == _v.issue_id)
    return [_v.category == Category.CORRECTABLE.value, one.exists()]


def _predicting(dataset: Dataset, stored: tuple[bytes | None, int]) -> list[str]:
    choices, given = stored
    if choices is None:
        return []
    first = np.frombuffer(choices, "<i4").tolist()
    return [model for model, class_id in zip(dataset.models, first, strict=True) if class_id == given]


MODELS: Final = Facet(
    name="models",
    folded=True,
    title="Corrected, but models predict the given label",
    read=_read_models,
    says="Issues whose given label reviewers corrected, but at least so many of the dataset's models predict.",
    schema={"type": "integer"},
    label=_model_words,
    chip=lambda dataset, least: f"corrected, but {_model_words(dataset, least)} predict the given label",
    clause=_repeated,
    reviewed=lambda _: True,
    where=_models_predict,
    counted_in=CountedIn.MODELS,
    columns=(_p.n_given,),
    means=lambda _, n_given: range(1, n_given + 1),
    exists=lambda dataset: bool(dataset.models),
    order=lambda dataset, taken: _some_numbers(dataset.n_models, taken),
)
MODEL: Final = Facet(
    name="model",
    folded=True,
    title="Corrected, but this model predicts it",
    read=_read_model,
    says="The same of one model, by platform and name like ``pytorch/resnet18``.",
    schema={"type": "string"},
    label=lambda _, model: model,
    chip=lambda _, model: f"corrected, but {model} predicts the given label",
    clause=_repeated,
    reviewed=lambda _: True,
    where=_model_predicts,
    counted_in=CountedIn.MODELS,
    columns=(_p.top, _i.given),
    means=_predicting,
    exists=lambda dataset: bool(dataset.models),
    others=Others(lambda dataset, _: f"Any of {dataset.n_models:,} models", lambda dataset: dataset.models),
)


# Of the models whose mean probabilities are used


def averaged(dataset: Dataset) -> tuple[str, ...]:
    """The models whose mean probabilities are used; none where they are those of one model."""
    return tuple(map(str, (dataset.confident_learning or {}).get("models", ())))


def _read_doubting(dataset: Dataset, name: str, value: str) -> int:
    if not averaged(dataset):
        finding = f"The probabilities of {dataset.title} are those of one model: how many doubt a label is not told."
        raise FilterError(name, value, [], finding)
    return _read_number(name, value, len(averaged(dataset)))


def _doubting_words(dataset: Dataset, least: int) -> str:
    return _at_least(least, len(averaged(dataset)))


def _doubt(_: Dataset, values: Sequence[int], __: bool) -> list[ColumnElement[bool]]:
    (least,) = values
    return [_i.doubting >= least]


DOUBTING: Final = Facet(
    name="doubting",
    title="Models that doubt the given label",
    read=_read_doubting,
    says="Issues whose given label at least so many of the averaged models doubt: their own guess is another.",
    schema={"type": "integer"},
    label=_doubting_words,
    chip=lambda dataset, least: f"doubted by {_doubting_words(dataset, least)}",
    clause=lambda dataset, chosen: f"whose given label {_doubting_words(dataset, chosen['doubting'])} doubt",
    where=_doubt,
    counted_in=CountedIn.ISSUES,
    columns=(_i.doubting,),
    means=lambda _, doubting: range(1, doubting + 1),
    exists=lambda dataset: bool(averaged(dataset)),
    order=lambda dataset, taken: _some_numbers(len(averaged(dataset)), taken),
)
