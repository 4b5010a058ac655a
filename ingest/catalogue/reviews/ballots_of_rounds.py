"""Turn the votes of rounds into ballots, as a votes file would give them, and add up rounds over the same examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.review.stopping import Stopping
from app.domain.review.verdicts import Answer
from app.reviews.questions import NEITHER, Question, heard_counts, named
from app.reviews.ratings import Tally
from ingest.errors import CatalogueError
from ingest.labels.ballots import Ballot, ChoiceBallot, LabelBallot, Vote

#: What votes for classes other than the given and the guessed one are counted as.
OTHER = "other"


@dataclass(frozen=True)
class Voted:
    """An example with votes enough, and what they are."""

    idx: int
    question: Question
    ballot: Ballot


def with_enough(tallies: Sequence[Tally], how: Stopping) -> list[Tally]:
    """The examples whose verdict is settled by the round's own rule: too few votes make errors of what is none."""
    return [tally for tally in tallies if tally.question.fewest_more(tally.meanings, how) == 0]


def added_up(earlier: Mapping[int, Tally], newer: Sequence[Tally], raters: int) -> dict[int, Tally]:
    """Votes of several rounds by example: added up while there is room for all, else those of the newer round."""
    found = dict(earlier)
    for tally in newer:
        before = found.get(tally.idx)
        same = before is not None and before.question == tally.question
        if before is not None and same and len(before.meanings) + len(tally.meanings) <= raters:
            found[tally.idx] = Tally(tally.idx, tally.question, (*before.meanings, *tally.meanings))
        else:
            found[tally.idx] = tally
    return found


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
        votes += [Vote(OTHER, names[one], (one,), n) for one in others if (n := cast.pop(frozenset({one}), 0))]
    for word in options[2:]:
        meant = question.answer_of(NEITHER if word == OTHER else word)
        classes = None if isinstance(meant, str) else tuple(sorted(meant))
        votes.append(Vote(word, word, classes, cast.pop(meant, 0)))
    return votes
