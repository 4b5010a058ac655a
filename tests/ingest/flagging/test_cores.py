"""How many cores a process has, and that libraries below numpy keep to one thread."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.evaluation.blas_threads import VARIABLES, bound
from ingest.flagging import cores


def group(root: Path, path: str, **files: str) -> None:
    folder = root / path
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("cpu_", "cpu.")).write_text(text)


def test_the_least_quota_of_a_group_and_those_above_it_holds(tmp_path: Path):
    group(tmp_path, "a", cpu_max="150000 100000\n")
    group(tmp_path, "a/b", cpu_max="max 100000\n")
    group(tmp_path, "a/b/c", cpu_max="400000 100000\n")
    assert cores.quota_of("0::/a/b/c\n", tmp_path) == 1.5
    # A container sees its own group as the mount, and a path that is not in it.
    group(tmp_path, ".", cpu_max="50000 100000\n")
    assert cores.quota_of("0::/docker/0123\n", tmp_path) == 0.5


def test_the_older_groups_are_read_too(tmp_path: Path):
    group(tmp_path, "cpu,cpuacct/job", cpu_cfs_quota_us="300000\n", cpu_cfs_period_us="100000\n")
    group(tmp_path, "cpu,cpuacct", cpu_cfs_quota_us="-1\n", cpu_cfs_period_us="100000\n")
    own = "5:memory:/job\n4:cpu,cpuacct:/job\n0::/\n"
    assert cores.quota_of(own, tmp_path) == 3.0
    assert cores.quota_of("5:memory:/job\n", tmp_path) is None


@pytest.mark.parametrize("own", ["", "0::/\n", "nonsense", "0::/../../..\n", "1:cpu:/x\n"])
def test_nothing_is_taken_for_a_quota_where_none_is(own: str, tmp_path: Path):
    group(tmp_path, "x", cpu_cfs_quota_us="what\n", cpu_max="100\n")
    assert cores.quota_of(own, tmp_path) is None


@pytest.mark.parametrize(("quota", "expected"), [(None, 3), (0.4, 1), (1.5, 1), (2.0, 2), (64.0, 3)])
def test_what_is_given_is_the_least_of_both(monkeypatch: pytest.MonkeyPatch, quota: float | None, expected: int):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {4, 5, 9})
    monkeypatch.setattr(cores, "quota_of", lambda *_: quota)
    assert cores.available() == expected


def test_what_is_said_of_threads_already_stays():
    environment = {"OMP_NUM_THREADS": "7"}
    bound(environment)
    assert environment == dict.fromkeys(VARIABLES, "1") | {"OMP_NUM_THREADS": "7"}


def test_ingest_is_bound_before_numpy_is_loaded(tmp_path):
    # What the variable says after numpy was loaded, nothing reads any more.
    program = (
        "import builtins, os, runpy, sys\n"
        "real = builtins.__import__\n"
        "def noted(name, *rest, **more):\n"
        "    if name == 'numpy' and 'numpy' not in sys.modules:\n"
        "        print(os.environ.get('OPENBLAS_NUM_THREADS'))\n"
        "        sys.stdout.flush()\n"
        "        os._exit(0)\n"
        "    return real(name, *rest, **more)\n"
        "builtins.__import__ = noted\n"
        f"sys.argv = ['ingest', 'sample', '--catalogue', {str(tmp_path / 'catalogue.sqlite')!r}]\n"
        "runpy.run_module('ingest', run_name='__main__')\n"
    )
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).resolve().parents[3],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1\n", done.stderr
