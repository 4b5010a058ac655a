"""The facet for what second opinions say of the corrections that reviewers made."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement

from app.catalogue.records import Dataset
from app.domain.opinions.stances import Stance, Support, stances_of
from app.domain.review.verdicts import Category
from app.errors import FilterError
from app.issues.facet import CountedIn, Facet
from app.issues.filter_parameters import either
from app.schema import tables

_DIFFER: Final = Support.DIFFER.value
#: How addresses spelled it when "disputed" did not yet mean that a visitor had said something.
_FORMERLY: Final = "disputed"
_CONFIRMED, _OPPOSED = Support.CONFIRMED.value, Support.OPPOSED.value
_WORDS: Final = {Stance.GUESSED: _CONFIRMED, Stance.GIVEN: _OPPOSED}
_VERBS: Final = {_CONFIRMED: "confirms", _OPPOSED: "opposes"}
_v = tables.verdicts.c


def _values(dataset: Dataset) -> list[str]:
    names = [source.name for source in dataset.opinions.sources]
    return [f"{word}:{name}" for word in (_CONFIRMED, _OPPOSED) for name in names] + [_DIFFER]


def _means(dataset: Dataset, signs: str) -> list[str]:
    """What the opinions say of a correction, as values of the facet."""
    said = zip(dataset.opinions.sources, stances_of(signs), strict=True)
    found = [f"{_WORDS[stance]}:{source.name}" for source, stance in said if stance in _WORDS]
    return found + [_DIFFER] * (dataset.opinions.support(signs) is Support.DIFFER)


def _read(dataset: Dataset, name: str, value: str) -> str:
    if not dataset.opinions.sources:
        raise FilterError(name, value, [], f"There is no second opinion on {dataset.title} to filter by.")
    if value == _FORMERLY:
        return _DIFFER
    if value not in _values(dataset):
        raise FilterError(name, value, _values(dataset))
    return value


def _label(dataset: Dataset, value: str) -> str:
    word, _, name = value.partition(":")
    if not name:
        return "sources differ"
    return f"{word} by {dataset.opinions.sources[dataset.opinions.places[name]].title}"


def _clause(dataset: Dataset, chosen: Mapping[str, Any]) -> str:
    said = []
    for value in chosen["opinion"]:
        word, _, name = value.partition(":")
        title = name and dataset.opinions.sources[dataset.opinions.places[name]].title
        said.append(f"{title} {_VERBS[word]}" if name else "second opinions differ on")
    return f"whose correction {either(said)}"


def _where(dataset: Dataset, values: Sequence[str], _: bool) -> list[ColumnElement[bool]]:
    patterns = [signs for signs in dataset.opinions.patterns if set(_means(dataset, signs)) & set(values)]
    return [_v.category == Category.CORRECTABLE.value, _v.opinions.in_(patterns)]


OPINION: Final = Facet(
    name="opinion",
    title="Correction, by second opinions",
    read=_read,
    says="Corrections that a second opinion confirms or opposes, like ``confirmed:real``, or on which several differ, "
    "``differ``, formerly ``disputed``; may be given several times.",
    schema={"type": "array", "items": {"type": "string"}},
    many=True,
    label=_label,
    chip=lambda dataset, value: f"correction {_label(dataset, value)}" if ":" in value else "second opinions differ",
    clause=_clause,
    reviewed=lambda _: True,
    where=_where,
    counted_in=CountedIn.MODELS,
    columns=(_v.opinions,),
    means=_means,
    exists=lambda dataset: bool(dataset.opinions.sources),
    order=lambda dataset, _: _values(dataset),
)
