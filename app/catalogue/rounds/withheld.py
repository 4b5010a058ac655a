"""Withhold the examples of open rounds: a connection that sees the catalogue as if they were not in it.

A rater must not find the answer next door. Temporary views stand before the tables of their names, so whatever reads
the catalogue, pages, counts, searches, files, media, sees the same, and no query has to know of rounds. The catalogue
itself is not changed. Of a dataset with examples withheld, the labels of all examples are withheld too, and with them
its corrected test sets: they name the label of each example by its index.
"""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np

from app.domain.review.verdicts import Category
from app.schema import tables
from app.schema.facet_tables import pack_unreviewed, unpack_unreviewed, unreviewed
from app.schema.withheld_labels import WITHHELD_BY

#: (name of the dataset, index of the example, name of the round), in order.
Withheld = tuple[tuple[str, int, str], ...]
#: What tells the withheld examples of all open rounds; asked before each request.
Watch = Callable[[], Withheld]

_ERRORS: Final = ", ".join(f"'{one.value}'" for one in Category if one.is_error)
_CELL: Final = ("dataset_id", "agreement", "category", "given", "guessed", "corrected", "vote_pattern", "flagged")
#: Columns of ``datasets`` that are less than stored by what is withheld.
_FEWER: Final = {"n_issues": "issues", "n_checked": "checked", "n_errors": "errors", "n_guesses_changed": "changed"}
#: The withheld issues that nobody reviewed, with the columns of ``unreviewed`` that are packed, but for their number.
_WITHHELD_UNREVIEWED: Final = (
    "SELECT i.dataset_id, i.given, i.guessed, i.flagged FROM temp.withheld AS w "
    "JOIN main.issues AS i ON i.id = w.issue_id "
    "WHERE NOT EXISTS (SELECT 1 FROM main.verdicts AS v WHERE v.issue_id = i.id)"
)
_SENTENCE: Final = (
    "' of its examples are being reviewed. Until the round is closed they are not shown, nor are the labels of all "
    "examples and its corrected test sets.'"
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
    for statement in _statements():
        connection.execute(statement)
    _withhold_unreviewed(connection)
    connection.commit()
    connection.execute("PRAGMA query_only = ON")


def _statements() -> Iterable[str]:
    yield "CREATE TEMP TABLE withheld (dataset_id INT, idx INT, issue_id INT, PRIMARY KEY (dataset_id, idx))"
    yield (
        "INSERT INTO temp.withheld SELECT DISTINCT i.dataset_id, i.idx, i.id FROM temp.chosen AS c "
        "JOIN main.datasets AS d ON d.name = c.name JOIN main.issues AS i ON i.dataset_id = d.id AND i.idx = c.idx"
    )
    yield "CREATE UNIQUE INDEX temp.withheld_by_issue ON withheld (issue_id)"
    yield (
        "CREATE TEMP TABLE withheld_by AS SELECT dataset_id, JSON_GROUP_ARRAY(round) AS rounds FROM ("
        "SELECT DISTINCT w.dataset_id, c.round FROM temp.chosen AS c JOIN main.datasets AS d ON d.name = c.name "
        "JOIN temp.withheld AS w ON w.dataset_id = d.id AND w.idx = c.idx ORDER BY c.round) GROUP BY dataset_id"
    )
    yield _facets()
    yield "CREATE INDEX temp.facets_by_dataset_left ON facets (dataset_id, agreement)"
    yield _counts()
    yield _datasets()
    gone = "(SELECT issue_id FROM temp.withheld)"
    yield f"CREATE TEMP VIEW issues AS SELECT * FROM main.issues WHERE id NOT IN {gone}"  # noqa: S608 - our own names
    for name in ("verdicts", "votes", "predictions", "repeats", "opinions"):
        yield f"CREATE TEMP VIEW {name} AS SELECT * FROM main.{name} WHERE issue_id NOT IN {gone}"  # noqa: S608
    for name in ("media", "changes", "disputes"):
        match = f"w.dataset_id = main.{name}.dataset_id AND w.idx = main.{name}.idx"
        where = f"NOT EXISTS (SELECT 1 FROM temp.withheld AS w WHERE {match})"  # noqa: S608 - our own names
        yield f"CREATE TEMP VIEW {name} AS SELECT * FROM main.{name} WHERE {where}"  # noqa: S608
    affected = "(SELECT dataset_id FROM temp.withheld)"
    yield f"CREATE TEMP VIEW examples AS SELECT * FROM main.examples WHERE dataset_id NOT IN {affected}"  # noqa: S608


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


def _counts() -> str:
    """How many issues, checked ones, errors and changed guesses are withheld of each dataset."""
    return (
        "CREATE TEMP TABLE withheld_counts AS SELECT i.dataset_id AS dataset_id, COUNT(*) AS issues, "  # noqa: S608
        "SUM(v.category IS NOT NULL) AS checked, "
        f"SUM(COALESCE(v.category IN ({_ERRORS}), 0)) AS errors, "
        "SUM(COALESCE(i.shown <> i.guessed, 0)) AS changed "
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
        elif name == "labels_known":
            columns.append("CASE WHEN c.issues IS NULL THEN d.labels_known ELSE 0 END AS labels_known")
        elif name == "about":
            told = f"JSON_SET(d.about, '$.{WITHHELD_BY}', JSON(b.rounds))"
            columns.append(f"CASE WHEN c.issues IS NULL THEN d.about ELSE {told} END AS about")
        elif name == "missing":
            told = f"JSON_INSERT(d.missing, '$[#]', c.issues || {_SENTENCE})"
            columns.append(f"CASE WHEN c.issues IS NULL THEN d.missing ELSE {told} END AS missing")
        else:
            columns.append(f"d.{name} AS {name}")
    joined = "main.datasets AS d LEFT JOIN temp.withheld_counts AS c ON c.dataset_id = d.id "
    joined += "LEFT JOIN temp.withheld_by AS b ON b.dataset_id = d.id"
    return f"CREATE TEMP VIEW datasets AS SELECT {', '.join(columns)} FROM {joined}"  # noqa: S608 - our own names
