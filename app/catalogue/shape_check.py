"""Check that a catalogue is complete and has the structure the site expects, once on opening.

A catalogue that fails does not replace the one being served. Small tables are checked completely, large ones by a
sample of rows and by the ends of their indexes, so seven million issues take no longer than a hundred.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from sqlalchemy import Connection, Row, Table, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from app.catalogue.consistency_check import require_agreement, require_time
from app.catalogue.open_file import UnreadableCatalogueError
from app.corrected import standing_json
from app.schema import tables
from app.schema.change_log import changes, disputes, versions
from app.schema.facet_tables import category_counts, unreviewed
from app.schema.opinions import opinion_sources, opinions
from app.schema.packing import unpack_top
from app.schema.prediction_report import PredictionReport
from app.schema.tables import EXAMPLES_PER_BLOCK
from app.schema.votes import votes, weighed_verdicts

#: Rows of a large table that are looked at, from its beginning to its end.
_LOOKED_AT: Final = 16
_TOP: Final = "issues.top_probs"
#: No block of labels is shorter: it begins with how it was packed.
_SHORTEST_BLOCK: Final = 6


class _Open(BaseModel):
    """An object that may hold more than is named."""

    model_config = ConfigDict(extra="allow", strict=True)


class Licence(_Open):
    """What a manifest says of a licence."""

    name: str | None = None
    url: str | None = None
    source: str | None = None
    media: str | None = None


class About(_Open):
    """What a manifest says of a dataset."""

    summary: str
    homepage: str | None
    model: str | None
    citation: str | None
    bibtex: str | None
    differs: str | None
    licence: Licence | None
    notes: list[str] | None
    links: list[dict[str, Any]] | None
    paper: dict[str, Any] | None
    layout: str | None = None
    held_back: None = None  # only connections that withhold something tell of it


class MediaReport(_Open):
    """What ingest tells of the media."""

    issues: int = 0
    exemplars: int = 0
    exemplars_wanted: int = 0
    asked: int | None = None  # issues whose media were wanted, if not of all
    asked_for: int | str | None = None
    absent: int = 0
    n_problems: int = 0
    spare: int = 0
    bytes: int = 0
    unread: str | None = None
    problems: list[tuple[int, str]] = []
    exemplar_problems: list[tuple[int, str]] = []
    silent: list[int] = []
    fetched_from: list[str] = []


_WORDS: Final = TypeAdapter(list[str])
_NUMBERS: Final = TypeAdapter(list[int])
_SIZES: Final = TypeAdapter(dict[str, tuple[int, int]])
#: Every JSON column, and what stands in it; ``stability.results`` and the log's standings are looked at on their own.
JSON_COLUMNS: Final[dict[tuple[Table, str], TypeAdapter[Any]]] = {
    (tables.datasets, "agreements"): TypeAdapter(Annotated[list[int], Field(min_length=1)]),
    (tables.datasets, "vote_options"): _WORDS,
    (tables.datasets, "confident_learning"): TypeAdapter(dict[str, Any]),
    (tables.datasets, "prediction_report"): TypeAdapter(PredictionReport),
    (tables.datasets, "about"): TypeAdapter(About),
    (tables.datasets, "missing"): _WORDS,
    (tables.datasets, "media_report"): TypeAdapter(MediaReport),
    (tables.label_sets, "members"): _NUMBERS,
    (tables.issues, "votes"): TypeAdapter(dict[str, int]),
    (tables.issues, "spans"): TypeAdapter(list[tuple[int, int, float]]),
    (tables.issues, "media"): _SIZES,
    (tables.verdicts, "several"): _NUMBERS,
    (tables.exemplars, "media"): _SIZES,
    (votes, "classes"): _NUMBERS,
    (weighed_verdicts, "several"): _NUMBERS,
    (weighed_verdicts, "shares"): TypeAdapter(dict[str, float]),
    (opinion_sources, "about"): TypeAdapter(dict[str, Any]),
    (opinions, "classes"): TypeAdapter(list[tuple[int, int]]),
    (versions, "class_names"): _WORDS,
    (versions, "agreements"): _NUMBERS,
    (disputes, "proposed"): _WORDS,
    (disputes, "corrected"): _WORDS,
    (disputes, "history"): TypeAdapter(list[tuple[str, str, str | None]]),
}


def require_sound(connection: Connection) -> None:
    """Raises UnreadableCatalogueError, with what was expected and what was found, for a catalogue that is not whole."""
    try:
        for table in tables.metadata.sorted_tables:
            _require_table(connection, table)
        for words in ("issue_search", "class_search"):
            connection.execute(text(f"SELECT rowid FROM {words} LIMIT 1"))  # noqa: S608 - our own names
        for table in (tables.datasets, tables.label_sets, versions, unreviewed, disputes):
            _require_rows(table, connection.execute(select(table)))
        for row in connection.execute(select(tables.datasets)).all():
            _require_dataset(connection, row)
            require_agreement(connection, row)
        written = select(tables.meta.c.value).where(tables.meta.c.key == "written_at")
        require_time("meta.written_at", connection.scalar(written) or "")
    except SQLAlchemyError as error:
        raise UnreadableCatalogueError(f"expected a whole catalogue, found {getattr(error, 'orig', error)}") from error


def _require_table(connection: Connection, table: Table) -> None:
    found = {row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table.name})")}
    lacking = [column.name for column in table.columns if column.name not in found]
    if lacking:
        what = f"columns {', '.join(lacking)} in the table" if found else "a table"
        raise UnreadableCatalogueError(f"expected {what} {table.name}, found none")


def _require_rows(table: Table, rows: Iterable[Row[Any]]) -> None:
    """Raises UnreadableCatalogueError unless each value has its column's type and shape."""
    columns = [
        (f"{table.name}.{column.name}", _types(column), JSON_COLUMNS.get((table, column.name)))
        for column in table.columns
    ]
    for row in rows:
        for value, (where, types, adapter) in zip(row, columns, strict=True):
            if not isinstance(value, types):
                raise UnreadableCatalogueError(f"{where}: expected {types[0].__name__}, found {value!r:.80}")
            if adapter is not None and isinstance(value, str):
                _require_shape(where, adapter, value)
            if where == _TOP and value is not None:
                _require_top(value)


