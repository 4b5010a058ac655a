"""The rounds of disputes: opened where disputes are accepted, closed where that is taken back."""

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ingest.commands.review_open import open_planned
from ingest.errors import CatalogueError

if TYPE_CHECKING:
    from app.reviews.disputes.moderation import Dispute
    from app.reviews.rounds import Round
    from app.reviews.store import Store

_USUAL_VOTES: Final = 5
#: Examples of a round below which differences between counts say much of each.
_FEW: Final = 5


def accept_disputes(store: "Store", arguments: argparse.Namespace) -> int:
    """Have a round ask about the examples of disputes, and say what that holds back."""
    from app.reviews.disputes.moderation import accept, find_dispute
    from app.reviews.rounds import asked_examples
    from ingest.commands.nouns import counted

    found = [find_dispute(store, code) for code in dict.fromkeys(arguments.codes)]
    datasets = sorted({one.dataset for one in found})
    if len(datasets) > 1:
        raise CatalogueError(f"expected disputes of one dataset, found {', '.join(datasets)}")
    for one in found:
        if not one.can_be_decided:
            raise CatalogueError(f"{one.code} is {one.state}; expected one that waits or was rejected")
    joined = (
        _asking_already(store, arguments, found) if arguments.round is None else _its_round(store, arguments, found)
    )
    opened = _new_round(store, arguments, found) if joined is None else joined
    accept(store, found, opened.id)
    if arguments.json:
        held_back = len(asked_examples(store, opened))
        codes = [one.code for one in found]
        print(json.dumps({"round": opened.name, "disputes": codes, "held_back": held_back}))
        return 0
    asks = f"asks about {'it' if len(found) == 1 else 'them'}"
    told = asks if joined is None else f"is open and {asks} already"
    print(f"accepted {counted(len(found), 'dispute')}: {opened.name} {told}")
    _say_held_back(store, opened, found)
    if joined is None:
        print(f"next: label-errors review links {opened.name} --raters {opened.settings.votes}")
    return 0


def _say_held_back(store: "Store", opened: "Round", found: "Sequence[Dispute]") -> None:
    """What the site does not show until the round is closed, and how it is taken back."""
    from app.reviews.rounds import asked_examples
    from ingest.commands.nouns import counted

    n = len(asked_examples(store, opened))
    they, them, have = ("it", "it", "has") if n == 1 else ("they", "them", "have")
    print(
        f"until {opened.name} is closed, a site with --reviews or --disputes holds {counted(n, 'example')} of "
        f"{opened.dataset} back: {they} {have} no page, and corrected sets leave {them} out"
    )
    if n < _FEW:
        print(
            f"with fewer than {_FEW} examples, who compares counts from before and after can tell the verdict: "
            "accept several disputes together, or name a round over other examples too with --round"
        )
    print(f"back: label-errors disputes undo {' '.join(one.code for one in found)}")


def undo_decision(store: "Store", arguments: argparse.Namespace) -> int:
    """Take the owner's decisions on disputes back, all or none, and close rounds that asked about nothing else."""
    from app.reviews.disputes.moderation import State, find_dispute, undo
    from app.reviews.rounds import find_round, set_closed

    before = [find_dispute(store, code) for code in dict.fromkeys(arguments.codes)]
    undo(store, before)
    told, closed = [f"{one.code} waits again" for one in before], set()
    if n := sum(one.state is State.REJECTED for one in before):
        stay = "the rejection stays" if n == 1 else "the rejections stay"
        told.append(f"`label-errors disputes publish` brings that into the public log, where {stay}")
    for name in dict.fromkeys(one.round for one in before if one.state is State.ACCEPTED and not one.round_closed):
        if name is None:
            continue
        found = find_round(store, name)
        if _is_spare(store, found):
            set_closed(store, found, closed=True)
            closed.add(name)
            told.append(f"{name} is closed: it asked about nothing else; its examples are on the site again")
        else:
            held = sorted({one.idx for one in before if one.round == name})
            examples, them = ("example", "it") if len(held) == 1 else ("examples", "them")
            listed = ", ".join(map(str, held))
            told.append(f"{name} is still open, asks about {examples} {listed}, and holds {them} back")
    if arguments.json:
        told = [
            json.dumps(as_json(find_dispute(store, one.code)) | {"closed": one.round if one.round in closed else None})
            for one in before
        ]
    print("\n".join(told))
    return 0


