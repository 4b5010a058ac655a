"""Whether a dataset's corrections can be trusted, for a reader with half a minute: who confirms how many of them."""

from collections.abc import Mapping
from typing import NamedTuple

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.domain.opinions.stances import SIGN_OF, Stance
from app.issues.filter import IssueFilter
from app.site.opinions.stored_results import Object, controls_of
from app.site.stability.agreement_words import turns_where_right


class Backing(NamedTuple):
    """How many of a dataset's corrections an independent opinion confirms, and how many it opposes.

    The query strings are those of galleries that show them.
    """

    title: str
    confirmed: int
    opposed: int
    of: int
    confirmed_query: str
    opposed_query: str

    @property
    def per_cent(self) -> int:
        """The share that is confirmed, in per cent."""
        return round(100 * self.confirmed / self.of)


def backings(dataset: Dataset, agreement: int) -> list[Backing]:
    """What each independent opinion says of the corrections at a threshold; none where nothing was corrected."""
    counts = dataset.opinions.corrections.get(agreement, {})
    n = sum(counts.values())
    f = IssueFilter(agreement=agreement)
    return [
        Backing(
            source.title,
            _holding(counts, place, Stance.GUESSED),
            _holding(counts, place, Stance.GIVEN),
            n,
            f.but(opinion=(f"confirmed:{source.name}",)).query(dataset),
            f.but(opinion=(f"opposed:{source.name}",)).query(dataset),
        )
        for place, source in enumerate(dataset.opinions.sources)
        if source.independent and n
    ]


def turn_without_errors(catalogue: Catalogue, dataset: Dataset) -> Object | None:
    """How the ranking of its models turns over on flagged examples whose given label reviewers kept, if it does."""
    found = controls_of(catalogue, dataset, dataset.default_agreement) if dataset.n_models else None
    return found["non_errors"] if found is not None and turns_where_right(found) else None


def _holding(counts: Mapping[str, int], place: int, stance: Stance) -> int:
    return sum(n for signs, n in counts.items() if signs[place] == SIGN_OF[stance])
