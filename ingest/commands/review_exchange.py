"""``label-errors review import`` and ``export``: votes of other tools, and for them."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ingest.commands.review_offline import is_answers, take_in_answers
from ingest.errors import CatalogueError, DataError

if TYPE_CHECKING:
    from app.reviews.rounds import Round
    from app.reviews.store import Store

IMPORT: Final = "take votes that were given elsewhere into a round: all of a file, or none"
EXPORT: Final = "write the examples of a round with their votes for another tool"


def add_import(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``import``."""
    parser.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        help="a table example, rater, answer (.csv, .parquet), batch results of MTurk (.csv), an export of Label "
        "Studio (.json), or the answers of an offline page (.json)",
    )
    parser.add_argument("--by", choices=("index", "key"), help="what the file calls examples by (default: as it fits)")
    parser.add_argument("--json", action="store_true", help="as JSON")


def add_export(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``export``."""
    parser.add_argument("--format", choices=("label-studio",), required=True, help="the tool to write for")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="where to write it (JSON)")
    parser.add_argument("--base", metavar="URL", default="http://127.0.0.1:8000", help="the address of the site")


def take_in(store: "Store", found: "Round", arguments: argparse.Namespace) -> int:
    """Import the votes of a file, and say what was matched."""
    from app.reviews.elsewhere.vote_import import VoteImportError, import_votes
    from ingest.catalogue.reviews.exchange.label_studio import read_label_studio
    from ingest.catalogue.reviews.exchange.vote_tables import read_vote_table
    from ingest.labels.files import read_json

    if arguments.file.suffix.lower() == ".json":
        content = read_json(arguments.file)
        if is_answers(content):
            return take_in_answers(store, found, arguments.file, content)
    index_of = _index_of(store, found, arguments)
    read = read_label_studio if arguments.file.suffix.lower() == ".json" else read_vote_table
    votes = read(arguments.file, index_of)
    if not votes.votes:
        raise DataError(arguments.file, "expected votes, found none")
    try:
        done = import_votes(store, found, votes.votes)
    except VoteImportError as error:
        raise DataError(arguments.file, error.finding, record=error.where) from error
    if arguments.json:
        print(json.dumps({"round": found.name, **asdict(done), "left_out": list(votes.left_out)}))
        return 0
    print(
        f"read {arguments.file} as {votes.read_as}: took {done.taken:,} votes on {done.examples:,} examples into "
        f"{found.name}; {done.new_raters} new raters"
    )
    for told in votes.left_out:
        print(told)
    if done.known:
        print(f"{done.known:,} votes were here already")
    if done.surplus:
        print(
            f"{done.surplus:,} votes are kept and do not count: the round asks for {found.settings.votes} an example, "
            "and the first ones count"
        )
    if done.excluded:
        print(f"{done.excluded:,} votes are of excluded raters and do not count")
    return 0


def write_out(store: "Store", found: "Round", arguments: argparse.Namespace) -> int:
    """Write the round for another tool."""
    from app.reviews.owner.given_answers import answers_of
    from ingest.catalogue.reviews.exchange.label_studio import label_studio_tasks
    from ingest.catalogue.reviews.rating_files import write_votes

    tasks = label_studio_tasks(answers_of(store, found), arguments.base)
    if not tasks:
        raise CatalogueError(f"{found.name}: expected votes, found none that stand")
    write_votes(arguments.out, tasks)
    print(f"wrote {arguments.out}: {len(tasks):,} examples with votes")
    return 0


def _index_of(store: "Store", found: "Round", arguments: argparse.Namespace) -> Callable[[object], int | None]:
    """Index of an example by what a file calls it. Raises CatalogueError where that can be an index or a key.

    What it gives raises DataError for a key of several examples.
    """
    from sqlalchemy import select

    from app.reviews.tables import items
    from app.schema import tables
    from ingest.catalogue.open import open_catalogue
    from ingest.catalogue.reviews.round_items import dataset_row

    with store.reading() as connection:
        asked = set(connection.scalars(select(items.c.idx).where(items.c.round_id == found.id)))
    with open_catalogue(arguments.catalogue) as catalogue:
        dataset, i = dataset_row(catalogue, found.dataset), tables.issues.c
        rows = catalogue.execute(select(i.idx, i.key).where(i.dataset_id == dataset.id, i.key.is_not(None)))
        keys: dict[str, list[int]] = {}
        for row in rows:
            if row.idx in asked:
                keys.setdefault(row.key, []).append(row.idx)
    if arguments.by is None and any(key.isdecimal() for key in keys):
        raise CatalogueError(
            f"{found.dataset} has keys that are numbers: expected --by index or --by key, to tell one from the other"
        )

    def index_of(name: object) -> int | None:
        text = str(name).strip()
        if arguments.by != "key" and text.isascii() and text.isdecimal() and len(text) < 16:
            return int(text)
        known = [] if arguments.by == "index" else keys.get(text, [])
        if len(known) > 1:
            several = f"examples {min(known)} and {max(known)} are both called {text}"
            raise DataError(arguments.file, f"{several}: call the examples by their index")
        return known[0] if known else None

    return index_of
