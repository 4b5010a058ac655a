"""The command-line parser: arguments in, exit status out; the work is done in other modules.

Exit status: 0 done, 1 something about data, media or catalogue is wrong, 2 wrong usage, 130 interrupted.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from ingest.commands import audit, check, disputes, flag, init, media, opinions, predict, review, try_folder
from ingest.commands.arguments import (
    Commands,
    add_catalogue,
    add_classes_are,
    add_dask,
    add_datasets,
    add_media_choices,
    add_version,
    is_light,
    sentence,
    whole_number,
)
from ingest.errors import IngestError
from ingest.progress import progress_for_terminal

if TYPE_CHECKING:
    from ingest.pipeline import IngestJob

# Modules for the database or manifests are imported where they are used: ``flag`` starts faster without them.

_DESCRIPTION = "Turn files about label errors into a catalogue: one SQLite file, from which the site is served."
_EPILOG = """\
`%(prog)s COMMAND --help` says what a command takes, with examples.

Everything is in one catalogue: --catalogue FILE, $LABELERRORS_CATALOGUE, or var/catalogue.sqlite in the folder you are
in. It is replaced in one step at the very end; whatever goes wrong before leaves it as it was, and a running server
picks the new one up by itself. Datasets that a command does not name stay in the catalogue.
"""

_RELEASE = """\
examples:
  git clone https://github.com/cleanlab/label-errors
  %(prog)s label-errors
  %(prog)s label-errors --media downloads --dataset mnist --dataset imdb
  %(prog)s mmlu-redux --dataset mmlu

DIR is the clone. Files that are not there (large ones are separate downloads) are said to be missing, and the rest is
loaded. --media names a folder with the datasets' own distributions, packed or unpacked, such as
t10k-images-idx3-ubyte.gz, cifar-10-binary.tar.gz, 20news-bydate.tar.gz and aclImdb_v1.tar.gz.
"""

_ADD = """\
example:
  %(prog)s pets.toml pets-labels --media pets-photos

The manifest says what the dataset is and which files in DIR hold labels, predicted probabilities and votes; every file
it names must be there. The page /docs/own-dataset of the site, docs/own-dataset.md, says what a manifest can say.
"""

_LIST = """\
examples:
  %(prog)s
  %(prog)s --catalogue var/real.sqlite
"""

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

_SAMPLE = """\
example:
  %(prog)s

Makes three small datasets, one each of images, texts and sounds, with planted label errors and simulated raters, and
ingests them as any other. The site says on every page of theirs what they are.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command of ``python -m ingest`` and return its exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser, commands = parser_of_commands("python -m ingest", _DESCRIPTION)
    add_commands(commands, light=is_light(given))
    return run(parser.parse_args(given))


