"""The queries of the pages and the API.

They return immutable values and never write.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, select

from app.catalogue import access
from app.catalogue.current import Catalogue
from app.catalogue.open_file import require_reader
from app.catalogue.records import ConfusionCell, Dataset, Issue, IssueDetail, IssueRow, Page, VerdictAt
from app.domain.review.verdicts import Category
from app.errors import NotFound, near_names
from app.issues.cells import cells_for
from app.issues.counts import total
from app.issues.cursors import Cursor, cursor, read_cursor
from app.issues.facet_kinds.model_facets import averaged
from app.issues.filter import IssueFilter
from app.issues.prepared_statement import Prepared
from app.issues.reviewed.answers import answers, as_reviewed
from app.issues.table_rows import with_rows
from app.issues.where import POSITIONS, Selection, selection
from app.schema import tables
from app.schema.packing import unpack_top

_m = tables.media.c
# Built once: compiling it costs more than running it.
_MEDIUM = select(_m.type, _m.encoding, _m.bytes).where(
    _m.dataset_id == bindparam("dataset"), _m.idx == bindparam("idx"), _m.kind == bindparam("kind")
)
#: The name under which a medium's type is stored with its bytes.
_TYPE = b"content-type"
_CATEGORY = {c.value: c for c in Category} | {None: Category.UNREVIEWED}


@dataclass(frozen=True, slots=True)
class Medium:
    """A stored picture, snippet or text, as it is served."""

    type: str
    data: bytes


def dataset_named(catalogue: Catalogue, name: str) -> Dataset:
    """The dataset with a name. Raises NotFound with similar names."""
    found = catalogue.datasets.get(name)
    if found is None:
        near = near_names(name, catalogue.datasets)
        others = "" if near else f" It holds {', '.join(catalogue.datasets)}."
        raise NotFound(
            f"There is no dataset {name[:80]!r} in this catalogue.{others}",
            [(catalogue.datasets[n].title, f"/{n}") for n in near or catalogue.datasets],
        )
    return found


def issue_page(
    catalogue: Catalogue,
    dataset: Dataset,
    f: IssueFilter,
    limit: int,
    after: str | None = None,
    before: str | None = None,
) -> Page[Issue]:
    """The issues of a filter after the cursor ``after`` or before the cursor ``before``; by default the first ones."""
    page = issue_rows(catalogue, dataset, f, limit, after, before)
    return Page(_described(catalogue, dataset, page.items), page.total, page.before, page.after, page.first)


def issue_rows(
    catalogue: Catalogue,
    dataset: Dataset,
    f: IssueFilter,
    limit: int,
    after: str | None = None,
    before: str | None = None,
) -> Page[IssueRow]:
    """The same as ``issue_page``, for callers that do not need records."""
    chosen = _selection(catalogue, dataset, f)
    forward = before is None
    name, word = ("after", after) if forward else ("before", before)
    came = None if word is None else read_cursor(name, word)
    start = chosen.start(forward) if came is None else chosen.within(came.position)
    found = _rows(catalogue, dataset, chosen, forward, start, limit + 1)
    more = len(found) > limit
    items = found[:limit] if forward else found[:limit][::-1]
    has_next = more if forward else bool(items)
    has_previous = came is not None and bool(items) if forward else more
    first = _first(came, forward, len(items), chosen.total) if has_previous else 0
    return Page(
        items=items,
        total=chosen.total,
        before=cursor(items[0].position, first) if has_previous else None,
        after=cursor(items[-1].position, None if first is None else first + len(items)) if has_next else None,
        first=first,
    )


def _first(came: Cursor | None, forward: bool, n: int, total: int) -> int | None:
    """How many issues stand before a page; None if its cursor does not say, or says what cannot be."""
    if came is None or came.n_before is None:
        return None
    first = came.n_before - (0 if forward else n)
    return first if 0 < first <= total - n else None


def page_cursor(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, skipped: int) -> str:
    """The cursor after which a page begins that leaves out the first ``skipped`` issues, of which there must be more.

    It walks over all of them, so the caller sees to it that they are not too many.
    """
    require_reader()
    chosen = _selection(catalogue, dataset, f)
    last = Prepared(catalogue.connection, chosen.page(True).offset(skipped - 1), "cursor", "limit")
    (row,) = last.rows(catalogue.connection, cursor=chosen.start(True), limit=1)
    return cursor(IssueRow._make(row).position, skipped)


def all_rows(
    catalogue: Catalogue, dataset: Dataset, f: IssueFilter, size: int
) -> tuple[int, Iterator[Sequence[IssueRow]]]:
    """How many issues a filter selects, and all of them in its order, ``size`` at a time as they are asked for.

    ``catalogue`` must have a connection that nobody else uses meanwhile.
    """
    chosen = _selection(catalogue, dataset, f)
    statement = Prepared(catalogue.connection, chosen.page(True), "cursor", "limit")
    start = {"cursor": chosen.start(True), "limit": chosen.total}
    parts = statement.parts(catalogue.connection, size, **start)
    return chosen.total, (_as_shown(dataset, rows) for rows in parts)


def issue_detail(catalogue: Catalogue, dataset: Dataset, idx: int, agreement: int) -> IssueDetail | None:
    """Everything known about one issue; None if no issue has this index."""
    rows = _row_of(catalogue, dataset, idx, agreement)
    if not rows:
        return None
    (issue,) = _described(catalogue, dataset, rows)
    i, v, m = tables.issues.c, tables.verdicts.c, tables.media.c
    verdicts = catalogue.connection.execute(
        select(v.agreement, v.category, v.corrected).where(v.issue_id == issue.id).order_by(v.agreement)
    )
    asked = select(i.top_probs, i.spans, i.doubting).where(i.id == issue.id)
    top, spans, doubting = catalogue.connection.execute(asked).one()
    seconds = catalogue.connection.execute(
        select(m.seconds).where(m.dataset_id == dataset.id, m.idx == idx, m.kind == "audio")
    ).scalar()
    text = medium(catalogue, dataset, idx, "text") if issue.media and "text" in issue.media else None
    return IssueDetail(
        issue=issue,
        row=rows[0],
        votes=answers(catalogue, dataset, issue.id),
        verdicts=tuple(VerdictAt(r.agreement, Category(r.category), dataset.label(r.corrected)) for r in verdicts),
        top_probs=tuple((dataset.classes[c], p) for c, p in (unpack_top(top) if top else ())),
        doubting=None if doubting is None else (doubting, averaged(dataset)),
        text=text.data.decode() if text else None,
        spans=tuple((begin, end, share) for begin, end, share in json.loads(spans or "[]")),
        seconds=seconds,
    )


def _row_of(catalogue: Catalogue, dataset: Dataset, idx: int, agreement: int) -> list[IssueRow]:
    """The row of an example; no row if it is not an issue."""
    chosen = _selection(catalogue, dataset, IssueFilter(agreement=agreement, sort="index"))
    rows = _rows(catalogue, dataset, chosen, forward=True, cursor=idx - 1, limit=1)
    return [row for row in rows if row.idx == idx]


def neighbours(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, issue: Issue) -> tuple[int | None, int | None]:
    """The indices of the previous and next issue in a filter's order, None at the ends."""
    chosen = _selection(catalogue, dataset, f)
    place = _position(catalogue, f, issue)
    if place is None:
        return None, None
    found = [_rows(catalogue, dataset, chosen, forward, place, 1) for forward in (False, True)]
    previous, following = (rows[0].idx if rows else None for rows in found)
    return previous, following


