"""Translate a filter into SQL: which rows it selects, and in which order.

Each facet provides its own condition; this module joins the tables for it. Categories and corrected labels are read
from the table ``verdicts``, which ingest filled by ``app.domain.review.verdicts``; no rule is repeated here.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Join,
    Select,
    and_,
    bindparam,
    column,
    func,
    literal,
    select,
    table,
    true,
    union,
)

from app.catalogue.access import may_search
from app.catalogue.records import Dataset, IssueRow
from app.domain.review.verdicts import Category
from app.issues.filter import IssueFilter
from app.schema import tables

i, v, p = tables.issues, tables.verdicts, tables.predictions
_issue_search = table("issue_search", column("rowid"), column("issue_search"))
_class_search = table("class_search", column("rowid"), column("class_search"))

_PAGE: Final = 50  # rows of a typical page
_MOST_LABELS: Final = 4  # an issue's labels that the words of a search can name
_INDEX: Final = re.compile(r"(?:|.*\s)#(\d{1,12})|(\d{1,12})", re.ASCII | re.DOTALL)
#: The name of a file of the dataset's distribution: what a key is called there.
_FILE: Final = re.compile(
    r"(?:.*[/\\])?([^/\\]+)\.(?:jpe?g|png|gif|bmp|webp|wav|flac|mp3|txt)", re.IGNORECASE | re.DOTALL
)
#: A part of a name that is looked for in all names: no shorter, as nearly all names have two letters in common.
_SHORTEST_PART: Final = 3
_NAMES_ALONE: Final = ("image", "audio")
_MOST_BY_PART: Final = 200
POSITIONS: Final[dict[str, ColumnElement[int]]] = {
    "suspicion": i.c.id,
    "margin": i.c.by_margin,
    "index": i.c.idx,
    "disagreement": i.c.by_disagreement,
    "confidence": v.c.by_confidence,
}
#: Field of ``IssueRow`` -> its column; the position depends on the order.
_COLUMNS: Final[dict[str, ColumnElement[Any]]] = {
    "id": i.c.id,
    "idx": i.c.idx,
    "key": i.c.key,
    "given": i.c.given,
    "guessed": i.c.guessed,
    "shown": i.c.shown,
    "corrected": v.c.corrected,
    "category": v.c.category,
    "consensus": i.c.consensus,
    "votes": i.c.votes,
    "flagged": i.c.flagged,
    "self_confidence": i.c.self_confidence,
    "normalized_margin": i.c.normalized_margin,
    "rank": i.c.rank,
    "url": i.c.url,
    "excerpt": i.c.excerpt,
    "media": i.c.media,
    "opinions": v.c.opinions,
    "confidence": v.c.confidence,
    "probability_right": v.c.probability_right,
}


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The rows of a filter and the column they are ordered by."""

    source: FromClause
    where: ColumnElement[bool]
    position: ColumnElement[int]
    descending: bool
    bounds: tuple[int, int]  # the smallest and the largest possible position
    total: int  # number of rows

    def start(self, forward: bool) -> int:
        """The cursor before the first row, or after the last one."""
        low, high = self.bounds
        return high + 1 if self.descending is forward else low - 1

    def within(self, cursor: int) -> int:
        """A cursor limited to the dataset, so that one from elsewhere, or made up, cannot reach a third dataset."""
        low, high = self.bounds
        return min(max(cursor, low - 1), high + 1)

    def page(self, forward: bool) -> Select[Any]:
        """Rows on one side of the cursor ``:cursor``, nearest first, at most ``:limit``."""
        ascending = forward is not self.descending
        cursor: ColumnElement[int] = bindparam("cursor")
        # One bound per side: given a second one on the cursor's side, SQLite may start there and walk up to the cursor.
        low, high = self.bounds
        beyond = (
            and_(self.position > cursor, self.position <= high)
            if ascending
            else and_(self.position < cursor, self.position >= low)
        )
        order = self.position.asc() if ascending else self.position.desc()
        named = {**_COLUMNS, "position": self.position}
        columns = [named[name].label(name) for name in IssueRow._fields]
        return (
            select(*columns)
            .select_from(self.source)
            .where(self.where, beyond)
            .order_by(order)
            .limit(bindparam("limit"))
        )


