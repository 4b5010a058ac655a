"""``label-errors review``: rounds in which people look at examples; opened, watched, closed and published.

Arguments in; what was done, as text or as JSON, out. ``app.reviews`` and ``ingest.catalogue.reviews`` do the work.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ingest.commands import review_exchange, review_links, review_offline, review_open, review_raters, review_report
from ingest.commands.arguments import add_catalogue, sentence
from ingest.commands.review_examples import EXAMPLES_OF
from ingest.errors import CatalogueError
from ingest.progress import progress_for_terminal

if TYPE_CHECKING:
    from app.reviews.disputes.moderation import Result
    from app.reviews.rounds import Round
    from app.reviews.store import Store

# The store and the catalogue are imported when they are used: other commands list these arguments and start faster.

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

Subcommands = Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the commands within the command."""
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    review_open.add_arguments(_command(commands, "open", review_open.run, review_open.SAYS, argument="NAME"))
    status = _command(commands, "status", _status, "tell how far a round is, or each round", optional=True)
    status.add_argument("--json", action="store_true", help="as JSON")
    raters = _command(commands, "raters", _of_raters(review_raters.list_raters), review_raters.RATERS)
    raters.add_argument("--json", action="store_true", help="as JSON, with all figures of the round")
    for name, run_it, says, add in (
        ("exclude", review_raters.exclude_rater, review_raters.EXCLUDE, review_raters.add_exclude),
        ("include", review_raters.include_rater, review_raters.INCLUDE, review_raters.add_include),
        ("forget", review_raters.forget_rater, review_raters.FORGET, review_raters.add_forget),
        ("report", review_report.run, review_report.SAYS, review_report.add_arguments),
        ("links", review_links.run, review_links.SAYS, review_links.add_arguments),
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
        print(_status_line(facts))
    if arguments.name_of is not None:
        print(review_raters.weighing(store, rounds[0]))
    if not told:
        print("no round was opened yet")
    return 0


def _status_line(facts: dict[str, Any]) -> str:
    from ingest.commands.nouns import counted

    votes, raters = counted(facts["votes"], "vote"), counted(facts["raters"], "rater")
    told = f"{facts['round']}: {facts['state']}; {facts['done']:,} of {counted(facts['examples'], 'example')} done, "
    if facts["state"] == "closed":  # nothing is needed or lent any more
        return f"{told}{votes}; {raters}"
    needed, lent = f"at least {facts['needed']:,} more needed", counted(facts["lent"], "example")
    return f"{told}{votes}, {needed}; {raters}, {lent} being looked at"


def _close(store: "Store", arguments: argparse.Namespace) -> int:
    return _set_closed(store, arguments, closed=True)


def _reopen(store: "Store", arguments: argparse.Namespace) -> int:
    return _set_closed(store, arguments, closed=False)


def _set_closed(store: "Store", arguments: argparse.Namespace, *, closed: bool) -> int:
    from app.reviews.rounds import open_beside, set_closed
    from ingest.commands.nouns import counted

    found = _round(store, arguments)
    set_closed(store, found, closed=closed)
    print(f"{found.name} is {'closed' if closed else 'open'}")
    for other, both in open_beside(store, found).items() if closed else ():
        if both:
            hidden = f"{counted(both, 'example')} of {found.name} {'stays' if both == 1 else 'stay'} hidden"
            print(f"{other} is still open: until it is closed, {hidden}")
    return 0


def _publish(store: "Store", arguments: argparse.Namespace) -> int:
    from app.reviews.disputes.moderation import settle
    from app.reviews.ratings import ratings, vote_records
    from app.reviews.rounds import mark_published, published_rounds
    from ingest.catalogue.reviews.publish import publish
    from ingest.catalogue.reviews.rating_files import write_ratings, write_votes
    from ingest.commands.nouns import counted

    found, catalogue = _round(store, arguments), arguments.catalogue
    if not found.closed:
        seen = "raters who go on can see on the site what others have answered so far"
        print(
            f"warning: {found.name} is open, and {seen}; `review close {found.name}` first, then publish",
            file=sys.stderr,
        )
    earlier = published_rounds(store, found.dataset)
    done = publish(store, found, earlier, catalogue, wait=arguments.wait, progress=progress_for_terminal())
    settle(store, done.disputes, done.at)
    mark_published(store, found)
    folder = catalogue.parent / "reviews" / found.name
    folder.mkdir(parents=True, exist_ok=True)
    write_votes(folder / "votes.json", vote_records(store, found))
    for name in ("ratings.csv", "ratings.parquet"):
        write_ratings(folder / name, ratings(store, found))
    if arguments.json:
        told = asdict(done) | {"disputes": outcomes(done.disputes.values())}
        print(json.dumps({"round": found.name, **told, "files": str(folder)}))
        return 0
    print(
        f"{found.dataset}: {counted(done.examples, 'example')} reviewed by {counted(done.raters, 'rater')}; "
        f"{counted(done.errors, 'error')} in all"
    )
    if done.left_out:
        print(f"{counted(done.left_out, 'example')} left out: too few votes for a verdict")
    if done.changed:
        print(f"{counted(done.changed, 'example')} left out: label or classes have changed since the round was opened")
    if done.dropped:
        thresholds = " and ".join(f"{one} of {found.settings.votes}" for one in done.dropped)
        print(f"no longer offered, because a round does not offer it: agreement of {thresholds}")
    if told := outcomes(done.disputes.values()):
        print("disputes: " + ", ".join(f"{n:,} {word.replace('_', ' ')}" for word, n in told.items()))
    print(f"wrote {catalogue}, and votes and ratings into {folder}")
    return 0


def outcomes(results: "Iterable[Result]") -> dict[str, int]:
    """How many disputes have which outcome."""
    return dict(Counter(one.outcome.value for one in results).most_common())


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
