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
from pathlib import Path
from typing import Final

from app.domain.confident_learning.joint import FlagRule
from ingest.commands.arguments import add_classes_are
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
from ingest.matrices.matrix import Matrix, all_of, open_matrix, open_parts, require_each_once, shape_of
from ingest.matrices.row_kernel import LOOKER
from ingest.progress import progress_for_terminal

EXAMPLES: Final = f"""\
examples:
  %(prog)s pred_probs.npy --labels labels.npy
  %(prog)s part1.npy part2.npy --labels labels.csv --classes names.txt --out issues.csv
  %(prog)s probs.parquet --labels labels.npy --rule both --workers 4
  %(prog)s probs.zarr --labels labels.npy --dask tcp://scheduler:8786 --out issues.parquet

MATRIX holds predicted probabilities, a row an example and a column a class: .npy (16, 32 or 64 bits, in either order),
.npz, .parquet (a column a class, or one of lists) or a folder of zarr; several files are parts, one below the other.
Columns of a table that are called by the names of the classes, or by their numbers, are put in order by them; others
are taken in the order of the file. Rows must sum to 1 within 1e-4 (1e-2 in half precision, so do not widen it before);
those that are farther from 1 than their precision rounds are divided by their sum. --tolerance X takes rows that sum
to 1 within X, divides all of them by their sums in double precision, which is what is worked on then, and says how many
were too far from 1 otherwise. Parts of different precision are worked on in the highest. Labels are class numbers or
names: .npy, .json (a list), or .csv, .parquet, .jsonl and a list of objects in .json (the column "label", one that goes
by another word for labels, the only one, or that of --label-column), or one a line, blank lines passed over.
Texts are names where all of them are, and numbers, from 0, where all are that; where class names are numbers themselves
and both would fit, --classes-are says which. The same goes for the names of columns.

Rules: calibrated and uncalibrated flag the rho * n examples of lowest normalized margin, rounded down; rho is the share
that lies off the diagonal in the calibrated joint, or in the confident joint itself. A plain number flags that many of
lowest normalized margin, all where there are fewer. They flag so many whatever the margins are, so an example may be
among them whose given label is as probable as any. prune_by_class, prune_by_noise_rate, both, confident_joint and
argmax are the variants of the paper of confident learning; they flag only examples of which another class is more
probable, and round the joint to whole examples row by row, remainders to the largest fractions, of equal ones to the
lower class. A class is confidently another where its probability is at least the class's threshold, the most probable
of several, the lower number among equals; equal margins go by the order of the examples. (cleanlab leaves what is equal
to its sort, and so differs in a few.) The answer is the same to the last bit for any number of workers and on Dask,
whose workers must see the same files and have this project installed.

FILE has a row for each flagged example, most suspicious first, or with --all for every example in order: index, given,
guessed, with --classes given_name and guessed_name, self_confidence (the probability of the given class),
normalized_margin (less the largest of the others), rank (place by normalized margin among the rows written, from 1) and
flagged. In CSV, sets are joined by ;, and names stand as they are, whatever sign they begin with.

With --multiple an example carries a set of labels: .json (a list of lists of numbers or names), .npy (an object array
of lists or arrays, or a 0 and 1 for each class), .parquet (a column of lists) or .csv (labels joined by | or ; in the
column "labels" or the only one), or in tables a column of 0 and 1 for each class. Every entry of the matrix is then a
probability by itself. A class is guessed where it is at least 1/2, or else the most probable is; an example's
self-confidence is the mean, over the labels given or guessed, of the probability that each is as given: p of a given
label, 1 - p of one that is not. Of the examples whose given and guessed labels do not overlap, those below 1/2 are
flagged, or with a number as --rule so many of the lowest. --per-class FILE counts for each class, taken by itself, what
its confident joint of two rows and columns has off the diagonal, neither calibrated nor scaled: class, with --classes
class_name, lacking (the examples not given it whose p reaches the mean p of those given it), wrongly (those given it
whose 1 - p reaches the mean 1 - p of those not given it), flagged, their sum. Where both means are reached the larger
of p and 1 - p counts, and 1 - p where they are equal.
--multiple is done in one process, without --workers and --dask.

Memory is 60 MB, 40 bytes an example and 10 a pair of classes; choosing by noise rate takes 24 bytes more for each
flagged example, Parquet and zarr what their libraries hold of a row group or chunk, names as labels their length,
--multiple 8 bytes more for each label given or guessed and 120 an example, --per-class 8 for each given one and 150 MB.
Rows are looked at by compiled code where a C compiler was there when this project was installed, else by numpy, which
finds the same and may take about twice as long: here by {LOOKER}.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "matrix", metavar="MATRIX", type=Path, nargs="+", help="predicted probabilities, whole or in parts"
    )
    parser.add_argument("--labels", metavar="FILE", type=Path, required=True, help="the given label of each example")
    parser.add_argument("--classes", metavar="FILE", type=Path, help="the classes' names, a JSON list or one a line")
    parser.add_argument("--label-column", metavar="NAME", help="the column of FILE that holds labels (default: label)")
    add_classes_are(parser)
    rules = ", ".join(rule.value for rule in FlagRule)
    parser.add_argument("--rule", type=_rule, help=f"{rules}, or a number (default: calibrated)")
    parser.add_argument("--multiple", action="store_true", help="examples carry sets of labels, see below")
    parser.add_argument(
        "--per-class",
        metavar="FILE",
        type=_out,
        help="with --multiple: count what each class would flag by itself, see below",
    )
    parser.add_argument("--logits", action="store_true", help="the matrix holds logits: apply softmax")
    parser.add_argument(
        "--tolerance",
        metavar="X",
        type=_tolerance,
        help="take rows that sum to 1 within X, each divided by its sum in double precision",
    )
    parser.add_argument("--out", metavar="FILE", type=_out, help=f"write the flagged examples: {', '.join(ENDINGS)}")
    parser.add_argument("--all", action="store_true", help="write every example, not only the flagged")
    parser.add_argument(
        "--workers",
        metavar="N",
        type=_workers,
        help="work in so many threads (default: one a core, up to four, where the matrix is large), or of so many "
        "processes with --dask local",
    )
    parser.add_argument("--pool", choices=("threads", "processes"), help="what workers are (default: threads)")
    parser.add_argument("--dask", metavar="ADDRESS", help='a Dask scheduler, or "local" for one made for this run')


def run(arguments: argparse.Namespace) -> int:
    """Flag, write and print; returns the exit status. Raises IngestError."""
    start = time.perf_counter()
    if arguments.out is not None:
        require_place(arguments.out, [*arguments.matrix, arguments.labels, arguments.classes])
    elif arguments.all:
        raise IngestError("--all says what is written, and goes with --out")
    if arguments.per_class is not None:
        require_place(arguments.per_class, [*arguments.matrix, arguments.labels, arguments.classes, arguments.out])
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
    print(f"{took}, peak memory {_peak(of_children=arguments.dask in (None, 'local'))}")
    return 0


@dataclass(frozen=True, slots=True)
class _FlagOutcome:
    summary: str
    n_flagged: int
    write: Callable[[Callable[[int], None]], None]


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What is known about the matrix before any of it is read."""

    paths: list[Path]
    n_rows: int
    m: int
    names: list[str] | None