def selection(connection: Connection, dataset: Dataset, f: IssueFilter, total: int) -> Selection:
    """The selection of a filter that ``total`` issues match. Looks up once which classes a search matches.

    A page in an order other than suspicion is read in one of two ways: along the index of the order, skipping rows that
    do not match, or by sorting all matching rows. The first reads about page * issues / total rows, the second total
    rows; the smaller of the two is at most the square root of page * issues: 18,000 rows of seven million.
    """
    name = f.sort.removeprefix("-")
    source, of_facets = _joined(dataset, f)
    # If the verdicts choose the rows, their index is ordered by their own copy of the id.
    position = v.c.issue_id if name == "suspicion" and source.left is v else POSITIONS[name]
    if name != "suspicion" and total * total < _PAGE * dataset.n_issues:
        position = position + 0  # an expression, so that no index has this order and the matching rows are sorted
    # Ids alone identify the dataset; a second condition on it would tempt SQLite into an index that needs a sort.
    by_verdicts = name in ("suspicion", "confidence")
    conditions: list[ColumnElement[bool]] = [] if by_verdicts else [i.c.dataset_id == dataset.id]
    bounds = tables.issue_id_range(dataset.id) if name == "suspicion" else (0, 2**62)
    conditions += of_facets
    if f.q is not None:
        conditions.append(i.c.id.in_(_matching(connection, dataset, f.q)))
    return Selection(source, and_(true(), *conditions), position, f.sort.startswith("-"), bounds, total)


def counted_by(
    connection: Connection, dataset: Dataset, f: IssueFilter, columns: Sequence[ColumnElement[Any]]
) -> Select[Any]:
    """Counts of the issues of a filter, grouped by some columns of ``issues``."""
    source, conditions = _joined(dataset, f)
    low, high = tables.issue_id_range(dataset.id)
    if f.q is not None:
        conditions.append(i.c.id.in_(_matching(connection, dataset, f.q)))
    statement = select(*columns, func.count()).select_from(source).where(i.c.id.between(low, high), *conditions)
    return statement.group_by(*columns)


def cells_of_issues(
    connection: Connection, dataset: Dataset, f: IssueFilter, columns: Sequence[ColumnElement[Any]]
) -> Select[Any]:
    """Counts of issues by columns of ``issues`` and ``verdicts``: of those that a filter's search and ranges leave."""
    joined = i.outerjoin(v, and_(v.c.issue_id == i.c.id, v.c.agreement == f.agreement))
    statement = select(*columns, func.count()).select_from(joined)
    if f.q is None:
        statement = statement.where(i.c.dataset_id == dataset.id)
    return statement.where(*_left(connection, dataset, f)).group_by(*columns)


def cells_of_models(
    connection: Connection, dataset: Dataset, f: IssueFilter, columns: Sequence[ColumnElement[Any]]
) -> Select[Any]:
    """Those of them that reviewers corrected, one by one, including columns of ``predictions``, null without models.

    Their number is limited by the reviewers' time, whatever the size of the dataset.
    """
    joined = v.join(i, i.c.id == v.c.issue_id).outerjoin(p, p.c.issue_id == v.c.issue_id)
    statement = select(*columns, literal(1)).select_from(joined)
    statement = statement.where(v.c.dataset_id == dataset.id, v.c.agreement == f.agreement)
    statement = statement.where(v.c.category == Category.CORRECTABLE.value)
    return statement.where(*_left(connection, dataset, f))


def _left(connection: Connection, dataset: Dataset, f: IssueFilter) -> list[ColumnElement[bool]]:
    """The conditions of a filter that choose rows before they are counted: its search and its ranges."""
    narrowing = [(facet, values) for facet, values in f.taken() if facet.narrows]
    found = [condition for facet, values in narrowing for condition in facet.where(dataset, values, False)]
    return found if f.q is None else [*found, i.c.id.in_(_matching(connection, dataset, f.q))]


def match_expression(q: str) -> str | None:
    """A search as an FTS5 expression: all words, the last one as a prefix; None if there is no word in it.

    Every word is quoted, so no character that a visitor types is an operator.

    >>> match_expression('Mac LCII OR "x')
    '"Mac" "LCII" "OR" "x"*'
    """
    words = _words(q)
    return _expression(words) if words else None


def _words(q: str) -> list[str]:
    return re.findall(r"\w+", q)


