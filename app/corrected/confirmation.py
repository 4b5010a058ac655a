"""What second opinions say of a correction, as a policy asks: whether it is confirmed, and whether it is opposed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.domain.opinions.stances import Stance, Support, stances_of, support
from app.domain.review.corrections import Action, Policy, correction


class SourceName(NamedTuple):
    """A second opinion on a dataset; those that are not independent are not counted."""

    name: str
    independent: bool


class Confirmation:
    """Reads what a dataset's opinions say for one policy. Raises KeyError for an opinion that is not there."""

    def __init__(self, sources: Sequence[SourceName], policy: Policy) -> None:
        places = {source.name: place for place, source in enumerate(sources)}
        self._policy = policy
        self._place = None if policy.confirmed_by is None else places[policy.confirmed_by]
        self._counted = [place for place, source in enumerate(sources) if source.independent]

    def of(self, signs: str | None) -> tuple[bool, bool]:
        """Whether a correction is confirmed, and whether it is opposed, by what ``verdicts.opinions`` says of it."""
        said = stances_of(signs)
        if self._place is not None:
            stance = said[self._place] if said else Stance.SILENT
            return stance is Stance.GUESSED, stance is Stance.GIVEN
        together = support([said[place] for place in self._counted]) if said else Support.OPEN
        return True, together is Support.OPPOSED

    def actions(self, counts: Mapping[str, int]) -> Counter[Action] | None:
        """What becomes of the corrections of which opinions say so; None where the policy asks no opinion."""
        if not self._policy.asks_opinions:
            return None
        found: Counter[Action] = Counter()
        for signs, n in counts.items():
            confirmed, opposed = self.of(signs)
            found[correction(self._policy, confirmed=confirmed, opposed=opposed).action] += n
        return found
