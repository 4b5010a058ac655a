"""Turn the votes of rounds into ballots, as a votes file would give them, and add up rounds over the same examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.review.stopping import Stopping
from app.domain.review.verdicts import Answer
from app.reviews.questions import NEITHER, heard_counts, named
from app.reviews.ratings import Tally
from app.reviews.rounds import Round
from ingest.errors import CatalogueError
from ingest.labels.ballots import Ballot, ChoiceBallot, LabelBallot, Vote

#: What votes for classes other than the given and the guessed one are counted as.
OTHER = "other"


@dataclass(frozen=True)
class Counted:
    """The votes on an example that count, the rule by which they stopped, and the rounds they are of."""

    tally: Tally
    how: Stopping
    rounds: frozenset[str]

    @property
    def settled(self) -> bool:
        """Whether the votes suffice for a verdict: too few make errors of what is none."""
        return self.tally.question.fewest_more(self.tally.meanings, self.how) == 0

    def with_more(self, newer: "Counted") -> "Counted":
        """The votes that count after a newer round over the same example.

        They add up while they are no more than the votes of one round; else the newer ones count, if they suffice.
        """
        meanings = (*self.tally.meanings, *newer.tally.meanings)
        together = None
        if self.tally.question == newer.tally.question and len(meanings) <= newer.how.votes:
            raters = (*self.tally.raters, *newer.tally.raters)
            added_up = Tally(newer.tally.idx, newer.tally.question, meanings, raters)
            together = Counted(added_up, newer.how, self.rounds | newer.rounds)
        for one in (together, newer, self):
            if one is not None and one.settled:
                return one
        return together or newer


def counted(rounds: Sequence[tuple[Round, Sequence[Tally]]]) -> dict[int, Counted]:
    """The votes that count of several rounds, oldest first, by example; those with too few for a verdict are left out.

    An example on which each of two rounds has too few can have enough of both.
    """
    found: dict[int, Counted] = {}
    for one, tallies in rounds:
        for tally in tallies:
            newer = Counted(tally, one.settings.stopping, frozenset({one.name}))
            before = found.get(tally.idx)
            found[tally.idx] = newer if before is None else before.with_more(newer)
    return {idx: one for idx, one in found.items() if one.settled}


def options_of(known: Sequence[str], tallies: Sequence[Tally], *, reviewed: bool) -> tuple[str, ...]:
    """The options that a dataset's votes are counted by: those it has, or, before its first votes, those of a round.

    Raises CatalogueError where a round has an answer that the votes of a reviewed dataset do not have.
    """
    if not tallies or tallies[0].question.kind == "set":
        return tuple(known)
    question = tallies[0].question
    words = [word for word in question.words if not (question.kind == "options" and word == NEITHER)]
    asked = ("given", "guessed", *((OTHER,) if question.kind == "options" else ()), *words)
    if not reviewed:
        return asked
    unknown = [word for word in asked if word not in known]
    if unknown:
        raise CatalogueError(
            f"expected the answers of the votes that are there, {', '.join(known)}; the round also has {unknown[0]!r}"
        )
    return tuple(known)


def ballot_of(tally: Tally, options: Sequence[str], raters: int, names: Mapping[int, str]) -> Ballot:
    """The votes on one example as a ballot."""
    question = tally.question
    if question.kind == "set":
        heard = heard_counts(question.classes, tally.meanings)
        return LabelBallot({names[one]: n for one, n in heard.items()}, heard, question.given, raters)
    votes = _votes(tally, options, names)
    counts = dict.fromkeys(options, 0)
    for vote in votes:
        counts[vote.option] += vote.n
    eligible = None if question.eligible is None else frozenset(question.eligible)
    return ChoiceBallot(counts, votes, question.given[0], raters, eligible)


def _votes(tally: Tally, options: Sequence[str], names: Mapping[int, str]) -> list[Vote]:
    question = tally.question
    given, guessed = frozenset(question.given), frozenset(question.guessed or ())
    cast: dict[Answer, int] = {}
    for meaning in tally.meanings:
        answer = named(meaning)
        cast[answer] = cast.get(answer, 0) + 1
    votes = [Vote("given", "given", tuple(given), cast.pop(given, 0))]
    votes.append(Vote("guessed", "guessed", tuple(guessed) or None, cast.pop(guessed, 0) if guessed else 0))
    if question.kind == "options":
        others = sorted(one for one in question.classes if frozenset({one}) not in (given, guessed))
        votes += [Vote(OTHER, names[one], (one,), cast.pop(frozenset({one}), 0)) for one in others]
    for word in options[2:]:
        if question.kind == "options" and word == OTHER and NEITHER not in question.words:
            continue  # nobody could say that it is none of the classes
        meant = question.answer_of(NEITHER if word == OTHER else word)
        classes = None if isinstance(meant, str) else tuple(sorted(meant))
        votes.append(Vote(word, word, classes, cast.pop(meant, 0)))
    return votes
