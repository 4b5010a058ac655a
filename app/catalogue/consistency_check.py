"""Consistency checks between the tables of a catalogue, run when it is opened.

The ends of indexes show whether all labels and positions exist, whatever the number of issues. Verdicts are counted
through their indexes and compared with the counts shown beside filter choices.
"""

import json
import re
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from app.catalogue.open_file import UnreadableCatalogueError
from app.domain.review.verdicts import Category
from app.schema import tables
from app.schema.facet_tables import category_counts, facets, unpack_unreviewed, unreviewed

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_VERSION: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MODALITIES: Final = ("image", "text", "audio", "tabular", "question")


def require_time(where: str, text: str) -> None:
    """Raises UnreadableCatalogueError for what is no time in ISO 8601."""
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise UnreadableCatalogueError(f"{where}: expected a time in ISO 8601, found {text!r:.80}") from error


def require_agreement(connection: Connection, dataset: Row[Any]) -> None:
    """Raises UnreadableCatalogueError where the facts of a dataset, its issues, verdicts and counts contradict."""
    where = f"dataset {dataset.name!r:.80}"
    _require(bool(_NAME.fullmatch(dataset.name)), where, "a name of small letters, digits and hyphens", dataset.name)
    _require(bool(_VERSION.fullmatch(dataset.version)), where, "a version of letters and digits", dataset.version)
    _require(dataset.modality in _MODALITIES, where, f"a modality of {', '.join(_MODALITIES)}", dataset.modality)
    require_time(f"{where}, built_at", dataset.built_at)
    agreements = json.loads(dataset.agreements)
    offered = sorted({n for n in agreements if 1 <= n <= dataset.raters})
    _require(agreements == offered, where, f"agreements from 1 to {dataset.raters}, ascending", agreements)
    _require_labels(connection, dataset, where)
    _require_counts(connection, dataset, where, agreements)


def _require_labels(connection: Connection, dataset: Row[Any], where: str) -> None:
    i, f, s = tables.issues.c, facets.c, tables.label_sets.c
    labels = connection.scalar(select(func.max(s.label_id)).where(s.dataset_id == dataset.id))
    most = -1 if labels is None else labels
    columns = [(i.given, most), (i.guessed, most), (i.shown, most)]
    columns += [(f.given, most), (f.guessed, most), (f.corrected, most)]
    if dataset.size is not None:
        columns.append((i.idx, dataset.size - 1))
    for column, largest in columns:
        its = column.table.c.dataset_id == dataset.id
        # One end at a time, which is the end of an index.
        for end in (func.min(column), func.max(column)):
            found = connection.scalar(select(end).where(its, column.is_not(None)))
            expected = f"{column.table.name}.{column.name} from 0 to {largest}"
            _require(found is None or 0 <= found <= largest, where, expected, found)
    v = tables.verdicts.c
    for agreement in json.loads(dataset.agreements):
        of_these = (v.dataset_id == dataset.id, v.agreement == agreement, v.corrected.is_not(None))
        for end in (func.min(v.corrected), func.max(v.corrected)):
            found = connection.scalar(select(end).where(*of_these))
            _require(found is None or 0 <= found <= most, where, f"verdicts.corrected from 0 to {most}", found)
    _require_unreviewed(connection, dataset, where, most)


def _require_unreviewed(connection: Connection, dataset: Row[Any], where: str, most: int) -> None:
    """The packed counts of issues that nobody reviewed: of labels up to ``most``, and as many as the row says."""
    row = connection.execute(select(unreviewed).where(unreviewed.c.dataset_id == dataset.id)).mappings().one_or_none()
    if row is None:
        return
    try:
        columns = unpack_unreviewed(row)
    except ValueError as error:
        raise UnreadableCatalogueError(f"{where}: expected counts of issues that nobody reviewed: {error}") from error
    for name, largest in (("given", most), ("guessed", most), ("flagged", 1)):
        found = int(columns[name].max(initial=0))
        _require(found <= largest, where, f"unreviewed.{name} from 0 to {largest}", found)
    found = int(columns["n"].sum())
    _require(found == row["n_issues"], where, f"counts of {row['n_issues']:,} issues that nobody reviewed", found)


def _require_counts(connection: Connection, dataset: Row[Any], where: str, agreements: list[int]) -> None:
    v, f = tables.verdicts.c, facets.c
    said = connection.execute(category_counts(dataset.id))
    counted = {(row.agreement, row.category): row.n for row in said}
    _require_known(where, "categories", {category for _, category in counted}, {c.value for c in Category})
    if dataset.n_issues:
        found = sorted({agreement for agreement, _ in counted})
        _require(found == agreements, where, f"counts for agreements {agreements}", found)
    there = select(v.agreement, v.category, func.count()).where(v.dataset_id == dataset.id)
    verdicts = {(row[0], row[1]): row[2] for row in connection.execute(there.group_by(v.agreement, v.category))}
    expected = {key: n for key, n in counted.items() if key[1] != Category.UNREVIEWED}
    differing = sorted(key for key in {*expected, *verdicts} if expected.get(key, 0) != verdicts.get(key, 0))
    if differing:
        key = differing[0]
        _require(False, where, f"{expected.get(key, 0)} verdicts {key[1]} at agreement {key[0]}", verdicts.get(key, 0))
    labelled = select(v.agreement, func.count()).where(v.dataset_id == dataset.id, v.corrected.is_not(None))
    with_label = {row[0]: row[1] for row in connection.execute(labelled.group_by(v.agreement))}
    for agreement in agreements:
        n = verdicts.get((agreement, Category.CORRECTABLE.value), 0)
        found = with_label.get(agreement, 0)
        _require(found == n, where, f"{n} corrected labels at agreement {agreement}", found)
    options = len(json.loads(dataset.vote_options))
    patterns = select(f.vote_pattern).where(f.dataset_id == dataset.id, f.vote_pattern.is_not(None)).distinct()
    for pattern in connection.scalars(patterns):
        numbers = pattern.split("-")
        fits = len(numbers) == options and all(n.isdecimal() for n in numbers)
        _require(fits, where, f"a count for each of {options} options of a vote", pattern)


def _require_known(where: str, what: str, found: Collection[str], known: Collection[str]) -> None:
    others = sorted(set(found) - set(known))
    _require(not others, where, f"{what} of {', '.join(sorted(known))}", others)


def _require(holds: bool, where: str, expected: str, found: Any) -> None:
    if not holds:
        raise UnreadableCatalogueError(f"{where}: expected {expected}, found {found!r:.80}")
