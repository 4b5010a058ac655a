"""Task files of corrected benchmarks, run by the real lm-evaluation-harness, offline and without PyTorch."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ingest.commands.main import main
from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.harness]

MANIFEST = """\
name = "tide-quiz"
title = "Tides"
modality = "question"
summary = "Made-up questions."
raters = 1

[licence]
name = "CC0"
source = "made up"
media = "host"

[classes]
names = ["A", "B", "C", "D", "E"]

[votes]
dialect = "error-types"

[media]
layout = "choices"
path = "quiz.jsonl"
"""
#: What templates, tasks and prompts could trip over.
TEXTS = [
    "{{ 7 * 7 }} {% for x in y %}",
    '<b>bold</b> & "quoted"',
    "\\(\\frac{1}{2}\\) $x$",
    "ما هي؟",
    "Two\nlines: '\\'",
]


def rows() -> list[dict[str, Any]]:
    """20 questions of two to five options; the keys of the fourth, ninth and so on are wrong."""
    found = []
    for n in range(20):
        options = [f"{TEXTS[(n + place) % 5]} {place}" for place in range(2 + n % 4)]
        wrong = n % 5 == 3
        said = (
            {"error_type": "wrong_groundtruth", "correct_answer": "B"}
            if wrong
            else {"error_type": "ok", "correct_answer": ""}
        )
        key = 0 if wrong else n % len(options)
        found.append({"question": f"{TEXTS[n % 5]} {n}?", "choices": options, "answer": key, **said})
    return found


def run(tasks: Path, name: str, answers: Path, logs: Path) -> dict[str, Any]:
    """What the harness says of a model that answers from a file."""
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(logs / "hf")}
    command = [sys.executable, "-m", "tests.ingest.commands.stub_model", *map(str, (tasks, name, answers, logs))]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **offline}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tide quiz")
    (folder / "quiz.toml").write_text(MANIFEST, encoding="utf-8")
    (folder / "quiz.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows()), encoding="utf-8")
    file = folder / "catalogue.sqlite"
    assert main(["add", str(folder / "quiz.toml"), str(folder), "--catalogue", str(file)]) == 0
    return file


def test_a_made_up_benchmark(catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Four of 20 keys are wrong; who answers the corrected key has the other 16 right by the original one."""
    tasks = tmp_path / "the „tasks“"
    assert main(["task", "tide-quiz", str(tasks), "--catalogue", str(catalogue)]) == 0
    found = run(tasks, "tide_quiz", tasks / "tide_quiz_corrected.jsonl", tmp_path / "logs")
    assert found["scores"] == {"tide_quiz_original": 0.8, "tide_quiz_corrected": 1.0, "tide_quiz_label_errors": 0.9}
    assert not found["torch"]
    # And back: the log that the harness wrote is evaluated, and audited beside that of another model.
    (log,) = (tmp_path / "logs/stub").glob("samples_tide_quiz_original_*.jsonl")
    capsys.readouterr()
    assert main(["evaluate", "tide-quiz", str(log), "--json", "--catalogue", str(catalogue)]) == 0
    accuracy = json.loads(capsys.readouterr().out)["accuracy"]
    assert (accuracy["all"]["original_top1"], accuracy["pruned"]["corrected_top1"]) == (0.8, 1.0)
    assert main(["audit", str(tmp_path / "logs"), "--task", "*_original", "--rule", "4"]) == 0
    told = capsys.readouterr().out
    assert "80.00 %  stub" in told
    assert all(f"  {n}: key A, 1 of 1 models say B" in told for n in (3, 8, 13, 18))


def test_mmlu(mmlu_catalogue: Path, tmp_path: Path) -> None:
    """Of the 5,431 questions whose answer is known, 101 had another one: 5,330 of 5,431 are 0.98140."""
    assert main(["task", "mmlu", str(tmp_path / "tasks"), "--catalogue", str(mmlu_catalogue)]) == 0
    found = run(tmp_path / "tasks", "mmlu", tmp_path / "tasks/mmlu_corrected.jsonl", tmp_path / "logs")
    assert found["scores"]["mmlu_corrected"] == 1.0
    assert found["scores"]["mmlu_original"] == pytest.approx(5_330 / 5_431, abs=1e-12)
