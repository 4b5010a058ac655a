"""``label-errors review raters``, ``exclude``, ``include`` and ``forget``: who the raters are, and who counts."""

import argparse
import json
from typing import TYPE_CHECKING, Any, Final

from ingest.errors import CatalogueError

if TYPE_CHECKING:
    from app.reviews.owner.exclusions import Preview
    from app.reviews.rounds import Round
    from app.reviews.store import Store

RATERS: Final = "list the raters of a round: how many votes, how fast, how far they agree with others"
EXCLUDE: Final = "let the votes of a rater no longer count; nothing is deleted"
INCLUDE: Final = "let the votes of an excluded rater count again"
FORGET: Final = "forget who a rater was; the votes stay under a random name"


def add_rater_argument(parser: argparse.ArgumentParser) -> None:
    """The rater that a command is about."""
    parser.add_argument("rater", metavar="RATER", help="the rater's name or code")


def add_exclude(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``exclude``."""
    add_include(parser)
    parser.add_argument("--why", metavar="TEXT", required=True, help="the reason, for the ratings and the report")


def add_include(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``include``."""
    add_rater_argument(parser)
    parser.add_argument("--preview", action="store_true", help="say what would change, and change nothing")


def add_forget(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``forget``."""
    add_rater_argument(parser)
    parser.add_argument("--votes", action="store_true", help="delete the votes too")


def list_raters(store: "Store", found: "Round", arguments: argparse.Namespace) -> int:
    """Print the raters."""
    from app.reviews.owner.round_figures import figures_json, round_figures

    figures = figures_json(round_figures(store, found))
    if arguments.json:
        print(json.dumps(figures))
        return 0
    for one in figures["raters"]:
        print(_line(one))
    if not figures["raters"]:
        print(f"{found.name} has no raters yet")
    return 0


def weighing(store: "Store", found: "Round") -> str:
    """What Dawid and Skene's estimate says of a round, in a sentence."""
    from app.reviews.owner.round_figures import round_figures

    figures = round_figures(store, found)
    if not figures.settled:
        return "no example has votes enough for a category yet"
    alpha = "not defined" if figures.alpha.value is None else f"{figures.alpha.value:.3f}"
    n, settled = len(figures.otherwise), figures.settled
    return f"alpha {alpha}; Dawid-Skene puts {n:,} of {settled:,} settled examples into another category"


def exclude_rater(store: "Store", found: "Round", arguments: argparse.Namespace) -> int:
    """Exclude a rater, or say what that would change."""
    return _set(store, found, arguments, excludes=True)


def include_rater(store: "Store", found: "Round", arguments: argparse.Namespace) -> int:
    """Take a rater in again, or say what that would change."""
    return _set(store, found, arguments, excludes=False)


def forget_rater(store: "Store", found: "Round", arguments: argparse.Namespace) -> int:
    """Forget a rater."""
    from app.reviews.owner.exclusions import forget

    rater = rater_of_round(store, found, arguments.rater)
    n = forget(store, found, rater, votes=arguments.votes)
    what = "are deleted" if arguments.votes else "stay under a random name"
    print(f"forgot {arguments.rater}; {n:,} answers {what}, and the link is no longer accepted")
    print("files that were written before still have the old name: publish, or write votes and ratings, again")
    return 0


def _set(store: "Store", found: "Round", arguments: argparse.Namespace, *, excludes: bool) -> int:
    from app.reviews.owner.exclusions import exclude, include, preview

    rater = rater_of_round(store, found, arguments.rater)
    if bool(rater.excluded) is excludes:
        raise CatalogueError(f"{found.name}: {rater.name} is {'excluded already' if excludes else 'not excluded'}")
    told = preview(store, found, rater, exclude=excludes)
    if arguments.preview:
        print(f"{rater.name}: {_in_words(told, 'would', excludes=excludes)}")
        return 0
    try:
        if excludes:
            exclude(store, found, rater, arguments.why)
        else:
            include(store, found, rater)
    except ValueError as error:
        raise CatalogueError(f"--why: {error}") from error
    print(f"{rater.name} is {'excluded' if excludes else 'included again'}: {_in_words(told, '', excludes=excludes)}")
    return 0


def _in_words(told: "Preview", would: str, *, excludes: bool) -> str:
    no_longer = "no longer count" if excludes else "count again"
    lacks = "would lack votes" if would else "lack votes now"
    changes = "would change" if would else "changed"
    words = f"{told.votes:,} votes {would} {no_longer}; {told.reopened:,} examples {lacks}; ".replace("  ", " ")
    words += f"{len(told.changes):,} examples {changes} category"
    if told.before.value is not None and told.after.value is not None:
        words += f"; alpha {told.before.value:.3f} to {told.after.value:.3f}"
    return words


def rater_of_round(store: "Store", found: "Round", name: str) -> Any:
    """The one rater of a code or a name. Raises CatalogueError, with the codes of those there are."""
    from app.reviews.owner.exclusions import NoRaterError, rater_named

    try:
        return rater_named(store, found, name)
    except NoRaterError as error:
        raise CatalogueError(str(error)) from error


def _line(one: dict[str, Any]) -> str:
    agrees = "" if one["agreement"] is None else f", agrees with others in {one['agreement']:.0%}"
    seconds = "" if one["median_seconds"] is None else f", {one['median_seconds']:.1f} s an answer"
    out = f", excluded: {one['why']}" if one["excluded"] else ""
    remarks = f"; {'; '.join(one['remarks'])}" if one["remarks"] else ""
    return f"{one['name']} ({one['rater']}): {one['votes']:,} votes{seconds}{agrees}{out}{remarks}"
