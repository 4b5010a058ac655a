"""Run task files in lm-evaluation-harness with a model that answers from a list, and say its scores as JSON.

``python -m tests.ingest.commands.stub_model TASKS NAME ANSWERS LOGS``: the group NAME_label_errors of the folder TASKS;
ANSWERS is JSON Lines of question, choices and answer; the log is written below the folder LOGS, as the harness does.
"""

import json
import sys
from pathlib import Path
from typing import Any

from lm_eval import evaluator
from lm_eval.api.model import LM
from lm_eval.loggers import EvaluationTracker
from lm_eval.tasks import TaskManager


def key(question: dict[str, Any]) -> str:
    return json.dumps([question["question"], list(question["choices"])])


class Stub(LM):
    """A model that is sure of the listed answers."""

    def __init__(self, answers: Path) -> None:
        super().__init__()
        rows = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
        self._letters = {key(row): "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[row["answer"]] for row in rows}

    def loglikelihood(self, requests: Any) -> list[tuple[float, bool]]:
        said = [request.args[1].strip() == self._letters[key(request.doc)] for request in requests]
        return [(0.0 if one else -9.0, one) for one in said]

    def loglikelihood_rolling(self, requests: Any) -> list[float]:
        raise NotImplementedError

    def generate_until(self, requests: Any) -> list[str]:
        raise NotImplementedError


def main(tasks: str, name: str, answers: str, logs: str) -> None:
    manager = TaskManager(include_path=tasks, include_defaults=False)
    found = evaluator.simple_evaluate(
        Stub(Path(answers)), tasks=[f"{name}_label_errors"], task_manager=manager, bootstrap_iters=0, log_samples=True
    )
    samples = found.pop("samples")
    tracker = EvaluationTracker(output_path=logs)
    tracker.general_config_tracker.model_name_sanitized = "stub"
    tracker.save_results_aggregated(results=found, samples=samples)
    for task in samples:
        tracker.save_results_samples(task_name=task, samples=samples[task])
    scores = {task: result["acc,none"] for task, result in found["results"].items()}
    print(json.dumps({"scores": scores, "torch": "torch" in sys.modules}))


if __name__ == "__main__":
    main(*sys.argv[1:])
