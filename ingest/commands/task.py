"""``python -m ingest task``: a corrected benchmark in its own form, and as a task of lm-evaluation-harness.

Written are the questions that a policy keeps, twice, once with the original answer key and once with the corrected one,
so scores are compared like for like. The corrected files have the bytes that the site serves.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from app.corrected import benchmark_files, blocks, original_test_set
from app.corrected.blocks import CorrectedTestSet
from app.corrected.policy import PolicyError, parse
from ingest.catalogue.open import open_catalogue
from ingest.commands.export import _pair
from ingest.errors import IngestError, writing

EXAMPLES: Final = """\
examples:
  %(prog)s mmlu mmlu-corrected
  lm_eval --model hf --model_args pretrained=MODEL --include_path mmlu-corrected --tasks mmlu_label_errors

DIR gets NAME_original and NAME_corrected, as .parquet and .jsonl with the columns question, choices and answer, and the
task files that read them. Both have the same questions: those whose answer is known under the policy, which is the
paper's unless --policy says otherwise.
"""
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_KINDS: Final[Mapping[str, benchmark_files.Answers]] = {"original": "given", "corrected": "corrected"}
_FORMS: Final = {"parquet": benchmark_files.parquet_pieces, "jsonl": benchmark_files.jsonl_pieces}

_TASK: Final = """\
task: {task}
dataset_path: parquet
dataset_kwargs:
  data_files:
    test: {data}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{question.strip()}}}}\\n{{% for choice in choices %}}{{{{'{letters}'[loop.index0]}}}}. \
{{{{choice}}}}\\n{{% endfor %}}Answer:"
doc_to_choice: "{{{{'{letters}'[:choices|length]|list}}}}"
doc_to_target: answer
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1.0
"""
_GROUP: Final = """\
group: {name}_label_errors
task:
  - {name}_original
  - {name}_corrected
aggregate_metric_list:
  - metric: acc
    weight_by_size: true
metadata:
  version: 1.0
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command, except the catalogue."""
    parser.add_argument("name", metavar="NAME", help="a dataset of questions in the catalogue")
    parser.add_argument("folder", metavar="DIR", type=Path, help="where the files are written; made if need be")
    says = "a part of the policy, as for export"
    parser.add_argument("--policy", metavar="NAME=VALUE", type=_pair, action="append", default=[], help=says)


def run(arguments: argparse.Namespace) -> int:
    """Write the files and print what they hold."""
    with open_catalogue(arguments.catalogue) as connection:
        try:
            found = original_test_set.load(connection, arguments.name)
            sure = found.no_confidence
            wanted = parse(arguments.policy, found.agreements, removed=False, no_confidence=sure)
            corrected = blocks.corrected(connection, found, wanted)
        except (PolicyError, LookupError) as error:
            raise IngestError(f"{arguments.name}: {error}") from error
        why = benchmark_files.no_questions(corrected)
        if why is not None:
            raise IngestError(f"{arguments.name}: {why}")
        n, changed = benchmark_files.counts(connection, corrected)
        if not n:
            raise IngestError(f"{arguments.name}: expected questions whose answer is known, found none")
        _write(arguments.folder, connection, corrected)
    print(f"wrote {arguments.folder}: {n:,} questions, {changed:,} with another answer than the original")
    print(f"lm_eval --include_path {arguments.folder} --tasks {_task(arguments.name)}_label_errors")
    return 0


def _task(name: str) -> str:
    return name.replace("-", "_")


def _write(folder: Path, connection: Connection, corrected: CorrectedTestSet) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = _task(corrected.test_set.name)
    for kind, answers in _KINDS.items():
        task = f"{name}_{kind}"
        for ending, pieces in _FORMS.items():
            path = folder / f"{task}.{ending}"
            with writing(path), path.open("wb") as file:
                file.writelines(pieces(connection, corrected, answers))
        data = json.dumps(str((folder / f"{task}.parquet").absolute()), ensure_ascii=False)
        _write_text(folder / f"{task}.yaml", _TASK.format(task=task, data=data, letters=_LETTERS))
    _write_text(folder / f"{name}_label_errors.yaml", _GROUP.format(name=name))


def _write_text(path: Path, text: str) -> None:
    with writing(path):
        path.write_text(text, encoding="utf-8")
