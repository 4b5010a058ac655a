"""``python -m ingest audit``: the questions of a benchmark whose answer key several models speak against.

Evaluation logs in, suspects out. Nothing is trained, and nothing leaves this machine.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from app.domain.confident_learning.joint import FlagRule
from ingest.commands.flag import _out, _rule
from ingest.commands.table_writer import ENDINGS, Columns, require_place, write_table
from ingest.flagging.engine import FlagResult
from ingest.flagging.evaluation_committee import Committee, flagged, read_logs

EXAMPLES: Final = """\
examples:
  lm_eval --model hf --model_args pretrained=MODEL --tasks mmlu_virology --output_path logs --log_samples
  %(prog)s logs --out suspects.csv
  %(prog)s logs --task 'mmlu_*' --out suspects.csv

LOGS is a folder with a file samples_TASK_TIME.jsonl of each model, as lm-evaluation-harness writes them, in folders of
the models' names. The key is what the harness held answers to, and it must explain every score in the logs. The more
models, the better; they should be of different makers. Written are id, question, given and
guessed (letters), votes for the given and for the guessed option, answers, normalized_margin and rank.
"""
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SHOWN: Final = 10
_LONGEST: Final = 70


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("logs", metavar="LOGS", type=Path, help="a folder of evaluation logs")
    says = "the task, or several by a pattern (mmlu_*), where the folder has logs of more than one"
    parser.add_argument("--task", metavar="NAME", help=says)
    says = "the filter whose answers count, where the harness wrote those of several (flexible-extract)"
    parser.add_argument("--filter", metavar="NAME", help=says)
    parser.add_argument("--rule", type=_rule, help="a rule, or how many or which share (default: calibrated)")
    parser.add_argument("--out", metavar="FILE", type=_out, help=f"write the suspects: {', '.join(ENDINGS)}")


def run(arguments: argparse.Namespace) -> int:
    """Read, flag, print and write; returns the exit status. Raises IngestError."""
    if arguments.out is not None:
        require_place(arguments.out, [])
    found = read_logs(arguments.logs, arguments.task, arguments.filter)
    rule = FlagRule.CALIBRATED if arguments.rule is None else arguments.rule
    flagging = flagged(found, rule, arguments.logs)
    print("\n".join(_summary(found, flagging)))
    if arguments.out is not None:
        write_table(arguments.out, flagging.n_flagged, _columns(found, flagging), lambda _: None)
        print(f"wrote {arguments.out}: {flagging.n_flagged:,} questions")
    return 0


def _summary(found: Committee, flagging: FlagResult) -> list[str]:
    n, k = found.options.shape
    silent = int((found.options < 0).sum())
    of = f" of {len(found.tasks):,} tasks" if len(found.tasks) > 1 else ""
    lines = [f"{k} models answered {n:,} questions{of}; {silent:,} answers name no option and count as wrong"]
    if k < _FEW:
        lines.append(f"warning: {k} models are few: a question is suspect as soon as most of them err alike")
    scores = (found.options == found.given[:, None]).mean(axis=0)
    lines += [f"  {100 * score:6.2f} %  {model}" for model, score in zip(found.models, scores, strict=True)]
    lines.append(f"suspects: {flagging.n_flagged:,} of {n:,} questions ({100 * flagging.n_flagged / n:.2f} %)")
    for index in flagging.flagged[:_SHOWN].tolist():
        given, guessed = int(found.given[index]), int(flagging.guesses[index])
        votes = int((found.options[index] == guessed).sum())
        text = found.texts[index]
        text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        said = f"key {_letter(given)}, {votes} of {k} models say {_letter(guessed)}"
        lines.append(f"  {found.ids[index]}: {said}{f': {text}' if text else ''}")
    return lines


#: Fewer models are told to be few.
_FEW: Final = 5


def _letter(option: int) -> str:
    return _LETTERS[option]


def _columns(found: Committee, flagging: FlagResult) -> Callable[[slice], Columns]:
    def columns(rows: slice) -> Columns:
        indices = flagging.flagged[rows]
        given, guesses = found.given[indices], flagging.guesses[indices]
        options = found.options[indices]
        return {
            "id": [str(found.ids[index]) for index in indices.tolist()],
            "question": [found.texts[index] for index in indices.tolist()],
            "given": [_letter(one) for one in given.tolist()],
            "guessed": [_letter(one) for one in guesses.tolist()],
            "votes_given": (options == given[:, None]).sum(axis=1),
            "votes_guessed": (options == guesses[:, None]).sum(axis=1),
            "answers": (options >= 0).sum(axis=1),
            "normalized_margin": flagging.margins[indices],
            "rank": np.arange(rows.start + 1, rows.start + 1 + len(indices)),
        }

    return columns
