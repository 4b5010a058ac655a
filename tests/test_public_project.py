"""What strangers rely on before they read any code: licence, citation, forms, hooks, CI, and the words of CONTRIBUTING.

All of it repeats something that stands elsewhere too, and so could come to differ from it.
"""

import hashlib
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from app import __version__
from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.M))
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FORMS = sorted(path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def loaded(path: Path | str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def pythons() -> list[str]:
    """The versions of Python that pyproject.toml says are supported."""
    return [name.rpartition(" ")[2] for name in PROJECT["classifiers"] if re.search(r":: Python :: 3\.\d+$", name)]


def recipe(target: str) -> list[str]:
    """The commands of a target of the Makefile."""
    lines = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.M)[1]
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in lines.splitlines()]


# Licence and citation


def test_the_licence_is_the_text_that_its_name_stands_for():
    """The hash is that of the text as the Apache Software Foundation publishes it."""
    published = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == published
    assert PROJECT["license"] == loaded("CITATION.cff")["license"] == "Apache-2.0"
    assert PROJECT["license-files"] == ["LICENSE"]
    assert not [name for name in PROJECT["classifiers"] if name.startswith("License ::")], (
        "the expression replaces them"
    )


def test_the_citation_has_what_its_format_demands_and_is_of_this_version():
    """Version 1.2.0 of the format: which fields there must be, and which a reference to a paper needs."""
    citation = loaded("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert (citation["cff-version"], citation["type"]) == ("1.2.0", "software")
    assert citation["version"] == __version__
    assert citation["abstract"] == PROJECT["description"]
    for reference in (citation["preferred-citation"], *citation["references"]):
        assert {"type", "title", "authors"} <= set(reference)
        assert all({"family-names", "given-names"} <= set(author) for author in reference["authors"])
    assert citation["preferred-citation"]["conference"]["name"], "a conference paper has a conference, which has a name"


def test_the_paper_is_cited_as_it_calls_itself(shared: Path):
    (text,) = (shared.parent / "paper").glob("*.txt")
    printed = re.sub(r"\W+", " ", text.read_text(encoding="utf-8")).casefold()
    citation = loaded("CITATION.cff")
    for reference in (citation["preferred-citation"], *citation["references"]):
        for words in (
            reference["title"],
            *(f"{one['given-names']} {one['family-names']}" for one in reference["authors"]),
        ):
            assert re.sub(r"\W+", " ", words).casefold() in printed


def test_the_page_about_the_site_cites_the_same_paper(sample_site: str):
    bibtex = httpx.get(f"{sample_site}/about", timeout=60).text
    paper = loaded("CITATION.cff")["preferred-citation"]
    names = " and ".join(f"{author['family-names']}, {author['given-names']}" for author in paper["authors"])
    for value in (paper["title"], names, paper["collection-title"], str(paper["year"])):
        assert f"= {{{value}}}" in bibtex
    assert f'href="{paper["url"]}"' in bibtex


# CI and hooks


def steps() -> list[tuple[str, dict[str, Any]]]:
    jobs = [(path.name, job) for path in WORKFLOWS for job in loaded(path)["jobs"].values()]
    return [(name, step) for name, job in jobs for step in job["steps"]]


def test_ci_runs_targets_of_the_makefile_and_nothing_else():
    commands = [step["run"] for _, step in steps() if "run" in step]
    assert all(re.fullmatch(r"make [a-z-]+", command) for command in commands), commands
    targets = {command.removeprefix("make ") for command in commands}
    assert targets <= TARGETS
    assert targets == {"lint", "test", "test-slow", "wheel", "image", "fuzz"}
    assert {
        line.removeprefix("make ") for line in (ROOT / ".ci/run").read_text().splitlines() if "make " in line
    } < targets


def test_the_lowest_packages_are_tested_with_all_slow_tests_but_not_with_some():
    # What the make that runs these tests was told is not for this one.
    environment = {name: value for name, value in os.environ.items() if name != "TESTS" and not name.startswith("MAKE")}

    def pythons(*options: str) -> set[str]:
        command = ["make", "-n", "test-slow", *options]
        dry = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        return set(re.findall(r"^(\S+) -m pytest", dry.stdout, re.M))

    assert ".venv-lowest/bin/python" in pythons()
    assert pythons("TESTS=tests/test_package.py") == {".venv/bin/python"}


def test_ci_tests_every_python_that_is_supported():
    matrix = loaded(".github/workflows/ci.yml")["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert matrix == pythons()
    assert PROJECT["requires-python"] == f">={matrix[0]}"
    chosen = {step["with"]["python-version"] for _, step in steps() if "setup-python" in step.get("uses", "")}
    assert chosen <= {*matrix, "${{ matrix.python }}"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_the_code_and_nothing_else(path: Path):
    """Whoever can move the tag of an action could otherwise publish in this project's name."""
    workflow = loaded(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert set(workflow["concurrency"]) == {"group", "cancel-in-progress"}
    assert not {"pull_request_target", "workflow_run"} & set(workflow["on"])
    for job in workflow["jobs"].values():
        assert "permissions" not in job
        assert job["timeout-minutes"] <= 90
        for used in (step for step in job["steps"] if "uses" in step):
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", used["uses"])
            assert "checkout" not in used["uses"] or used["with"]["persist-credentials"] is False
    assert "secrets." not in path.read_text(encoding="utf-8")


def test_every_night_other_requests_are_made():
    nightly = loaded(".github/workflows/nightly.yml")
    assert [re.fullmatch(r"\d+ \d+ \* \* \*", one["cron"]) is not None for one in nightly["on"]["schedule"]] == [True]
    assert [step["run"] for step in nightly["jobs"]["fuzz"]["steps"] if "run" in step] == ["make fuzz"]


def test_hooks_check_what_lint_checks():
    (local,) = loaded(".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local", (
        "hooks of others would be fetched, and be other versions than those that are locked"
    )
    assert [hook["entry"] for hook in local["hooks"]] == recipe("lint")
    for hook in local["hooks"]:
        assert (hook["language"], hook["always_run"], hook["pass_filenames"]) == ("system", True, False)


@pytest.mark.parametrize(
    ("user", "ci", "asked"),
    [("0", "", "apt-get update"), ("1001", "true", "sudo --non-interactive apt-get update"), ("1001", "", None)],
    ids=["root", "ci", "person"],
)
def test_a_browser_is_installed_for_root_and_ci_and_for_nobody_else_unasked(
    tmp_path: Path, user: str, ci: str, asked: str | None
):
    log = tmp_path / "log"
    log.touch()
    for name, script in {
        "find": "",
        "id": f"echo {user}",
        "apt-get": f'echo "apt-get $*" >>{log}',
        "sudo": f'echo "sudo $*" >>{log}',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    for program in ("mktemp", "rm", "env"):
        (tmp_path / program).symlink_to(f"/usr/bin/{program}")
    ran = subprocess.run(
        ["/bin/sh", ROOT / "tests/browser/chromium.sh"],
        env={"PATH": str(tmp_path), "CI": ci, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = log.read_text(encoding="utf-8").splitlines()
    if asked is None:
        assert (ran.returncode, lines) == (1, [])
        assert "apt-get install chromium fonts-dejavu-core" in ran.stderr
    else:
        assert (ran.returncode, lines[0], len(lines)) == (0, asked, 2), ran.stderr
        assert lines[1].endswith("apt-get install --yes --no-install-recommends chromium fonts-dejavu-core")


# Forms


#: What nobody can answer a report without, by the file of its form.
NEEDED = {
    "correction.yml": {"dataset", "address", "given", "suggested", "right", "why"},
    "dataset.yml": {"manifest", "files", "output", "expected", "version"},
    "bug.yml": {"steps", "expected", "happened", "version", "system"},
}


def test_there_is_a_form_for_each_kind_of_report():
    assert {path.name for path in FORMS} == set(NEEDED)
    for path in FORMS:
        assert f"**{loaded(path)['name']}**" in re.sub(r"\s+", " ", CONTRIBUTING)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_a_form_asks_for_what_an_answer_needs(path: Path):
    form = loaded(path)
    assert {"name", "description", "body"} <= set(form)
    asked = [element for element in form["body"] if element["type"] != "markdown"]
    assert {element["type"] for element in asked} <= {"input", "textarea"}
    assert all(element["attributes"]["label"] for element in asked)
    ids = [element["id"] for element in asked]
    assert len(ids) == len(set(ids))
    required = {element["id"] for element in asked if element.get("validations", {}).get("required") is True}
    assert required == NEEDED[path.name]


def test_the_address_that_a_form_shows_is_one_of_the_site(sample_site: str):
    asked = {element.get("id"): element for element in loaded(".github/ISSUE_TEMPLATE/correction.yml")["body"]}
    shown = asked["address"]["attributes"]["placeholder"]
    match = re.fullmatch(r"/([a-z]+)(/issues/)\d+(\?agreement=4)", shown)
    assert match[1] == asked["dataset"]["attributes"]["placeholder"]
    first = httpx.get(f"{sample_site}/api/v1/datasets/sample-digits/issues", timeout=60).json()["items"][0]
    assert httpx.get(f"{sample_site}/sample-digits{match[2]}{first['index']}{match[3]}", timeout=60).status_code == 200


def test_weaknesses_are_led_to_the_private_channel():
    """The one that SECURITY.md names; the code of conduct has no other either."""
    channel = re.compile(r"Security\*,? choose \*Report a\s+vulnerability\*")
    for name in ("SECURITY.md", "CODE_OF_CONDUCT.md", ".github/ISSUE_TEMPLATE/bug.yml"):
        text = re.sub(r"\s+", " ", (ROOT / name).read_text(encoding="utf-8"))
        assert channel.search(text), name


def test_links_of_the_chooser_are_whole():
    for link in loaded(".github/ISSUE_TEMPLATE/config.yml")["contact_links"]:
        assert set(link) == {"name", "url", "about"}
        assert link["url"].startswith("https://")


# Contributing


def test_every_command_of_contributing_is_a_target():
    typed = re.findall(r"^make ([a-z-]+)(?: TESTS=(\S+))?", CONTRIBUTING, re.M)
    named = set(re.findall(r"`make ([a-z-]+)`", CONTRIBUTING + (ROOT / ".github/pull_request_template.md").read_text()))
    assert {"dev", "test", "test-slow", "lint"} <= {target for target, _ in typed}
    assert {target for target, _ in typed} | named <= TARGETS
    assert all((ROOT / chosen).is_file() for _, chosen in typed if chosen)
    for block in re.findall(r"^```sh\n(.+?)^```$", CONTRIBUTING, re.M | re.S):
        assert all(line.startswith("make ") for line in block.splitlines())


def test_the_budgets_are_those_of_the_makefile():
    for target in ("test", "test-slow"):
        budget = re.search(r"at most \d+ minutes", re.search(rf"^{target}:.*## (.+)", MAKEFILE, re.M)[1])[0]
        assert re.search(rf"^make {target} +#.*{budget}", CONTRIBUTING, re.M)


def test_the_pythons_that_contributing_names_are_those_of_ci():
    assert re.findall(r"3\.\d+", re.search(r"Supported are (Python .+?), and CI", CONTRIBUTING, re.S)[1]) == pythons()


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md", "README.md"])
def test_files_that_are_named_are_there(name: str):
    text = (ROOT / name).read_text(encoding="utf-8")
    linked = re.findall(r"\]\(((?!http)[^)#]+)", text)
    named = re.findall(r"`((?:tests|requirements|docs)/[\w/]+\.\w+|[A-Z]+\.md|pyproject\.toml)`", text)
    assert linked
    assert all((ROOT / path).exists() for path in linked + named)


def test_make_dev_says_what_is_next():
    """What it does is tried in test_fresh_clone.py."""
    said = " ".join(recipe("dev"))
    assert set(re.findall(r'"  make ([a-z]+) ', said)) == {"serve", "lint", "test"} <= TARGETS
