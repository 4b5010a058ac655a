"""The commands as a stranger meets them."""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.commands.console import _parser
from ingest.commands.main import main
from ingest.manifest.parse import read_manifests
from ingest.pipeline import DATASETS

ROOT = Path(__file__).resolve().parents[3]


def test_help_names_every_command_and_dataset(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    shown = capsys.readouterr().out
    for command in ("sample", "release", "add", "check", "list", "flag"):
        assert re.search(rf"^    {command} +\S", shown, re.M)
        with pytest.raises(SystemExit, match="0"):
            main([command, "--help"])
        assert f"\n  python -m ingest {command}" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        main(["release", "--help"])
    shown = capsys.readouterr().out
    assert all(manifest.name in shown for manifest in read_manifests(DATASETS))


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[argparse.Action, argparse.ArgumentParser]]:
    """All commands, and the commands within them, with their parsers."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                yield choice, action.choices[choice.dest]
                yield from _commands(action.choices[choice.dest])


def test_every_help_is_in_one_style_and_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    for choice, parser in _commands(_parser(None)):
        says = str(choice.help)
        assert re.match("[a-z]+ ", says), f"{choice.dest}: {says!r} does not begin with what it does"
        assert not says.endswith(".")
        assert re.fullmatch(r"[A-Z].*\.", str(parser.description)), choice.dest
        assert re.search(r"examples?:\n  ", str(parser.epilog)), choice.dest
        lines = parser.format_help().splitlines()
        assert max(map(len, lines)) <= 120, choice.dest
        assert len(lines) <= 60, choice.dest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required: COMMAND"),
        (["flag", "p.npy", "--labels", "l.npy", "--workers", "\u0662"], "a number of workers from 1 to 1,024, found"),
        (["flag", "p.npy", "--labels", "l.npy", "--workers", "9" * 5000], "a number of workers from 1 to 1,024"),
        (["evaluate", "a", "p.csv", "--agreement", "\u0663"], "a number of reviewers from 1 to 100, found"),
        (["evaluate", "a", "p.csv", "--agreement", "0"], "a number of reviewers from 1 to 100, found 0"),
        (
            ["media", "a", "--from", "published", "--connections", "\u0662"],
            "a number of connections from 1 to 8, found",
        ),
        (["predict", "a.toml", "--folds", "\u0662\u0660"], "a number of folds from 2 to 1,000, found"),
        (["rebuild"], "invalid choice: 'rebuild'"),
        (["release"], "required: DIR"),
        (["release", ".", "--dataset", "cifar11"], "invalid choice: 'cifar11'"),
        (["release", ".", "--wait", "-1"], "expected seconds, 0 or more, found -1"),
        (["release", ".", "--wait", "soon"], "soon"),
        (["add", "x.toml"], "required: DIR"),
    ],
)
def test_wrong_usage_is_status_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert said in capsys.readouterr().err


def test_results_go_to_standard_output_and_progress_does_not(tiny: Any, tmp_path: Path) -> None:
    catalogue = tmp_path / "from-the-environment.sqlite"
    command = [sys.executable, "-m", "ingest", "add", str(tiny.write()), str(tiny.folder)]
    environment = os.environ | {"LABELERRORS_CATALOGUE": str(catalogue)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"wrote {catalogue}"
    assert "tiny: confident learning: 40 rows" in done.stderr
    assert "confident learning" not in done.stdout
    assert catalogue.exists()


def test_list_tells_datasets_and_files(tiny: Any, old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tiny.add(old) == 0
    capsys.readouterr()
    assert main(["list", "--catalogue", str(old)]) == 0
    shown = capsys.readouterr().out
    assert "before: Tiny, 40 examples, 8 issues, 6 checked, 5 errors" in shown
    assert "tiny: Tiny" in shown
    for name, role in [("labels.npy", "labels"), ("probs.npy", "pred_probs"), ("votes.json", "votes")]:
        content = (tiny.folder / name).read_bytes()
        line = f"  {hashlib.sha256(content).hexdigest()}  {name} ({role}, {len(content):,} bytes)"
        assert shown.count(line) == 2


def test_a_dataset_that_takes_the_place_of_another_says_so(
    tiny: Any, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tiny.add(old) == 0
    assert tiny.add(old) == 0
    assert "takes the place" not in capsys.readouterr().out
    manifest = tiny.write()
    manifest.write_text(manifest.read_text().replace('title = "Tiny"', 'title = "Another"'))
    assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(old)]) == 0
    assert "tiny: takes the place of Tiny, which the catalogue held under this name" in capsys.readouterr().out


def test_list_without_a_catalogue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--catalogue", str(tmp_path / "none.sqlite")]) == 1
    assert "expected a catalogue, found none; make one with: label-errors sample" in capsys.readouterr().err
    (tmp_path / "text").write_text("hello")
    assert main(["list", "--catalogue", str(tmp_path / "text")]) == 1
    assert "expected a catalogue, found another file" in capsys.readouterr().err


def test_check_tells_what_is_there_and_what_is_missing(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = ["--dataset", "imdb", "--dataset", "amazon"]
    assert main(["check", str(shared / "label-errors"), *chosen]) == 0
    shown = capsys.readouterr().out
    assert "imdb: good: 25,000 examples, 1,310 issues, 1,310 checked, 725 errors; from classes, labels" in shown
    assert "amazon: good: 9,996,437 examples, 1,000 issues" in shown
    assert "amazon: missing: The predicted probabilities are not here" in shown
    assert shown.splitlines()[-1] == "media were not looked for: name their folder with --media DIR"


def test_the_summary_puts_the_papers_figures_beside_ours(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = ["--dataset", "caltech256", "--dataset", "amazon", "--catalogue", str(tmp_path / "new.sqlite")]
    assert main(["release", str(shared / "label-errors"), *chosen]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "caltech256 29,780 (30,607) 2,360 (4,643) 2,360 (400) 458 (65) 1.54 (2.46)" in shown
    assert "average over 2 datasets: 2.72 % error (paper 3.18)" in shown


def test_a_clone_of_the_release_has_its_class_names_in_a_python_file(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As cloned, the names stand in examples/util.py, each list under a name of its own."""
    names = json.loads((shared / "label-errors" / "class_names.json").read_text())
    for folder in (shared / "label-errors").iterdir():
        if folder.is_dir():
            (tmp_path / folder.name).symlink_to(folder)
    lines = [f"list_{place} = {names[key]!r}" for place, key in enumerate(names)]
    entries = ", ".join(f"{key!r}: list_{place}" for place, key in enumerate(names))
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "util.py").write_text("\n".join(["import os", *lines, f"ALL_CLASSES = {{{entries}}}"]))
    assert main(["check", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count(": good: ") == 10


@pytest.mark.parametrize(
    "command",
    [
        ["list"],
        ["reproduce"],
        ["evaluate", "sample-digits", "p.csv"],
        ["export", "sample-digits", "--out", "labels.csv"],
        ["media", "sample-digits", "--from", "published"],
    ],
)
def test_whatever_reads_a_catalogue_says_in_one_line_that_it_is_none(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "what? 100%.sqlite").write_bytes(b"no catalogue" * 100)
    (tmp_path / "p.csv").write_text("0\n")
    for name, told in (
        ("what? 100%.sqlite", "found another file (file is not a database)"),
        ("none.sqlite", "found none"),
    ):
        assert main([*command, "--catalogue", name]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"error: {name}: expected a catalogue, {told}")
