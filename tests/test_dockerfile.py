"""The Dockerfile names files that exist and starts what the site really is. Its steps need no engine to be checked."""

import json
import re

from tests.conftest import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_what_is_copied_is_there_and_all_that_is_needed():
    copied = {word for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M) for word in line.split()[:-1]}
    assert all((ROOT / name).exists() for name in copied)
    assert {"pyproject.toml", "setup.py", "app", "ingest", "templates", "static", "data"} <= copied
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {f"!{name}" for name in copied} <= set(ignored)


def test_the_server_is_the_one_of_the_readme():
    command = json.loads(re.findall(r"^CMD (\[.+\])$", DOCKERFILE, re.M)[-1])
    assert command == ["label-errors", "serve", "--host", "0.0.0.0"]
    assert "USER site" in DOCKERFILE
    assert "/healthz" in DOCKERFILE


def stages() -> list[str]:
    """What stands below each FROM, this line included."""
    return ["FROM " + stage for stage in re.split(r"^FROM ", DOCKERFILE, flags=re.M)[1:]]


def test_both_stages_are_of_one_python_that_the_project_supports():
    versions = re.findall(r"^FROM python:3\.(\d+)-slim(?: AS build)?$", DOCKERFILE, re.M)
    assert len(versions) == len(stages()) == 2
    assert len(set(versions)) == 1, "what is compiled for one does not load in the other"
    assert int(versions[0]) >= 11


def test_the_compiled_loop_is_in_the_image_and_the_compiler_is_not():
    build, final = stages()
    assert "gcc" in build
    assert "&& cd / && python -c 'from ingest.matrices import _row_kernel'" in build, "an image without it is not made"
    assert "apt-get" not in final
    assert "pip" not in final
    assert re.findall(r"^COPY (.+)$", final, re.M) == ["--from=build /opt/venv /opt/venv"]


def test_packages_are_those_of_the_lock_file():
    installs = re.findall(r"pip install (.+?)(?: \\)?$", DOCKERFILE, re.M)
    *locked, ours = installs
    assert all("--require-hashes" in one and re.search(r"--requirement requirements/\w+\.txt", one) for one in locked)
    assert ours == "--no-build-isolation --no-deps ."
