"""A catalogue of made-up issues of any number, written straight to ``app.schema.tables``, to measure reads on.

``python -m benchmarks.made_up FILE --issues 7000000``
"""

import argparse
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import create_engine, insert
from sqlalchemy.schema import CreateIndex, CreateTable

from app.domain.review.verdicts import Category, verdict
from app.schema import change_log, opinions, slice_tables, tables
from app.schema import votes as schema_votes
from app.schema.facet_tables import pack_unreviewed
from app.schema.packing import pack_top

#: What declares tables, all of which a server expects.
DECLARING = (tables, change_log, opinions, slice_tables, schema_votes)
CLASSES = 345
REVIEWED = 2_500
BATCH = 100_000
AGREEMENTS = (3, 4, 5)
OPTIONS = ("given", "guessed", "both", "neither")
#: What ``_rows`` makes up of an issue, in its order.
COLUMNS = (
    "id",
    "dataset_id",
    "idx",
    "key",
    "given",
    "guessed",
    "shown",
    "flagged",
    "self_confidence",
    "normalized_margin",
    "rank",
    "by_margin",
    "by_disagreement",
    "votes",
    "vote_pattern",
    "consensus",
    "top_probs",
    "url",
    "excerpt",
    "media",
)
_VOTES = COLUMNS.index("votes")


def write(path: Path, n_issues: int, seed: int = 0) -> None:
    """Write one dataset of ``n_issues`` issues, the ``REVIEWED`` first of them with votes."""
    path.unlink(missing_ok=True)
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        for table in DECLARING[0].metadata.sorted_tables:
            connection.execute(CreateTable(table))
        for statement in tables.SEARCH_DDL:
            connection.exec_driver_sql(statement)
        connection.execute(
            insert(tables.meta),
            [
                {"key": "schema_version", "value": str(tables.SCHEMA_VERSION)},
                {"key": "version", "value": f"made-up-{n_issues}-{seed}"},
                {"key": "written_at", "value": "2021-01-01T00:00:00+00:00"},
            ],
        )
        connection.execute(insert(tables.datasets), [_dataset(n_issues)])
        connection.execute(
            insert(tables.classes),
            [
                {"dataset_id": 1, "class_id": c, "name": f"class {c}", "n_examples": None, "threshold": 0.5}
                for c in range(CLASSES)
            ],
        )
        connection.execute(
            insert(tables.label_sets),
            [{"dataset_id": 1, "label_id": c, "members": json.dumps([c])} for c in range(CLASSES)],
        )
    engine.dispose()
    _fill(path, n_issues, seed)
    with engine.begin() as connection:
        for table in tables.metadata.sorted_tables:
            for index in table.indexes:
                connection.execute(CreateIndex(index))
    engine.dispose()


def _dataset(n_issues: int) -> dict[str, Any]:
    return {
        "id": 1,
        "name": "made-up",
        "title": "Made up",
        "position": 1,
        "modality": "image",
        "sample": False,
        "size": n_issues * 8,
        "n_classes": CLASSES,
        "labels_known": False,
        "n_flagged": n_issues,
        "n_checked": REVIEWED,
        "n_errors": 0,
        "n_issues": n_issues,
        "n_guesses_changed": 0,
        "estimated_errors": 0,
        "percent_error": 0.0,
        "agreements": json.dumps(AGREEMENTS),
        "raters": 5,
        "vote_options": json.dumps(OPTIONS),
        "flag_rule": "made up",
        "confident_learning": None,
        "about": json.dumps(ABOUT),
        "missing": "[]",
        "version": "1",
        "built_at": "2021-01-01T00:00:00+00:00",
    }


ABOUT: dict[str, Any] = {
    "summary": "Issues made up to measure with.",
    "homepage": "https://example.org/",
    "model": "none",
    "citation": "none",
    "bibtex": "",
    "licence": {"name": "none", "url": "", "source": "", "media": "none"},
    "notes": [],
    "paper": None,
    "differs": None,
    "links": [],
}


