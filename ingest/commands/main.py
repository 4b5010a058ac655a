"""The commands: arguments in, exit status out. What they do is done elsewhere.

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

from ingest.commands import check, flag, media
from ingest.commands.arguments import add_catalogue, add_classes_are, add_datasets, add_dropping, add_media
from ingest.errors import IngestError
from ingest.manifest.parse import DATASETS, read_manifest, read_manifests
from ingest.progress import progress_for_terminal

if TYPE_CHECKING:
    from ingest.pipeline import Order

# What needs the database is imported where it is used: ``flag`` does without, and starts sooner.

_DESCRIPTION = """\
Turn files about label errors into a catalogue: one SQLite file, from which the site is served.

  python -m ingest sample                     three small made-up datasets, to see the site at once
  python -m ingest release DIR                the ten datasets of the paper, from a clone of its release
  python -m ingest add MANIFEST.toml DIR      a dataset of your own
  python -m ingest check DIR                  what `release` would load, and what is missing or wrong
  python -m ingest check MANIFEST.toml DIR    the same of what `add` would load
  python -m ingest list                       what a catalogue holds
  python -m ingest media NAME --from URLS     what a dataset lacks of its media, from the web
  python -m ingest benchmarks DIR             models' predictions for a dataset that is there already
  python -m ingest evaluate NAME FILE         your predictions against original and corrected labels
  python -m ingest reproduce                  the paper's figures beside those of a catalogue
  python -m ingest flag MATRIX --labels FILE  confident learning alone, without a catalogue

The catalogue is replaced in one step at the very end; whatever goes wrong before leaves it as it was, and a running
server picks the new one up by itself. Datasets that a command does not name stay in the catalogue.
"""

_RELEASE = """\
examples:
  git clone https://github.com/cleanlab/label-errors
  python -m ingest release label-errors
  python -m ingest release label-errors --media downloads --dataset mnist --dataset imdb

DIR is the clone. Files that are not there (large ones are separate downloads) are said to be missing, and the rest is
loaded. --media names a folder with the datasets' own distributions, packed or unpacked, such as
t10k-images-idx3-ubyte.gz, cifar-10-binary.tar.gz, 20news-bydate.tar.gz and aclImdb_v1.tar.gz.
"""

_ADD = """\
example:
  python -m ingest add pets.toml pets-labels --media pets-photos

The manifest says what the dataset is and which files in DIR hold labels, predicted probabilities and votes; every file
it names must be there. The manifests in data/datasets are examples of all that one can say.
"""

_LIST = """\
examples:
  python -m ingest list
  python -m ingest list --catalogue var/real.sqlite
"""

_BENCHMARKS = """\
examples:
  git clone https://github.com/cgnorthcutt/benchmarking-keras-pytorch
  python -m ingest benchmarks benchmarking-keras-pytorch --dataset cifar10
  python -m ingest benchmarks my-models --dataset mnist

DIR holds folders PLATFORM_DATASET with MODEL_PLATFORM_DATASET_top5preds.npy and ..._top5probs.npy, or files MODEL.csv,
.npy, .npz, .parquet or .json with a class, ranked classes or a probability row an example, and perhaps a models.toml
that says more of them (see ingest/datasets/model_folders.py). Models of the same platform and name are replaced,
others stay.
"""

_EVALUATE = """\
examples:
  python -m ingest evaluate cifar10 predictions.csv
  python -m ingest evaluate imagenet logits.npy --agreement 5 --json

Nothing leaves this machine and nothing is stored. FILE is .csv, .npy, .npz, .parquet or .json, with a class (by name or
number), ranked classes, or a score for each class in every row; rows are in the order of the test set, or name their
example in a column index or key. CSV may be separated by commas, semicolons or tabs, and may have decimal commas where
commas do not separate. Where class names are numbers themselves, --classes-are says which of the two a file has.
"""

_REPRODUCE = """\
example:
  python -m ingest reproduce --catalogue var/real.sqlite

Exit status 1 when a figure differs for which no reason is known.
"""

_SAMPLE = """\
example:
  python -m ingest sample

