"""``label-errors review links``: signed links for raters, for whoever joins, for the owner; and their end."""

import argparse
import json
from itertools import count as numbers
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ingest.commands import review_panel
from ingest.commands.review_open import count
from ingest.commands.review_raters import rater_of_round
from ingest.errors import CatalogueError

if TYPE_CHECKING:
    from app.reviews.links import LinkKind
    from app.reviews.rounds import Round
    from app.reviews.store import Store

SAYS: Final = "make a signed link for each rater, or one for all"
_DAY: Final = 86_400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--raters", metavar="N", type=count, default=0, help="links for so many new raters")
    parser.add_argument(
        "--name", metavar="NAME", action="append", default=[], help="a link for a new rater; repeatable"
    )
    parser.add_argument("--open", action="store_true", help="one link with which anybody joins who gives a name")
    parser.add_argument("--owner", action="store_true", help="the owner's link, who sees the examples on the site too")
    parser.add_argument(
        "--prolific",
        metavar="OUTCOME=CODE",
        action="append",
        default=[],
        help="the address of a study on Prolific, with its code for done, no_consent, screened_out or too_fast",
    )
    parser.add_argument(
        "--mturk",
        metavar="N",
        type=count,
        nargs="?",
        const=20,
        help="the address and question of a task on Mechanical Turk, of N examples an assignment (20)",
    )
    parser.add_argument("--revoke", metavar="RATER", help="accept this rater's link no longer; the votes stand")
    parser.add_argument("--days", metavar="N", type=count, help="links lapse after so many days (default: never)")
    parser.add_argument(
        "--base", metavar="URL", type=site_address, default="http://127.0.0.1:8000", help="the address of the site"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(store: "Store", found: "Round", arguments: argparse.Namespace) -> int:
    """Print the links, or revoke one."""
    from app.reviews.links import Link, Links
    from app.reviews.raters import add_rater, revoke

    links = Links(store)
    if arguments.revoke is not None:
        rater = rater_of_round(store, found, arguments.revoke)
        revoke(store, rater)
        print(f"the link of {rater.name} is no longer accepted")
        return 0
    if arguments.prolific:
        return review_panel.study_address(store, found, arguments, links)
    if arguments.mturk is not None:
        return review_panel.external_question(store, found, arguments, links)

    def address(kind: "LinkKind", name: str) -> str:
        token = links.token(Link(kind, name), seconds=arguments.days and arguments.days * _DAY)
        return f"{arguments.base}/review/{'owner/' if kind == 'owner' else ''}{token}"

    if arguments.open or arguments.owner:
        kind: LinkKind = "open" if arguments.open else "owner"
        url = address(kind, found.name)
        print(json.dumps({"links": [{"rater": kind, "url": url}]}) if arguments.json else url)
        return 0
    raters = [add_rater(store, found, name) for name in _names(store, found, arguments)]
    made = [(rater.name, address("rater", rater.code)) for rater in raters]
    if arguments.json:
        print(json.dumps({"links": [{"rater": name, "url": url} for name, url in made]}))
    else:
        print("\n".join(f"{name}\t{url}" for name, url in made))
    return 0


def site_address(text: str) -> str:
    """The address of a site of an argument, without a slash at its end.

    >>> site_address("https://labels.example/errors/")
    'https://labels.example/errors'
    """
    finding = f"expected the address of the site, http://HOST or https://HOST, found {text!r:.80}"
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError as error:
        raise argparse.ArgumentTypeError(finding) from error
    if not sound or parts.query or parts.fragment or not text.isprintable() or " " in text:
        raise argparse.ArgumentTypeError(finding)
    return text.rstrip("/")


def _names(store: "Store", found: "Round", arguments: argparse.Namespace) -> list[str]:
    """The names of new raters: those given, each once and unlike those of others; or "rater 1" and so on."""
    from app.reviews.raters import kept_name, raters_of

    there = raters_of(store, found)
    if not arguments.name:
        taken = {one.name for one in there}
        free = (name for number in numbers(len(there) + 1) if (name := f"rater {number}") not in taken)
        return [next(free) for _ in range(arguments.raters or found.settings.votes)]
    names = [kept_name(one).strip() for one in arguments.name]
    accepted = {one.name for one in there if not one.revoked}
    for place, name in enumerate(names):
        if not name:
            raise CatalogueError(f"--name: expected the name of a rater, found {arguments.name[place]!r:.80}")
        if name in names[:place]:
            raise CatalogueError(f"--name: expected each name once, found {name!r} twice; it tells one from another")
        if name in accepted:
            raise CatalogueError(
                f"--name: {found.name} has a rater {name!r} already; revoke that link, or add a surname"
            )
    return names
