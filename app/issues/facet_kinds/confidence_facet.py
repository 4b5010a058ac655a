"""The facet for how sure a correction is: the least probability that a majority of unlimited raters would make it."""

from collections.abc import Sequence
from typing import Final

from app.catalogue.records import Dataset
from app.domain.confidence.hundredths import EXPECTED, read_hundredths, spell_hundredths, whole_hundredths
from app.errors import FilterError
from app.issues.facet import CountedIn, Facet
from app.schema import tables

_OFFERED: Final = (0.5, 0.8, 0.9, 0.95, 0.99)
_v = tables.verdicts.c


def _read(dataset: Dataset, name: str, value: str) -> float:
    why_not = dataset.confidence.why_not(dataset.title)
    if why_not is not None:
        raise FilterError(name, value, [], f"{why_not}.")
    least = read_hundredths(value)
    if least is None:
        raise FilterError(name, value, [EXPECTED])
    return least


def _label(_: Dataset, least: float) -> str:
    return f"{spell_hundredths(least)} or more" if least else "any"


def _means(_: Dataset, stored: float) -> Sequence[float]:
    return [n / 100 for n in range(whole_hundredths(stored) + 1)]


def _clause(_: Dataset, least: float) -> str:
    return f"whose correction has a confidence of at least {spell_hundredths(least)}" if least else "with a correction"


CONFIDENCE: Final = Facet(
    name="confidence",
    title="Confidence in the correction",
    read=_read,
    spell=lambda _, least: spell_hundredths(least),
    says="Corrections that a majority of unlimited raters would make with at least this probability, by the votes "
    "alone: 0 to 1, in hundredths.",
    schema={"type": "number", "minimum": 0, "maximum": 1},
    label=_label,
    chip=lambda dataset, least: f"confidence {_label(dataset, least)}",
    clause=lambda dataset, chosen: _clause(dataset, chosen["confidence"]),
    reviewed=lambda _: True,
    where=lambda _, values, __: [_v.confidence >= values[0]],
    counted_in=CountedIn.MODELS,
    columns=(_v.confidence,),
    means=_means,
    exists=lambda dataset: dataset.confidence.known,
    order=lambda _, taken: sorted({*_OFFERED, *taken}),
    folded=True,
)