def page_start(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, issue: Issue, limit: int) -> str | None:
    """The cursor after which a page of ``limit`` issues begins with ``issue``; None if the first page shows it."""
    chosen = _selection(catalogue, dataset, f)
    place = _position(catalogue, f, issue)
    before = [] if place is None else _rows(catalogue, dataset, chosen, False, place, limit)
    return cursor(before[0].position) if len(before) == limit else None


def _position(catalogue: Catalogue, f: IssueFilter, issue: Issue) -> int | None:
    """Its place in the order of a filter; None where that order is one of corrections, and it is none."""
    i, v = tables.issues, tables.verdicts
    joined = i.outerjoin(v, (v.c.issue_id == i.c.id) & (v.c.agreement == f.agreement))
    asked = select(POSITIONS[f.sort.removeprefix("-")]).select_from(joined).where(i.c.id == issue.id)
    found: int | None = catalogue.connection.execute(asked).scalar_one()
    return found


def telling_issues(catalogue: Catalogue, dataset: Dataset, n: int) -> Sequence[Issue]:
    """The most suspicious corrected issues of a dataset, at the strictest agreement that has any; else any issues.

    They are described at the default agreement, as elsewhere by default: agreement chooses among the labels of an
    example with several.
    """
    for agreement in reversed(dataset.agreements):
        if dataset.categories[agreement].get(Category.CORRECTABLE):
            f = IssueFilter(agreement=agreement, category=(Category.CORRECTABLE.value,))
            rows = issue_rows(catalogue, dataset, f, n).items
            told = [row for r in rows for row in _row_of(catalogue, dataset, r.idx, dataset.default_agreement)]
            return _described(catalogue, dataset, told)
    return issue_page(catalogue, dataset, IssueFilter(agreement=dataset.default_agreement), n).items


