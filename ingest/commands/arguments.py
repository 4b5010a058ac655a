"""Command-line arguments shared by several commands."""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeAlias

from app import __version__
from app.evaluation.tables.class_spelling import CLASSES_ARE

#: The object to which a parser's commands are added.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


class _Version(argparse.Action):
    """Print the version and the kind of row kernel; loads modules that other commands do not need."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from ingest.matrices.row_kernel import LOOKER

        print(f"label-errors {__version__}, confident learning by {LOOKER}")
        parser.exit()


def asked_for(given: Sequence[str]) -> str:
    """The command that arguments name; empty if none. Only that one has to be described, and loaded."""
    return next((argument for argument in given if not argument.startswith("-")), "")


def does(parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int], examples: str) -> None:
    """Say what the command of a parser does: ``run``, as in the ``examples``."""
    parser.epilog = examples
    parser.set_defaults(command=run)


def add_version(parser: argparse.ArgumentParser) -> None:
    """Add the option that prints only the version."""
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version, and whether it is compiled")


def add_media(parser: argparse.ArgumentParser) -> None:
    """Add the option for the folder of the media."""
    parser.add_argument("--media", metavar="DIR", type=Path, help="folder with the datasets' own files to show")


def add_media_choices(parser: argparse.ArgumentParser) -> None:
    """Add the options for the media of datasets that are written into a catalogue."""
    add_media(parser)
    add_media_for(parser)
    says = "where no media are found now, drop those that the catalogue has (default: say so and keep the dataset)"
    parser.add_argument("--drop-media", action="store_true", help=says)


def add_dask(parser: argparse.ArgumentParser) -> None:
    """Add the option for where confident learning runs."""
    says = 'let Dask\'s workers flag: a scheduler, or "local" (or "local:4") to start some for this run'
    parser.add_argument("--dask", metavar="ADDRESS|local[:N]", help=says)


def add_media_for(parser: argparse.ArgumentParser) -> None:
    """Add the option that says for which issues media are stored."""
    says = "whose media: of all issues (the default), the reviewed ones, or these and the N most suspicious"
    parser.add_argument("--media-for", metavar="all|reviewed|N", type=_media_for, default="all", help=says)


def add_datasets(parser: argparse.ArgumentParser) -> None:
    """Add the argument that selects datasets of the release."""
    from ingest.manifest.parse import DATASETS, read_manifests

    names = [manifest.name for manifest in read_manifests(DATASETS)]
    known = f"only this dataset; may be given again (known: {', '.join(names)})"
    parser.add_argument("--dataset", metavar="NAME", action="append", default=[], choices=names, help=known)


def add_catalogue(parser: argparse.ArgumentParser, *, written: bool) -> None:
    """Add the catalogue, and if it is ``written``, how long to wait for another writer."""
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


def add_classes_are(parser: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    """Add the option for ambiguous class texts: whether they are names or numbers."""
    says = "what classes in files are, where names of classes are numbers"
    parser.add_argument("--classes-are", choices=CLASSES_ARE, help=says)


def sentence(says: str) -> str:
    """What a command does, as its list says it, as a sentence of its own help.

    >>> sentence("list what a catalogue holds")
    'List what a catalogue holds.'
    """
    return f"{says[0].upper()}{says[1:]}."


def whole_number(what: str, least: int, most: int) -> Callable[[str], int]:
    """The type of an argument that is a whole number in ASCII digits, within limits; ``what`` says of what."""

    def number(text: str) -> int:
        digits = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
        if not digits or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"expected {what} from {least:,} to {most:,}, found {text}")
        return int(text)

    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected seconds, 0 or more, found {text}")
    return seconds


def _media_for(text: str) -> str | int:
    if text in ("all", "reviewed"):
        return text
    if text.isascii() and text.isdecimal() and len(text) < 16:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected all, reviewed or a number of issues, found {text}")
