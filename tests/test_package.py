"""What one installs: a wheel and a source distribution that hold all they need, and a command that works anywhere.

The cheap tests run an unpacked wheel in this environment, of which it sees only what a plain install brings along. The
slow ones install it, with its dependencies, into an environment in which there is nothing else.
"""

import importlib.metadata
import io
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

from app import __version__
from ingest.commands.console import console
from tests.conftest import ROOT

PATIENCE = 120
FOLDERS = ("templates", "static", "data", "docs")
#: In the order in which ``label-errors --help`` lists them.
COMMANDS = (
    *("serve", "sample", "release", "init", "add", "predict", "try", "review", "disputes", "audit", "opinions"),
    *("check", "list", "media"),
    *("benchmarks", "evaluate", "reproduce", "export", "task", "flag", "completion"),
)

#: Runs ``label-errors`` of an environment, or of an unpacked wheel, in a folder.
Command = Callable[..., subprocess.CompletedProcess[str]]


def files_of(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(ROOT).as_posix() for path in found}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project without what was built or downloaded here, and without the folder ../shared."""
    beside = shutil.ignore_patterns(".*_cache", ".venv*", ".git", ".hypothesis", "var", "build", "*.egg-info", "*.so")
    return Path(shutil.copytree(ROOT, tmp_path_factory.mktemp("source") / "label-errors", ignore=beside))


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that can build: this one where its setuptools is what pyproject asks for, as in what make installs."""
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    if all(one.specifier.contains(importlib.metadata.version(one.name)) for one in map(Requirement, asked)):
        return Path(sys.executable)
    python = environment(tmp_path_factory.mktemp("builder"))
    subprocess.run([python, "-m", "pip", "install", "--quiet", *asked], check=True)
    return python


def environment(folder: Path) -> Path:
    """The Python of a new environment with nothing in it."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder / "bin/python"


def build(python: Path, tree: Path, what: str, **variables: str) -> Path:
    """A distribution as pip builds it."""
    folder = tree.parent / "built"
    folder.mkdir(exist_ok=True)
    code = f"import setuptools.build_meta as b; print(b.build_{what}({str(folder)!r}))"
    done = subprocess.run(
        [python, "-c", code], cwd=tree, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def sdist(builder: Path, tree: Path) -> Path:
    return build(builder, tree, "sdist")


@pytest.fixture(scope="module")
def wheel(builder: Path, sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from what the source distribution holds, so that nothing that is needed can be missing there."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return build(builder, next(folder.iterdir()), "wheel")


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """``label-errors`` of the unpacked wheel, run by this Python, whatever lies in the folder it is run in."""
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    (at,) = folder.glob("*.dist-info/entry_points.txt")
    entry = re.search(r"^label-errors = (.+):(.+)$", at.read_text(encoding="utf-8"), re.M)
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({not_installed()})); sys.path.insert(0, {str(folder)!r})\n"
        f"from {entry[1]} import {entry[2]}; sys.exit({entry[2]}())"
    )
    return command_of([sys.executable, "-P", "-W", "error", "-c", code])


def not_installed() -> list[str]:
    """The modules of this environment that a plain install does without."""
    plain = plain_install()
    found = importlib.metadata.packages_distributions()
    return sorted(name for name, of in found.items() if plain.isdisjoint(map(canonicalize_name, of)))


def plain_install() -> set[str]:
    """The distributions that a plain install brings, by what those of this environment ask for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [Requirement(text) for text in project["dependencies"]]
    found = {canonicalize_name(project["name"])}
    while waiting:
        wanted = waiting.pop()
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        if (name := canonicalize_name(wanted.name)) not in found:
            found.add(name)
            waiting += map(Requirement, importlib.metadata.requires(wanted.name) or ())
    return found


def command_of(program: list[str]) -> Command:
    def run(*arguments: object, within: Path) -> subprocess.CompletedProcess[str]:
        given = [*program, *map(str, arguments)]
        return subprocess.run(given, cwd=within, env=clean(), capture_output=True, text=True, check=False)

    run.program = program
    return run


def clean() -> dict[str, str]:
    """The environment without what would lead back to this project."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("LABELERRORS_", "PYTHON"))}


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder of somebody who develops a site of their own, with the commonest of names."""
    for name in ("app", "ingest", *FOLDERS):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('another program')\n")
    return tmp_path


@contextmanager
def served(command: Command, within: Path, *arguments: str) -> Iterator[httpx.Client]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    program = [*command.program, "serve", "--port", str(port), *arguments]
    process = subprocess.Popen(program, cwd=within, env=clean(), stdout=subprocess.PIPE, text=True)
    try:
        assert f"http://127.0.0.1:{port} " in process.stdout.readline()
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, transport=httpx.HTTPTransport(retries=8)
        ) as client:
            yield client
    finally:
        process.terminate()
        process.wait(PATIENCE)
        process.stdout.close()


