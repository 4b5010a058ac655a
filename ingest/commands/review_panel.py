"""``label-errors review links --prolific``: the address of a study whose participants are the raters of a round."""

import argparse
import json
from typing import TYPE_CHECKING, Final

from ingest.errors import CatalogueError

if TYPE_CHECKING:
    from app.reviews.links import Links
    from app.reviews.rounds import Round
    from app.reviews.store import Store

#: What Prolific puts into the address for each participant.
_PLACES: Final = "&".join(f"{name}={{{{%{name}%}}}}" for name in ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"))


def study_address(store: "Store", found: "Round", arguments: argparse.Namespace, links: "Links") -> int:
    """Keep the completion codes, and print the address to enter at Prolific."""
    from app.reviews.links import Link
    from app.reviews.participants import Outcome
    from app.reviews.rounds import set_completion

    codes: dict[str, str] = {}
    for pair in arguments.prolific:
        outcome, _, code = pair.partition("=")
        if outcome not in list(Outcome) or not code.isalnum() or len(code) > 40:
            known = ", ".join(Outcome)
            raise CatalogueError(f"--prolific: expected OUTCOME=CODE with one of {known}, found {pair!r:.60}")
        codes[outcome] = code
    if Outcome.DONE not in codes:
        raise CatalogueError("--prolific: expected done=CODE, the code for who has answered, found none")
    set_completion(store, found, codes)
    seconds = arguments.days and arguments.days * 86_400
    token = links.token(Link("prolific", found.name), seconds=seconds)
    url = f"{arguments.base.rstrip('/')}/review/prolific/{token}?{_PLACES}"
    print(json.dumps({"links": [{"rater": "prolific", "url": url}]}) if arguments.json else url)
    return 0