Makes three small datasets, one each of images, texts and sounds, with planted label errors and simulated raters, and
ingests them as any other. The site says on every page of theirs what they are.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    parsed = _parser(light=given[:1] == ["flag"]).parse_args(given)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        status: int = parsed.command(parsed)
        sys.stdout.flush()
    except (IngestError, MemoryError) as error:
        print(f"error: {str(error) or 'there is too little memory'}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would complain once more when it flushes on exit.
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
    from ingest.pipeline import Order
    from ingest.sample import write_sample
    from ingest.sample.models import models_of

    with tempfile.TemporaryDirectory(prefix="label-errors-sample-") as folder:
        manifests = [read_manifest(path) for path in write_sample(Path(folder))]
        places = [(manifest, manifest.path.parent) for manifest in manifests]
        orders = [Order(one, at, at, complete=True, models=models_of(at)) for one, at in places]
        return _ingest(orders, arguments)


def _release(arguments: argparse.Namespace) -> int:
    from ingest.pipeline import orders_of_release

    orders = orders_of_release(arguments.folder, arguments.media, arguments.dataset)
    return _ingest([replace(order, drop_media=arguments.drop_media) for order in orders], arguments)


def _add(arguments: argparse.Namespace) -> int:
    from ingest.pipeline import Order

    manifest, drop = read_manifest(arguments.manifest), arguments.drop_media
    return _ingest([Order(manifest, arguments.folder, arguments.media, complete=True, drop_media=drop)], arguments)


def _ingest(orders: "Sequence[Order]", arguments: argparse.Namespace) -> int:
    from ingest.commands.reports import summary
    from ingest.pipeline import run

    stored = run(orders, arguments.catalogue, wait=arguments.wait, progress=progress_for_terminal())
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

    at, catalogue = arguments.agreement, arguments.catalogue
    how = {"as_json": arguments.json, "classes_are": arguments.classes_are}
    print(evaluation_report(arguments.name, arguments.file, at, catalogue, **how))
    return 0


def _reproduce(arguments: argparse.Namespace) -> int:
    from ingest.commands.models import reproduction_report

    report, holds = reproduction_report(arguments.catalogue)
    print(report)
    return 0 if holds else 1


def _parser(*, light: bool) -> argparse.ArgumentParser:
    """All commands; ``light`` leaves out what loads heavy packages only to be described."""
    parser = argparse.ArgumentParser(
        prog="python -m ingest", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    names = [manifest.name for manifest in read_manifests(DATASETS)]

    sample = _command(commands, "sample", _sample, "make and ingest the embedded sample", _SAMPLE)
    add_catalogue(sample, written=True)

    release = _command(commands, "release", _release, "ingest the release of the paper's label errors", _RELEASE)
    release.add_argument("folder", metavar="DIR", type=Path, help="the release, as cloned")
    add_media(release)
    add_dropping(release)
    add_datasets(release, names)
    add_catalogue(release, written=True)

    add = _command(commands, "add", _add, "ingest a dataset of your own", _ADD)
    add.add_argument("manifest", metavar="MANIFEST.toml", type=Path, help="what the dataset is")
    add.add_argument("folder", metavar="DIR", type=Path, help="where its files are")
    add_media(add)
    add_dropping(add)
    add_catalogue(add, written=True)

    says = "say what a dataset holds, lacks and has wrong"
    check.add_arguments(_command(commands, "check", check.run, says, check.EXAMPLES), names)

    listing = _command(commands, "list", _list, "say what a catalogue holds", _LIST)
    add_catalogue(listing, written=False)

    says = "find label errors in a matrix of your own, without a catalogue"
    flag.add_arguments(_command(commands, "flag", flag.run, says, flag.EXAMPLES))
    fetching = _command(commands, "media", media.run, "fetch media from the web", media.EXAMPLES)
    media.add_arguments(fetching)
    add_catalogue(fetching, written=True)
    _add_measuring(commands)
    if not light:
        from ingest.commands import export

        says = "write a corrected test set to a file"
        exported = _command(commands, "export", export.run, says, export.EXAMPLES)
        export.add_arguments(exported)
        add_catalogue(exported, written=False)
    return parser


def _add_measuring(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    benchmarks = _command(commands, "benchmarks", _benchmarks, "ingest models' predictions", _BENCHMARKS)
    benchmarks.add_argument("folder", metavar="DIR", type=Path, help="the models' predictions")
    benchmarks.add_argument("--dataset", metavar="NAME", help="only models of this dataset")
    add_catalogue(benchmarks, written=True)

    evaluating = _command(commands, "evaluate", _evaluate, "say how good predictions are", _EVALUATE)
    evaluating.add_argument("name", metavar="NAME", help="a dataset of the catalogue")
    evaluating.add_argument("file", metavar="FILE", type=Path, help="predictions for its test set")
    evaluating.add_argument("--agreement", metavar="N", type=int, help="reviewers that must agree on a correction")
    add_classes_are(evaluating)
    evaluating.add_argument("--json", action="store_true", help="the same as the API answers")
    add_catalogue(evaluating, written=False)

    reproducing = _command(commands, "reproduce", _reproduce, "compare with the paper's figures", _REPRODUCE)
    add_catalogue(reproducing, written=False)


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run_it: object, says: str, examples: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=says, description=says, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(command=run_it)
    return parser
