"""Why a figure differs from the published one where the catalogue itself tells: reviews, published or open by now."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from app.schema.held_back import HeldBack


def reviews_since(datasets: Iterable[Mapping[str, Any]], *, judged: bool = True, counted: bool = True) -> str | None:
    """The reason, in sentences, for a figure of these rows of ``datasets``; None where there is none.

    A figure that is ``judged`` follows from verdicts, which a published round changes. One that is ``counted`` is of
    the examples that are shown, without those of open rounds; what ingest measured and stored contains these.

    >>> row = {"title": "MNIST", "about": '{"rounds": [{"name": "mnist-1"}]}'}
    >>> reviews_since([row])
    'Verdicts on MNIST are not the published ones alone: the round mnist-1 was published here since.'
    >>> reviews_since([row], judged=False)
    """
    found = []
    for row in datasets:
        about, title = json.loads(row["about"]), row["title"]
        rounds = [one["name"] for one in about.get("rounds") or ()]
        held = HeldBack.of(about)
        if judged and rounds:
            named = f"the round {rounds[0]} was" if len(rounds) == 1 else f"the rounds {' and '.join(rounds)} were"
            found.append(f"Verdicts on {title} are not the published ones alone: {named} published here since.")
        if counted and held is not None:
            noun = "example of {} is" if held.examples == 1 else "examples of {} are"
            found.append(f"{held.examples:,} {noun.format(title)} in an open review and not counted here.")
    return " ".join(found) or None