def require_a_page_a_picture_and_the_api(client: httpx.Client) -> None:
    page = client.get("/sample-digits")
    assert page.status_code == 200
    style = re.search(r'href="(/static/site\.css\?v=\w+)"', page.text)
    assert "prefers-color-scheme" in client.get(style[1]).text
    picture = client.get(re.search(r'src="(/media/[^"]+)"', page.text)[1])
    assert Image.open(io.BytesIO(picture.content)).size[0] > 0
    issues = client.get("/api/v1/datasets/sample-digits/issues").json()
    assert issues["items"][0]["votes"]
    assert client.get("/reproduction").status_code == 200


def test_the_wheel_holds_the_files_of_the_tree_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    kernel = {name for name in found if name.startswith("ingest/matrices/_row_kernel.")}
    modules = {
        name for top in ("app", "ingest") for name in files_of(ROOT / top) if name.endswith((".py", "/py.typed"))
    }
    assert found - kernel == modules | {f"app/{name}" for folder in FOLDERS for name in files_of(ROOT / folder)}
    assert not any(name.endswith((".c", ".h")) for name in kernel)


def test_the_source_distribution_holds_all_that_tests_and_builds(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    for folder in ("app", "ingest", *FOLDERS, "tests", "benchmarks", "requirements"):
        built = {name for name in files_of(ROOT / folder) if name.endswith(".so")}
        assert files_of(ROOT / folder) - built <= found
    assert {"pyproject.toml", "setup.py", "Makefile", "Dockerfile", "README.md"} <= found
    assert not any(re.search(r"(^|/)(shared|var|\.git|\.venv)(/|$)|\.so$|\.sqlite", name) for name in found)


def test_a_wheel_is_compiled_where_there_is_a_compiler_and_pure_elsewhere(
    builder: Path, tree: Path, wheel: Path
) -> None:
    compiled = shutil.which((sysconfig.get_config_var("CC") or "cc").split()[0]) is not None
    assert wheel.name.endswith("-none-any.whl") is not compiled
    pure = build(builder, tree, "wheel", CC="/there/is/no/compiler")
    assert pure.name == f"label_errors_site-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(pure) as archive:
        assert not any(name.endswith((".so", ".pyd")) for name in archive.namelist())


def test_what_an_earlier_build_left_behind_is_not_in_a_wheel(builder: Path, tree: Path) -> None:
    left = tree / f"build/lib.{sysconfig.get_platform()}-{sys.implementation.cache_tag}/app/gone.py"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_text("")
    with zipfile.ZipFile(build(builder, tree, "wheel")) as archive:
        assert "app/gone.py" not in archive.namelist()


def test_an_empty_folder_is_enough(unpacked: Command, tmp_path: Path) -> None:
    made = unpacked("sample", within=tmp_path)
    assert (made.returncode, made.stdout.splitlines()[-1]) == (0, "wrote var/catalogue.sqlite"), made.stderr
    listed = unpacked("list", within=tmp_path)
    assert "sample-digits: " in listed.stdout
    compared = unpacked("reproduce", within=tmp_path)
    assert "0 broken, 517 not loaded" in compared.stdout
    assert (compared.returncode, compared.stderr) == (1, "")  # nothing of the paper is there
    with served(unpacked, tmp_path) as client:
        require_a_page_a_picture_and_the_api(client)


def test_a_folder_with_another_program_is_none_of_its_business(
    unpacked: Command, sample_catalogue: Path, elsewhere: Path
) -> None:
    listed = unpacked("list", "--catalogue", sample_catalogue, within=elsewhere)
    assert "sample-digits: " in listed.stdout, listed.stderr
    with served(unpacked, elsewhere, "--catalogue", str(sample_catalogue), "--workers", "2") as client:
        require_a_page_a_picture_and_the_api(client)


def test_version_says_whether_it_is_compiled(unpacked: Command, wheel: Path, tmp_path: Path) -> None:
    how = "numpy" if wheel.name.endswith("-none-any.whl") else "compiled code"
    assert unpacked("--version", within=tmp_path).stdout == f"label-errors {__version__}, confident learning by {how}\n"
    assert wheel.name.split("-")[1] == __version__


def test_help_lists_every_command_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        console(["--help"])
    shown = re.sub(r"\n {14,}", "  ", capsys.readouterr().out)
    assert re.findall(r"^    (\w+)  +\S", shown, re.M) == list(COMMANDS)


def completed(words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """What bash offers for the last of some words."""
    assert console(["completion", "bash"]) == 0
    script = folder / "completion.bash"
    script.write_text(capsys.readouterr().out)
    asked = f"source {script}; COMP_WORDS=({' '.join(map(repr, words))}); COMP_CWORD={len(words) - 1}"
    function = "$(complete -p label-errors | sed -E 's/.*-F ([^ ]+).*/\\1/')"
    command = [
        "bash",
        "--norc",
        "-c",
        f'{asked}; {function} label-errors "{words[-1]}"; printf "%s\\n" "${{COMPREPLY[@]}}"',
    ]
    return set(subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["label-errors", "re"], {"release", "reproduce"}),
        (["label-errors", "serve", "--p"], {"--port", "--public", "--private"}),
        (["label-errors", "release", "DIR", "--dataset", "cifar"], {"cifar10", "cifar100"}),
        (["label-errors", "flag", "--labels", "lab"], {"labels.npy"}),
        (["label-errors", "release", "lab"], {"label-errors"}),
    ],
)
def test_bash_completes(
    words: list[str], offered: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "label-errors").mkdir()
    (tmp_path / "labels.npy").touch()
    assert offered <= completed(words, tmp_path, capsys)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_tells_of_itself_by_the_name_it_was_called(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        console([command, "--help"])
    shown = capsys.readouterr().out
    assert f"usage: label-errors {command}" in shown
    assert f"\n  label-errors {command}" in shown
    assert "python -m" not in shown


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """``label-errors`` of an environment that holds the wheel, what it depends on, and nothing else."""
    python = environment(tmp_path_factory.mktemp("environment"))
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], env=clean(), check=True)
    return command_of([str(python.parent / "label-errors")])


