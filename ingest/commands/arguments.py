"""Command-line arguments shared by several commands."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, TypeAlias

from app import __version__
from app.evaluation.tables.class_spelling import CLASSES_ARE

#: Where commands are added to a parser.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


class _Version(argparse.Action):
    """Says the version, and by what confident learning looks at rows; loads for it what other commands do without."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from ingest.matrices.row_kernel import LOOKER

        print(f"label-errors {__version__}, confident learning by {LOOKER}")
        parser.exit()


def add_version(parser: argparse.ArgumentParser) -> None:
    """That only the version is asked for."""
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version, and whether it is compiled")


def add_media(parser: argparse.ArgumentParser) -> None:
    """Where the media lie."""
    parser.add_argument("--media", metavar="DIR", type=Path, help="folder with the datasets' own files to show")


def add_dropping(parser: argparse.ArgumentParser) -> None:
    """That media may go."""
    says = "where no media are found now, drop those that the catalogue has (default: say so and keep the dataset)"
    parser.add_argument("--drop-media", action="store_true", help=says)


def add_datasets(parser: argparse.ArgumentParser, names: Sequence[str]) -> None:
    """Which of the datasets."""
    known = f"only this dataset; may be given again (known: {', '.join(names)})"
    parser.add_argument("--dataset", metavar="NAME", action="append", default=[], choices=names, help=known)


def add_catalogue(parser: argparse.ArgumentParser, *, written: bool) -> None:
    """The catalogue, and for one that is ``written``, how long to wait for another writer."""
    default = Path(os.environ.get("LABELERRORS_CATALOGUE") or "var/catalogue.sqlite")
    parser.add_argument(
        "--catalogue",
        metavar="FILE",
        type=Path,
        default=default,
        help=f"the catalogue ($LABELERRORS_CATALOGUE or var/catalogue.sqlite; now {default})",
    )
    if written:
        seconds = "how long to wait for another ingest into the same catalogue (default: 60)"
        parser.add_argument("--wait", metavar="SECONDS", type=_seconds, default=60.0, help=seconds)


def add_classes_are(parser: argparse.ArgumentParser) -> None:
    """Whether texts that stand for classes are names or numbers, where they could be either."""
    says = "what classes in the file are; only needed where class names are numbers themselves, and both would fit"
    parser.add_argument("--classes-are", choices=CLASSES_ARE, help=says)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected seconds, 0 or more, found {text}")
    return seconds
