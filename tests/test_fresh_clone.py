"""What the README tells a newcomer to type, in a clone of what is committed, with a home that holds nothing."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

TYPED = re.findall(r"^make (\w+) ", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)[:2]

#: The Python that was chosen for these tests, as it is outside of their environment.
PYTHON = Path(sys.base_prefix) / "bin/python3"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("newcomer") / "clone"
    command = ["git", "clone", "--quiet", f"file://{ROOT}", str(folder)]
    subprocess.run(command, check=True)
    return folder


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of somebody who has just got an account: an empty home, no settings of make, Python or the site.

    Where packages come from and which programs there are stay as they are.
    """
    home = tmp_path_factory.mktemp("home")
    foreign = ("LABELERRORS_", "MAKE", "MFLAGS", "VIRTUAL_ENV", "PYTHON", "PYTEST", "XDG_", "CATALOGUE", "PORT", "VENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    mirror = Path.home() / ".config/pip/pip.conf"
    if mirror.is_file():
        kept.setdefault("PIP_CONFIG_FILE", str(mirror))
    return kept | {"HOME": str(home)}


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@contextmanager
def made(clone: Path, environment: dict[str, str], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``make serve``, and its end with all that it started."""
    command = ["make", "serve", f"PORT={port}", f"PYTHON={PYTHON}"]
    with log.open("wb") as said:
        running = subprocess.Popen(
            command, cwd=clone, env=environment, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield running
        finally:
            os.killpg(running.pid, signal.SIGTERM)
            running.wait(timeout=60)


def test_the_readme_begins_with_them():
    assert TYPED == ["serve", "test"]


def test_serve_makes_all_that_it_needs_and_serves(clone: Path, newcomer: dict[str, str], tmp_path: Path):
    assert not (clone / ".venv").exists()
    port, log = free_port(), tmp_path / "log"
    site = f"http://127.0.0.1:{port}"

    with made(clone, newcomer, port, log) as running:

        def answers() -> bool:
            assert running.poll() is None, log.read_text(encoding="utf-8")
            try:
                return httpx.get(f"{site}/healthz", timeout=60).status_code == 200
            except httpx.TransportError:
                return False

        wait_until(answers, "make serve to answer")
        page = httpx.get(site, timeout=60)
        assert page.status_code == 200
        assert httpx.get(f"{site}/api/v1/datasets", timeout=60).json()
    assert (clone / "var/catalogue.sqlite").is_file()
    assert list((clone / "ingest/matrices").glob("_row_kernel*.so")) or not shutil.which("cc"), (
        "the compiled loop was not built"
    )
    assert not subprocess.check_output(["git", "status", "--porcelain"], cwd=clone, text=True), "something is left over"


def test_test_asks_for_nothing_that_is_not_in_the_clone(clone: Path, newcomer: dict[str, str]):
    dry = subprocess.run(["make", "-n", "test"], cwd=clone, env=newcomer, capture_output=True, text=True, check=True)
    assert "--require-hashes --no-deps" in dry.stdout
    assert "--use-pep517 --requirement requirements/dev.txt" in dry.stdout
    assert 'pytest -n auto --maxprocesses 4 --dist loadfile -m "not slow"' in dry.stdout


def typed(clone: Path, environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)


def test_dev_makes_a_working_copy_whose_hooks_refuse_what_lint_would(clone: Path, newcomer: dict[str, str]):
    made = typed(clone, newcomer, "make", "dev", f"PYTHON={PYTHON}")
    assert made.returncode == 0, made.stderr
    assert made.stdout.rstrip().endswith("CONTRIBUTING.md tells the rest.")
    somebody = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org"}
    committer = newcomer | somebody | {name.replace("AUTHOR", "COMMITTER"): value for name, value in somebody.items()}
    before = typed(clone, committer, "git", "rev-parse", "HEAD").stdout

    (clone / "app/new.py").write_text('"""New."""\n\nimport os\n\nNUMBER: int = "one"\n', encoding="utf-8")
    typed(clone, committer, "git", "add", "app/new.py")
    refused = typed(clone, committer, "git", "commit", "--message", "Add a module")
    assert refused.returncode == 1
    assert "F401" in refused.stderr, "ruff"
    assert "Incompatible types in assignment" in refused.stderr, "mypy"
    assert typed(clone, committer, "git", "rev-parse", "HEAD").stdout == before

    (clone / "app/new.py").write_text('"""New."""\n\nNUMBER: int = 1\n', encoding="utf-8")
    typed(clone, committer, "git", "add", "app/new.py")
    taken = typed(clone, committer, "git", "commit", "--message", "Add a module")
    assert taken.returncode == 0, taken.stderr
    assert typed(clone, committer, "git", "rev-parse", "HEAD~1").stdout == before
    typed(clone, committer, "git", "reset", "--quiet", "--hard", before.strip())


def test_wheel_builds_what_is_committed_and_its_licence(clone: Path, newcomer: dict[str, str]):
    made = typed(clone, newcomer, "make", "wheel", f"PYTHON={PYTHON}")
    assert made.returncode == 0, made.stderr
    committed = set(typed(clone, newcomer, "git", "ls-files").stdout.splitlines())
    (source,) = (clone / "dist").glob("*.tar.gz")
    with tarfile.open(source) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert committed <= packed, sorted(committed - packed)

    (built,) = (clone / "dist").glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        said = archive.read(metadata).decode().splitlines()
        licence = archive.read(metadata.replace("METADATA", "licenses/LICENSE"))
        held = set(archive.namelist())
    assert {"License-Expression: Apache-2.0", "License-File: LICENSE", "Requires-Python: >=3.11"} <= set(said)
    assert licence == (clone / "LICENSE").read_bytes()
    assert {path for path in committed if re.match(r"(app|ingest)/.*\.py$", path)} <= held
