"""The command-line parser: arguments in, exit status out; the work is done in other modules.

Exit status: 0 done, 1 something about data, media or catalogue is wrong, 2 wrong usage, 130 interrupted.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ingest.commands import measuring
from ingest.commands.arguments import (
    Commands,
    add_catalogue,
    add_dask,
    add_datasets,
    add_media_choices,
    add_version,
    asked_for,
    does,
    sentence,
)
from ingest.errors import IngestError, system_error
from ingest.progress import progress_for_terminal

if TYPE_CHECKING:
    from ingest.pipeline import IngestJob

# Modules are imported where they are used, so a command starts without what the others need.

#: What gives a parser the arguments of a command, and the command.
_Describe: TypeAlias = Callable[[argparse.ArgumentParser], None]

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
    add_commands(commands, asked_for(given))
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
        print(f"error: {system_error(error)}", file=sys.stderr)
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
    from ingest.commands.catalogue_report import catalogue_report

    print(catalogue_report(arguments.catalogue))
    return 0


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


def add_commands(commands: Commands, asked: str | None) -> None:
    """Add all commands in the order of their usual use: by name, and with its arguments the one that is ``asked`` for.

    All have their arguments where that is None. What the others are made of is not loaded.
    """
    for name, (says, describe) in COMMANDS.items():
        as_written, told = argparse.RawDescriptionHelpFormatter, sentence(says)
        parser = commands.add_parser(name, help=says, description=told, formatter_class=as_written)
        if asked is None or asked == name:
            describe(parser)


def _describe_sample(parser: argparse.ArgumentParser) -> None:
    does(parser, _sample, _SAMPLE)
    add_catalogue(parser, written=True)


def _describe_release(parser: argparse.ArgumentParser) -> None:
    does(parser, _release, _RELEASE)
    parser.add_argument("folder", metavar="DIR", type=Path, help="the release, as cloned")
    add_media_choices(parser)
    add_dask(parser)
    add_datasets(parser)
    add_catalogue(parser, written=True)


def _describe_add(parser: argparse.ArgumentParser) -> None:
    does(parser, _add, _ADD)
    parser.add_argument("manifest", metavar="MANIFEST.toml", type=Path, help="what the dataset is")
    parser.add_argument("folder", metavar="DIR", type=Path, help="where its files are")
    add_media_choices(parser)
    add_dask(parser)
    add_catalogue(parser, written=True)


def _describe_list(parser: argparse.ArgumentParser) -> None:
    does(parser, _list, _LIST)
    add_catalogue(parser, written=False)


def _module(name: str, *, written: bool | None = None) -> _Describe:
    """Describe a command that is a module of its own; ``written`` as for ``add_catalogue``, None if that is its own."""

    def describe(parser: argparse.ArgumentParser) -> None:
        module: Any = import_module(f"ingest.commands.{name}")
        does(parser, module.run, module.EXAMPLES)
        module.add_arguments(parser)
        if written is not None:
            add_catalogue(parser, written=written)

    return describe


#: The commands: what each does, and what describes its arguments.
COMMANDS: Final[Mapping[str, tuple[str, _Describe]]] = {
    "sample": ("make three small datasets to try the site with", _describe_sample),
    "release": (
        "load the paper's ten datasets from a clone of its release, or MMLU from that of MMLU-Redux",
        _describe_release,
    ),
    "init": ("describe a folder of labelled files as a dataset of your own", _module("init")),
    "add": ("add a dataset of your own", _describe_add),
    "predict": ("predict probabilities of a dataset, by cross-validation", _module("predict")),
    "try": (
        "show the suspects of a folder of labelled files: init, predict, add and serve in a row",
        _module("try_folder"),
    ),
    "review": ("let people look at examples, blind, and vote", _module("review")),
    "disputes": ("decide what visitors of the site dispute", _module("disputes")),
    "audit": ("find questions whose answer key is probably wrong, in models' evaluation logs", _module("audit")),
    "opinions": ("say what an independent relabelling makes of the corrections of a dataset", _module("opinions")),
    "check": ("say what `release` or `add` would load, and what is missing or wrong", _module("check")),
    "list": ("list what a catalogue holds", _describe_list),
    "media": ("fetch the media that a dataset lacks from the web", _module("media", written=True)),
    "benchmarks": ("load models' predictions for a dataset of a catalogue", measuring.describe_benchmarks),
    "evaluate": ("compare your predictions with original and corrected labels", measuring.describe_evaluate),
    "reproduce": ("compare the paper's figures with those of a catalogue", measuring.describe_reproduce),
    "export": ("write a corrected test set to a file", _module("export", written=False)),
    "task": (
        "write a corrected benchmark of questions, and a task for lm-evaluation-harness",
        _module("task", written=False),
    ),
    "flag": ("find label errors in a matrix of your own, without a catalogue", _module("flag")),
}
