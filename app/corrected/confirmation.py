"""Whether a correction has what a policy asks for besides votes: second opinions, and enough confidence."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.domain.confidence.correction_facts import CorrectionFacts
from app.domain.opinions.stances import Stance, Support, stances_of, support
from app.domain.review.corrections import Action, Policy, correction


class SourceName(NamedTuple):
    """A second opinion on a dataset; those that are not independent are not counted."""

    name: str
    independent: bool


class Confirmation:
    """Reads what is known of corrections for one policy. Raises KeyError for an opinion that is not there."""

    def __init__(self, sources: Sequence[SourceName], policy: Policy) -> None:
        places = {source.name: place for place, source in enumerate(sources)}
        self._policy = policy
        self._place = None if policy.confirmed_by is None else places[policy.confirmed_by]
        self._counted = [place for place, source in enumerate(sources) if source.independent]

    def of(self, known: CorrectionFacts) -> tuple[bool, bool]:
        """Whether a correction has the support that is asked for, and whether it is opposed."""
        said, least = stances_of(known.signs), self._policy.confidence
        sure = least is None or (known.confidence is not None and known.confidence >= least)
        if self._place is not None:
            stance = said[self._place] if said else Stance.SILENT
            return sure and stance is Stance.GUESSED, stance is Stance.GIVEN
        together = support([said[place] for place in self._counted]) if said else Support.OPEN
        return sure, together is Support.OPPOSED

    def actions(self, counts: Mapping[CorrectionFacts, int]) -> Counter[Action] | None:
        """What becomes of the corrections of which so much is known; None where the policy treats all alike."""
        if not self._policy.weighs_corrections:
            return None
        found: Counter[Action] = Counter()
        for known, n in counts.items():
            confirmed, opposed = self.of(known)
            found[correction(self._policy, confirmed=confirmed, opposed=opposed).action] += n
        return found
