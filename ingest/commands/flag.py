"""``python -m ingest flag``: run confident learning on a matrix and labels, without a catalogue.

Arguments in, engine run, summary and table out. Expensive imports are delayed until they are needed: for a small matrix
most of the time is spent starting Python.
"""

import argparse
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from app.domain.confident_learning.flag_choice import FlagChoice
from app.domain.confident_learning.joint import FlagRule
from ingest.commands.arguments import add_classes_are, whole_number
from ingest.commands.flag_report import summary, write_examples
from ingest.commands.flag_sets_report import summary_of_sets, write_sets
from ingest.commands.per_class_report import joints_by_class, summary_of_classes, write_classes
from ingest.commands.table_writer import ENDINGS, require_place
from ingest.errors import IngestError
from ingest.flagging.engine import flag
from ingest.flagging.executors import Executor, in_pool, on_dask
from ingest.flagging.multi_label import flag_sets
from ingest.flagging.options import rule_of, tolerance_of
from ingest.git_pointers import refuse_pointers
from ingest.labels.flag_input import read_class_names, read_given_labels, require_as_many
from ingest.labels.label_sets import read_label_sets
from ingest.labels.model_answers import LETTERS, ModelAnswers, read_model_answers
from ingest.matrices.array import open_votes
from ingest.matrices.matrix import Matrix, all_of, matrix_of, open_parts, require_each_once, shape_of
from ingest.matrices.mean import open_models, require_separate
from ingest.matrices.row_kernel import LOOKER
from ingest.matrices.top_classes import with_twins
from ingest.progress import progress_for_terminal

EXAMPLES: Final = f"""\
examples:
  %(prog)s pred_probs.npy --labels labels.npy
  %(prog)s part1.npy part2.npy --labels labels.csv --classes names.txt --out issues.csv
  %(prog)s probs.parquet --labels labels.npy --rule both --workers 4
  %(prog)s forest.npy --and network.npy --and linear.parquet --labels labels.npy
  %(prog)s a_top5probs.npy --and b_top5probs.npy --labels labels.npy --classes names.txt
  %(prog)s --votes answers.csv --labels key.csv --out suspects.csv
  %(prog)s probs.zarr --labels labels.npy --dask tcp://scheduler:8786 --out issues.parquet

MATRIX has a row for each example and a column for each class: .npy, .npz, .parquet or a folder of zarr; several files
are parts, from top to bottom. Rows must sum to 1. Labels are class numbers from 0, or names: .npy, .json, .jsonl, .csv,
.parquet or one a line. Written are index, given, guessed, self_confidence, normalized_margin, rank and flagged of each
flagged example. A rule is a number of examples of lowest
margin (500, "top 500"), a share of all, rounded down (0.05), or
{", ".join(rule.value for rule in FlagRule)}.

The page /docs/confident-learning of the site, docs/confident-learning.md, defines the rules, says more of files and of
several labels, and what memory is needed. Rows are looked at here by {LOOKER}.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command, in groups."""
    parser.usage = "%(prog)s MATRIX [MATRIX ...] | --votes FILE --labels FILE [--classes FILE] [--rule RULE] [options]"
    parser.add_argument("matrix", metavar="MATRIX", type=Path, nargs="*", help="predicted probabilities")
    _add_input(parser.add_argument_group("input"))
    how = parser.add_argument_group("what is flagged")
    how.add_argument("--rule", type=_rule, help="a rule, or how many or which share (default: calibrated)")
    how.add_argument("--multiple", action="store_true", help="examples have several labels each")
    _add_output(parser.add_argument_group("output"))
    _add_speed(parser.add_argument_group("speed"))


def _add_input(group: "argparse._ArgumentGroup") -> None:
    says = "predicted probabilities of another model; the mean is taken"
    group.add_argument(
        "--and", dest="others", metavar="MATRIX", type=Path, nargs="+", action="append", default=[], help=says
    )
    says = "instead of MATRIX: a table of models' answers, a column each; their votes are the probabilities"
    group.add_argument("--votes", metavar="FILE", type=Path, help=says)
    group.add_argument("--labels", metavar="FILE", type=Path, required=True, help="given labels, in the order of rows")
    group.add_argument("--classes", metavar="FILE", type=Path, help="names of the classes: a JSON list, or one a line")
    group.add_argument("--label-column", metavar="NAME", help="column that holds the labels (default: label)")
    add_classes_are(group)
    group.add_argument("--logits", action="store_true", help="apply softmax to the matrix")
    group.add_argument("--tolerance", metavar="X", type=_tolerance, help="rows sum to 1 within X; divide by their sums")


