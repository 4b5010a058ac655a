"""A temporary folder of a running server, locked so that folders of ended servers can be found and removed.

Several servers share the system's temporary folder, and process ids are reused. So a folder's owner is alive if it
holds a lock on a file in the folder; the lock ends with the process, however that ends.
"""

import contextlib
import os
import shutil
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # pragma: no cover - on systems without these locks left-over folders are kept
    fcntl = None  # type: ignore[assignment]

_PREFIX: Final = "label-errors-files-"
#: Until its lock is held, a folder has a name that is not searched for.
_UNFINISHED: Final = "label-errors-new-"
_LOCK: Final = "in-use"
_FORGOTTEN: Final = 86_400.0  # seconds


class ScratchFolder:
    """The folder of one process, created when it is first used. Safe to use from several threads."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._path: Path | None = None
        self._remove: weakref.finalize[..., ScratchFolder] | None = None

    def path(self) -> Path:
        """The path of the folder, which is created again if the system has removed it."""
        with self._changing:
            if self._path is None or not self._path.is_dir():
                self._path, lock = _made()
                # Removed with its owner or when the program ends, whichever is first.
                self._remove = weakref.finalize(self, _remove, self._path, lock)
            return self._path

    def remove(self) -> None:
        """Remove the folder and everything in it; it is created again if it is used again."""
        with self._changing:
            if self._remove is not None:
                self._remove()
            self._path = self._remove = None


def _made() -> tuple[Path, int]:
    unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED))
    lock = os.open(unfinished / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    if fcntl is not None:
        with contextlib.suppress(OSError):  # without locks on this file system, only its own process removes it
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    path = unfinished.with_name(_PREFIX + unfinished.name.removeprefix(_UNFINISHED))
    unfinished.rename(path)
    return path, lock


def _remove(path: Path, lock: int) -> None:
    shutil.rmtree(path, ignore_errors=True)
    os.close(lock)


def remove_left_over() -> list[Path]:
    """Remove the folders left by killed servers of this user, and return them.

    Other users' folders, links, and folders of running servers are left alone.
    """
    removed = []
    if fcntl is not None:
        for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            with contextlib.suppress(OSError):
                if _left_over(path):
                    shutil.rmtree(path)
                    removed.append(path)
    return removed


def _left_over(path: Path) -> bool:
    found = path.lstat()
    if path.is_symlink() or not path.is_dir() or found.st_uid != os.getuid():
        return False
    try:
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        # From a version without locks, or cleaned by the system: counts as used if it was modified lately.
        return time.time() - found.st_mtime > _FORGOTTEN
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
