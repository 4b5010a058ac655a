"""Withhold the examples of open rounds: a connection that sees the catalogue as if they were not in it.

A rater must not find the answer next door. Temporary views stand before the tables of their names, so whatever reads
the catalogue, pages, counts, searches, files, media, sees the same, and no query has to know of rounds. The catalogue
itself is not changed. Among the packed labels of all examples theirs are ``NO_LABEL``, so that corrected test sets can
be had without them. What ingest computed over whole datasets, such as stability, is as it was: it names no example.
"""

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np

from app.domain.review.verdicts import Category
from app.schema import tables
from app.schema.change_log import disputes
from app.schema.facet_tables import pack_unreviewed, unpack_unreviewed, unreviewed
from app.schema.held_back import HELD_BACK
from app.schema.packing import NO_LABEL, pack_labels, unpack_labels
from app.schema.prediction_report import report_of

#: (name of the dataset, index of the example, name of the round), in order.
Withheld = tuple[tuple[str, int, str], ...]
#: What tells the withheld examples of all open rounds; asked before each request.
Watch = Callable[[], Withheld]

_ERRORS: Final = ", ".join(f"'{one.value}'" for one in Category if one.is_error)
_CELL: Final = ("dataset_id", "agreement", "category", "given", "guessed", "corrected", "vote_pattern", "flagged")
#: Columns of ``datasets`` that are less than stored by what is withheld.
_FEWER: Final = {
    "n_flagged": "flagged",
    "n_issues": "issues",
    "n_checked": "checked",
    "n_errors": "errors",
    "n_guesses_changed": "changed",
}
#: Where all that was flagged is checked, errors are counted and not estimated, so that withheld ones are less of them.
_IS_COUNTED: Final = "c.errors > 0 AND d.estimated_errors = d.n_errors"
_COUNTED: Final = {
    "estimated_errors": "d.estimated_errors - c.errors",
    "percent_error": "100.0 * (d.estimated_errors - c.errors) / d.size",
}
#: The withheld issues that nobody reviewed, with the columns of ``unreviewed`` that are packed, but for their number.
_WITHHELD_UNREVIEWED: Final = (
    "SELECT i.dataset_id, i.given, i.guessed, i.flagged FROM temp.withheld AS w "
    "JOIN main.issues AS i ON i.id = w.issue_id "
    "WHERE NOT EXISTS (SELECT 1 FROM main.verdicts AS v WHERE v.issue_id = i.id)"
)
#: What the log of disputes says of withheld examples in place of what tells of their verdicts.
_OF_DISPUTES: Final = {
    **dict.fromkeys(("claim", "outcome", "why", "reason", "source", "round", "category", "corrected"), "NULL"),
    "proposed": "'[]'",
    "history": "without_reasons(d.history)",
}
#: The blocks of ``examples``, with the labels of withheld examples struck out.
_EXAMPLES: Final = (
    "CREATE TEMP VIEW examples AS SELECT dataset_id, start, "  # noqa: S608 - our own names
    "CASE WHEN EXISTS (SELECT 1 FROM temp.withheld AS w WHERE w.dataset_id = e.dataset_id "
    f"AND w.idx BETWEEN e.start AND e.start + {tables.EXAMPLES_PER_BLOCK - 1}) "
    "THEN without_withheld(dataset_id, start, labels) ELSE labels END AS labels, keys FROM main.examples AS e"
)


def digest_of(withheld: Withheld) -> str:
    """A name for what is withheld, for versions of answers."""
    return hashlib.sha256(repr(withheld).encode()).hexdigest()[:8]


def withhold(connection: sqlite3.Connection, withheld: Withheld) -> None:
    """Make a read-only connection to a catalogue see everything but these examples, for as long as it is open."""
    connection.execute("PRAGMA query_only = OFF")  # the file is opened read-only all the same
    chosen = "name TEXT, idx INTEGER, round TEXT, PRIMARY KEY (name, idx, round)"
    connection.execute(f"CREATE TEMP TABLE chosen ({chosen}) WITHOUT ROWID")
    connection.executemany("INSERT OR IGNORE INTO temp.chosen VALUES (?, ?, ?)", withheld)
    for statement in _withheld_tables():
        connection.execute(statement)
    _tell(connection)
    _add_functions(connection)
    for statement in _views():
        connection.execute(statement)
    connection.execute(_EXAMPLES)
    _withhold_unreviewed(connection)
    connection.commit()
    connection.execute("PRAGMA query_only = ON")


def _withheld_tables() -> Iterable[str]:
    yield "CREATE TEMP TABLE withheld (dataset_id INT, idx INT, issue_id INT, PRIMARY KEY (dataset_id, idx))"
    yield (
        "INSERT INTO temp.withheld SELECT DISTINCT i.dataset_id, i.idx, i.id FROM temp.chosen AS c "
        "JOIN main.datasets AS d ON d.name = c.name JOIN main.issues AS i ON i.dataset_id = d.id AND i.idx = c.idx"
    )
    yield "CREATE UNIQUE INDEX temp.withheld_by_issue ON withheld (issue_id)"


