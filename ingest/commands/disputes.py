"""``label-errors disputes``: what visitors say looks wrong; looked at, accepted, rejected and published by the owner.

Arguments in; what was done, as text or as JSON, out. ``app.reviews.disputes`` and ``ingest.catalogue.reviews`` do the
work.
"""

import argparse
import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ingest.commands import dispute_rounds
from ingest.commands.arguments import add_catalogue, sentence
from ingest.commands.review_open import count
from ingest.errors import CatalogueError
from ingest.progress import progress_for_terminal

if TYPE_CHECKING:
    from app.reviews.disputes.moderation import Dispute
    from app.reviews.store import Store

# The store and the catalogue are imported when they are used: other commands list these arguments and start faster.

EXAMPLES: Final = """\
examples:
  label-errors serve --disputes
  %(prog)s list
  %(prog)s show d0123456789abcdef
  %(prog)s accept d0123456789abcdef
  %(prog)s reject d0123456789abcdef --why "The sketch has wings; see the dataset's guide."
  %(prog)s undo d0123456789abcdef
  %(prog)s publish

What is accepted becomes a round, in which reviewers look again and know nothing of the dispute; `label-errors review
publish ROUND` brings its outcome into the public log. Disputes are in the store of votes: $LABELERRORS_REVIEWS, or
reviews.sqlite beside the catalogue. /docs/disputes of the site, docs/disputes.md, says more.
"""
_LIST: Final = """\
examples:
  %(prog)s
  %(prog)s --dataset sample-digits --state accepted --json
"""
_SHOW: Final = "example:\n  %(prog)s d0123456789abcdef\n"
_ACCEPT: Final = """\
examples:
  %(prog)s d0123456789abcdef d00000000000000ff       both, in one new round
  %(prog)s d0123456789abcdef --votes 3
  %(prog)s d0123456789abcdef --round sample-digits-2  in an open round that asks about this example

All must be of one dataset. They join an open round that asks about their examples already, else a new one is opened.
Reviewers see the question of every other round: nothing tells them what is disputed. Until
the round is closed the site holds these examples back, and corrected sets leave them out; `undo` takes it back.
"""
_REJECT: Final = """\
example:
  %(prog)s d0123456789abcdef --why "The sketch has wings; see the dataset's guide."
"""
_UNDO: Final = """\
examples:
  %(prog)s d0123456789abcdef
  %(prog)s d0123456789abcdef d00000000000000ff       both, or neither if one cannot be undone

The disputes wait again. A round that asks only about disputed examples is closed with the last of them, so that they
are on the site again; its votes are kept. What the public log said of a dispute before stays in it.
"""
_FORGET: Final = """\
example:
  %(prog)s d0123456789abcdef

Reason and source are erased from the store; `label-errors disputes publish` takes them out of the public log.
"""
_PUBLISH: Final = """\
example:
  %(prog)s

`label-errors review publish` writes the log too; this is for rejections, which no round publishes.
"""
Command = Callable[["Store", argparse.Namespace], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the commands within the command."""
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    listing = _command(commands, "list", _list, "list disputes; those that wait, unless told otherwise", _LIST)
    listing.add_argument("--dataset", metavar="NAME", help="only those of this dataset")
    states = ("waiting", "accepted", "rejected", "settled", "all")
    listing.add_argument("--state", choices=states, default="waiting", help="those in this state (default waiting)")
    listing.add_argument("--json", action="store_true", help="as JSON")
    showing = _command(commands, "show", _show, "show all of one dispute", _SHOW)
    _add_code(showing)
    showing.add_argument("--json", action="store_true", help="as JSON")
    accepting = _command(
        commands, "accept", dispute_rounds.accept_disputes, "have reviewers look again, blind, in a round", _ACCEPT
    )
    accepting.add_argument("codes", metavar="DISPUTE", nargs="+", help="the dispute, as `list` names it")
    which = accepting.add_mutually_exclusive_group()
    which.add_argument(
        "--round", metavar="ROUND", help="an open round that asks about these (default: the one there is, or a new one)"
    )
    which.add_argument("--votes", metavar="N", type=count, help="votes an example of the new round")
    accepting.add_argument("--json", action="store_true", help="as JSON")
    rejecting = _command(commands, "reject", _reject, "reject a dispute, with a reason that will be public", _REJECT)
    _add_code(rejecting)
    rejecting.add_argument("--why", metavar="TEXT", required=True, help="the reason, for the public log")
    rejecting.add_argument("--json", action="store_true", help="as JSON")
    undoing = _command(commands, "undo", dispute_rounds.undo_decision, "take the last decision on disputes back", _UNDO)
    undoing.add_argument("codes", metavar="DISPUTE", nargs="+", help="the dispute, as `list` names it")
    undoing.add_argument("--json", action="store_true", help="as JSON, a line for each")
    forgetting = _command(commands, "forget", _forget, "erase what a visitor wrote", _FORGET)
    _add_code(forgetting)
    says = "write the public log of disputes into the catalogue"
    publishing = _command(commands, "publish", _publish, says, _PUBLISH, written=True)
    publishing.add_argument("--json", action="store_true", help="as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run one of the commands within the command."""
    from app.reviews.disputes.moderation import ModerationError
    from app.reviews.rounds import NoRoundError
    from app.reviews.store import Store, StoreError, store_url

    try:
        store = Store(store_url(arguments.reviews, arguments.catalogue))
    except StoreError as error:
        raise CatalogueError(str(error)) from error
    try:
        status: int = arguments.of_disputes(store, arguments)
    except (ModerationError, NoRoundError) as error:
        raise CatalogueError(str(error)) from error
    finally:
        store.close()
    return status


def _command(
    commands: Any, name: str, run_it: Command, says: str, examples: str, *, written: bool = False
) -> argparse.ArgumentParser:
    as_written = argparse.RawDescriptionHelpFormatter
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=says, description=sentence(says), epilog=examples, formatter_class=as_written
    )
    add_catalogue(parser, written=written)
    default = os.environ.get("LABELERRORS_REVIEWS", "")
    says = "the store of votes ($LABELERRORS_REVIEWS, or reviews.sqlite beside the catalogue)"
    parser.add_argument("--reviews", metavar="URL", default=default, help=says)
    parser.set_defaults(of_disputes=run_it)
    return parser


