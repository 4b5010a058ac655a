"""``label-errors review links --prolific`` and ``--mturk``: the addresses where people of a panel become raters."""

import argparse
import json
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from ingest.errors import CatalogueError

if TYPE_CHECKING:
    from app.reviews.links import Links
    from app.reviews.rounds import Round
    from app.reviews.store import Store

#: What Prolific puts into the address for each participant.
_PLACES: Final = "&".join(f"{name}={{{{%{name}%}}}}" for name in ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"))
#: The schema that Mechanical Turk asks for: https://docs.aws.amazon.com/AWSMechTurk/latest/AWSMturkAPI/. A height of 0
#: makes the frame as large as the worker's window.
_QUESTION: Final = """\
<ExternalQuestion xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2006-07-14/ExternalQuestion.xsd">
  <ExternalURL>{url}</ExternalURL>
  <FrameHeight>0</FrameHeight>
</ExternalQuestion>
"""


def study_address(store: "Store", found: "Round", arguments: argparse.Namespace, links: "Links") -> int:
    """Keep the completion codes, and print the address to enter at Prolific."""
    from app.reviews.links import Link
    from app.reviews.participants import Outcome
    from app.reviews.rounds import set_completion

    codes: dict[str, str] = {}
    for pair in arguments.prolific:
        outcome, _, code = pair.partition("=")
        if outcome not in list(Outcome) or not (code.isascii() and code.isalnum()) or len(code) > 40:
            known = ", ".join(Outcome)
            raise CatalogueError(f"--prolific: expected OUTCOME=CODE with one of {known}, found {pair!r:.60}")
        codes[outcome] = code
    if Outcome.DONE not in codes:
        raise CatalogueError("--prolific: expected done=CODE, the code for who has answered, found none")
    set_completion(store, found, codes)
    seconds = arguments.days and arguments.days * 86_400
    token = links.token(Link("prolific", found.name), seconds=seconds)
    url = f"{arguments.base}/review/prolific/{token}?{_PLACES}"
    print(json.dumps({"links": [{"rater": "prolific", "url": url}]}) if arguments.json else url)
    return 0


def external_question(store: "Store", found: "Round", arguments: argparse.Namespace, links: "Links") -> int:
    """Keep how many examples an assignment has; print the address that Mechanical Turk frames, and the XML to paste."""
    from app.reviews.links import Link
    from app.reviews.rounds import set_assignment

    base = arguments.base
    if not base.startswith("https://"):
        raise CatalogueError(f"--base: Mechanical Turk shows addresses of https:// only, found {base!r:.100}")
    set_assignment(store, found, arguments.mturk)
    seconds = arguments.days and arguments.days * 86_400
    url = f"{base}/review/mturk/{links.token(Link('mturk', found.name), seconds=seconds)}"
    question = _QUESTION.format(url=escape(url))
    told = {"links": [{"rater": "mturk", "url": url}], "question": question, "examples": arguments.mturk}
    print(json.dumps(told) if arguments.json else f"{url}\n\n{question}", end="\n" if arguments.json else "")
    return 0
