"""The catalogue file: untouched until the end, alone in its folder, and whole at any moment."""

import errno
import fcntl
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from app.schema.tables import metadata
from ingest.catalogue.atomic_file import replacing_catalogue
from ingest.catalogue.guard.early_copy import begun_early
from ingest.catalogue.issue_table import create_indexes
from ingest.commands.main import main
from ingest.errors import CatalogueError
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ingest", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, text=True, **pipes, **options)


def wait_for_part(folder: Path, size: int = 0) -> None:
    """Until a new catalogue is being written, of so many bytes."""
    wait_until(lambda: any(part.stat().st_size >= size for part in folder.glob("*.part")), "a catalogue being written")


def wait_for_media(process: "subprocess.Popen[str]") -> None:
    """Until a process reads an archive of media."""

    def reads() -> bool:
        with suppress(FileNotFoundError):  # what is closed while one looks
            return any("/media/" in str(file.readlink()) for file in Path(f"/proc/{process.pid}/fd").iterdir())
        return False

    wait_until(reads, "an archive of media being read")


def rows(catalogue: Path, without: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """Everything a catalogue holds, by table, without columns that tell the time."""
    found = {}
    with closing(sqlite3.connect(f"file:{catalogue}?mode=ro", uri=True)) as connection:
        for table in metadata.sorted_tables:
            if table.name != "meta":
                columns = ", ".join(f'"{column.name}"' for column in table.c if column.name not in without)
                found[table.name] = sorted(connection.execute(f"SELECT {columns} FROM {table.name}"), key=repr)
        for table_name in ("issue_search", "class_search"):
            found[table_name] = sorted(connection.execute(f"SELECT rowid, * FROM {table_name}"))
    return found


def datasets(catalogue: Path) -> set[str]:
    with closing(sqlite3.connect(f"file:{catalogue}?mode=ro", uri=True)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM datasets")}


def release_of(name: str, shared: Path, catalogue: Path) -> list[str]:
    release, media = shared / "label-errors", shared / "media"
    return ["release", str(release), "--media", str(media), "--dataset", name, "--catalogue", str(catalogue)]


@pytest.fixture
def long_run(shared: Path, old: Path) -> list[str]:
    """A command that reads a large archive while the new catalogue lies beside the old one."""
    return release_of("cifar10", shared, old)


@pytest.fixture
def short_run(shared: Path, old: Path) -> list[str]:
    """A command that does all that the long one does, sooner."""
    return release_of("mnist", shared, old)


def test_running_twice_gives_the_same_rows(tiny: Any, old: Path) -> None:
    assert tiny.add(old) == 0
    first = rows(old, without=("built_at",))
    assert tiny.add(old) == 0
    assert rows(old, without=("built_at",)) == first


def test_the_version_of_a_catalogue_changes_with_every_write(tiny: Any, old: Path, query_of: Any) -> None:
    assert tiny.add(old) == 0
    first = query_of(old)("SELECT value FROM meta WHERE key = 'version'")
    assert tiny.add(old) == 0
    assert query_of(old)("SELECT value FROM meta WHERE key = 'version'") != first


def test_other_datasets_keep_every_row(tiny: Any, old: Path) -> None:
    before = rows(old)
    assert tiny.add(old) == 0
    tiny.records = tiny.records[:3]
    assert tiny.add(old) == 0
    after = rows(old)
    for table, found in before.items():
        assert set(map(repr, found)) <= set(map(repr, after[table])), table
    assert datasets(old) == {"before", "tiny"}


def test_a_dataset_leaves_nothing_of_its_former_self(tiny: Any, old: Path, tmp_path: Path) -> None:
    assert tiny.add(old) == 0
    tiny.records = tiny.records[:3]
    tiny.top = "flag = 4"
    assert tiny.add(old) == 0
    fresh = tmp_path / "fresh.sqlite"
    assert (
        main(["add", str(tmp_path / "before" / "tiny.toml"), str(tmp_path / "before"), "--catalogue", str(fresh)]) == 0
    )
    assert tiny.add(fresh) == 0
    found, expected = rows(old, without=("built_at",)), rows(fresh, without=("built_at",))
    log = ("versions", "change_counts", "changes")
    assert {name: found[name] for name in found if name not in log} == {
        name: expected[name] for name in expected if name not in log
    }


@pytest.mark.parametrize("moment", ["begun", "reading"])
def test_killed_in_the_middle_the_old_catalogue_stays(
    moment: str, long_run: list[str], tiny: Any, old: Path, tmp_path: Path, leftovers: Any
) -> None:
    before = old.read_bytes()
    process = start(*long_run)
    wait_for_part(tmp_path)
    if moment == "reading":
        wait_for_media(process)
    process.kill()
    process.communicate()
    assert old.read_bytes() == before
    assert any(name.endswith(".part") for name in leftovers())
    assert tiny.add(old) == 0
    assert leftovers() == []
    assert datasets(old) == {"before", "tiny"}


def test_killed_at_the_end_there_is_the_old_catalogue_or_the_new_one(
    short_run: list[str], old: Path, tmp_path: Path
) -> None:
    """While its rows are being written; the name may have changed hands by the time the signal comes."""
    before = old.read_bytes()
    process = start(*short_run)
    wait_for_part(tmp_path)
    wait_until(lambda: old.read_bytes() != before or _written(tmp_path) > len(before) * 1.5, "rows being written")
    process.kill()
    process.communicate()
    assert old.read_bytes() == before or datasets(old) == {"before", "mnist"}


def _written(folder: Path) -> int:
    with suppress(FileNotFoundError):
        return sum(part.stat().st_size for part in folder.glob("*.part"))
    return 0


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_cleans_up(
    signal_number: signal.Signals, long_run: list[str], old: Path, tmp_path: Path, leftovers: Any
) -> None:
    before = old.read_bytes()
    process = start(*long_run)
    wait_for_part(tmp_path)
    process.send_signal(signal_number)
    _, message = process.communicate()
    assert process.returncode == 130
    assert message.endswith("interrupted; nothing half-built was kept\n")
    assert old.read_bytes() == before
    assert leftovers() == []


def test_two_at_once_the_second_refuses_or_waits(
    short_run: list[str], tiny: Any, old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = start(*short_run)
    wait_for_part(tmp_path)
    process.send_signal(signal.SIGSTOP)  # so that it is not done before the second one comes
    capsys.readouterr()
    assert tiny.add(old, "--wait", "0.1") == 1
    message = capsys.readouterr().err
    assert f"waiting for another ingest into {old} to finish" in message
    assert "did not finish within 0.1 seconds" in message
    process.send_signal(signal.SIGCONT)
    assert tiny.add(old, "--wait", "3600") == 0
    process.communicate()
    assert process.returncode == 0
    assert datasets(old) == {"before", "mnist", "tiny"}


def test_where_there_are_no_locks_nothing_is_written(
    tiny: Any, old: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], leftovers: Any
) -> None:
    """A file in their stead would stay when its ingest is killed, and keep all others out."""

    def none(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    before = old.read_bytes()
    monkeypatch.setattr(fcntl, "flock", none)
    assert tiny.add(old) == 1
    assert "Function not implemented" in capsys.readouterr().err
    assert old.read_bytes() == before
    monkeypatch.undo()
    assert tiny.add(old) == 0
    assert leftovers() == []


def test_a_full_disk_is_said_and_changes_nothing(short_run: list[str], old: Path, leftovers: Any) -> None:
    """The operating system refuses every byte beyond the first 250,000, as a full disk does."""
    before = old.read_bytes()
    room = 250_000
    process = start(*short_run, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)))
    _, message = process.communicate()
    assert process.returncode == 1
    assert "the disk is full or failing" in message
    assert "The old catalogue stays as it was." in message
    assert "Traceback" not in message
    assert old.read_bytes() == before
    assert leftovers() == []


def test_whoever_reads_the_old_catalogue_reads_on(tiny: Any, old: Path) -> None:
    with closing(sqlite3.connect(f"file:{old}?mode=ro", uri=True)) as reader:
        first = reader.execute("SELECT * FROM issues").fetchall()
        assert tiny.add(old) == 0
        assert reader.execute("SELECT * FROM issues").fetchall() == first
    assert datasets(old) == {"before", "tiny"}
    with closing(sqlite3.connect(f"file:{old}?mode=ro", uri=True)) as reader:
        assert reader.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert reader.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert reader.execute("PRAGMA foreign_key_check").fetchall() == []
        # No statistics: query plans are the same for every catalogue (see app.schema.tables).
        assert reader.execute("SELECT name FROM sqlite_master WHERE name LIKE 'sqlite_stat%'").fetchall() == []


def test_a_row_that_refers_to_none_is_never_put_in_place(old: Path, leftovers: Any) -> None:
    before = old.read_bytes()
    with (
        pytest.raises(CatalogueError, match="refers to none"),
        replacing_catalogue(old, [], wait=1, say=print) as connection,
    ):
        connection.execute(text("INSERT INTO classes (dataset_id, class_id, name) VALUES (99, 0, 'nobody')"))
    assert old.read_bytes() == before
    assert leftovers() == []


def _age(catalogue: Path) -> None:
    with closing(sqlite3.connect(catalogue)) as connection, connection:
        connection.execute("UPDATE meta SET value = '0' WHERE key = 'schema_version'")


def test_an_older_catalogue_that_would_lose_a_dataset_is_kept(
    tiny: Any, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _age(old)
    before = old.read_bytes()
    assert tiny.add(old) == 1
    message = capsys.readouterr().err
    assert "expected a catalogue of schema version" in message
    assert "cannot be carried over: before" in message
    assert old.read_bytes() == before


def test_an_older_catalogue_with_nothing_to_lose_is_replaced(tiny: Any, tmp_path: Path) -> None:
    catalogue = tmp_path / "new.sqlite"
    assert tiny.add(catalogue) == 0
    first = rows(catalogue, without=("built_at", "since"))
    _age(catalogue)
    assert tiny.add(catalogue) == 0
    assert rows(catalogue, without=("built_at", "since")) == first


@pytest.mark.parametrize("content", [b"my thesis\n" * 1000, b""])
def test_a_file_that_is_no_catalogue_is_not_touched(
    content: bytes, tiny: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], leftovers: Callable[[], list[str]]
) -> None:
    other = tmp_path / "thesis.txt"
    other.write_bytes(content)
    assert tiny.add(other) == 1
    assert "expected a catalogue, found another file" in capsys.readouterr().err
    assert other.read_bytes() == content
    assert leftovers() == []


def test_a_folder_that_cannot_be_made_is_said(tiny: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert tiny.add(tmp_path / "file" / "catalogue.sqlite") == 1
    assert "the catalogue cannot be written" in capsys.readouterr().err


def test_leftovers_of_other_catalogues_are_not_ours(tiny: Any, old: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite.1.part"
    other.write_bytes(b"")
    (tmp_path / f"{old.name}.{os.getpid()}.part").write_bytes(b"")
    assert tiny.add(old) == 0
    assert other.exists()
    assert not (tmp_path / f"{old.name}.{os.getpid()}.part").exists()


def test_labels_of_all_examples_are_not_read_back_without_need(tiny: Any, old: Path) -> None:
    """Of fifty million examples they take gigabytes."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert tiny.add(old) == 0
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert any(statement.startswith("INSERT INTO examples") for statement in asked)
    assert not [statement for statement in asked if "SELECT examples.labels" in statement]


def indexes(catalogue: Path) -> set[str]:
    with closing(sqlite3.connect(f"file:{catalogue}?mode=ro", uri=True)) as connection:
        return {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql > ''")
        }


@pytest.mark.parametrize("n_flagged", [2, 30])
def test_every_index_is_there_afterwards(n_flagged: int, tiny: Any, old: Path) -> None:
    """Also those of the issues, which are made anew when a dataset that has most of them is ingested again."""
    declared = {index.name for table in metadata.sorted_tables for index in table.indexes}
    tiny.top = f"flag = {n_flagged}"
    for _ in range(2):
        assert tiny.add(old) == 0
        assert indexes(old) == declared


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside another"])
def test_an_index_that_lacks_an_entry_is_never_put_in_place(
    beside: bool, tiny: Any, old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a fault of the disk, or of SQLite."""
    catalogue = old if beside else tmp_path / "empty.sqlite"
    before = old.read_bytes()

    def damage(connection: Any) -> None:
        create_indexes(connection)
        connection.exec_driver_sql("PRAGMA writable_schema = ON")
        partial = "CREATE INDEX issues_by_given ON issues (dataset_id, given)"
        connection.exec_driver_sql("DROP INDEX issues_by_given")
        connection.exec_driver_sql(f"{partial} WHERE idx > 20")
        connection.exec_driver_sql("UPDATE sqlite_master SET sql = ? WHERE name = 'issues_by_given'", (partial,))
        connection.commit()
        connection.exec_driver_sql("PRAGMA writable_schema = RESET")

    monkeypatch.setattr("ingest.catalogue.atomic_file.create_indexes", damage)
    assert tiny.add(catalogue) == 1
    assert not (tmp_path / "empty.sqlite").exists()
    assert old.read_bytes() == before


def test_what_is_damaged_is_not_carried_over(
    tiny: Any, old: Path, capsys: pytest.CaptureFixture[str], leftovers: Callable[[], list[str]]
) -> None:
    """A page that is neither read nor written for the new dataset."""
    with closing(sqlite3.connect(old)) as connection:
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'change_counts'")
        [(size,)] = connection.execute("PRAGMA page_size")
    content = bytearray(old.read_bytes())
    content[(page - 1) * size : page * size] = b"\xff" * size
    old.write_bytes(content)
    assert tiny.add(old) == 1
    assert "cannot be carried over, for it is damaged" in capsys.readouterr().err
    assert old.read_bytes() == bytes(content)
    assert leftovers() == []


def test_a_copy_that_was_begun_early_is_the_one_that_is_built_on(
    old: Path, monkeypatch: pytest.MonkeyPatch, leftovers: Callable[[], list[str]]
) -> None:
    before = rows(old)
    copied: list[object] = []
    copyfile = shutil.copyfile
    monkeypatch.setattr("shutil.copyfile", lambda *paths: (copied.append(paths), copyfile(*paths)))
    with begun_early(old) as early, replacing_catalogue(old, ["new"], wait=1, say=print, early=early):
        assert len(leftovers()) == 3  # the lock, and two files being written
    assert bool(copied) == (early is None)  # not every disk has files without a name
    assert rows(old) == before
    assert leftovers() == []


def test_a_copy_of_what_was_replaced_meanwhile_is_not_built_on(tiny: Any, old: Path) -> None:
    """Else the dataset that another ingest has added would be lost."""
    with begun_early(old) as early:
        assert tiny.add(old) == 0
        with replacing_catalogue(old, ["new"], wait=1, say=print, early=early):
            pass
    assert datasets(old) == {"before", "tiny"}


def test_a_copy_that_could_not_be_finished_is_not_built_on(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = rows(old)
    monkeypatch.setattr(os, "copy_file_range", full)
    with begun_early(old) as early, replacing_catalogue(old, ["new"], wait=1, say=print, early=early):
        pass
    assert rows(old) == before


def nameless(folder: Path) -> list[int]:
    """The sizes of open files that have no name and lie on the disk of a folder."""
    opened = [Path(path) for path in Path("/proc/self/fd").iterdir() if path.exists()]
    return [path.stat().st_size for path in opened if str(path.readlink()).startswith(f"{folder}/#")]


def test_a_copy_that_is_not_needed_is_stopped_and_takes_no_room(old: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
    with begun_early(old) as early, replacing_catalogue(old, ["before"], wait=1, say=print, early=early):
        assert nameless(tmp_path) == ([] if early is None else [0])


def test_a_disk_that_failed_while_a_copy_was_written_to_it_is_not_trusted(
    tiny: Any, old: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The system tells such an error once, to the thread that copies."""
    before, fsync = old.read_bytes(), os.fsync

    def failing(handle: int) -> None:
        if threading.current_thread().name.startswith("copy"):
            raise OSError(errno.EIO, "Input/output error")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", failing)
    with begun_early(old) as early:
        expected = 0 if early is None else 1  # not every disk has files without a name
    assert tiny.add(old) == expected
    assert ("Input/output error" in capsys.readouterr().err) == bool(expected)
    assert (old.read_bytes() == before) == bool(expected)


@pytest.mark.parametrize("there", [True, False], ids=["of a catalogue", "of none yet"])
def test_a_link_stays_a_link_and_its_file_is_the_one_that_is_written(there: bool, tiny: Any, tmp_path: Path) -> None:
    """Whoever reads the file by its own name would never see the new dataset, and another writer would not wait."""
    (tmp_path / "elsewhere").mkdir()
    real, link = tmp_path / "elsewhere" / "real.sqlite", tmp_path / "link.sqlite"
    if there:
        tiny.add(real)
    link.symlink_to("elsewhere/real.sqlite")
    tiny.top = "flag = 4"
    assert tiny.add(link) == 0
    assert link.is_symlink()
    with closing(sqlite3.connect(real)) as connection:
        assert connection.execute("SELECT n_flagged FROM datasets").fetchall() == [(4,)]
    assert [path.name for path in real.parent.iterdir()] == ["real.sqlite"]