def confusions(catalogue: Catalogue, dataset: Dataset, agreement: int, kind: str) -> tuple[ConfusionCell, ...]:
    """Pairs of a given class and the class that belongs there, most frequent first.

    With ``kind`` "corrected", the correctable issues are counted by corrected class, with "guessed" all issues by
    guessed class. In a multi-label dataset, every class found only in one of the two labels is paired with every class
    found only in the other.
    """
    found = cells_for(catalogue, dataset, IssueFilter(agreement=agreement), "given", kind)
    counts: dict[tuple[int, int], int] = {}
    for given, other, n in zip(found.stored("given"), found.stored(kind), found.n.tolist(), strict=True):
        if other is None:
            continue
        was, now = dataset.labels[given].classes, dataset.labels[other].classes
        for a in was:
            for b in now:
                if a not in now and b not in was:
                    counts[a.id, b.id] = counts.get((a.id, b.id), 0) + n
    ranked = sorted(counts.items(), key=lambda cell: (-cell[1], cell[0]))
    return tuple(ConfusionCell(dataset.classes[a], dataset.classes[b], n) for (a, b), n in ranked)


def medium(catalogue: Catalogue, dataset: Dataset, idx: int, kind: str) -> Medium | None:
    """A stored medium of an example; also None if the licence forbids showing it to this site's visitors."""
    if not access.may_show(dataset, kind):
        return None
    key = (dataset.id, idx, kind)
    kept = catalogue.media.get(key)
    if kept is not None:
        return Medium(dict(kept.headers)[_TYPE].decode(), kept.body)
    row = catalogue.connection.execute(_MEDIUM, {"dataset": dataset.id, "idx": idx, "kind": kind}).one_or_none()
    if row is None:
        return None
    data = gzip.decompress(row.bytes) if row.encoding == "gzip" else row.bytes
    catalogue.media.keep(key, ((_TYPE, row.type.encode()),), data)
    return Medium(row.type, data)


def _selection(catalogue: Catalogue, dataset: Dataset, f: IssueFilter) -> Selection:
    if f.q is not None:
        require_reader()  # every page of a search repeats the search

    def make() -> Selection:
        return selection(catalogue.connection, dataset, f, total(catalogue, dataset, f))

    return catalogue.statements.get((dataset.id, f), make)


def _rows(
    catalogue: Catalogue, dataset: Dataset, chosen: Selection, forward: bool, cursor: int, limit: int
) -> list[IssueRow]:
    def prepare() -> Prepared:
        return Prepared(catalogue.connection, chosen.page(forward), "cursor", "limit")

    found = catalogue.statements.get((chosen, forward), prepare).rows(catalogue.connection, cursor=cursor, limit=limit)
    return _as_shown(dataset, found)


def _as_shown(dataset: Dataset, found: Iterable[tuple[Any, ...]]) -> list[IssueRow]:
    rows = list(map(IssueRow._make, found))
    return [access.shown(dataset, row) for row in rows] if dataset.restricted else rows


def _described(catalogue: Catalogue, dataset: Dataset, rows: Sequence[IssueRow]) -> Sequence[Issue]:
    return with_rows(catalogue, dataset, as_reviewed(catalogue, dataset, _issues(dataset, rows)))


def _issues(dataset: Dataset, rows: Sequence[IssueRow]) -> list[Issue]:
    label: Any = dataset.labels.get  # for an example without one, get(None) is None
    # Positional, in the order of the fields: by keyword it takes twice as long.
    return [
        Issue(
            row.id,
            row.idx,
            row.key,
            dataset.labels[row.given],
            label(row.guessed),
            label(row.shown),
            label(row.corrected),
            _CATEGORY[row.category],
            row.consensus,
            _object(row.votes),
            row.flagged == 1,
            row.self_confidence,
            row.normalized_margin,
            row.rank,
            row.url,
            row.excerpt,
            _object(row.media),
            row.opinions,
            row.confidence,
            row.probability_right,
            row.position,
        )
        for row in rows
    ]


@lru_cache(maxsize=4096)
def _object(text: str | None) -> Mapping[str, Any] | None:
    # Many issues have the same votes, or pictures of the same size: parse each text once.
    return None if text is None else dict(json.loads(text))
