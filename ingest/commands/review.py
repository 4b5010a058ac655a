"""``label-errors review``: rounds in which people look at examples; opened, watched, closed and published.

Arguments in; what was done, as text or as JSON, out. ``app.reviews`` and ``ingest.catalogue.reviews`` do the work.
"""

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ingest.commands import review_exchange, review_offline, review_open, review_panel, review_raters, review_report
from ingest.commands.arguments import add_catalogue, sentence
from ingest.commands.review_examples import EXAMPLES_OF
from ingest.commands.review_open import count
from ingest.errors import CatalogueError
from ingest.progress import progress_for_terminal

if TYPE_CHECKING:
    from app.reviews.rounds import Round
    from app.reviews.store import Store

# The store and the catalogue are imported when they are used: other commands list these arguments and start faster.

SAYS: Final = "let people look at examples, blind, and vote"
EXAMPLES: Final = """\
examples:
  %(prog)s open sample-digits --votes 5
  %(prog)s links sample-digits-1 --raters 5 --base http://127.0.0.1:8000
  label-errors serve --reviews
  %(prog)s status sample-digits-1
  %(prog)s close sample-digits-1
  %(prog)s publish sample-digits-1

Votes are in a store of their own: $LABELERRORS_REVIEWS, a file or a database URL such as
postgresql+psycopg://host/name, or reviews.sqlite beside the catalogue. /docs/reviews of the site, docs/reviews.md,
leads through a round of five people.
"""
_DAY: Final = 86_400

