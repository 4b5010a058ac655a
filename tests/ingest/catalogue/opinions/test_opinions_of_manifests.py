"""Opinions that a dataset's own manifest names: read by ``add``, kept in step with the dataset, refused in whole."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ingest.conftest import Tiny

ENTRY = """
[[opinions]]
name = "{name}"
title = "Second look"
file = "{file}"
licence = "CC0"
redistributable = true
independent = true
format = "labels-npy"
[opinions.check]
example = 1
classes = [{anchor}]
agreement = 0.8
"""


def guess(tiny: Tiny, index: int) -> int:
    return int(tiny.probs[index].argmax())


def with_opinion(tiny: Tiny) -> Tiny:
    """Somebody who agrees with the correction of example 0, not with that of 5, and has not seen 2."""
    said = tiny.labels.astype(np.int64)
    said[0], said[2] = guess(tiny, 0), -1
    tiny.extra["second.npy"] = said
    tiny.examples = ENTRY.format(name="second", file="second.npy", anchor=int(tiny.labels[1]))
    return tiny


def rows(catalogue: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(catalogue)) as connection:
        return connection.execute(statement).fetchall()


def signs(catalogue: Path, agreement: int = 3) -> dict[int, str]:
    found = rows(
        catalogue,
        f"SELECT idx, opinions FROM verdicts JOIN issues ON issues.id = issue_id WHERE agreement = {agreement}",
    )
    return dict(found)


def version(catalogue: Path) -> str:
    return str(rows(catalogue, "SELECT version FROM datasets")[0][0])


def test_add_reads_the_opinions_of_a_manifest(tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    catalogue = tmp_path / "catalogue.sqlite"
    assert with_opinion(tiny).add(catalogue) == 0
    assert "tiny: Second look on 39 of 40 examples; it holds the given label of 97.4%" in capsys.readouterr().err
    # Every other reviewed example has the given label: no correction is made of 1, 3 and 4.
    assert signs(catalogue) == {0: "c", 1: "g", 2: "s", 3: "g", 4: "g", 5: "g"}
    assert rows(catalogue, "SELECT name, covered FROM opinion_sources") == [("second", 39)]
    ((text,),) = rows(catalogue, "SELECT results FROM opinion_reports WHERE agreement = 3")
    table = json.loads(text)["sources"][0]["table"]["correctable"]
    assert table == {"given": 1, "guessed": 1, "both": 0, "other": 0, "silent": 0}


def test_the_version_follows_from_the_opinion(tiny: Tiny, tmp_path: Path) -> None:
    catalogue, bare = tmp_path / "catalogue.sqlite", tmp_path / "bare.sqlite"
    assert tiny.add(bare) == 0
    assert with_opinion(tiny).add(catalogue) == 0
    first = version(catalogue)
    assert first != version(bare)
    assert tiny.add(catalogue) == 0
    assert version(catalogue) == first
    tiny.extra["second.npy"][5] = guess(tiny, 5)
    assert tiny.add(catalogue) == 0
    assert version(catalogue) != first
    assert signs(catalogue)[5] == "c"
    assert len(rows(catalogue, "SELECT name FROM opinion_sources")) == 1


def test_an_opinion_that_the_manifest_no_longer_names_stays_while_it_fits(tiny: Tiny, tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue.sqlite"
    assert with_opinion(tiny).add(catalogue) == 0
    tiny.examples = ""
    assert tiny.add(catalogue) == 0
    assert signs(catalogue)[0] == "c"
    # Other labels, with which it agrees on less than its manifest asks for.
    tiny.labels = ((tiny.labels + 1) % 3).astype(np.uint16)
    tiny.records = [tiny.record(index, 5, 0, 0, 0) for index in range(6)]
    assert tiny.add(catalogue) == 0
    assert rows(catalogue, "SELECT name FROM opinion_sources") == []
    assert set(signs(catalogue).values()) == {None}


def _missing(tiny: Tiny) -> None:
    tiny.examples = tiny.examples.replace('"second.npy"', '"absent.npy"')


def _shifted(tiny: Tiny) -> None:
    tiny.extra["second.npy"] = np.roll(tiny.extra["second.npy"], 1)


def _other_anchor(tiny: Tiny) -> None:
    tiny.examples = tiny.examples.replace("example = 1\n", "example = 0\n")


def _pickled(tiny: Tiny) -> None:
    tiny.extra["second.npy"] = np.array([None] * 40, dtype=object)


def _twice(tiny: Tiny) -> None:
    tiny.examples += tiny.examples


@pytest.mark.parametrize(
    ("spoil", "finding"),
    [
        (_missing, "absent.npy: expected the file of Second look, found none"),
        (_shifted, "found 38.5%; shifted by one entry it is 97.4%. The join is shifted"),
        (_other_anchor, "second.npy: check: expected 1 to be held of example 0, found 0 (ant); the join is wrong"),
        (_pickled, "second.npy: expected an array of numbers or texts, found object; nothing is unpickled here"),
        (_twice, "expected a name of its own and a file for each opinion"),
    ],
)
def test_an_opinion_that_cannot_be_read_leaves_the_catalogue_unchanged(
    tiny: Tiny, old: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Tiny], None], finding: str
) -> None:
    before = old.read_bytes()
    spoil(with_opinion(tiny))
    assert tiny.add(old) == 1
    assert finding in capsys.readouterr().err
    assert old.read_bytes() == before