def _require_top(packed: bytes) -> None:
    try:
        found = unpack_top(packed)
    except ValueError as error:
        raise UnreadableCatalogueError(f"{_TOP}: {error}") from error
    if not all(0 <= probability <= 1 for _, probability in found):
        raise UnreadableCatalogueError(f"{_TOP}: expected probabilities from 0 to 1, found {found!r:.80}")


def _types(column: Any) -> tuple[type, ...]:
    expected: type = column.type.python_type
    others = [int] if expected is float else []
    return (expected, *others, *([type(None)] if column.nullable else []))


def _require_shape(where: str, adapter: TypeAdapter[Any], value: str) -> None:
    try:
        adapter.validate_json(value, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = "".join(f"[{part!r}]" for part in first["loc"])
        raise UnreadableCatalogueError(f"{where}{place}: {first['msg']}; found {value[:80]!r}") from error


def _require_dataset(connection: Connection, dataset: Row[Any]) -> None:
    where = f"dataset {dataset.name}"
    c, labels = tables.classes.c, tables.label_sets.c
    _require(where, "classes", range(dataset.n_classes), _numbers(connection, c.class_id, c.dataset_id == dataset.id))
    ids = _numbers(connection, labels.label_id, labels.dataset_id == dataset.id)
    _require(where, "label sets", range(max(len(ids), dataset.n_classes)), ids)
    _require_issues(connection, dataset, where)
    if dataset.labels_known:
        _require_examples(connection, dataset, where)
    for table in (tables.exemplars, tables.verdicts):
        _require_rows(table, _some(connection, table, table.c.dataset_id == dataset.id))
    for row in _some(connection, changes, changes.c.dataset_id == dataset.id):
        for standing in filter(None, (row.before, row.after)):
            try:
                standing_json.read(standing)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise UnreadableCatalogueError(
                    f"{where}: expected how an example stood, found {standing[:80]!r}"
                ) from error
    s = tables.stability
    kinds = select(func.json_type(s.c.results, "$.models"), func.json_type(s.c.results, "$.crossings"))
    for found in connection.execute(kinds.where(s.c.dataset_id == dataset.id)):
        _require(where, "results of models", ("array", "array"), tuple(found))


def _require_issues(connection: Connection, dataset: Row[Any], where: str) -> None:
    i = tables.issues.c
    low, high = tables.issue_id_range(dataset.id)
    first, last = (
        connection.scalar(select(i.id).where(i.id.between(low, high)).order_by(order).limit(1))
        for order in (i.id.asc(), i.id.desc())
    )
    expected = (low, low + dataset.n_issues - 1) if dataset.n_issues else (None, None)
    _require(where, "first and last issue", expected, (first, last))
    counted = Counter[int]()
    for row in connection.execute(category_counts(dataset.id)):
        counted[row.agreement] += row.n
    _require(where, "issues counted", {dataset.n_issues}, set(counted.values()) or {0})
    step = max(1, dataset.n_issues // _LOOKED_AT)
    places = {*range(low, low + dataset.n_issues, step), low + dataset.n_issues - 1}
    _require_rows(tables.issues, connection.execute(select(tables.issues).where(i.id.in_(places))))
    for table in (tables.verdicts, votes, weighed_verdicts):
        _require_rows(table, _some(connection, table, table.c.issue_id.between(low, high)))


def _require_examples(connection: Connection, dataset: Row[Any], where: str) -> None:
    if dataset.size is None:
        raise UnreadableCatalogueError(f"{where}: expected the size of a dataset whose labels are known, found none")
    e = tables.examples.c
    columns = (e.start, e["count"], func.length(e.labels), e["keys"].is_(None))
    rows = connection.execute(select(*columns).where(e.dataset_id == dataset.id).order_by(e.start)).all()
    starts = range(0, dataset.size, EXAMPLES_PER_BLOCK)
    _require(where, "blocks of examples", starts, [row[0] for row in rows])
    counts = [min(EXAMPLES_PER_BLOCK, dataset.size - start) for start in starts]
    _require(where, "examples in each block", counts, [row[1] for row in rows])
    if any((row[2] or 0) < _SHORTEST_BLOCK for row in rows) or len({row[3] for row in rows}) > 1:
        raise UnreadableCatalogueError(f"{where}: expected labels, and keys of all or none, found blocks without")


def _numbers(connection: Connection, column: Any, where: Any) -> list[int]:
    return list(connection.scalars(select(column).where(where).order_by(column)))


def _some(connection: Connection, table: Table, where: Any) -> Sequence[Row[Any]]:
    return connection.execute(select(table).where(where).limit(_LOOKED_AT)).all()


def _require(where: str, what: str, expected: Any, found: Any) -> None:
    if isinstance(expected, range):
        expected = list(expected)
    if expected != found:
        raise UnreadableCatalogueError(f"{where}: expected {what} {expected!r:.80}, found {found!r:.80}")