def _tell(connection: sqlite3.Connection) -> None:
    """Note for each dataset how many of its examples are withheld, by which rounds, and a name for which examples."""
    connection.execute("CREATE TEMP TABLE withheld_by (dataset_id INTEGER PRIMARY KEY, told TEXT)")
    joined = (
        "SELECT w.dataset_id, w.idx, c.round FROM temp.chosen AS c JOIN main.datasets AS d ON d.name = c.name "
        "JOIN temp.withheld AS w ON w.dataset_id = d.id AND w.idx = c.idx"
    )
    examples: dict[int, set[int]] = {}
    rounds: dict[int, set[str]] = {}
    for dataset_id, idx, round_ in connection.execute(joined):
        examples.setdefault(dataset_id, set()).add(idx)
        rounds.setdefault(dataset_id, set()).add(round_)
    for dataset_id, indices in examples.items():
        digest = hashlib.sha256(json.dumps(sorted(indices)).encode()).hexdigest()[:8]
        told = {"examples": len(indices), "rounds": sorted(rounds[dataset_id]), "digest": digest}
        connection.execute("INSERT INTO temp.withheld_by VALUES (?, ?)", (dataset_id, json.dumps(told)))


def _add_functions(connection: sqlite3.Connection) -> None:
    """What views call to strike withheld examples out of what names many examples at once."""
    indices: dict[int, list[int]] = {}
    for dataset_id, idx in connection.execute("SELECT dataset_id, idx FROM temp.withheld ORDER BY dataset_id, idx"):
        indices.setdefault(dataset_id, []).append(idx)
    withheld = {dataset_id: np.array(found, np.int64) for dataset_id, found in indices.items()}

    def without_withheld(dataset_id: int, start: int, packed: bytes) -> bytes:
        labels, found = unpack_labels(packed), withheld[dataset_id]
        first, end = np.searchsorted(found, (start, start + len(labels)))
        labels[found[first:end] - start] = NO_LABEL
        return pack_labels(labels)

    def without_twins(dataset_id: int, text: str | None) -> str | None:
        """A report on predictions lists examples that are nearly the same, with their labels."""
        report, found = report_of(text), withheld.get(dataset_id)
        return text if report is None or found is None else report.without(found.tolist()).model_dump_json()

    def without_reasons(history: str) -> str:
        return json.dumps([[when, what, None] for when, what, _ in json.loads(history)])

    connection.create_function("without_reasons", 1, without_reasons, deterministic=True)
    connection.create_function("without_withheld", 3, without_withheld, deterministic=True)
    connection.create_function("without_twins", 2, without_twins, deterministic=True)


def _views() -> Iterable[str]:
    yield _facets()
    yield "CREATE INDEX temp.facets_by_dataset_left ON facets (dataset_id, agreement)"
    yield _counts()
    yield _datasets()
    gone = "(SELECT issue_id FROM temp.withheld)"
    yield f"CREATE TEMP VIEW issues AS SELECT * FROM main.issues WHERE id NOT IN {gone}"  # noqa: S608 - our own names
    for name in ("verdicts", "votes", "predictions", "repeats", "opinions", "weighed_verdicts", "issue_slices"):
        yield f"CREATE TEMP VIEW {name} AS SELECT * FROM main.{name} WHERE issue_id NOT IN {gone}"  # noqa: S608
    yield _disputes()
    for name in ("media", "changes"):
        match = f"w.dataset_id = main.{name}.dataset_id AND w.idx = main.{name}.idx"
        where = f"NOT EXISTS (SELECT 1 FROM temp.withheld AS w WHERE {match})"  # noqa: S608 - our own names
        yield f"CREATE TEMP VIEW {name} AS SELECT * FROM main.{name} WHERE {where}"  # noqa: S608


def _disputes() -> str:
    """The log of disputes, in which those of withheld examples stand with their dates alone."""
    columns = [
        f"CASE WHEN w.idx IS NULL THEN d.{column.name} ELSE {_OF_DISPUTES[column.name]} END AS {column.name}"
        if column.name in _OF_DISPUTES
        else f"d.{column.name} AS {column.name}"
        for column in disputes.columns
    ]
    joined = "main.disputes AS d LEFT JOIN temp.withheld AS w ON w.dataset_id = d.dataset_id AND w.idx = d.idx"
    return f"CREATE TEMP VIEW disputes AS SELECT {', '.join(columns)} FROM {joined}"  # noqa: S608 - our own names


def _facets() -> str:
    """The counts of facets, less one for each withheld issue that was reviewed, at each threshold."""
    cells = ", ".join(_CELL)
    return (
        f"CREATE TEMP TABLE facets AS SELECT {cells}, SUM(n) AS n FROM ("  # noqa: S608 - our own names
        f"SELECT {cells}, n FROM main.facets UNION ALL "
        "SELECT i.dataset_id, v.agreement, v.category, i.given, i.guessed, v.corrected, i.vote_pattern, i.flagged, -1 "
        "FROM temp.withheld AS w JOIN main.issues AS i ON i.id = w.issue_id "
        "JOIN main.verdicts AS v ON v.issue_id = i.id"
        f") GROUP BY {cells} HAVING SUM(n) > 0"
    )