MANIFEST = """\
name = "pets"
title = "Pets"
modality = "image"
summary = "Cats and dogs."

[licence]
name = "CC0"
source = "made up"
media = "none"

[classes]
names = ["cat", "dog"]

[files]
labels = "labels.npy"
pred_probs = "probs.npy"
"""


def write_pets(folder: Path) -> None:
    """Ten examples of two classes, of which the first is a dog that is called a cat."""
    folder.mkdir()
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    right = np.array([0.05, *[0.9] * 9])
    probs = np.where(labels[:, None] == [0, 1], right[:, None], 1 - right[:, None])
    np.save(folder / "labels.npy", labels)
    np.save(folder / "probs.npy", probs)
    (folder / "dataset.toml").write_text(MANIFEST, encoding="utf-8")


@pytest.mark.slow
def test_installed_alone_it_does_everything(installed: Command, elsewhere: Path) -> None:
    def done(*arguments: object) -> str:
        ran = installed(*arguments, within=elsewhere)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    assert done("sample").splitlines()[-1] == "wrote var/catalogue.sqlite"
    write_pets(elsewhere / "pets")
    done("flag", "pets/probs.npy", "--labels", "pets/labels.npy", "--out", "flagged.csv")
    assert (elsewhere / "flagged.csv").read_text().splitlines()[1].startswith("0,0,1,")
    assert "pets" in done("add", "pets/dataset.toml", "pets")
    assert "pets: Pets, 10 examples, 1 issue" in done("list")
    done("export", "sample-digits", "--out", "corrected.csv")
    done("export", "pets", "--out", "pets.npy")
    assert np.load(elsewhere / "pets.npy").tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    (elsewhere / "predicted.csv").write_text("1\n" + "0\n" * 4 + "1\n" * 5)
    assert "90" in done("evaluate", "pets", "predicted.csv")
    assert "0 broken, 517 not loaded" in installed("reproduce", within=elsewhere).stdout
    with served(installed, elsewhere) as client:
        require_a_page_a_picture_and_the_api(client)
        assert client.get("/pets").status_code == 200
        same = client.get("/api/v1/datasets/sample-digits/corrected.csv").content
        assert same == (elsewhere / "corrected.csv").read_bytes()


@pytest.mark.slow
def test_installed_alone_it_reads_the_release(installed: Command, shared: Path, tmp_path: Path) -> None:
    made = installed("release", shared / "label-errors", "--catalogue", "real.sqlite", within=tmp_path)
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[-1] == "wrote real.sqlite"
    compared = installed("reproduce", "--catalogue", "real.sqlite", within=tmp_path)
    assert compared.returncode == 0, compared.stderr
    assert compared.stdout.splitlines()[-1] == "105 same, 16 differs, 0 broken, 396 not loaded"


@pytest.mark.slow
def test_pip_installs_the_folder_itself(tree: Path, tmp_path: Path) -> None:
    """What ``pip install .`` does; dependencies apart, which the wheel has too."""
    python = environment(tmp_path / "environment")
    command = [python, "-m", "pip", "install", "--quiet", "--no-deps", tree]
    subprocess.run(command, env=clean(), cwd=tmp_path, check=True)
    folders = sysconfig.get_path("purelib", vars={"base": str(tmp_path / "environment"), "platbase": ""})
    names = {path.name for path in Path(folders).glob("app/*")}
    assert set(FOLDERS) <= names
