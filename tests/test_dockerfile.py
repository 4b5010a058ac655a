"""The Dockerfile names files that exist and starts what the site really is. Its steps need no engine to be checked."""

import json
import re
import tomllib

from tests.conftest import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_what_is_copied_is_there_and_all_that_is_needed():
    copied = {word for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.M) for word in line.split()[:-1]}
    assert all((ROOT / name).exists() for name in copied)
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    assert {package.partition(".")[0] for package in packages} <= copied
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {f"!{name}" for name in copied} <= set(ignored)
    files = [*(ROOT / "app").rglob("*.py"), *(ROOT / "ingest").rglob("*.py")]
    assert {path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in files} == set(packages)


def test_the_server_is_the_one_of_the_readme():
    command = json.loads(re.findall(r"^CMD (\[.+\])$", DOCKERFILE, re.M)[-1])
    assert command == ["python", "-m", "app", "--host", "0.0.0.0"]
    assert "USER site" in DOCKERFILE
    assert "/healthz" in DOCKERFILE


def test_the_base_is_a_python_that_the_project_supports():
    version = re.search(r"^FROM python:3\.(\d+)-slim$", DOCKERFILE, re.M)
    assert version is not None
    assert int(version[1]) >= 11
