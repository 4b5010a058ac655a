"""Counts shown beside the choices of a gallery: how many issues remain after one more click."""

from collections.abc import Sequence
from typing import Final

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.issues.cells import Cells, Counts, cells_for
from app.issues.facet import Choice, Choices, Facet, Value
from app.issues.facets import FACETS
from app.issues.filter import IssueFilter

MOST_CHOICES: Final = 12


def total(catalogue: Catalogue, dataset: Dataset, f: IssueFilter) -> int:
    """How many issues a filter selects."""

    selected = f.unordered()

    def count() -> int:
        found = cells_for(catalogue, dataset, selected)
        return int(found.n[found.matching(selected)].sum())

    return catalogue.facets.get(("total", dataset.id, selected), count)


def choices(catalogue: Catalogue, dataset: Dataset, f: IssueFilter) -> tuple[Choices, ...]:
    """The choices shown beside a gallery, with their counts under the rest of the filter.

    A choice that would replace another of its facet is counted as if that one were not chosen. Facets without a choice
    in the whole dataset are left out.
    """

    def make() -> tuple[Choices, ...]:
        there = [facet for facet in FACETS.values() if facet.exists(dataset) and not facet.narrows]
        plain = f.unordered()
        made = [_choices(cells_for(catalogue, dataset, plain, facet.name), dataset, f, facet) for facet in there]
        return tuple(one for one in made if one.choices)

    return catalogue.facets.get(("facets", dataset.id, f), make)


def class_counts(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, role: str) -> Counts:
    """Class id -> number of issues under a filter that have this class as "given", "guessed" or "corrected" label."""
    selected = f.unordered()
    return cells_for(catalogue, dataset, selected, role).counts(selected, role)


def _choices(found: Cells, dataset: Dataset, f: IssueFilter, facet: Facet) -> Choices:
    counts = found.counts(f.unordered(), facet.name)
    taken = dict(f.taken()).get(facet, ())
    ranked = _ranked(dataset, facet, counts, taken)
    made = []
    for value in ranked[:MOST_CHOICES]:
        active = value in taken
        query = f.query(dataset, **{facet.name: facet.put(() if active else (value,))})
        spelled, label = facet.spell(dataset, value), facet.label(dataset, value)
        made.append(Choice(spelled, label, counts.get(value, 0), active, query, value in facet.indented))
    more = max(0, len(ranked) - MOST_CHOICES)
    folded = facet.folded and not taken
    return Choices(facet.name, facet.heading(dataset) or facet.title, tuple(made), more, folded)


def _ranked(dataset: Dataset, facet: Facet, counts: Counts, taken: Sequence[Value]) -> list[Value]:
    """The choices to offer, in order: those already chosen and those with any issues."""
    if facet.order is not None:
        return [value for value in facet.order(dataset, taken) if counts.get(value) or value in taken]
    others = [value for value, n in counts.items() if n and value not in taken]
    return [*taken, *sorted(others, key=lambda value: (-counts[value], str(value)))]
