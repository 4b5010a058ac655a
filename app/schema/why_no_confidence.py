"""Why a dataset's corrections have no confidence, in words: part of the contract of ``app.schema.opinions``."""

from typing import Final

_WHY: Final = {
    None: "Its catalogue does not say how sure its corrections are",
    "no_votes": "Nobody has reviewed its examples",
    "one_rater": "One expert judged each of its examples, and a single vote does not say whether others would agree",
    "few": "Too few of its examples have several votes to fit how raters differ",
}


def why_no_confidence(title: str, why_not: str | None) -> str:
    """Why there is no confidence, as ``confidence_reports`` tells it, without a full stop.

    >>> why_no_confidence("MMLU", "one_rater").partition(".")[0]
    'Corrections of MMLU have no confidence'
    """
    return f"Corrections of {title} have no confidence. {_WHY[why_not]}"
