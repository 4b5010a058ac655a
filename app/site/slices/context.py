"""What the page and the API say of a dataset's slices."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.domain.ranking.bootstrap import accuracy_interval
from app.domain.ranking.paired_difference import paired_difference
from app.domain.review.verdicts import Category
from app.issues.slices import slice_words, slices_of
from app.schema.slice_tables import issue_slices, slice_results
from app.schema.tables import verdicts

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SliceScore:
    """How a model does on the examples of a slice: right answers, and what correcting the labels changes on P."""

    model: str
    original_all: int  # of all n, by given labels
    original: int  # of P, by given labels
    corrected: int  # of P, by corrected labels
    pruned: int  # |P| of the slice
    difference: float | None  # corrected less original accuracy, like for like on P; None of an empty P
    interval: Interval | None  # of the difference

    @property
    def original_accuracy(self) -> float | None:
        return self.original / self.pruned if self.pruned else None

    @property
    def corrected_accuracy(self) -> float | None:
        return self.corrected / self.pruned if self.pruned else None


@dataclass(frozen=True, slots=True)
class SliceRow:
    """The errors of one slice, and the scores of all models on it."""

    name: str
    words: str
    n: int
    errors: int
    pruned: int
    correctable: int
    scores: tuple[SliceScore, ...]

    @property
    def rate(self) -> float:
        """The share of examples that are errors."""
        return self.errors / self.n if self.n else 0.0

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the share of errors."""
        return accuracy_interval(self.errors, self.n)


def slice_rows(catalogue: Catalogue, dataset: Dataset, agreement: int) -> Sequence[SliceRow]:
    """All slices of a dataset, most errors first, ties by name; read once for a catalogue.

    While examples are held back they are counted without them, and without scores, which contain them.
    """

    def make() -> tuple[SliceRow, ...]:
        slices = slices_of(dataset)
        t = slice_results.c
        asked = select(t.results).where(t.dataset_id == dataset.id, t.agreement == agreement)
        stored = catalogue.connection.scalar(asked)
        if slices is None or stored is None:
            return ()
        found = json.loads(stored)["slices"]
        if dataset.held_back is not None:
            found = _without_held_back(catalogue, dataset, agreement, found)
        rows = [_row(dataset, name, values) for name, values in zip(slices.names, found, strict=True)]
        return tuple(sorted(rows, key=lambda row: (-row.rate, row.name)))

    return catalogue.pages.get(("slices", dataset.id, agreement), make)


def _without_held_back(
    catalogue: Catalogue, dataset: Dataset, agreement: int, found: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Counts of what is shown: the difference of stored ones to the lists would tell what is held back."""
    # There on every connection that withholds anything (see app.catalogue.rounds.withheld).
    held = text(
        "SELECT s.slice, COUNT(*) AS n FROM temp.withheld AS w JOIN main.issue_slices AS s ON s.issue_id = w.issue_id "
        "WHERE w.dataset_id = :dataset GROUP BY s.slice"
    )
    gone = {row.slice: row.n for row in catalogue.connection.execute(held, {"dataset": dataset.id})}
    s, v = issue_slices.c, verdicts.c
    judged = (
        select(s.slice, v.category, func.count())
        .select_from(issue_slices.join(verdicts, v.issue_id == s.issue_id))
        .where(s.dataset_id == dataset.id, v.agreement == agreement)
        .group_by(s.slice, v.category)
    )
    errors, correctable = [0] * len(found), [0] * len(found)
    for slice_, category, n in catalogue.connection.execute(judged):
        errors[slice_] += n if Category(category).is_error else 0
        correctable[slice_] += n if category == Category.CORRECTABLE.value else 0
    rows = []
    for place, one in enumerate(found):
        n, unknown = one["n"] - gone.get(place, 0), errors[place] - correctable[place]
        rows.append({"n": n, "errors": errors[place], "P": n - unknown, "C": correctable[place], "models": []})
    return rows


def _row(dataset: Dataset, name: str, values: Mapping[str, Any]) -> SliceRow:
    pruned = values["P"]
    models = zip(dataset.models, values["models"], strict=False)
    scores = tuple(_score(model, one, pruned) for model, one in models)
    return SliceRow(name, slice_words(name), values["n"], values["errors"], pruned, values["C"], scores)


def _score(model: str, one: Mapping[str, int], pruned: int) -> SliceScore:
    difference, interval = paired_difference(one["gained"], one["lost"], pruned) if pruned else (None, None)
    return SliceScore(model, one["original_all"], one["original"], one["corrected"], pruned, difference, interval)


def finding(row: SliceRow) -> str:
    """What correcting the labels of a slice does to the models' scores, in a sentence that its intervals hold.

    A change is told only of models whose whole interval is on one side of none.
    """
    rising = [score for score in row.scores if score.interval is not None and score.interval[0] > 0]
    falling = [score for score in row.scores if score.interval is not None and score.interval[1] < 0]
    n = len(row.scores)
    if not n or not row.pruned:
        return ""
    on = f"like for like on the {row.pruned:,} examples of known label"
    if rising and not falling:
        points = [100 * (score.difference or 0) for score in rising]
        low, high = min(points), max(points)
        who = ("its one model" if n == 1 else f"all {n} models") if len(rising) == n else f"{len(rising)} of {n} models"
        by = f"{low:.0f}" if f"{low:.0f}" == f"{high:.0f}" else f"{low:.0f} to {high:.0f}"
        rest = "" if len(rising) == n else "; of the others nothing can be told"
        return f"Corrected, the scores of {who} rise by {by} points, {on}{rest}."
    if falling and not rising:
        return f"Corrected, the scores of {len(falling)} of {n} models fall, {on}."
    return f"Whether correcting the labels changes any score cannot be told, {on}."
