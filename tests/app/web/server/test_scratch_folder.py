"""What a server writes goes with it, however it ends, and nobody else's does."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from app.web.file_cache import FileCache
from app.web.server import scratch_folder
from app.web.server.scratch_folder import ScratchFolder, remove_left_over
from tests.conftest import ROOT

_OWNER = """
import sys
from app.web.server.scratch_folder import ScratchFolder
folder = ScratchFolder()
(folder.path() / "file").write_bytes(b"x")
print(folder.path(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_what_a_killed_server_left_goes_and_what_others_use_stays(temporary: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(
        [sys.executable, "-c", _OWNER], cwd=ROOT, env=environment, stdin=-1, stdout=-1, text=True
    ) as other:
        theirs = Path(other.stdout.readline().strip())
        mine = ScratchFolder()
        foreign = temporary / "someone-elses"
        foreign.mkdir()
        link = temporary / "label-errors-files-link"
        link.symlink_to(foreign, target_is_directory=True)
        young = temporary / "label-errors-files-young"
        young.mkdir()
        old = temporary / "label-errors-files-old"
        old.mkdir()
        os.utime(old, (0, 0))
        assert mine.path().parent == theirs.parent == temporary
        assert remove_left_over() == [old]
        other.kill()
    assert (theirs / "file").exists()
    assert remove_left_over() == [theirs]
    assert {path.name for path in temporary.iterdir()} == {mine.path().name, foreign.name, link.name, young.name}


def test_a_folder_goes_with_its_owner_and_is_made_anew_if_the_system_swept_it(temporary: Path) -> None:
    folder = ScratchFolder()
    spool = FileCache(1_000_000, folder)
    for _ in range(2):
        file, kept = spool.open("key", lambda: iter([b"abc", b"def"]))
        with file:
            assert (file.read(), kept.size) == (b"abcdef", 6)
        scratch_folder.shutil.rmtree(folder.path())
    spool.open("other", lambda: iter([b"abc"]))[0].close()
    folder.remove()
    assert list(temporary.iterdir()) == []
    spool.open("key", lambda: iter([b"abc"]))[0].close()
    del spool, folder
    assert list(temporary.iterdir()) == []