def _add_code(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", metavar="DISPUTE", help="the dispute, as `list` names it")


def _list(store: "Store", arguments: argparse.Namespace) -> int:
    from app.reviews.disputes.moderation import State, find_disputes

    states = tuple(State) if arguments.state == "all" else (State(arguments.state),)
    found = find_disputes(store, dataset=arguments.dataset, states=states)
    if arguments.json:
        print(json.dumps([dispute_rounds.as_json(one) for one in found]))
        return 0
    for one in found:
        print(_line(one))
    if not found:
        print("no dispute" if arguments.state == "all" else f"no dispute is {arguments.state}")
    return 0


def _show(store: "Store", arguments: argparse.Namespace) -> int:
    from app.reviews.disputes.moderation import find_dispute

    found = find_dispute(store, arguments.code)
    if arguments.json:
        print(json.dumps(dispute_rounds.as_json(found)))
        return 0
    print(_line(found))
    print(f"page: /{found.dataset}/issues/{found.idx}")
    print(f"reason: {found.reason or '(forgotten)'}")
    if found.source:
        print(f"source: {found.source}")
    if found.why:
        print(f"rejected because: {found.why}")
    if found.result is not None:
        corrected = f", corrected to {' and '.join(found.result.corrected)}" if found.result.corrected else ""
        print(f"{found.result.outcome.value.replace('_', ' ')}: reviewers said {found.result.category}{corrected}")
    return 0


def _reject(store: "Store", arguments: argparse.Namespace) -> int:
    from app.reviews.disputes.moderation import find_dispute, reject

    reject(store, find_dispute(store, arguments.code), arguments.why)
    if arguments.json:
        print(json.dumps(dispute_rounds.as_json(find_dispute(store, arguments.code))))
        return 0
    print(f"rejected {arguments.code}; `label-errors disputes publish` brings the reason into the public log")
    return 0


def _forget(store: "Store", arguments: argparse.Namespace) -> int:
    from app.reviews.disputes.moderation import find_dispute, forget_words

    forget_words(store, find_dispute(store, arguments.code))
    print(f"forgot the words of {arguments.code}; `label-errors disputes publish` takes them out of the public log")
    return 0


def _publish(store: "Store", arguments: argparse.Namespace) -> int:
    from ingest.catalogue.open import open_catalogue
    from ingest.catalogue.reviews.dispute_log import publish_log
    from ingest.commands.nouns import counted

    with open_catalogue(arguments.catalogue):
        pass  # there is one, and of this version
    n = publish_log(store, arguments.catalogue, wait=arguments.wait, progress=progress_for_terminal())
    if arguments.json:
        print(json.dumps({"disputes": n}))
        return 0
    print(f"the log has {counted(n, 'dispute')}")
    print(f"wrote {arguments.catalogue}")
    return 0


def _line(one: "Dispute") -> str:
    named = f" {' and '.join(one.proposed)}" if one.proposed else ""
    where = f" in {one.round}" if one.round else ""
    shown = one.reason if len(one.reason) <= 80 else f"{one.reason[:79]}…"
    filed = dispute_rounds.time_words(one.filed_at)[:10]
    return f"{one.code}: {one.dataset} {one.idx}, {one.claim.value}{named}; {one.state.value}{where}; {filed}; {shown}"