Subcommands = Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the commands within the command."""
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    review_open.add_arguments(_command(commands, "open", review_open.run, review_open.SAYS, argument="NAME"))
    links = _command(commands, "links", _links, "make a signed link for each rater, or one for all")
    links.add_argument("--raters", metavar="N", type=count, default=0, help="links for so many new raters")
    links.add_argument("--name", metavar="NAME", action="append", default=[], help="a link for a new rater; repeatable")
    links.add_argument("--open", action="store_true", help="one link with which anybody joins who gives a name")
    links.add_argument("--owner", action="store_true", help="the owner's link, who sees the examples on the site too")
    links.add_argument(
        "--prolific",
        metavar="OUTCOME=CODE",
        action="append",
        default=[],
        help="the address of a study on Prolific, with its code for done, no_consent, screened_out or too_fast",
    )
    links.add_argument(
        "--mturk",
        metavar="N",
        type=count,
        nargs="?",
        const=20,
        help="the address and question of a task on Mechanical Turk, of N examples an assignment (20)",
    )
    links.add_argument("--revoke", metavar="RATER", help="accept this rater's link no longer; the votes stand")
    links.add_argument("--days", metavar="N", type=count, help="links lapse after so many days (default: never)")
    links.add_argument("--base", metavar="URL", default="http://127.0.0.1:8000", help="the address of the site")
    links.add_argument("--json", action="store_true", help="as JSON")
    status = _command(commands, "status", _status, "tell how far a round is, or each round", optional=True)
    status.add_argument("--json", action="store_true", help="as JSON")
    raters = _command(commands, "raters", _of_raters(review_raters.list_raters), review_raters.RATERS)
    raters.add_argument("--json", action="store_true", help="as JSON, with all figures of the round")
    for name, run_it, says, add in (
        ("exclude", review_raters.exclude_rater, review_raters.EXCLUDE, review_raters.add_exclude),
        ("include", review_raters.include_rater, review_raters.INCLUDE, review_raters.add_include),
        ("forget", review_raters.forget_rater, review_raters.FORGET, review_raters.add_forget),
        ("report", review_report.run, review_report.SAYS, review_report.add_arguments),
        ("offline", review_offline.run, review_offline.SAYS, review_offline.add_arguments),
        ("import", review_exchange.take_in, review_exchange.IMPORT, review_exchange.add_import),
        ("export", review_exchange.write_out, review_exchange.EXPORT, review_exchange.add_export),
    ):
        add(_command(commands, name, _of_raters(run_it), says))
    _command(commands, "close", _close, "take no more votes; the examples are shown on the site again")
    _command(commands, "reopen", _reopen, "take votes again")
    publishing = _command(commands, "publish", _publish, "bring the votes into the catalogue", written=True)
    publishing.add_argument("--json", action="store_true", help="as JSON")
    votes = _command(commands, "votes", _votes, "write the votes into a file, a record an example")
    votes.add_argument("--out", metavar="FILE", type=Path, required=True, help="where to write them (JSON)")
    votes.add_argument("--ratings", metavar="FILE", type=Path, help="the raw table too: .csv or .parquet")


def run(arguments: argparse.Namespace) -> int:
    """Run one of the commands within the command."""
    from app.reviews.questions import AnswerError
    from app.reviews.rounds import NoRoundError
    from app.reviews.store import Store, StoreError, store_url

    try:
        store = Store(store_url(os.environ.get("LABELERRORS_REVIEWS", ""), arguments.catalogue))
    except StoreError as error:
        raise CatalogueError(str(error)) from error
    try:
        status: int = arguments.of_review(store, arguments)
    except (NoRoundError, AnswerError) as error:
        raise CatalogueError(str(error)) from error
    finally:
        store.close()
    return status


def _command(
    commands: Subcommands,
    name: str,
    run_it: Callable[["Store", argparse.Namespace], int],
    says: str,
    *,
    argument: str = "ROUND",
    optional: bool = False,
    written: bool = False,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=says,
        description=sentence(says),
        epilog=EXAMPLES_OF.get(name),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = "a dataset of the catalogue" if argument == "NAME" else "the round, as `review open` named it"
    parser.add_argument("name_of", metavar=argument, nargs="?" if optional else None, help=what)
    add_catalogue(parser, written=written)
    parser.set_defaults(of_review=run_it)
    return parser


def _of_raters(
    run_it: Callable[["Store", "Round", argparse.Namespace], int],
) -> Callable[["Store", argparse.Namespace], int]:
    """A command about the raters of a round."""
    return lambda store, arguments: run_it(store, _round(store, arguments), arguments)


def _links(store: "Store", arguments: argparse.Namespace) -> int:
    from app.reviews.links import Link, Links
    from app.reviews.raters import add_rater, raters_of, revoke

    found, links = _round(store, arguments), Links(store)
    base, seconds = arguments.base.rstrip("/"), arguments.days and arguments.days * _DAY
    if arguments.revoke is not None:
        theirs = [one for one in raters_of(store, found) if arguments.revoke in (one.code, one.name)]
        if len(theirs) != 1:
            raise CatalogueError(f"{found.name}: expected one rater {arguments.revoke!r}, found {len(theirs)}")
        revoke(store, theirs[0])
        print(f"the link of {theirs[0].name} is no longer accepted")
        return 0

    def address(link: Link) -> str:
        owner = "owner/" if link.kind == "owner" else ""
        return f"{base}/review/{owner}{links.token(link, seconds=seconds)}"

    if arguments.prolific:
        return review_panel.study_address(store, found, arguments, links)
    if arguments.mturk is not None:
        return review_panel.external_question(store, found, arguments, links)
    if arguments.open or arguments.owner:
        kind = "open" if arguments.open else "owner"
        url = address(Link(kind, found.name))  # type: ignore[arg-type]
        print(json.dumps({"links": [{"rater": kind, "url": url}]}) if arguments.json else url)
        return 0
    before = len(raters_of(store, found))
    names = arguments.name or [f"rater {before + one + 1}" for one in range(arguments.raters or found.settings.votes)]
    made = [
        (rater.name, address(Link("rater", rater.code))) for rater in (add_rater(store, found, one) for one in names)
    ]
    if arguments.json:
        print(json.dumps({"links": [{"rater": name, "url": url} for name, url in made]}))
    else:
        print("\n".join(f"{name}\t{url}" for name, url in made))
    return 0


def _status(store: "Store", arguments: argparse.Namespace) -> int:
    from app.reviews.ratings import standing
    from app.reviews.rounds import all_rounds

    rounds = all_rounds(store) if arguments.name_of is None else [_round(store, arguments)]
    told = []
    for one in rounds:
        now = standing(store, one)
        facts = {"round": one.name, "dataset": one.dataset, "state": "closed" if one.closed else "open"}
        settings: dict[str, Any] = {"votes_wanted": one.settings.votes, "stop": one.settings.stop.value}
        told.append({**facts, **settings, "agreements": list(one.settings.agreements), **asdict(now)})
    if arguments.json:
        print(json.dumps(told if arguments.name_of is None else told[0]))
        return 0
    for facts in told:
        print(
            f"{facts['round']}: {facts['state']}; {facts['done']:,} of {facts['examples']:,} examples done, "
            f"{facts['votes']:,} votes, at least {facts['needed']:,} more needed; {facts['raters']} raters, "
            f"{facts['lent']} examples being looked at"
        )
    if arguments.name_of is not None:
        print(review_raters.weighing(store, rounds[0]))
    if not told:
        print("no round was opened yet")
    return 0


def _close(store: "Store", arguments: argparse.Namespace) -> int:
    return _set_closed(store, arguments, closed=True)


def _reopen(store: "Store", arguments: argparse.Namespace) -> int:
    return _set_closed(store, arguments, closed=False)


def _set_closed(store: "Store", arguments: argparse.Namespace, *, closed: bool) -> int:
    from app.reviews.rounds import set_closed

    found = _round(store, arguments)
    set_closed(store, found, closed=closed)
    print(f"{found.name} is {'closed' if closed else 'open'}")
    return 0


def _publish(store: "Store", arguments: argparse.Namespace) -> int:
    from app.reviews.ratings import ratings, vote_records
    from app.reviews.rounds import mark_published, published_rounds
    from ingest.catalogue.reviews.publish import publish
    from ingest.catalogue.reviews.rating_files import write_ratings, write_votes

    found, catalogue = _round(store, arguments), arguments.catalogue
    earlier = published_rounds(store, found.dataset)
    done = publish(store, found, earlier, catalogue, wait=arguments.wait, progress=progress_for_terminal())
    mark_published(store, found)
    folder = catalogue.parent / "reviews" / found.name
    folder.mkdir(parents=True, exist_ok=True)
    write_votes(folder / "votes.json", vote_records(store, found))
    for name in ("ratings.csv", "ratings.parquet"):
        write_ratings(folder / name, ratings(store, found))
    if arguments.json:
        print(json.dumps({"round": found.name, **asdict(done), "files": str(folder)}))
        return 0
    print(
        f"{found.dataset}: {done.examples:,} examples reviewed by {done.raters} raters; {done.errors:,} errors in all"
    )
    if done.left_out:
        print(f"{done.left_out:,} examples left out: they have too few votes for a verdict")
    if done.changed:
        print(
            f"{done.changed:,} examples left out: their label or their classes have changed since they were asked about"
        )
    print(f"wrote {catalogue}, and votes and ratings into {folder}")
    return 0


def _votes(store: "Store", arguments: argparse.Namespace) -> int:
    from app.reviews.ratings import ratings, vote_records
    from ingest.catalogue.reviews.rating_files import write_ratings, write_votes

    found = _round(store, arguments)
    records = vote_records(store, found)
    if not records:
        raise CatalogueError(f"{found.name}: expected votes, found none that stand")
    write_votes(arguments.out, records)
    print(f"wrote {arguments.out}: {len(records):,} examples with votes")
    if arguments.ratings is not None:
        n = write_ratings(arguments.ratings, ratings(store, found))
        print(f"wrote {arguments.ratings}: {n:,} answers")
    return 0


def _round(store: "Store", arguments: argparse.Namespace) -> "Round":
    from app.reviews.rounds import find_round

    return find_round(store, arguments.name_of)
