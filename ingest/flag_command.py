"""``python -m ingest flag``: confident learning on a matrix and labels of one's own, without a catalogue.

Arguments in, engine run, summary and table out. Nothing heavy is imported before it is needed: for a small matrix
starting Python is most of the time.
"""

import argparse
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from app.domain.confident_learning import FlagRule
from ingest.engine import Flagging, flag
from ingest.errors import DataError, IngestError
from ingest.executors import Executor, in_pool, on_dask
from ingest.flag_output import ENDINGS, summary, write_examples
from ingest.given_labels import read_class_names, read_given_labels
from ingest.matrices import open_matrix, open_part
from ingest.progress import progress_for_terminal

EXAMPLES: Final = """\
examples:
  python -m ingest flag pred_probs.npy --labels labels.npy
  python -m ingest flag part1.npy part2.npy --labels labels.csv --classes names.txt --out issues.csv
  python -m ingest flag probs.parquet --labels labels.npy --rule both --workers 4
  python -m ingest flag probs.zarr --labels labels.npy --dask tcp://scheduler:8786 --out issues.parquet

MATRIX holds predicted probabilities, a row an example and a column a class: .npy (16, 32 or 64 bits, in either order),
.npz, .parquet (a column a class, or one of lists) or a folder of zarr; several files are parts, one below the other.
Labels are class numbers or names: .npy, .json, .csv, .parquet or one a line.

Rules: calibrated and uncalibrated flag as many examples of lowest normalized margin as the calibrated joint or the
confident joint itself has off its diagonal, and so does a plain number; prune_by_class, prune_by_noise_rate, both,
confident_joint and argmax are the variants of the paper of confident learning. The answer is the same to the last bit
for any number of workers and on Dask, whose workers must see the same files and have this project installed.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "matrix", metavar="MATRIX", type=Path, nargs="+", help="predicted probabilities, whole or in parts"
    )
    parser.add_argument("--labels", metavar="FILE", type=Path, required=True, help="the given label of each example")
    parser.add_argument("--classes", metavar="FILE", type=Path, help="the classes' names, a JSON list or one a line")
    rules = ", ".join(rule.value for rule in FlagRule)
    parser.add_argument(
        "--rule", type=_rule, default=FlagRule.CALIBRATED, help=f"{rules}, or a number (default: calibrated)"
    )
    parser.add_argument("--logits", action="store_true", help="the matrix holds logits: apply softmax")
    parser.add_argument("--out", metavar="FILE", type=_out, help=f"write the flagged examples: {', '.join(ENDINGS)}")
    parser.add_argument("--all", action="store_true", help="write every example, not only the flagged")
    parser.add_argument(
        "--workers",
        metavar="N",
        type=_workers,
        help="work in so many threads (default: one a core, up to four, where the matrix is large)",
    )
    parser.add_argument("--pool", choices=("threads", "processes"), help="what workers are (default: threads)")
    parser.add_argument("--dask", metavar="ADDRESS", help='a Dask scheduler, or "local" for one made for this run')


def run(arguments: argparse.Namespace) -> int:
    """Flag, write, print; the exit status. Raises IngestError."""
    start = time.perf_counter()
    flagging, names = _flagging(arguments)
    seconds = time.perf_counter() - start
    print(summary(flagging, names))
    if arguments.out is not None:
        written = write_examples(arguments.out, flagging, names, every=arguments.all)
        print(f"wrote {arguments.out}: {written:,} examples")
    print(f"time {seconds:.2f} s ({len(flagging.labels) / seconds:,.0f} rows a second), peak memory {_peak()}")
    return 0


def _flagging(arguments: argparse.Namespace) -> tuple[Flagging, list[str] | None]:
    names = None if arguments.classes is None else read_class_names(arguments.classes)
    shape = open_part(arguments.matrix[0]).shape
    if names is None and len(shape) != 2:
        raise DataError(arguments.matrix[0], f"expected shape (n, m), one column a class, found {shape}")
    m = shape[1] if names is None else len(names)
    labels = read_given_labels(arguments.labels, m, names)
    matrix = open_matrix(arguments.matrix, len(labels), m, logits=arguments.logits)
    with _executor(arguments) as executor, progress_for_terminal().task("flag", len(labels), "rows") as advance:
        return flag(labels, matrix, arguments.rule, advance, executor), names


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


def _peak() -> str:
    """The most memory this process had resident, and its largest child where there was one."""
    own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    with suppress(OSError, ValueError, IndexError):
        # Linux counts the process that started this one into the other figure.
        own = int(Path("/proc/self/status").read_text(encoding="ascii").partition("VmHWM:")[2].split()[0])
    beside = f", of the largest worker {children / 1024:,.0f} MB" if children else ""
    return f"{own / 1024:,.0f} MB{beside}"


def _rule(text: str) -> FlagRule | int:
    if text.isdecimal() and len(text) < 19:
        return int(text)
    try:
        return FlagRule(text.replace("-", "_"))
    except ValueError:
        allowed = ", ".join(rule.value for rule in FlagRule)
        raise argparse.ArgumentTypeError(f"expected {allowed} or a number, found {text}") from None


def _out(text: str) -> Path:
    path = Path(text)
    if path.suffix not in ENDINGS:
        raise argparse.ArgumentTypeError(f"expected a name that ends in {', '.join(ENDINGS)}, found {text}")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"expected a folder {path.parent}, found none")
    return path


def _workers(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"expected a number of workers, 1 or more, found {text}")
    return int(text)
