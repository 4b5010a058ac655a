"""``label-errors review report``: a report of a round for an appendix."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ingest.errors import DataError

if TYPE_CHECKING:
    from app.reviews.rounds import Round
    from app.reviews.store import Store

SAYS: Final = "write a report of a round: method, categories, agreement, raters, exclusions, costs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="where to write it: .html or .md")


def run(store: "Store", found: "Round", arguments: argparse.Namespace) -> int:
    """Write the report."""
    from app.reviews.owner.round_report import as_html, as_markdown, round_report
    from ingest.catalogue.reviews.rating_files import write_whole

    writers = {".html": as_html, ".md": as_markdown}
    write = writers.get(arguments.out.suffix.lower())
    if write is None:
        raise DataError(arguments.out, "expected a name that ends in .html or .md")
    title = f"Reviews of {found.settings.title or found.dataset}: round {found.name}"
    write_whole(arguments.out, write(title, round_report(store, found)).encode())
    print(f"wrote {arguments.out}")
    return 0
