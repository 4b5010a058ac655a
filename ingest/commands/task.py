"""``python -m ingest task``: a corrected benchmark in its own form, and as a task of lm-evaluation-harness.

Written are the questions that a policy keeps, twice, once with the original answer key and once with the corrected one,
so scores are compared like for like. Their contents are decided in ``app.corrected`` and ``app.domain``.
"""

import argparse
import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, select

from app.corrected import blocks, original_test_set
from app.corrected.blocks import NO_LABEL, CorrectedTestSet
from app.corrected.policy import PolicyError, parse
from app.evaluation.slice_accuracy import read_slices
from app.schema import tables
from app.schema.slice_tables import SLICES
from ingest.catalogue.open import open_catalogue
from ingest.commands.export import _pair
from ingest.errors import IngestError

SAYS: Final = "write a corrected benchmark of questions, and a task for lm-evaluation-harness"
EXAMPLES: Final = """\
examples:
  %(prog)s mmlu mmlu-corrected
  lm_eval --model hf --model_args pretrained=MODEL --include_path mmlu-corrected --tasks mmlu_label_errors

DIR gets NAME_original and NAME_corrected, as .parquet and .jsonl with the columns question, choices and answer, and the
task files that read them. Both have the same questions: those whose answer is known under the policy, which is the
paper's unless --policy says otherwise.
"""
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_KINDS: Final = ("original", "corrected")
_AT_ONCE: Final = 500

_TASK: Final = """\
task: {task}
dataset_path: parquet
dataset_kwargs:
  data_files:
    test: {data}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{question.strip()}}}}\\n{{% for choice in choices %}}{{{{letters[loop.index0]}}}}. {{{{choice}}}}\\n\
{{% endfor %}}Answer:"
doc_to_choice: letters
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
            corrected = blocks.corrected(connection, found, parse(arguments.policy, found.agreements, removed=False))
        except (PolicyError, LookupError) as error:
            raise IngestError(f"{arguments.name}: {error}") from error
        if corrected.sets:
            raise IngestError(f"{arguments.name}: a question has one answer here: expected multi_label=drop or given")
        rows = list(_rows(connection, arguments.name, corrected))
    if not rows:
        raise IngestError(f"{arguments.name}: expected questions whose answer is known, found none")
    _write(arguments.folder, arguments.name, rows)
    changed = sum(row["original"] != row["corrected"] for row in rows)
    print(f"wrote {arguments.folder}: {len(rows):,} questions, {changed:,} with another answer than the original")
    print(f"lm_eval --include_path {arguments.folder} --tasks {_task(arguments.name)}_label_errors")
    return 0


def _rows(connection: Connection, name: str, corrected: CorrectedTestSet) -> Iterator[dict[str, Any]]:
    """Every question that the policy keeps, with both answers."""
    d = tables.datasets.c
    row = connection.execute(select(d.id, d.modality, d.about).where(d.name == name)).one()
    if row.modality != "question":
        raise IngestError(f"{name}: expected a dataset whose examples are questions, found {row.modality}")
    told, slices = json.loads(row.about).get(SLICES), read_slices(connection, row.id)
    for block in corrected.blocks(connection):
        kept = np.flatnonzero(block.corrected != NO_LABEL)
        for first in range(0, len(kept), _AT_ONCE):
            places = kept[first : first + _AT_ONCE]
            texts = _questions(connection, row.id, (places + block.start).tolist())
            for place in places.tolist():
                index = block.start + place
                if index not in texts:
                    raise IngestError(f"{name}: the catalogue lacks question {index}; ingest the dataset again")
                yield {
                    "index": index,
                    **({} if block.keys is None else {"key": block.keys[place]}),
                    **({} if told is None or slices is None else {told["column"]: told["names"][slices[index]]}),
                    "question": texts[index]["question"],
                    "choices": texts[index]["options"],
                    "original": int(block.given[place]),
                    "corrected": int(block.corrected[place]),
                }


def _questions(connection: Connection, dataset_id: int, indices: Sequence[int]) -> dict[int, dict[str, Any]]:
    m = tables.media.c
    which = (m.dataset_id == dataset_id, m.kind == "question", m.idx.in_(indices))
    return {
        row.idx: json.loads(gzip.decompress(row.bytes))
        for row in connection.execute(select(m.idx, m.bytes).where(*which))
    }


def _task(name: str) -> str:
    return name.replace("-", "_")


def _write(folder: Path, name: str, rows: Sequence[dict[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    for kind in _KINDS:
        task = f"{_task(name)}_{kind}"
        told = [
            {key: value for key, value in row.items() if key not in _KINDS}
            | {"answer": row[kind], "letters": list(_LETTERS[: len(row["choices"])])}
            for row in rows
        ]
        data = folder / f"{task}.parquet"
        pq.write_table(pa.Table.from_pylist(told), data)
        lines = (json.dumps({k: v for k, v in row.items() if k != "letters"}, ensure_ascii=False) for row in told)
        (folder / f"{task}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        text = _TASK.format(task=task, data=json.dumps(str(data.absolute())))
        (folder / f"{task}.yaml").write_text(text, encoding="utf-8")
    (folder / f"{_task(name)}_label_errors.yaml").write_text(_GROUP.format(name=_task(name)), encoding="utf-8")