def run(parsed: argparse.Namespace) -> int:
    """Run the command that arguments name; each error becomes one line and an exit status."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        status: int = parsed.command(parsed)
        sys.stdout.flush()
    except (IngestError, MemoryError) as error:
        print(f"error: {str(error) or 'there is too little memory'}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of our output closed the pipe; Python would fail again when it flushes on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"error: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing half-built was kept", file=sys.stderr)
        return 130
    return status


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _sample(arguments: argparse.Namespace) -> int:
    from ingest.manifest.parse import read_manifest
    from ingest.pipeline import IngestJob
    from ingest.sample import write_sample
    from ingest.sample.models import models_of

    with tempfile.TemporaryDirectory(prefix="label-errors-sample-") as folder:
        manifests = [read_manifest(path) for path in write_sample(Path(folder))]
        places = [(manifest, manifest.path.parent) for manifest in manifests]
        orders = [IngestJob(one, at, at, complete=True, models=models_of(at)) for one, at in places]
        return _ingest(orders, arguments)


def _release(arguments: argparse.Namespace) -> int:
    from ingest.pipeline import jobs_of_release

    orders = jobs_of_release(arguments.folder, arguments.media, arguments.dataset)
    how = {"drop_media": arguments.drop_media, "media_for": arguments.media_for}
    return _ingest([replace(order, **how) for order in orders], arguments)


def _add(arguments: argparse.Namespace) -> int:
    from ingest.manifest.parse import read_manifest
    from ingest.pipeline import IngestJob

    how = {"drop_media": arguments.drop_media, "media_for": arguments.media_for}
    job = IngestJob(read_manifest(arguments.manifest), arguments.folder, arguments.media, complete=True, **how)
    return _ingest([job], arguments)


def _ingest(orders: "Sequence[IngestJob]", arguments: argparse.Namespace) -> int:
    from ingest.commands.reports import summary
    from ingest.pipeline import run

    how = {"wait": arguments.wait, "progress": progress_for_terminal(), "dask": getattr(arguments, "dask", None)}
    stored = run(orders, arguments.catalogue, **how)
    print(summary(stored))
    print(f"wrote {arguments.catalogue}")
    return 1 if any(one.unread is not None for one in stored) else 0


def _list(arguments: argparse.Namespace) -> int:
    from ingest.commands.reports import catalogue_report

    print(catalogue_report(arguments.catalogue))
    return 0


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


def parser_of_commands(program: str, description: str) -> tuple[argparse.ArgumentParser, Commands]:
    """A parser without commands, and the object to add them to."""
    parser = argparse.ArgumentParser(
        prog=program,
        description=description,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_version(parser)
    return parser, parser.add_subparsers(title="commands", required=True, metavar="COMMAND")


def add_commands(commands: Commands, *, light: bool) -> None:
    """Add all commands in the order of their usual use; ``light`` is explained in ``is_light``."""
    names = [] if light else _names_of_release()

    sample = _command(commands, "sample", _sample, "make three small datasets to try the site with", _SAMPLE)
    add_catalogue(sample, written=True)

    says = "load the paper's ten datasets from a clone of its release, or MMLU from that of MMLU-Redux"
    release = _command(commands, "release", _release, says, _RELEASE)
    release.add_argument("folder", metavar="DIR", type=Path, help="the release, as cloned")
    add_media_choices(release)
    add_dask(release)
    add_datasets(release, names)
    add_catalogue(release, written=True)

    says = "describe a folder of labelled files as a dataset of your own"
    init.add_arguments(_command(commands, "init", init.run, says, init.EXAMPLES))

    add = _command(commands, "add", _add, "add a dataset of your own", _ADD)
    add.add_argument("manifest", metavar="MANIFEST.toml", type=Path, help="what the dataset is")
    add.add_argument("folder", metavar="DIR", type=Path, help="where its files are")
    add_media_choices(add)
    add_dask(add)
    add_catalogue(add, written=True)

    others = {"predict": predict, "try": try_folder, "review": review, "disputes": disputes, "audit": audit}
    for name, one in (others | {"opinions": opinions}).items():
        one.add_arguments(_command(commands, name, one.run, one.SAYS, one.EXAMPLES))

    says = "say what `release` or `add` would load, and what is missing or wrong"
    check.add_arguments(_command(commands, "check", check.run, says, check.EXAMPLES), names)

    add_catalogue(_command(commands, "list", _list, "list what a catalogue holds", _LIST), written=False)

    says = "fetch the media that a dataset lacks from the web"
    fetching = _command(commands, "media", media.run, says, media.EXAMPLES)
    media.add_arguments(fetching)
    add_catalogue(fetching, written=True)
    _add_measuring(commands)
    if not light:
        from ingest.commands import export, task

        says = "write a corrected test set to a file"
        exported = _command(commands, "export", export.run, says, export.EXAMPLES)
        export.add_arguments(exported)
        add_catalogue(exported, written=False)

        task.add_arguments(written := _command(commands, "task", task.run, task.SAYS, task.EXAMPLES))
        add_catalogue(written, written=False)

    says = "find label errors in a matrix of your own, without a catalogue"
    flag.add_arguments(_command(commands, "flag", flag.run, says, flag.EXAMPLES))


def _names_of_release() -> list[str]:
    from ingest.manifest.parse import DATASETS, read_manifests

    return [manifest.name for manifest in read_manifests(DATASETS)]


def _add_measuring(commands: Commands) -> None:
    benchmarks = _command(
        commands, "benchmarks", _benchmarks, "load models' predictions for a dataset of a catalogue", _BENCHMARKS
    )
    benchmarks.add_argument("folder", metavar="DIR", type=Path, help="the models' predictions")
    benchmarks.add_argument("--dataset", metavar="NAME", help="only models of this dataset")
    add_catalogue(benchmarks, written=True)

    evaluating = _command(
        commands, "evaluate", _evaluate, "compare your predictions with original and corrected labels", _EVALUATE
    )
    evaluating.add_argument("name", metavar="NAME", help="a dataset of the catalogue")
    evaluating.add_argument("file", metavar="FILE", type=Path, help="predictions for its test set")
    says, reviewers = "reviewers that must agree on a correction", whole_number("a number of reviewers", 1, 100)
    evaluating.add_argument("--agreement", metavar="N", type=reviewers, help=says)
    add_classes_are(evaluating)
    evaluating.add_argument("--json", action="store_true", help="the same as the API answers")
    add_catalogue(evaluating, written=False)

    reproducing = _command(
        commands, "reproduce", _reproduce, "compare the paper's figures with those of a catalogue", _REPRODUCE
    )
    add_catalogue(reproducing, written=False)


def _command(commands: Commands, name: str, run_it: object, says: str, examples: str) -> argparse.ArgumentParser:
    as_written, told = argparse.RawDescriptionHelpFormatter, sentence(says)
    parser = commands.add_parser(name, help=says, description=told, epilog=examples, formatter_class=as_written)
    parser.set_defaults(command=run_it)
    return parser
