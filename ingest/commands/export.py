"""``python -m ingest export``: write a corrected test set to a file, with the same bytes that the site serves.

The file is written completely or not at all. Its contents are decided in ``app.corrected`` and ``app.domain``.
"""

import argparse
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from app.corrected import blocks, original_test_set
from app.corrected.formats import FORMATS, DoesNotFitError, by_name, write
from app.corrected.policy import PARAMETERS, PolicyError, parse
from ingest.catalogue.open import open_catalogue
from ingest.errors import IngestError, writing

#: What rows say on request.
_COLUMNS: Final = ("opinions", "confidences")
EXAMPLES: Final = f"""\
examples:
  %(prog)s imagenet --out imagenet-corrected.csv
  %(prog)s cifar10 --policy agreement=4 --policy neither=given --format npy --out labels.npy
  %(prog)s imagenet --policy multi_label=both --removed include --out labels.parquet
  %(prog)s imagenet --policy confidence=0.9 --confidences include --out sure.csv

A policy says which corrections to trust, as the site's page /NAME/corrected does. Its parts are
{", ".join(PARAMETERS)}.
What is left out is as in the paper. Formats are {", ".join(FORMATS)}.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``export``, except the catalogue."""
    parser.add_argument("name", metavar="NAME", help="a dataset of the catalogue")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="the file to write")
    parser.add_argument("--format", choices=list(FORMATS), help="its format (default: by the ending of FILE)")
    parser.add_argument(
        "--policy", metavar="NAME=VALUE", type=_pair, action="append", default=[], help="a part of the policy"
    )
    parser.add_argument("--removed", choices=("omit", "include"), default="", help="whether removed rows are listed")
    for name, says in (("opinions", "what second opinions hold"), ("confidences", "how sure corrections are")):
        parser.add_argument(f"--{name}", choices=("omit", "include"), default="", help=f"whether rows say {says}")


def run(arguments: argparse.Namespace) -> int:
    """Write the file and print its size and SHA-256."""
    form = FORMATS[arguments.format] if arguments.format else by_name(arguments.out.name)
    if form is None:
        raise IngestError(f"{arguments.out}: expected a name that ends in .{', .'.join(FORMATS)}, or --format")
    if not arguments.out.absolute().parent.is_dir():
        raise IngestError(f"{arguments.out}: expected a folder {arguments.out.parent} to write it in, found none")
    if arguments.out.is_dir():
        raise IngestError(f"{arguments.out}: expected a file to write, found a folder")
    pairs = list(arguments.policy)
    if form.lists_rows:
        pairs += [("removed", arguments.removed)]
        pairs += [(name, getattr(arguments, name)) for name in _COLUMNS]
    elif arguments.removed:
        raise IngestError(
            f"--removed: a .{form.suffix} file has a place for every example, so nothing is left out of it"
        )
    elif asked := [name for name in _COLUMNS if getattr(arguments, name)]:
        raise IngestError(f"--{asked[0]}: a .{form.suffix} file holds labels alone")
    with open_catalogue(arguments.catalogue) as connection:
        try:
            found = original_test_set.load(connection, arguments.name)
            names = [source.name for source in found.opinions]
            wanted = parse(
                pairs, found.agreements, removed=form.lists_rows, opinions=names, no_confidence=found.no_confidence
            )
            corrected = blocks.corrected(connection, found, wanted)
            pieces = write(form, connection, corrected)
        except (PolicyError, DoesNotFitError, LookupError) as error:
            raise IngestError(f"{arguments.name}: {error}") from error
        size, digest = _written(pieces, arguments.out)
    print(f"wrote {arguments.out}: {size:,} bytes, sha256 {digest}")
    return 0


def _written(pieces: Iterator[bytes], out: Path) -> tuple[int, str]:
    """Write under a temporary name beside the file and rename it."""
    digest, size = hashlib.sha256(), 0
    number, name = tempfile.mkstemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent)
    part = Path(name)
    try:
        with writing(out), os.fdopen(number, "wb") as file:
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
                size += len(piece)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes the file private; give it the permissions of the user's umask instead.
        mask = os.umask(0)
        os.umask(mask)
        part.chmod(0o666 & ~mask)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return size, digest.hexdigest()


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or name not in PARAMETERS or not value:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(PARAMETERS)} as NAME=VALUE, found {text!r}")
    return name, value
