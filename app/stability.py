"""What the pages and the API say about the models of a dataset, read from what ingest computed.

Nothing is measured here: accuracies, ranks and crossings come as ``measuring.results`` wrote them. What a visitor
chooses is read into ``Choice``, strictly, and named in links.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self
from urllib.parse import urlencode

import numpy as np
from sqlalchemy import select

from app import schema
from app.database import Catalogue
from app.domain.crossings import Line
from app.domain.verdicts import Category
from app.errors import FilterError, NotFound, NotHere, near_names
from app.measuring.evaluation import read_results
from app.measuring.results import line
from app.records import ClassInfo, Dataset, Issue

#: Most crossings lie at low prevalence, where a linear axis has no room for them.
SCALES: Final = ("log", "linear")
TOPS: Final = ("1", "5")
#: Lines of a chart that can still be told apart.
MOST_CHOSEN: Final = 8
#: A correctable set smaller than this proves little, and pages say so.
SMALL: Final = 100

Results = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a visitor of the page has chosen; ``models`` are keys, () for those the page chooses."""

    agreement: int
    top: str = "1"
    models: tuple[str, ...] = ()
    prevalence: float | None = None
    scale: str = SCALES[0]
    first: str | None = None
    second: str | None = None

    @classmethod
    def parse(cls, dataset: Dataset, keys: Sequence[str], params: Iterable[tuple[str, str]]) -> Self:
        """The choice of a query string. Raises FilterError naming the parameter and what is allowed."""
        found: dict[str, Any] = {"agreement": dataset.default_agreement}
        models: list[str] = []
        for name, value in params:
            if value == "":
                continue
            if name == "agreement":
                found[name] = agreement_of(dataset, value)
            elif name in ("top", "scale"):
                found[name] = _one_of(name, value, TOPS if name == "top" else SCALES)
            elif name == "model":
                models.append(model_named(keys, name, value))
            elif name in ("first", "second"):
                found[name] = model_named(keys, name, value)
            elif name == "prevalence":
                found[name] = _prevalence(value)
        chosen = tuple(dict.fromkeys(models))
        if len(chosen) > MOST_CHOSEN:
            raise FilterError(
                "model",
                chosen[-1],
                [],
                f"At most {MOST_CHOSEN} models can be told apart in a chart; {len(chosen)} given.",
            )
        return cls(**found, models=chosen)

    def query(self, dataset: Dataset, **changes: Any) -> str:
        """The address behind "?" of this choice with ``changes`` made, defaults left out."""
        chosen = replace(self, **changes)
        pairs: list[tuple[str, str]] = []
        if chosen.agreement != dataset.default_agreement:
            pairs.append(("agreement", str(chosen.agreement)))
        if chosen.top != "1":
            pairs.append(("top", chosen.top))
        pairs += [("model", key) for key in chosen.models]
        if chosen.prevalence is not None:
            pairs.append(("prevalence", f"{100 * chosen.prevalence:g}"))
        if chosen.scale != SCALES[0]:
            pairs.append(("scale", chosen.scale))
        pairs += [(n, v) for n, v in (("first", chosen.first), ("second", chosen.second)) if v is not None]
        return urlencode(pairs, safe="/")


def agreement_of(dataset: Dataset, value: str) -> int:
    """An agreement threshold of a dataset. Raises FilterError for another."""
    return int(_one_of("agreement", value, [str(a) for a in dataset.agreements]))


def model_named(keys: Sequence[str], parameter: str, value: str) -> str:
    """The key of a model, "platform/name". Raises FilterError with the keys that are near."""
    if value in keys:
        return value
    near = near_names(value, keys) or list(keys)
    raise FilterError(parameter, value, near)


