"""``label-errors review offline``: a file with which a rater answers without a server."""

import argparse
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ingest.errors import CatalogueError, DataError, shown

if TYPE_CHECKING:
    from app.reviews.rounds import Round
    from app.reviews.store import Store

SAYS: Final = "write one HTML file with which a rater answers without a server"
#: The key by which a file of answers is known.
MARK: Final = "label_errors_answers"
_DAY: Final = 86_400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--rater", metavar="NAME", required=True, help="who answers; a new rater if there is none yet")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="where to write it (.html)")
    parser.add_argument("--days", metavar="N", type=int, default=30, help="how long the examples are lent (default 30)")


def run(store: "Store", found: "Round", arguments: argparse.Namespace) -> int:
    """Lend the rater all that is open, and write it into a file."""
    from sqlalchemy import select

    from app.reviews.elsewhere.offline_tasks import lend_for_days
    from app.reviews.owner.exclusions import NoRaterError, rater_named
    from app.reviews.raters import add_rater, kept_name, raters_of
    from app.reviews.tables import shelves
    from ingest.catalogue.open import open_catalogue
    from ingest.catalogue.reviews.exchange.offline_page import offline_page
    from ingest.catalogue.reviews.rating_files import write_whole
    from ingest.catalogue.reviews.round_items import dataset_row

    if found.closed:
        raise CatalogueError(f"{found.name} is closed; `review reopen` opens it")
    if arguments.days < 1:
        raise CatalogueError(f"--days: expected 1 or more, found {arguments.days}")
    if not kept_name(arguments.rater).strip():
        raise CatalogueError(f"--rater: expected the name of a rater, found {arguments.rater!r:.80}")
    known = [one for one in raters_of(store, found) if arguments.rater in (one.name, one.code)]
    try:
        rater = rater_named(store, found, arguments.rater) if known else add_rater(store, found, arguments.rater)
    except NoRaterError as error:
        raise CatalogueError(str(error)) from error
    with store.reading() as connection:
        rows = connection.execute(select(shelves).where(shelves.c.round_id == found.id))
        classes = {row.class_id: row for row in rows}
    with open_catalogue(arguments.catalogue) as catalogue:
        dataset = dataset_row(catalogue, found.dataset)
        tasks = lend_for_days(store, rater, found, arguments.days * _DAY)
        if not tasks:
            raise CatalogueError(f"{found.name}: expected examples for {rater.name} to look at, found none")
        page = offline_page(catalogue, dataset.id, found, rater.code, tasks, classes)
    write_whole(arguments.out, page.encode())
    print(f"wrote {arguments.out}: {len(tasks):,} examples for {rater.name}, lent for {arguments.days} days")
    print(f"next: label-errors review import {found.name} {found.name}-answers.json")
    return 0


def is_answers(content: Any) -> bool:
    """Whether a JSON file has the answers of an offline page."""
    return isinstance(content, dict) and MARK in content


def take_in_answers(store: "Store", found: "Round", path: Path, content: dict[str, Any]) -> int:
    """Take the answers of an offline page, and say which were not."""
    from app.reviews.elsewhere.offline_tasks import take_answers
    from app.reviews.raters import raters_of
    from app.reviews.voting import Elsewhere, Vote

    if content.get("round") != found.name:
        raise DataError(path, f"expected answers of {found.name}, found those of {shown(content.get('round'))}")
    rater = next((one for one in raters_of(store, found) if one.code == content.get("rater")), None)
    if rater is None:
        raise DataError(path, f"expected a rater of {found.name}, found {shown(content.get('rater'))}")
    given = content.get("answers")
    if not isinstance(given, list):
        raise DataError(path, f"expected a list of answers, found {shown(given)}")
    votes = []
    for place, one in enumerate(given):
        try:
            vote = Vote(str(one["task"]), one["answer"], str(uuid.UUID(one["key"])))
            votes.append((vote, Elsewhere(_seconds(one.get("seconds")))))
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            expected = '{"task", "answer", "key"} and "seconds", a number'
            raise DataError(path, f"expected {expected}, found {shown(one)}", record=f"answer {place}") from error
    done = take_answers(store, rater, found, votes)
    print(f"took {done.taken:,} of {len(votes):,} answers of {rater.name} into {found.name}")
    if rater.excluded:
        print(f"{rater.name} is excluded: these answers are kept and do not count")
    for task, why in done.refused:
        print(f"not taken: {json.dumps(task)}: {why}")
    return 1 if done.refused else 0


def _seconds(value: object) -> float | None:
    """How long an answer took. Raises ValueError for what is no such number; a file may not say it."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise ValueError("expected seconds")
    return float(value)
