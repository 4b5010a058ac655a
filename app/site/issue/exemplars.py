"""Typical examples of a class, shown beside an issue as in the paper's worker interface (Figure 2).

They are chosen at ingest and read here. ``app.catalogue.access`` decides what may be shown of them, as for issues.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from markupsafe import Markup, escape
from sqlalchemy import select

from app.catalogue import access
from app.catalogue.current import Catalogue
from app.catalogue.records import ClassInfo, Dataset, Issue, Label
from app.issues.table_rows import table_rows
from app.schema import tables
from app.site.components.cards import EMPTY, picture, sound
from app.site.components.missing_pictures import copy_of, lacks_pictures
from app.site.components.row_values import row_values
from app.web.templates import media_prefix

#: What reviewers were shown where the model agrees with the given label.
LABEL_BESIDE: Final = "label of a near-duplicate"


class Exemplar(NamedTuple):
    """An example of a class that the model is sure of and that is not an issue."""

    idx: int
    self_confidence: float
    medium: Markup


class ExemplarRow(NamedTuple):
    """The exemplars of one class, shown beside an issue."""

    role: str  # "given label, cat"
    class_: ClassInfo
    kind: str  # "image", "text", "audio" or "tabular"
    exemplars: tuple[Exemplar, ...]

    @property
    def empty(self) -> bool:
        """Whether there are only places for a visitor's own pictures."""
        return not any(one.medium for one in self.exemplars)


def exemplars_of(catalogue: Catalogue, dataset: Dataset, class_id: int, *, bare: bool = False) -> tuple[Exemplar, ...]:
    """The exemplars of a class, surest first; empty if there are none or none may be shown.

    ``bare`` includes those without a medium, as places for pictures of a visitor's own copy.
    """
    e = tables.exemplars.c
    rows = catalogue.connection.execute(
        select(e.idx, e.self_confidence, e.excerpt, e.media)
        .where(e.dataset_id == dataset.id, e.class_id == class_id)
        .order_by(e.position)
    ).all()
    values = table_rows(catalogue, dataset, [row.idx for row in rows])

    def medium(row: Any) -> Markup:
        if row.idx in values:
            return row_values(row.idx, values[row.idx])
        return _medium(dataset, row.idx, json.loads(row.media or "{}"), row.excerpt)

    made = (Exemplar(row.idx, row.self_confidence, medium(row)) for row in rows)
    return tuple(exemplar for exemplar in made if bare or exemplar.medium)


def shelves(catalogue: Catalogue, dataset: Dataset, issue: Issue) -> list[ExemplarRow]:
    """The exemplars of each label that an issue could have; for a set, of the classes that only it contains.

    The labels are the given one and the guess that reviewers were shown, and the present guess and the corrected label
    if they differ.
    """
    then = "label guessed then" if issue.guess_changed else LABEL_BESIDE if issue.shown_beside else "guessed label"
    others = ((then, issue.alternative), ("label guessed now", issue.guessed), ("corrected label", issue.corrected))
    classes = [("given label", _own(issue.given, issue.alternative))]
    classes += [(role, _own(label, issue.given)) for role, label in others]
    bare = lacks_pictures(dataset) and copy_of(dataset) is not None
    found: list[ExemplarRow] = []
    for role, class_ in classes:
        seen = found and class_ in (*issue.given.classes, *(shelf.class_ for shelf in found))
        if class_ is None or seen:
            continue
        exemplars = exemplars_of(catalogue, dataset, class_.id, bare=bare)
        if exemplars:
            found.append(ExemplarRow(f"{role}, {class_.name}", class_, dataset.modality, exemplars))
    return found


def _own(label: Label | None, other: Label | None) -> ClassInfo | None:
    """The first class of a label that the other lacks, or else its first."""
    classes = () if label is None else label.classes
    others = () if other is None else other.classes
    return next((c for c in classes if c not in others), next(iter(classes), None))


def _medium(dataset: Dataset, idx: int, media: Mapping[str, list[int]], excerpt: str | None) -> Markup:
    base = f"{media_prefix(dataset)}{idx}"
    kind = next((kind for kind in ("thumbnail", "image", "audio") if kind in media), None)
    if kind is not None and access.may_show(dataset, kind):
        if kind == "audio":
            return sound(base, media, idx, silent=idx in dataset.silent)
        width, height = media[kind]
        return picture(f"{base}/{kind}", width, height, f"Example {idx}", lazy=True)
    text = access.excerpt(dataset, excerpt)
    if text is not None and not text.strip():
        return EMPTY
    return Markup("") if text is None else Markup('<p class="quote">%s</p>') % escape(text)
