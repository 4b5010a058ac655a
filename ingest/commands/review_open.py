"""``label-errors review open``: open a round over examples of a dataset."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ingest.errors import CatalogueError, DataError

if TYPE_CHECKING:
    from app.reviews.rounds import Round
    from app.reviews.store import Store
    from ingest.catalogue.reviews.plan import RoundPlan
    from ingest.catalogue.reviews.round_items import Chosen

SAYS: Final = "open a round over examples of a dataset"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command, except dataset and catalogue."""
    parser.add_argument("--round", metavar="TOML", type=Path, help="a file with all that follows, and more")
    parser.add_argument("--votes", metavar="N", type=count, help="votes an example (default 5)")
    parser.add_argument(
        "--stop", choices=("never", "error", "category"), help="stop once error or not, or the category, is settled"
    )
    parser.add_argument("--agreement", metavar="N", type=count, action="append", help="a threshold that is offered")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--lowest", metavar="K", type=count, help="the K most suspicious examples")
    which.add_argument("--sample", metavar="K", type=count, help="K examples at random")
    which.add_argument("--examples", metavar="FILE", type=Path, help="the examples whose indices are in a file")
    parser.add_argument("--class", dest="class_", metavar="NAME", help="only examples with this given label")
    parser.add_argument("--category", metavar="NAME", help="only examples of this category, such as non_agreement")
    parser.add_argument("--gold", metavar="SHARE", type=float, help="share of tasks whose answer is known (default 0)")
    parser.add_argument("--repeats", metavar="SHARE", type=float, help="share of examples asked twice (default 0)")
    parser.add_argument("--exemplars", metavar="N", type=whole, help="exemplars shown of each class (default 6)")
    parser.add_argument("--lease", metavar="MINUTES", type=float, help="how long a rater may take (default 30)")
    parser.add_argument("--instructions", metavar="TEXT", help="what raters are told")
    parser.add_argument("--reviewers", metavar="TEXT", help="who reviews, as the dataset's page will say")
    parser.add_argument("--seed", metavar="N", type=whole, help="of the sample (default 0)")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(store: "Store", arguments: argparse.Namespace) -> int:
    """Open a round and say what it is called."""
    from ingest.catalogue.reviews.plan import read_plan
    from ingest.commands.nouns import counted

    plan = read_plan(arguments.round, _given(arguments))
    opened, chosen = open_planned(store, arguments.catalogue, arguments.name_of, plan)
    if arguments.json:
        print(json.dumps({"round": opened.name}))
        return 0
    n = sum(not (one.gold or one.practice) for one in chosen.items)
    print(f"opened {opened.name}: {counted(n, 'example')}, {counted(plan.votes, 'vote')} each, stopping: {plan.stop}")
    for told in chosen.told:
        print(told)
    print(f"next: label-errors review links {opened.name} --raters {plan.votes}")
    return 0


def open_planned(
    store: "Store", catalogue: Path, name: str, plan: "RoundPlan", beside: Mapping[int, Sequence[str]] | None = None
) -> "tuple[Round, Chosen]":
    """Open a round by its plan, and warn where it hides what others hide already.

    ``beside`` are examples that must be among those asked about, with names of classes that raters are asked about as
    well where examples have several labels. Raises CatalogueError before anything is opened.
    """
    from app.reviews.rounds import Settings, open_beside, open_round
    from ingest.catalogue.open import open_catalogue
    from ingest.catalogue.reviews.round_items import choose, dataset_row
    from ingest.commands.nouns import counted

    with open_catalogue(catalogue) as connection:
        dataset = dataset_row(connection, name)
        if dataset.n_checked and dataset.raters != plan.votes:
            finding = f"expected {dataset.raters} votes an example, as its reviewed examples have, found {plan.votes}"
            raise CatalogueError(f"{dataset.name}: {finding}")
        chosen = choose(connection, dataset, plan, beside or {})
    lacking = sorted(set(beside or ()) - {one.idx for one in chosen.items if not (one.gold or one.practice)})
    if lacking:
        finding = f"example {lacking[0]} leaves nothing to choose between: its guess is the given label"
        raise CatalogueError(f"{name}: {finding}; open a round of another kind over it (--round of `review open`)")
    settings = Settings(
        votes=plan.votes,
        stop=plan.stop,
        agreements=plan.thresholds,
        lease_seconds=max(1, round(plan.lease_minutes * 60)),
        instructions=plan.instructions,
        title=dataset.title,
        modality=dataset.modality,
        reviewers=plan.reviewers,
        chosen=chosen.words,
        seed=plan.seed,
        gold=plan.gold,
        for_disputes=beside is not None,
    )
    opened = open_round(store, dataset.name, settings, chosen.items, chosen.shelves)
    for other, both in open_beside(store, opened).items():
        if both:
            shared = f"{counted(both, 'example')} of {opened.name} {'is' if both == 1 else 'are'} in {other} too"
            print(f"warning: {shared}, which is open: hidden on the site until both are closed", file=sys.stderr)
    return opened, chosen


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the command line says of the plan."""
    names = ("votes", "stop", "lowest", "sample", "category", "gold", "repeats", "exemplars", "seed")
    found: dict[str, Any] = {name: getattr(arguments, name) for name in (*names, "instructions", "reviewers")}
    found |= {"class": arguments.class_, "lease_minutes": arguments.lease}
    if arguments.agreement:
        found["agreements"] = sorted(set(arguments.agreement))
    if arguments.examples is not None:
        found["examples"] = _indices(arguments.examples)
    return found


def _indices(path: Path) -> list[int]:
    """The indices in a file, one a line."""
    found = []
    for place, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not line.strip():
            continue
        if not line.strip().isdecimal():
            raise DataError(
                path, f"expected the index of an example, found {line.strip()!r:.60}", record=f"line {place}"
            )
        found.append(int(line))
    if not found:
        raise DataError(path, "expected indices of examples, one a line, found none")
    return found


def count(text: str) -> int:
    """A whole number of an argument, 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number, 1 or more, found {text}")
    return int(text)


def whole(text: str) -> int:
    """A whole number of an argument, 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number, 0 or more, found {text}")
    return int(text)