def _add_output(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--out", metavar="FILE", type=_out, help=f"write flagged examples: {', '.join(ENDINGS)}")
    group.add_argument("--all", action="store_true", help="write every example")
    says = "with --multiple: write what each class would flag by itself"
    group.add_argument("--per-class", metavar="FILE", type=_out, help=says)


def _add_speed(group: "argparse._ArgumentGroup") -> None:
    says = "how many threads (default: up to four), or processes with --dask local"
    group.add_argument("--workers", metavar="N", type=whole_number("a number of workers", 1, 1024), help=says)
    group.add_argument("--pool", choices=("threads", "processes"), help="what workers are (default: threads)")
    group.add_argument("--dask", metavar="ADDRESS", help='a Dask scheduler, or "local" to start one for this run')


def run(arguments: argparse.Namespace) -> int:
    """Flag, write and print; returns the exit status. Raises IngestError."""
    start = time.perf_counter()
    read = [*arguments.matrix, *chain(*arguments.others), arguments.votes, arguments.labels, arguments.classes]
    if arguments.out is not None:
        require_place(arguments.out, read)
    elif arguments.all:
        raise IngestError("--all says what is written, and goes with --out")
    if arguments.per_class is not None:
        require_place(arguments.per_class, [*read, arguments.out])
    inputs = _inputs(arguments)
    found = _sets_flagged(arguments, inputs) if arguments.multiple else _flagged(arguments, inputs)
    seconds = time.perf_counter() - start
    print(found.summary)
    n = inputs.n_rows
    took = f"time {seconds:.2f} s ({n / seconds:,.0f} rows a second)"
    if arguments.out is not None:
        n_written = n if arguments.all else found.n_flagged
        with progress_for_terminal().task("write", n_written, "rows") as advance:
            found.write(advance)
        print(f"wrote {arguments.out}: {n_written:,} examples")
        took += f", writing {time.perf_counter() - start - seconds:.2f} s"
    print(f"{took}, peak memory {_peak(of_children=(arguments.dask or 'local').startswith('local'))}")
    return 0


@dataclass(frozen=True, slots=True)
class _FlagOutcome:
    summary: str
    n_flagged: int
    write: Callable[[Callable[[int], None]], None]


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What is known about the matrix, or those of several models, before any of it is read."""

    models: dict[str, list[Path]]
    rows_of: str  # what has them, in messages
    n_rows: int
    m: int
    names: list[str] | None
    votes: ModelAnswers | None = None


def _inputs(arguments: argparse.Namespace) -> _Inputs:
    if arguments.votes is not None:
        return _voted(arguments)
    if not arguments.matrix:
        raise IngestError("expected MATRIX or --votes, found neither")
    matrices = with_twins([str(path) for path in (*arguments.matrix, *chain(*arguments.others))])
    refuse_pointers([*map(Path, matrices), arguments.labels, arguments.classes])
    names = None if arguments.classes is None else read_class_names(arguments.classes)
    models = [arguments.matrix, *arguments.others]
    if arguments.dask is not None:  # a worker may run in another folder
        models = [[path.absolute() for path in paths] for paths in models]
    require_each_once(models[0])
    require_separate([*chain(*models)])
    n_rows, m = shape_of(open_parts(models[0], names, arguments.classes_are), names, str(arguments.classes))
    return _Inputs({all_of(paths): paths for paths in models}, all_of(models[0]), n_rows, m, names)


def _voted(arguments: argparse.Namespace) -> _Inputs:
    if arguments.matrix or arguments.others or arguments.multiple or arguments.logits or arguments.tolerance:
        raise IngestError("--votes: expected no matrix, and none of --and, --multiple, --logits and --tolerance")
    names = None if arguments.classes is None else read_class_names(arguments.classes)
    m = len(names) if names is not None else _options_in_labels(arguments)
    answers = read_model_answers(arguments.votes, {}, None, m, {})
    return _Inputs({}, str(arguments.votes), len(answers.options), m, names or list(LETTERS[:m]), answers)


def _options_in_labels(arguments: argparse.Namespace) -> int:
    """How many options there are, going by the key: a model that says "I" to a question of four has said none."""
    how = {"column": arguments.label_column, "n": None}
    labels = read_given_labels(arguments.labels, len(LETTERS), LETTERS, arguments.classes_are, **how)
    return max(2, 1 + int(labels.max(initial=0)))


def _matrix(arguments: argparse.Namespace, inputs: _Inputs, n_labels: int) -> Matrix:
    require_as_many(arguments.labels, n_labels, inputs.n_rows, inputs.rows_of)
    if inputs.votes is not None:
        part = open_votes(inputs.votes.file, inputs.votes.options, inputs.m)
        return matrix_of([part], inputs.n_rows, inputs.m)
    return open_models(
        inputs.models,
        n_labels,
        inputs.m,
        logits=arguments.logits,
        names=inputs.names,
        tolerance=arguments.tolerance,
        classes_are=arguments.classes_are,
    )


def _flagged(arguments: argparse.Namespace, inputs: _Inputs) -> _FlagOutcome:
    if arguments.per_class is not None:
        raise IngestError("--per-class goes with --multiple: each class is then held against the rest")
    if arguments.tolerance is not None and arguments.logits:
        raise IngestError("--tolerance goes with probabilities: a softmax, which --logits asks for, sums to 1")
    how = {"column": arguments.label_column, "n": inputs.n_rows}
    labels = read_given_labels(arguments.labels, inputs.m, inputs.names, arguments.classes_are, **how)
    matrix = _matrix(arguments, inputs, len(labels))
    rule = FlagRule.CALIBRATED if arguments.rule is None else arguments.rule
    with _executor(arguments) as executor, progress_for_terminal().task("flag", len(labels), "rows") as advance:
        flagging = flag(labels, matrix, rule, advance, executor)

    def write(advance: Callable[[int], None]) -> None:
        write_examples(arguments.out, flagging, inputs.names, every=arguments.all, advance=advance)

    told = summary(flagging, inputs.names)
    if inputs.votes is not None:
        told = "\n".join([*_of_votes(inputs.votes, labels), told])
    if arguments.logits and not flagging.softmax:
        told += "\n--logits: no softmax applied, for these are probabilities already"
    return _FlagOutcome(told, flagging.n_flagged, write)


def _of_votes(votes: ModelAnswers, labels: NDArray[Any]) -> list[str]:
    """Whose answers were read, for a column that is none would count as a model."""
    said = [f"{votes.sentence()}: {', '.join(votes.models)}"]
    for name, options in zip(votes.models, votes.options.T, strict=True):
        if (options == labels).all():
            said.append(
                f"warning: {name} gives the label in every row: is this column the key, and no model's answers?"
            )
    first = int((votes.options == 0).sum())
    if len(labels) >= _MANY and labels.all() and first:
        said.append(
            f"warning: no label is the first option, which models chose {first:,} times: do labels count from 1?"
        )
    return said


#: With so many labels of four options, none of them the first is hardly chance.
_MANY: Final = 20


def _sets_flagged(arguments: argparse.Namespace, inputs: _Inputs) -> _FlagOutcome:
    if isinstance(arguments.rule, FlagRule) or arguments.logits or arguments.tolerance is not None:
        raise IngestError(
            "--multiple: expected no --rule but a number or share, no --logits and no --tolerance: every entry is a "
            "probability"
        )
    if arguments.others:
        raise IngestError("--multiple: expected one model's matrix, found --and: only rows that sum to 1 are averaged")
    if arguments.workers is not None or arguments.dask is not None:
        raise IngestError("--multiple is done in one process; --workers and --dask do not go with it")
    how = {"column": arguments.label_column, "n": inputs.n_rows}
    labels = read_label_sets(arguments.labels, inputs.m, inputs.names or (), arguments.classes_are, **how)
    matrix = _matrix(arguments, inputs, len(labels))
    with progress_for_terminal().task("flag", len(labels), "rows") as advance:
        flagging = flag_sets(labels, matrix, arguments.rule, advance)
    told = summary_of_sets(labels, flagging, inputs.m)
    if arguments.per_class is not None:
        with progress_for_terminal().task("each class", inputs.m, "classes") as advance:
            joints = joints_by_class(labels, matrix, advance)
        write_classes(arguments.per_class, joints, inputs.names)
        told += f"\n{summary_of_classes(joints, inputs.names)}\nwrote {arguments.per_class}: {inputs.m:,} classes"

    def write(advance: Callable[[int], None]) -> None:
        write_sets(arguments.out, labels, flagging, inputs.names, every=arguments.all, advance=advance)

    return _FlagOutcome(told, flagging.n_flagged, write)


@contextmanager
def _executor(arguments: argparse.Namespace) -> Iterator[Executor | None]:
    if arguments.pool is not None and (arguments.workers is None or arguments.dask is not None):
        raise IngestError("--pool goes with --workers only, which says how many, and not with --dask")
    if arguments.dask is None and arguments.workers is None:
        yield None
        return
    if arguments.dask is None:
        with in_pool(arguments.workers, arguments.pool or "threads") as executor:
            yield executor
        return
    if arguments.workers is not None and arguments.dask != "local":
        raise IngestError(f"--workers goes with --dask local only: the cluster at {arguments.dask} has its own")
    with on_dask(arguments.dask, arguments.workers) as executor:
        yield executor


def _peak(*, of_children: bool) -> str:
    """The peak resident memory of this process, and of its largest child if it had one."""
    own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    with suppress(OSError, ValueError, IndexError):
        # Linux counts the process that started this one into the other figure.
        own = int(Path("/proc/self/status").read_text(encoding="ascii").partition("VmHWM:")[2].split()[0])
    beside = f", of the largest worker {children / 1024:,.0f} MB" if children and of_children else ""
    return f"{own / 1024:,.0f} MB{beside}"


def _rule(text: str) -> FlagChoice:
    try:
        return rule_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _tolerance(text: str) -> float:
    try:
        return tolerance_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _out(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in ENDINGS:
        raise argparse.ArgumentTypeError(f"expected a name that ends in {', '.join(ENDINGS)}, found {text}")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"expected a folder {path.parent}, found none")
    return path
