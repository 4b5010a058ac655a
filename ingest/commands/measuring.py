"""The commands that measure models against labels, and a catalogue against the paper: arguments in, reports out."""

import argparse
from pathlib import Path

from ingest.commands.arguments import add_catalogue, add_classes_are, does, whole_number
from ingest.progress import progress_for_terminal

_BENCHMARKS = """\
examples:
  git clone https://github.com/cgnorthcutt/benchmarking-keras-pytorch
  %(prog)s benchmarking-keras-pytorch --dataset cifar10
  %(prog)s my-models --dataset mnist

DIR holds folders PLATFORM_DATASET with MODEL_PLATFORM_DATASET_top5preds.npy and ..._top5probs.npy, or files MODEL.csv,
.npy, .npz, .parquet or .json with a class, ranked classes or a probability row an example, and perhaps a models.toml
that says more of them (see /docs/models of the site, docs/models.md). Models of the same platform and name are
replaced, others stay.
"""

_EVALUATE = """\
examples:
  %(prog)s cifar10 predictions.csv
  %(prog)s imagenet logits.npy --agreement 5 --json

Nothing leaves this machine and nothing is stored. FILE is .csv, .npy, .npz, .parquet or .json, with a class (by name or
number), ranked classes, or a score for each class in every row; rows are in the order of the test set, or name their
example in a column index or key. CSV may be separated by commas, semicolons or tabs, and may have decimal commas where
commas do not separate. Where class names are numbers themselves, --classes-are says which of the two a file has.
"""

_REPRODUCE = """\
example:
  %(prog)s --catalogue var/real.sqlite

Exit status 1 when a figure differs for which no reason is known, or when nothing could be compared.
"""


def describe_benchmarks(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``benchmarks``."""
    does(parser, _benchmarks, _BENCHMARKS)
    parser.add_argument("folder", metavar="DIR", type=Path, help="the models' predictions")
    parser.add_argument("--dataset", metavar="NAME", help="only models of this dataset")
    add_catalogue(parser, written=True)


def describe_evaluate(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``evaluate``."""
    does(parser, _evaluate, _EVALUATE)
    parser.add_argument("name", metavar="NAME", help="a dataset of the catalogue")
    parser.add_argument("file", metavar="FILE", type=Path, help="predictions for its test set")
    says, reviewers = "reviewers that must agree on a correction", whole_number("a number of reviewers", 1, 100)
    parser.add_argument("--agreement", metavar="N", type=reviewers, help=says)
    add_classes_are(parser)
    parser.add_argument("--json", action="store_true", help="the same as the API answers")
    add_catalogue(parser, written=False)


def describe_reproduce(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``reproduce``."""
    does(parser, _reproduce, _REPRODUCE)
    add_catalogue(parser, written=False)


def _benchmarks(arguments: argparse.Namespace) -> int:
    from ingest.commands.models import benchmarks_report

    progress = progress_for_terminal()
    print(benchmarks_report(arguments.folder, arguments.dataset, arguments.catalogue, arguments.wait, progress))
    print(f"wrote {arguments.catalogue}")
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from ingest.commands.models import evaluation_report

    how = {"as_json": arguments.json, "classes_are": arguments.classes_are}
    print(evaluation_report(arguments.name, arguments.file, arguments.agreement, arguments.catalogue, **how))
    return 0


def _reproduce(arguments: argparse.Namespace) -> int:
    from ingest.commands.models import reproduction_report

    report, holds = reproduction_report(arguments.catalogue)
    print(report)
    return 0 if holds else 1