def folded(text: str) -> str:
    """A text as full-text search compares it: without case and accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _expression(words: Sequence[str], *, begins: bool = True) -> str:
    return " ".join(f'"{word}"' for word in words) + "*" * begins


def _joined(dataset: Dataset, f: IssueFilter) -> tuple[Join, list[ColumnElement[bool]]]:
    """The tables of a filter and the conditions of its facets; verdicts come first if only reviewed issues match."""
    on = and_(v.c.issue_id == i.c.id, v.c.agreement == f.agreement)
    taken = [(facet, values, facet.reviewed(values)) for facet, values in f.unordered().taken()]
    lead = any(reviewed for _, _, reviewed in taken)
    conditions = [v.c.dataset_id == dataset.id, v.c.agreement == f.agreement] if lead else []
    for facet, values, _ in sorted(taken, key=lambda one: not one[2]):
        conditions += facet.where(dataset, values, lead)
    return v.join(i, on) if lead else i.outerjoin(v, on), conditions


def _matching(connection: Connection, dataset: Dataset, q: str) -> Any:
    """Ids of the issues that a search finds.

    It finds all its words in the text or key of an issue or in one class of its labels; each word in a class of
    another of its labels, such as "cat frog"; the index of an issue, also as titles have it, "#2405"; and a key by the
    name of its file, "val/n02132136/ILSVRC2012_val_00004698.JPEG". Text that may not be shown in full is not
    searched either; it could be guessed word by word.
    """
    expression = match_expression(q)
    if expression is None:
        return select(literal(-1))
    low, high = tables.issue_id_range(dataset.id)
    text = select(_issue_search.c.rowid).where(
        _issue_search.c.issue_search.op("MATCH")(expression), _issue_search.c.rowid.between(low, high)
    )
    parts = [text] if may_search(dataset) else []
    index = index_in(q)
    if index is not None:
        parts.append(select(i.c.id).where(i.c.dataset_id == dataset.id, i.c.idx == index))
    file = _FILE.fullmatch(q)
    if file is not None:
        parts.append(select(i.c.id).where(i.c.dataset_id == dataset.id, i.c.key == file[1]))
    words = _words(q)
    parts += _with_labels(dataset, _labels_named(connection, dataset, words))
    if 1 < len(words) <= _MOST_LABELS:
        last = len(words) - 1
        named = [_labels_named(connection, dataset, [word], begins=n == last) for n, word in enumerate(words)]
        if all(named):
            each = [union(*_with_labels(dataset, labels)).subquery() for labels in named]
            parts.append(select(each[0].c[0]).where(*(each[0].c[0].in_(select(one.c[0])) for one in each[1:])))
    return union(*parts) if parts else select(literal(-1))


def index_in(q: str) -> int | None:
    """The index of an example that a search names: alone, or behind "#" as titles have it; None if it names none.

    >>> index_in("2405"), index_in("CIFAR-10 #2405"), index_in("route 66")
    (2405, 2405, None)
    """
    found = _INDEX.fullmatch(q)
    return int(found[1] or found[2]) if found else None


def _labels_named(connection: Connection, dataset: Dataset, words: Sequence[str], *, begins: bool = True) -> list[int]:
    """Ids of the labels that have a class with these words in its name; ``begins`` if the last may be a beginning.

    Where no name has them as words, a part of a name will do: "horn" for bighorn. Not so where texts are searched,
    which have such words themselves.
    """
    low, high = tables.issue_id_range(dataset.id)
    found = _class_search.c
    statement = select(found.rowid).where(
        found.class_search.op("MATCH")(_expression(words, begins=begins)), found.rowid.between(low, high)
    )
    ids = [row[0] - low for row in connection.execute(statement)]
    if not ids and dataset.modality in _NAMES_ALONE and min(map(len, words)) >= _SHORTEST_PART:
        parts = [word.casefold() for word in words]
        ids = [c.id for c in dataset.classes if all(map(c.name.casefold().__contains__, parts))]
        ids = ids if len(ids) <= _MOST_BY_PART else []
    return sorted({label for class_id in ids for label in dataset.labels_with[class_id]})


def _with_labels(dataset: Dataset, labels: Sequence[int]) -> list[Select[Any]]:
    """Ids of the issues with one of these labels, given, guessed, shown to reviewers or corrected."""
    if not labels:
        return []
    in_dataset = i.c.dataset_id == dataset.id
    corrected = select(v.c.issue_id).where(
        v.c.dataset_id == dataset.id, v.c.agreement.in_(dataset.agreements), v.c.corrected.in_(labels)
    )
    columns = (i.c.given, i.c.guessed, i.c.shown)
    return [*(select(i.c.id).where(in_dataset, column.in_(labels)) for column in columns), corrected]
