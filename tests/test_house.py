"""The house keeps its order: imports go one way, modules stay small, nothing dangerous slips in."""

import ast
import doctest
import importlib
import importlib.metadata
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted([*ROOT.glob("app/**/*.py"), *ROOT.glob("ingest/**/*.py")])
STANDARD_FOR_DOMAIN = {"numpy", "app"}


def names(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{names(path)} imports relatively; expected full names"
            found.add(node.module or "")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def test_there_is_something_to_look_at():
    assert len(MODULES) > 20


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_imports_go_one_way(path):
    where = names(path)
    for module in imported(path):
        top = module.partition(".")[0]
        if where.startswith("app/"):
            assert top != "ingest", f"{where} imports {module}"
        if where.startswith("app/domain/"):
            assert top in STANDARD_FOR_DOMAIN or top in sys.stdlib_module_names, f"{where} imports {module}"
            assert top != "app" or module == "app" or module.startswith("app.domain"), f"{where} imports {module}"
        if where.startswith("app/measuring/") and top == "app":
            allowed = module == "app" or module.startswith(("app.schema", "app.domain", "app.measuring"))
            assert allowed, f"{where} imports {module}; it is used without the site"
        if where.startswith("app/corrected/") and top == "app":
            allowed = module == "app" or module.startswith(("app.schema", "app.domain", "app.corrected"))
            assert allowed, f"{where} imports {module}; it writes files without the site"
        if where.startswith("ingest/") and top == "app":
            shared = ("app.schema", "app.domain", "app.measuring", "app.corrected")
            allowed = module == "app" or module.startswith(shared)
            assert allowed, f"{where} imports {module}; ingest may know {', '.join(shared)} only"


def needed(path: Path, modules: set[str]) -> set[str]:
    """The modules of ours that a module imports, or imports something of."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = [f"{node.module}.{alias.name}" for alias in node.names]
            found.update(part if part in modules else node.module for part in parts)
    return found & modules


def test_no_module_needs_itself():
    """Whatever imports a module stands above it, so each can be read after what it builds on."""
    paths = {names(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in MODULES}
    order = TopologicalSorter({name: needed(path, set(paths)) for name, path in paths.items()}).static_order()
    assert set(order) == set(paths)


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_modules_are_small_and_say_what_they_are_for(path):
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= 320, f"{names(path)} holds more than one noun"
    if path.name != "__init__.py" or source:
        assert ast.get_docstring(ast.parse(source)), f"{names(path)} has no header"


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_nothing_dangerous(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not isinstance(node, ast.Assert), f"{names(path)}:{node.lineno} validates with assert"
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"eval", "exec", "pickle.load", "pickle.loads", "os.system"}, (
                f"{names(path)}:{node.lineno}"
            )
            for keyword in node.keywords:
                risky = keyword.arg == "allow_pickle" and ast.unparse(keyword.value) != "False"
                assert not risky, f"{names(path)}:{node.lineno} unpickles freely"
                shell = keyword.arg == "shell" and ast.unparse(keyword.value) != "False"
                assert not shell, f"{names(path)}:{node.lineno} runs a shell"


@pytest.mark.parametrize("path", [m for m in MODULES if ">>>" in m.read_text(encoding="utf-8")], ids=names)
def test_examples_in_docstrings_hold(path):
    module = importlib.import_module(names(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    result = doctest.testmod(module, extraglobs={"np": np})
    assert result.failed == 0


#: Declared and imported nowhere: a library or a program of ours asks for it by itself.
UNSEEN = {
    "uvloop": "uvicorn takes it where it is",
    "python-multipart": "starlette reads forms with it",
    "audioop-lts": "pydub needs what Python 3.13 no longer has",
    "aiohttp": "fsspec opens addresses with it",
    "mypy": "a program",
    "ruff": "a program",
    "pre-commit": "a program",
    "pytest-xdist": "a plugin",
    "pandas-stubs": "types",
    "uv": "a program",
}


def declared() -> tuple[set[str], set[str]]:
    """The distributions that pyproject asks for: where the project is used, and where it is developed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    optional = [requirement for name, needed in extras.items() if name != "dev" for requirement in needed]
    used = {canonicalize_name(Requirement(one).name) for one in [*project["dependencies"], *optional]}
    return used, used | {canonicalize_name(Requirement(one).name) for one in extras["dev"]}


def test_what_is_imported_is_declared_and_nothing_else():
    """What only comes along with another library is gone as soon as that library does without it."""
    ours = {"app", "ingest", "tests", "benchmarks", *(path.stem for path in (ROOT / "tests").rglob("*.py"))}
    distributions = importlib.metadata.packages_distributions()
    used, developed = declared()
    imported_anywhere = set()
    for path in sorted(
        one for folder in ("app", "ingest", "tests", "benchmarks") for one in ROOT.glob(f"{folder}/**/*.py")
    ):
        for module in {module.partition(".")[0] for module in imported(path)} - ours - sys.stdlib_module_names:
            names_of = {canonicalize_name(name) for name in distributions[module]}
            expected = used if path.is_relative_to(ROOT / "app") or path.is_relative_to(ROOT / "ingest") else developed
            assert names_of & expected, f"{names(path)} imports {module}, which pyproject.toml does not ask for"
            imported_anywhere |= names_of
    assert developed - imported_anywhere == set(UNSEEN)


def test_every_module_of_tests_has_a_name_of_its_own():
    """pytest imports them by their bare names, and would stop at the second."""
    found = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(found) == len(set(found)), sorted(name for name in set(found) if found.count(name) > 1)
