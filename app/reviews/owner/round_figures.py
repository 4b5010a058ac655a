"""All figures of a round for its owner: progress, categories as they form, agreement, raters."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from app.domain.review.agreement.alpha import Alpha, alpha
from app.domain.review.agreement.pairwise import agreements, confused
from app.domain.review.stopping import StoppingRule
from app.domain.review.verdicts import Category
from app.reviews.owner.given_answers import (
    GIVEN,
    RoundAnswers,
    Voted,
    answers_of,
    known_category,
    options_of_question,
    raters_of_table,
    vote_table,
)
from app.reviews.owner.rater_figures import RaterFigures, rater_figures, rater_row
from app.reviews.owner.weighed_votes import WeighedVotes, weigh
from app.reviews.questions import named
from app.reviews.ratings import Standing, standing
from app.reviews.rounds import Round
from app.reviews.standing import why_excluded
from app.reviews.store import Store

#: Pairs of classes that are listed at most.
MOST_PAIRS = 30


@dataclass(frozen=True, slots=True)
class DividedPair:
    """Two classes between which raters had to choose; ``share`` is how often two of them chose different ones."""

    first: str
    second: str
    examples: int
    divided: int
    share: float | None


@dataclass(frozen=True)
class RoundFigures:
    """The figures. ``categories`` are of the examples whose verdict is settled, by agreement threshold."""

    round: Round
    standing: Standing
    settled: int
    settled_votes: int  # on these
    usual_seconds: float | None
    saved: int
    categories: Mapping[int, Mapping[Category, int]]
    alpha: Alpha
    pairs: Sequence[DividedPair]
    between: Sequence[tuple[str, str, int, int]]  # rater, other, examples of both, of these the same answer
    weighed: WeighedVotes
    otherwise: Sequence[int]  # settled examples with another category by Dawid and Skene's estimate than by votes
    raters: Sequence[RaterFigures]

    @property
    def seconds_left(self) -> float | None:
        """The time of one person that the votes still needed take, if they take as long as usual."""
        return None if self.usual_seconds is None else self.usual_seconds * self.standing.needed


def round_figures(store: Store, found: Round) -> RoundFigures:
    """Compute the figures of a round from its answers."""
    answers = answers_of(store, found)
    voted = answers.voted()
    how, now = found.settings.stopping, standing(store, found)
    settled = [one for one in voted if one.question.fewest_more(one.meanings, how) == 0]
    verdicts = {agreement: {one.idx: one.category(how, agreement) for one in settled} for agreement in how.agreements}
    weighed = weigh(voted, answers.names)
    with store.reading() as connection:
        reasons = why_excluded(connection, found.id)
    raters, usual = rater_figures(answers, reasons, weighed.right)
    least = verdicts[how.agreements[0]]
    by_estimate = {one.idx: known_category(one.verdict.category, how) for one in weighed.examples}
    saved = 0
    if how.rule is not StoppingRule.NEVER:
        saved = sum(max(0, how.votes - len(one.votes)) for one in settled)
    return RoundFigures(
        round=found,
        standing=now,
        settled=len(settled),
        settled_votes=sum(len(one.votes) for one in settled),
        usual_seconds=usual,
        saved=saved,
        categories={agreement: Counter(by_idx.values()) for agreement, by_idx in verdicts.items()},
        alpha=alpha_of(voted, answers),
        pairs=_pairs(voted, answers),
        between=_between(voted, answers),
        weighed=weighed,
        otherwise=[idx for idx, category in least.items() if by_estimate[idx] is not category],
        raters=raters,
    )


def alpha_of(voted: Sequence[Voted], answers: RoundAnswers) -> Alpha:
    """Alpha of the votes by the options that they are counted by, as of published votes."""
    counts: list[Counter[str]] = []
    for one in voted:
        if one.question.kind == "set":
            heard = [
                Counter(str(each in meaning["heard"]) for meaning in one.meanings) for each in one.question.classes
            ]
            counts += heard
        else:
            counts.append(Counter(_option(one, meaning, answers.names) for meaning in one.meanings))
    options = sorted({option for each in counts for option in each})
    table = np.array([[each[option] for option in options] for each in counts], np.int64)
    return alpha(table.reshape(len(counts), len(options)))


def _option(one: Voted, meaning: Mapping[str, Any], names: Mapping[int, str]) -> str:
    question, answer = one.question, named(meaning)
    if answer == frozenset(question.given):
        return GIVEN
    if question.guessed is not None and answer == frozenset(question.guessed):
        return "guessed"
    if isinstance(answer, str) or question.kind == "pair":
        words = {said: word for word, said in options_of_question(question, names).items()}
        return words[answer]
    return "other"


def _pairs(voted: Sequence[Voted], answers: RoundAnswers) -> list[DividedPair]:
    """The pairs of a given and a guessed class, the most divided first."""
    known: dict[tuple[int, int], int] = {}
    rows = []
    for one in voted:
        given, guessed = one.question.given, one.question.guessed
        if one.question.kind == "set" or guessed is None or len(given) != 1 or len(guessed) != 1 or given == guessed:
            continue
        first, second = sorted((given[0], guessed[0]))
        said = Counter(named(meaning) for meaning in one.meanings)
        place = known.setdefault((first, second), len(known))
        rows.append((place, said[frozenset({first})], said[frozenset({second})]))
    if not rows:
        return []
    names, pairs = answers.names, list(known)
    found = confused(*np.array(rows, np.int64).T)
    listed = [(tuple(names[each] for each in pairs[one.pair]), one) for one in found if one.divided]
    return [DividedPair(a, b, one.examples, one.divided, one.share) for (a, b), one in listed[:MOST_PAIRS]]


def _between(voted: Sequence[Voted], answers: RoundAnswers) -> list[tuple[str, str, int, int]]:
    if not voted:
        return []
    table, _, _ = vote_table(voted, answers.names)
    together, same = agreements(table)
    codes = raters_of_table(voted)
    return [
        (codes[a], codes[b], int(together[a, b]), int(same[a, b]))
        for a in range(len(codes))
        for b in range(a + 1, len(codes))
        if together[a, b]
    ]


def figures_json(found: RoundFigures) -> dict[str, Any]:
    """The figures as JSON gives them."""
    settings, weighed = found.round.settings, found.weighed
    return {
        "round": found.round.name,
        "dataset": found.round.dataset,
        "state": "closed" if found.round.closed else "open",
        "votes_wanted": settings.votes,
        "stop": settings.stop.value,
        "agreements": list(settings.agreements),
        "progress": {
            **asdict(found.standing),
            "usual_seconds": found.usual_seconds,
            "seconds_left": found.seconds_left,
            "votes_saved": found.saved,
        },
        "settled": found.settled,
        "categories": {
            str(agreement): {category.value: n for category, n in sorted(counts.items())}
            for agreement, counts in found.categories.items()
        },
        "alpha": asdict(found.alpha),
        "pairs": [asdict(one) for one in found.pairs],
        "between_raters": [
            {"rater": rater, "other": other, "examples": n, "same": same} for rater, other, n, same in found.between
        ],
        "dawid_skene": {
            "converged": weighed.converged,
            "otherwise": list(found.otherwise),
            "examples": [
                {"index": one.idx, "shares": one.shares, "category": one.verdict.category.value}
                for one in weighed.examples
            ],
        },
        "raters": [{**rater_row(one), "remarks": list(one.remarks)} for one in found.raters],
    }