def _fill(path: Path, n_issues: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
    statement = f"INSERT INTO issues ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
    disagreement = rng.permutation(n_issues)
    index = rng.permutation(n_issues)
    cells: Counter[tuple[Any, ...]] = Counter()
    rest: Counter[tuple[int, int]] = Counter()
    for start in range(0, n_issues, BATCH):
        rows = list(_rows(rng, start, min(start + BATCH, n_issues), n_issues, index, disagreement))
        connection.executemany(statement, rows)
        reviewed = [row for row in rows if row[_VOTES] is not None]
        connection.executemany(
            "INSERT INTO verdicts (issue_id, agreement, dataset_id, category, corrected) VALUES (?, ?, 1, ?, ?)",
            [verdict for row in reviewed for verdict in _verdicts(row)],
        )
        for row in reviewed:
            cells.update((a, c, row[4], row[5], k, row[_VOTES + 1]) for _, a, c, k in _verdicts(row))
        rest.update((row[4], row[5]) for row in rows if row[_VOTES] is None)
    # Numbers as long as those of votes; their order does not matter here.
    connection.execute(
        "UPDATE verdicts SET confidence = 0.581364, probability_right = 0.788258, by_confidence = issue_id "
        "WHERE corrected IS NOT NULL"
    )
    connection.executemany(
        "INSERT INTO facets (dataset_id, agreement, category, given, guessed, corrected, vote_pattern, flagged, n) "
        "VALUES (1, ?, ?, ?, ?, ?, ?, 1, ?)",
        [(*cell, n) for cell, n in cells.items()],
    )
    packed = pack_unreviewed(_counted(rest))
    connection.execute(
        f"INSERT INTO unreviewed (dataset_id, {', '.join(packed)}) VALUES (1, ?, ?, ?, ?, ?)", [*packed.values()]
    )
    connection.commit()
    connection.close()


def _counted(rest: Counter[tuple[int, int]]) -> dict[str, np.ndarray]:
    """How many issues that nobody reviewed have each given and guessed label; all of them are flagged."""
    pairs = sorted(rest)
    given, guessed = np.array(pairs).T
    return {
        "given": given,
        "guessed": guessed,
        "flagged": np.ones(len(pairs), np.int64),
        "n": np.array([rest[pair] for pair in pairs]),
    }


def _rows(
    rng: np.random.Generator, start: int, stop: int, n: int, index: np.ndarray, disagreement: np.ndarray
) -> Iterator[tuple[Any, ...]]:
    size = stop - start
    given = rng.integers(CLASSES, size=size).tolist()
    guessed = rng.integers(CLASSES, size=size).tolist()
    margins = np.linspace(-1, 0, n)[start:stop].tolist()
    classes = np.array([guessed, given]).T
    top = pack_top(np.ascontiguousarray(classes), np.full(classes.shape, [0.9, 0.05], np.float16), CLASSES)
    votes = rng.multinomial(5, [0.3, 0.4, 0.1, 0.2], size=size).tolist()
    for k in range(size):
        position = start + k
        reviewed = position % max(1, n // REVIEWED) == 0
        counts = dict(zip(OPTIONS, votes[k], strict=True)) if reviewed else None
        yield (
            tables.issue_id(1, position),
            1,
            int(index[position]),
            None,
            given[k],
            guessed[k],
            guessed[k] if reviewed else None,
            1,
            (1 + margins[k]) / 2,
            margins[k],
            position + 1,
            position,
            int(disagreement[position]),
            json.dumps(counts) if counts else None,
            "-".join(map(str, votes[k])) if counts else None,
            None,
            top[k],
            None,
            None,
            '{"image": [28, 28], "thumbnail": [224, 224]}',
        )


def _verdicts(row: tuple[Any, ...]) -> list[tuple[int, int, str, int | None]]:
    counts, given, guessed = json.loads(row[_VOTES]), row[4], row[5]
    answers: dict[frozenset[int] | str, int] = {}
    for option, classes in (("given", {given}), ("guessed", {guessed}), ("both", {given, guessed}), ("neither", set())):
        answers[frozenset(classes)] = answers.get(frozenset(classes), 0) + counts[option]
    found = []
    for agreement in AGREEMENTS:
        kind = verdict(given, answers, agreement).category
        found.append((row[0], agreement, kind.value, guessed if kind is Category.CORRECTABLE else None))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--issues", type=int, default=25_000)
    arguments = parser.parse_args()
    began = time.perf_counter()
    write(arguments.file, arguments.issues)
    size = arguments.file.stat().st_size / 1e6
    print(f"{arguments.issues:,} issues in {time.perf_counter() - began:.0f} s, {size:,.0f} MB")


if __name__ == "__main__":
    main()
