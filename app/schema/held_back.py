"""What open rounds hold back of a dataset, as a connection that withholds it tells in ``about``."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Self

#: The key of ``datasets.about`` that no stored catalogue has.
HELD_BACK: Final = "held_back"


class HeldBack(NamedTuple):
    """How many examples of a dataset are held back, by which open rounds; ``digest`` is a name for which examples."""

    examples: int
    rounds: tuple[str, ...]
    digest: str

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> Self | None:
        """What is held back of the dataset that is described so; None where nothing is."""
        told = about.get(HELD_BACK)
        return None if told is None else cls(told["examples"], tuple(told["rounds"]), told["digest"])

    @property
    def why(self) -> str:
        """How many, until when and why, and what follows for the figures around it."""
        return held_back_words([("", self)])

    @property
    def until(self) -> str:
        """When it is over: "the round mnist-1 is closed"."""
        names = " and ".join(self.rounds)
        return f"the round {names} is closed" if len(self.rounds) == 1 else f"the rounds {names} are closed"

    def told(self) -> dict[str, Any]:
        """The same as the API tells it."""
        return {"examples": self.examples, "rounds": list(self.rounds), "why": self.why}


def held_back_words(found: Sequence[tuple[str, HeldBack]]) -> str:
    """What is held back of datasets, by title, in the same two sentences everywhere; "" where nothing is.

    >>> held_back_words([("", HeldBack(1, ("mnist-1",), ""))]).partition(", so")[0]
    '1 example is in an open review and held back until that is over'
    >>> held_back_words([("MNIST", HeldBack(1, ("mnist-1",), "")), ("IMDB", HeldBack(2, (), ""))]).partition(", so")[0]
    '1 example of MNIST and 2 of IMDB are in an open review and held back until that is over'
    """
    if not found:
        return ""
    one = sum(held.examples for _, held in found) == 1
    counts = [f"{held.examples:,}" + (f" of {title}" if title else "") for title, held in found]
    noun = "example" if found[0][1].examples == 1 else "examples"
    number, *of = counts[0].split(" ", 1)
    counts[0] = " ".join((number, noun, *of))
    them = "it" if one else "them"
    return (
        f"{' and '.join(filter(None, (', '.join(counts[:-1]), counts[-1])))} {'is' if one else 'are'} in an open "
        "review and held back until that is over, so that reviewers see no answer. Lists, their counts and corrected "
        f"labels leave {them} out; what was measured over a whole test set before, such as stability, contains {them}."
    )


def content_version(version: str, found: HeldBack | None) -> str:
    """The version of the labels that can be taken now: that of the dataset, or one of what is left of it.

    >>> content_version("0a1b", HeldBack(1, ("mnist-1",), "77aa"))
    '0a1b-without-77aa'
    """
    return version if found is None else f"{version}-without-{found.digest}"
