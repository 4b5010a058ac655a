"""What is known of a correction besides the votes of an agreement threshold: what policies and rows tell apart."""

from typing import Final, NamedTuple


class CorrectionFacts(NamedTuple):
    """What each second opinion says, a letter each (see ``app.domain.opinions.stances``), and two probabilities.

    None is where there is no opinion, or no such number.
    """

    signs: str | None = None
    confidence: float | None = None  # that a majority of unlimited raters would make it
    probability_right: float | None = None  # that it is right


#: Of examples that nobody reviewed.
NOTHING_KNOWN: Final = CorrectionFacts()
