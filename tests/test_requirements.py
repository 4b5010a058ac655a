"""The lock files: every package that pyproject.toml asks for, each with its hashes, and nobody's address."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.conftest import ROOT

FOLDER = ROOT / "requirements"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BUILD = [Requirement(one) for one in PYPROJECT["build-system"]["requires"]]
RUN = [Requirement(one) for one in PYPROJECT["project"]["dependencies"]]
OPTIONAL = {
    name: [Requirement(one) for one in extra] for name, extra in PYPROJECT["project"]["optional-dependencies"].items()
}
EXTRAS = [one for name, extra in OPTIONAL.items() if name != "torch" for one in extra]
TORCH = [one for one in OPTIONAL["torch"] if one.name != "torch"]
HARNESS = [Requirement(one) for one in PYPROJECT["dependency-groups"]["harness"]]
ASKED = {
    "build": BUILD,
    "run": RUN,
    "dev": RUN + EXTRAS,
    "lowest": RUN + EXTRAS + BUILD,
    "torch": RUN + TORCH,
    "harness": HARNESS,
}


def locked(name: str) -> list[tuple[Requirement, int]]:
    """Each package of a lock file, and how many hashes it has."""
    found = []
    for entry in re.split(r"\n(?=[a-zA-Z])", "\n" + (FOLDER / f"{name}.txt").read_text(encoding="utf-8"))[1:]:
        lines = [line.strip().rstrip("\\").strip() for line in entry.splitlines() if not line.strip().startswith("#")]
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in lines[1:]), lines[0]
        found.append((Requirement(lines[0]), len(lines) - 1))
    return found


@pytest.mark.parametrize("name", ASKED)
def test_all_that_is_asked_for_is_locked_with_its_hashes(name: str) -> None:
    packages = locked(name)
    assert all(hashes > 0 for _, hashes in packages)
    versions: dict[str, list[Version]] = {}
    for package, _ in packages:
        (pin,) = package.specifier
        assert pin.operator == "=="
        versions.setdefault(canonicalize_name(package.name), []).append(Version(pin.version))
    for wanted in ASKED[name]:
        found = versions.get(canonicalize_name(wanted.name), [])
        assert found, f"requirements/{name}.txt lacks {wanted}: make lock"
        assert all(wanted.specifier.contains(one) for one in found), f"{wanted}, found {found}: make lock"


@pytest.mark.parametrize("name", ASKED)
def test_no_address_and_no_path_is_in_it(name: str) -> None:
    """Whoever installs chooses the mirror; and nothing tells where a file was made."""
    for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        assert not re.search(r"://|--[a-z-]*(index|find-links|trusted)|@ |(^|\s)[/~.]", line), line


def test_what_runs_is_the_same_where_it_is_developed() -> None:
    developed = {(str(package), hashes) for package, hashes in locked("dev")}
    assert {(str(package), hashes) for package, hashes in locked("run")} <= developed


def imported(path: Path) -> set[str]:
    """Everything of other packages that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.update(f"{node.module}.{one.name}" for one in node.names)
    return {name for name in found if name.partition(".")[0] not in {*sys.stdlib_module_names, "app", "ingest"}}


def test_what_is_not_tested_with_the_lowest_versions_imports_nothing_else() -> None:
    """Rooms of code lie where their tests do."""
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    said = dict(line.split(" := ", 1) for line in lines if re.match("[A-Z_]+ := ", line))
    rooms, pages = re.fullmatch(r"(.*) \$\(addprefix app/site/,(.*)\)", said["ROOMS"]).groups()
    assert said["NOT_LOWEST"].endswith(" $(ROOMS:%=tests/%)")
    left_out = [ROOT / room for room in (*rooms.split(), *(f"app/site/{name}" for name in pages.split()))]
    assert all(room.is_dir() for room in left_out)
    modules = [path for top in ("app", "ingest") for path in (ROOT / top).rglob("*.py")]
    alone = {path for path in modules if any(room in path.parents for room in left_out)}
    tested = set[str]().union(*map(imported, set(modules) - alone))
    assert set[str]().union(*map(imported, alone)) <= tested


def test_the_lowest_versions_are_those_that_are_declared() -> None:
    """Else ``make test-lowest`` would hold other bounds than those that pyproject.toml promises."""
    lowest: dict[str, list[Version]] = {}
    for package, _ in locked("lowest"):
        lowest.setdefault(canonicalize_name(package.name), []).append(Version(next(iter(package.specifier)).version))
    for wanted in ASKED["lowest"]:
        bounds = [Version(one.version) for one in wanted.specifier if one.operator in (">=", "==")]
        assert len(bounds) == 1, wanted
        found = min(lowest[canonicalize_name(wanted.name)])
        assert found == bounds[0], f"{wanted} is never tried with less than {found}"


def test_what_builds_is_locked_too() -> None:
    assert [Requirement(one) for one in PYPROJECT["dependency-groups"]["build"]] == BUILD


def test_the_harness_comes_without_what_it_never_imports() -> None:
    """It asks for hundreds of MB; what the tests import of them stands on the environment of the others."""
    assert {package.name for package, _ in locked("harness")} == {one.name for one in HARNESS}


def test_what_stands_on_another_environment_agrees_with_it() -> None:
    beneath = {(package.name, package.specifier) for package, _ in locked("dev")}
    names = {name for name, _ in beneath}
    both = {(package.name, package.specifier) for package, _ in locked("torch") if package.name in names}
    assert both
    assert both <= beneath