def _one_of(name: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise FilterError(name, value, allowed)
    return value


def _prevalence(value: str) -> float:
    try:
        found = float(value) / 100
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise FilterError("prevalence", value, ["a per cent figure from 0 to 100"])
    return found


def results_of(catalogue: Catalogue, dataset: Dataset, agreement: int) -> Results:
    """What ingest found of the models at an agreement threshold.

    Raises NotHere, with the reason, for a dataset without models.
    """
    found: Results | None = catalogue.pages.get(
        ("stability", dataset.id, agreement), lambda: read_results(catalogue.connection, dataset.id, agreement)
    )
    if found is None:
        raise NotHere(why_not(dataset))
    return found


def why_not(dataset: Dataset) -> str:
    """Why a dataset has no stability page, in a sentence or two."""
    if dataset.multi_label:
        return (
            f"The examples of {dataset.title} carry several labels at once, while the paper's accuracies and crossings "
            "are of predictions of one label each. So there is no ranking of models here."
        )
    return (
        f"No model's predictions for {dataset.title} are in this catalogue, so there is no ranking to look at. "
        "`python -m ingest benchmarks DIR` adds some."
    )


def key_of(model: Mapping[str, Any]) -> str:
    """The name of a model with its platform: "pytorch/resnet18"."""
    return f"{model['platform']}/{model['name']}"


def keys_of(results: Results) -> list[str]:
    """The keys of all models, in their order."""
    return [key_of(model) for model in results["models"]]


def lines_of(results: Results, kind: str) -> dict[str, Line]:
    """Key -> line of accuracy against noise prevalence, for models whose accuracy of the kind is known."""
    return {key_of(m): found for m in results["models"] if (found := line(m, kind)) is not None}


def movers(results: Results, top: str) -> list[tuple[str, int, int]]:
    """(key, rank by original, rank by corrected accuracy on C), from the steepest fall to the steepest rise."""
    moved = []
    for model in results["models"]:
        ranks = model["ranks"]["correctable"]
        before, after = ranks[f"original_top{top}"], ranks[f"corrected_top{top}"]
        if before is not None and after is not None:
            moved.append((key_of(model), before, after))
    return sorted(moved, key=lambda m: (m[1] - m[2], m[0]))


def telling_models(results: Results, most: int = 5) -> tuple[str, ...]:
    """The models a chart shows unasked: steepest falls and rises on C, and who leads on the whole test set."""
    moved = [key for key, _, _ in movers(results, "1")]
    leaders = sorted(results["models"], key=lambda m: (m["ranks"]["all"]["original_top1"], key_of(m)))
    ordered = [*moved[:1], *moved[-1:], *(key_of(m) for m in leaders[:1]), *moved[1:2], *moved[-2:-1]]
    return tuple(dict.fromkeys(ordered))[:most]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An example of C for which two models make different first choices, by class id."""

    idx: int
    given: int
    corrected: int
    first: int
    second: int
    media: Mapping[str, list[int]] | None


def disagreements(catalogue: Catalogue, dataset: Dataset, agreement: int, pair: tuple[int, int]) -> list[Disagreement]:
    """The correctable examples on which two models, given by their places, differ; most suspicious first."""
    i, v, p = schema.issues, schema.verdicts, schema.predictions
    rows = catalogue.connection.execute(
        select(i.c.idx, i.c.given, v.c.corrected, i.c.media, p.c.top)
        .select_from(v.join(i, i.c.id == v.c.issue_id).join(p, p.c.issue_id == v.c.issue_id))
        .where(v.c.dataset_id == dataset.id, v.c.agreement == agreement, v.c.category == Category.CORRECTABLE.value)
        .order_by(v.c.issue_id)
    )
    found = []
    for row in rows:
        top = np.frombuffer(row.top, "<i4")
        one, other = int(top[pair[0]]), int(top[pair[1]])
        if one != other:
            media = json.loads(row.media) if row.media else None
            found.append(Disagreement(row.idx, row.given, row.corrected, one, other, media))
    return found


@dataclass(frozen=True, slots=True)
class Repeated:
    """An example of C and how many models still predict the label that reviewers overruled."""

    idx: int
    given: int
    corrected: int
    n_models: int


def most_repeated(catalogue: Catalogue, dataset: Dataset, agreement: int, most: int) -> list[Repeated]:
    """The correctable examples whose wrong label most models predict, those most often repeated first."""
    i, v, p = schema.issues, schema.verdicts, schema.predictions
    rows = catalogue.connection.execute(
        select(i.c.idx, i.c.given, v.c.corrected, p.c.n_given)
        .select_from(v.join(i, i.c.id == v.c.issue_id).join(p, p.c.issue_id == v.c.issue_id))
        .where(
            v.c.dataset_id == dataset.id,
            v.c.agreement == agreement,
            v.c.category == Category.CORRECTABLE.value,
            p.c.n_given > 0,
        )
        .order_by(p.c.n_given.desc(), v.c.issue_id)
        .limit(most)
    )
    return [Repeated(*row) for row in rows]


def choices_for(catalogue: Catalogue, dataset: Dataset, issue_id: int) -> list[tuple[str, int]]:
    """(key, class id) of each model's first choice for an issue, models in their order; [] without any."""
    m, p = schema.models.c, schema.predictions.c
    packed = catalogue.connection.scalar(select(p.top).where(p.issue_id == issue_id))
    if packed is None:
        return []
    rows = catalogue.connection.execute(
        select(m.platform, m.name).where(m.dataset_id == dataset.id).order_by(m.platform, m.name)
    )
    return [
        (f"{row.platform}/{row.name}", class_id)
        for row, class_id in zip(rows, np.frombuffer(packed, "<i4").tolist(), strict=True)
    ]


def choices_by_class(
    catalogue: Catalogue, dataset: Dataset, issue: Issue
) -> list[tuple[ClassInfo, list[str], list[str]]]:
    """(class, roles of the class as labels of the issue, keys of the models that predict it), most models first."""
    found: dict[int, list[str]] = {}
    for key, class_id in choices_for(catalogue, dataset, issue.id) if dataset.n_models else []:
        found.setdefault(class_id, []).append(key)
    labels = {"given": issue.given, "guessed": issue.guessed, "corrected": issue.corrected}
    return [
        (
            dataset.classes[class_id],
            [role for role, label in labels.items() if label and any(c.id == class_id for c in label.classes)],
            keys,
        )
        for class_id, keys in sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))
    ]


def require_known(dataset: Dataset) -> None:
    """Raises NotFound or NotHere unless predictions for a dataset can be measured."""
    if dataset.multi_label:
        raise NotHere(why_not(dataset))
    if not dataset.labels_known:
        raise NotHere(
            f"The given labels of {dataset.title} are not in this catalogue, so no accuracy can be measured on it."
        )
    if not dataset.categories.get(dataset.default_agreement):
        raise NotFound(f"Nobody has reviewed {dataset.title}, so there is nothing to correct.", [])