def _inputs(arguments: argparse.Namespace) -> _Inputs:
    refuse_pointers([*arguments.matrix, arguments.labels, arguments.classes])
    names = None if arguments.classes is None else read_class_names(arguments.classes)
    # A worker may run in another folder.
    paths = arguments.matrix if arguments.dask is None else [path.absolute() for path in arguments.matrix]
    require_each_once(paths)
    n_rows, m = shape_of(open_parts(paths, names, arguments.classes_are), names, str(arguments.classes))
    return _Inputs(paths, n_rows, m, names)


def _matrix(arguments: argparse.Namespace, inputs: _Inputs, n_labels: int) -> Matrix:
    require_as_many(arguments.labels, n_labels, inputs.n_rows, all_of(inputs.paths))
    return open_matrix(
        inputs.paths,
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
    if arguments.logits and not flagging.softmax:
        told += "\n--logits: no softmax applied, for these are probabilities already"
    return _FlagOutcome(told, flagging.n_flagged, write)


def _sets_flagged(arguments: argparse.Namespace, inputs: _Inputs) -> _FlagOutcome:
    if isinstance(arguments.rule, FlagRule) or arguments.logits or arguments.tolerance is not None:
        raise IngestError(
            "--multiple: expected no --rule but a number, no --logits and no --tolerance: every entry is a probability"
        )
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


def _rule(text: str) -> FlagRule | int:
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


def _workers(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"expected a number of workers from 1 to 1,024, found {text}")
    return int(text)