def _is_spare(store: "Store", found: "Round") -> bool:
    """Whether a round was opened for disputes, asks about nothing else, and no dispute waits for it any more."""
    from app.reviews.disputes.moderation import State, find_disputes
    from app.reviews.rounds import asked_examples

    if not found.settings.for_disputes or find_disputes(store, states=(State.ACCEPTED,), round_id=found.id):
        return False
    ever = find_disputes(store, dataset=found.dataset)
    accepted = {one.idx for one in ever if any(decision.round_id == found.id for decision in one.decisions)}
    return asked_examples(store, found) <= accepted


def _new_round(store: "Store", arguments: argparse.Namespace, found: "Sequence[Dispute]") -> "Round":
    """A new round over the examples of disputes."""
    from ingest.catalogue.open import open_catalogue
    from ingest.catalogue.reviews.plan import read_plan
    from ingest.catalogue.reviews.round_items import dataset_row

    name = found[0].dataset
    with open_catalogue(arguments.catalogue) as connection:
        dataset = dataset_row(connection, name)
    votes = arguments.votes or (dataset.raters if dataset.n_checked else _USUAL_VOTES)
    indices = sorted({one.idx for one in found})
    beside = {idx: sorted({name for one in found if one.idx == idx for name in one.proposed}) for idx in indices}
    plan = read_plan(None, {"examples": indices, "votes": votes})
    return open_planned(store, arguments.catalogue, name, plan, beside)[0]


def _asking_already(store: "Store", arguments: argparse.Namespace, found: "Sequence[Dispute]") -> "Round | None":
    """The newest open round that asks about the examples of disputes already, so that no second one does.

    Raises CatalogueError where open rounds ask about a part of them, or where it would not have the votes asked for.
    """
    from app.reviews.rounds import all_rounds, asked_examples

    wanted = {one.idx for one in found}
    asking: list[tuple[Round, set[int]]] = []
    for one in all_rounds(store):
        if one.dataset == found[0].dataset and not one.closed and (both := wanted & asked_examples(store, one)):
            asking.append((one, both))
    if not asking:
        return None
    joined, both = max(asking, key=lambda pair: (len(pair[1]), pair[0].id))
    told = f"{joined.name} is open and asks about example {min(both)} already"
    if both != wanted:
        first = " ".join(one.code for one in found if one.idx in both)
        raise CatalogueError(f"{told}, but not about all of these; accept {first} into it, and then the others")
    if arguments.votes not in (None, joined.settings.votes):
        raise CatalogueError(f"{told}, with {joined.settings.votes} votes; leave --votes out, or close it first")
    return joined


def _its_round(store: "Store", arguments: argparse.Namespace, found: "Sequence[Dispute]") -> "Round":
    """An open round that asks about the examples of disputes already."""
    from app.reviews.rounds import asked_examples, find_round

    chosen = find_round(store, arguments.round)
    if chosen.dataset != found[0].dataset or chosen.closed:
        state = "closed" if chosen.closed else f"of {chosen.dataset}"
        raise CatalogueError(f"{chosen.name} is {state}; expected an open round of {found[0].dataset}")
    lacking = sorted({one.idx for one in found} - asked_examples(store, chosen))
    if lacking:
        raise CatalogueError(
            f"{chosen.name} does not ask about example {lacking[0]}; leave --round out to open a round that does"
        )
    return chosen


def as_json(one: "Dispute") -> dict[str, Any]:
    """A dispute as ``--json`` prints it."""
    result = one.result
    return {
        "dispute": one.code,
        "dataset": one.dataset,
        "index": one.idx,
        "filed": time_words(one.filed_at),
        "claim": one.claim.value,
        "proposed": list(one.proposed),
        "reason": one.reason,
        "source": one.source,
        "state": one.state.value,
        "round": one.round,
        "decided": None if one.decided_at is None else time_words(one.decided_at),
        "why": one.why,
        "outcome": None if result is None else result.outcome.value,
    }


def time_words(at: float) -> str:
    """A time as it is printed."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