def _withhold_unreviewed(connection: sqlite3.Connection) -> None:
    """The packed counts of issues that nobody reviewed, less one for each of them that is withheld."""
    names = unreviewed.columns.keys()
    connection.execute(f"CREATE TEMP TABLE unreviewed ({', '.join(names)}, PRIMARY KEY (dataset_id))")
    withheld: dict[int, Counter[tuple[int, ...]]] = {}
    for dataset_id, *cell in connection.execute(_WITHHELD_UNREVIEWED):
        withheld.setdefault(dataset_id, Counter())[tuple(cell)] += 1
    rows = connection.execute(f"SELECT {', '.join(names)} FROM main.unreviewed").fetchall()  # noqa: S608 - our own names
    for row in rows:
        values = dict(zip(names, row, strict=True))
        if gone := withheld.get(values["dataset_id"]):
            values |= _less(values, gone)
        if values["n_issues"]:
            places = ", ".join("?" * len(names))
            connection.execute(f"INSERT INTO temp.unreviewed VALUES ({places})", [values[name] for name in names])  # noqa: S608


def _less(row: Mapping[str, Any], gone: Counter[tuple[int, ...]]) -> dict[str, Any]:
    """A row of ``unreviewed`` less so many of each combination of values."""
    columns = unpack_unreviewed(row)
    n = columns.pop("n")
    left = n - np.array([gone[cell] for cell in zip(*(c.tolist() for c in columns.values()), strict=True)], np.int64)
    return pack_unreviewed({name: column[left > 0] for name, column in columns.items()} | {"n": left[left > 0]})


#: Whether reviewers of an issue were shown the label of a near-duplicate; see ``app.schema.prediction_report``.
_SHOWN_BESIDE: Final = (
    "SELECT 1 FROM JSON_EACH(d.prediction_report, '$.twins') AS t WHERE "
    "(i.idx = JSON_EXTRACT(t.value, '$.first') AND i.shown = JSON_EXTRACT(t.value, '$.second_given')) OR "
    "(i.idx = JSON_EXTRACT(t.value, '$.second') AND i.shown = JSON_EXTRACT(t.value, '$.first_given'))"
)


def _counts() -> str:
    """How many issues, checked ones, errors and changed guesses are withheld of each dataset."""
    return (
        "CREATE TEMP TABLE withheld_counts AS SELECT i.dataset_id AS dataset_id, COUNT(*) AS issues, "  # noqa: S608
        "SUM(COALESCE(i.flagged, 0)) AS flagged, SUM(v.category IS NOT NULL) AS checked, "
        "SUM(i.media IS NOT NULL) AS media, "
        f"SUM(COALESCE(v.category IN ({_ERRORS}), 0)) AS errors, "
        f"SUM(COALESCE(i.shown <> i.guessed, 0) AND NOT EXISTS ({_SHOWN_BESIDE})) AS changed "
        "FROM temp.withheld AS w JOIN main.issues AS i ON i.id = w.issue_id "
        "JOIN main.datasets AS d ON d.id = i.dataset_id "
        "LEFT JOIN main.verdicts AS v ON v.issue_id = i.id AND v.agreement = JSON_EXTRACT(d.agreements, '$[0]') "
        "GROUP BY i.dataset_id"
    )


def _datasets() -> str:
    columns = []
    for column in tables.datasets.columns:
        name = column.name
        if name in _FEWER:
            columns.append(f"d.{name} - COALESCE(c.{_FEWER[name]}, 0) AS {name}")
        elif name == "about":
            told = f"JSON_SET(d.about, '$.{HELD_BACK}', JSON(b.told))"
            columns.append(f"CASE WHEN c.issues IS NULL THEN d.about ELSE {told} END AS about")
        elif name in _COUNTED:
            columns.append(f"CASE WHEN {_IS_COUNTED} THEN {_COUNTED[name]} ELSE d.{name} END AS {name}")
        elif name == "media_report":
            left = "JSON_SET(d.media_report, '$.issues', JSON_EXTRACT(d.media_report, '$.issues') - c.media)"
            columns.append(f"CASE WHEN c.media > 0 THEN {left} ELSE d.media_report END AS media_report")
        elif name == "prediction_report":
            columns.append("without_twins(d.id, d.prediction_report) AS prediction_report")
        else:
            columns.append(f"d.{name} AS {name}")
    joined = "main.datasets AS d LEFT JOIN temp.withheld_counts AS c ON c.dataset_id = d.id "
    joined += "LEFT JOIN temp.withheld_by AS b ON b.dataset_id = d.id"
    return f"CREATE TEMP VIEW datasets AS SELECT {', '.join(columns)} FROM {joined}"  # noqa: S608 - our own names
