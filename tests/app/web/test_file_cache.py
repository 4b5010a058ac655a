"""Files that are kept on the disk have an end in bytes; those used last stay, and what goes is gone from the disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.web.file_cache import FileCache, read
from app.web.server.scratch_folder import ScratchFolder


@pytest.fixture
def folder() -> Iterator[ScratchFolder]:
    own = ScratchFolder()
    yield own
    own.remove()


def ask(cache: FileCache, name: str, n_bytes: int = 400) -> None:
    file, kept = cache.open(name, lambda: iter([name.encode() * n_bytes]))
    with file:
        assert b"".join(read(file, 0, kept.size)) == name.encode() * n_bytes


def on_disk(folder: ScratchFolder) -> list[bytes]:
    return sorted(path.read_bytes()[:1] for path in folder.path().glob("tmp*"))


def test_files_used_last_stay_and_the_others_are_gone_from_the_disk(folder: ScratchFolder) -> None:
    cache = FileCache(1_000, folder)
    for name in "abaca":
        ask(cache, name)
    assert [cache.has(name) for name in "abc"] == [True, False, True]
    assert on_disk(folder) == [b"a", b"c"]


@pytest.mark.parametrize("most", [1, 1_000])
def test_a_file_that_alone_is_too_large_is_kept_until_the_next_one_comes(folder: ScratchFolder, most: int) -> None:
    cache = FileCache(most, folder)
    ask(cache, "a", 5_000)
    assert on_disk(folder) == [b"a"]
    ask(cache, "b")
    assert on_disk(folder) == [b"b"]


def test_a_file_that_the_system_swept_is_written_again(folder: ScratchFolder) -> None:
    cache = FileCache(1_000, folder)
    ask(cache, "a")
    Path(next(folder.path().glob("tmp*"))).unlink()
    ask(cache, "a")
    assert on_disk(folder) == [b"a"]


def test_a_reader_keeps_a_file_that_had_to_go(folder: ScratchFolder) -> None:
    cache = FileCache(500, folder)
    file, kept = cache.open("a", lambda: iter([b"a" * 400]))
    with file:
        ask(cache, "b")
        assert not cache.has("a")
        assert len(b"".join(read(file, 0, kept.size))) == 400
