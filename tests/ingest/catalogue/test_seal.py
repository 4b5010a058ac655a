"""The seal of a catalogue is broken by any changed byte, and laid down by whoever writes with SQLite."""

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ingest.catalogue.guard.seal import KEY, is_as_sealed, unsealed
from tests.ingest.conftest import Query, Tiny

QueryOf = Callable[[Path], Query]


def write(catalogue: Path, *statements: str) -> None:
    with closing(sqlite3.connect(catalogue)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def flip(catalogue: Path, at: int, bit: int = 0) -> None:
    with catalogue.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


def holds(catalogue: Path) -> bool | None:
    """What the seal says; SQLite's own refusal of what is no database is as good as a broken one."""
    try:
        return is_as_sealed(catalogue)
    except sqlite3.DatabaseError:
        return False


def test_what_an_ingest_wrote_is_sealed(tiny: Tiny, old: Path) -> None:
    assert is_as_sealed(old) is True
    assert tiny.add(old) == 0
    assert is_as_sealed(old) is True


def test_any_changed_bit_is_seen(old: Path, query_of: QueryOf) -> None:
    """All of the header, of the seal, and of what stands before pages; and some of the rest."""
    draw = random.Random(7)
    size, content = old.stat().st_size, old.read_bytes()
    [(seal,)] = query_of(old)("SELECT value FROM meta WHERE key = ?", KEY)
    start = content.index(seal.encode())
    places = [*range(100), *range(start - 8, start + 50), *range(0, size, 4_096)]
    for at in [*places, *(draw.randrange(size) for _ in range(300))]:
        bit = draw.randrange(8)
        flip(old, at, bit)
        assert holds(old) is not True, at
        flip(old, at, bit)
    assert old.read_bytes() == content
    assert is_as_sealed(old) is True


def test_a_longer_or_shorter_file_is_seen(old: Path) -> None:
    whole = old.read_bytes()
    for content in (whole[:-4_096], whole + bytes(4_096), whole[:-1]):
        old.write_bytes(content)
        assert holds(old) is not True


def test_a_changed_word_that_sqlite_does_not_see_is_not_carried_over(
    tiny: Tiny, old: Path, query_of: QueryOf, capsys: pytest.CaptureFixture[str], leftovers: Callable[[], list[str]]
) -> None:
    title = query_of(old)("SELECT title FROM datasets")[0][0]
    place = old.read_bytes().index(f"before{title}".encode()) + len("before")
    flip(old, place)
    assert query_of(old)("PRAGMA integrity_check") == [("ok",)]
    assert query_of(old)("SELECT title FROM datasets")[0][0] != title
    damaged = old.read_bytes()
    assert tiny.add(old) == 1
    said = capsys.readouterr().err
    assert f"{old}: the datasets that it holds cannot be carried over, for it is damaged: some of its bytes are" in said
    assert "though nobody wrote to it with SQLite" in said
    assert old.read_bytes() == damaged
    assert leftovers() == []


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_what_somebody_wrote_with_sqlite_is_carried_over(
    tiny: Tiny, old: Path, query_of: QueryOf, journal: str
) -> None:
    write(old, f"PRAGMA journal_mode = {journal}", "UPDATE datasets SET title = 'Written by hand'")
    assert is_as_sealed(old) is None
    assert tiny.add(old) == 0
    assert ("Written by hand",) in query_of(old)("SELECT title FROM datasets")
    assert is_as_sealed(old) is True


@pytest.mark.parametrize(
    "statement",
    [
        f"DELETE FROM meta WHERE key = '{KEY}'",
        f"UPDATE meta SET value = '{unsealed()}' WHERE key = '{KEY}'",
        f"UPDATE meta SET value = 'broken' WHERE key = '{KEY}'",
    ],
    ids=["none", "unsealed", "no seal"],
)
def test_without_a_seal_the_pages_are_checked(
    tiny: Tiny, old: Path, query_of: QueryOf, capsys: pytest.CaptureFixture[str], statement: str
) -> None:
    write(old, statement)
    assert is_as_sealed(old) is None
    [(page,)] = query_of(old)("SELECT rootpage FROM sqlite_master WHERE name = 'change_counts'")
    flip(old, (page - 1) * 4_096 + 1)
    assert tiny.add(old) == 1
    assert "cannot be carried over, for it is damaged" in capsys.readouterr().err
    flip(old, (page - 1) * 4_096 + 1)
    assert tiny.add(old) == 0
