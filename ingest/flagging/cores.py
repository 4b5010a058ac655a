"""The number of processor cores this process may use, container limits included."""

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_GROUPS: Final = Path("/sys/fs/cgroup")
_OWN: Final = Path("/proc/self/cgroup")


def available() -> int:
    """The number of cores for this process, rounded down, but at least one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = quota_of(_own_groups(), _GROUPS)
    return allowed if quota is None else max(1, min(allowed, math.floor(quota)))


def quota_of(own: str, groups: Path) -> float | None:
    """The cores granted by Linux control groups, the smallest quota of a group and its parents; None if none is set.

    ``own`` is the content of /proc/self/cgroup, ``groups`` the mount point of control groups, of either version.
    """
    found = []
    for line in own.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0":
            found += [_of_v2(folder) for folder in _upwards(groups, path)]
        elif "cpu" in controllers.split(","):
            for mounted in (groups / "cpu", groups / controllers):
                found += [_of_v1(folder) for folder in _upwards(mounted, path)]
    given = [cores for cores in found if cores is not None]
    return min(given) if given else None


def _own_groups() -> str:
    try:
        return _OWN.read_text()
    except OSError:
        return ""  # another system


def _upwards(mounted: Path, path: str) -> Iterator[Path]:
    """A group and all its parents. In a container the path may be the host's: then the mount itself is the group."""
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for n in range(len(parts), -1, -1):
        yield mounted.joinpath(*parts[:n])


def _of_v2(folder: Path) -> float | None:
    try:
        quota, period = (folder / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _of_v1(folder: Path) -> float | None:
    try:
        quota = int((folder / "cpu.cfs_quota_us").read_text())
        return None if quota <= 0 else quota / int((folder / "cpu.cfs_period_us").read_text())
    except (OSError, ValueError, ZeroDivisionError):
        return None
