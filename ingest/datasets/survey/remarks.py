"""What looking at a folder has to say: what was found, what is unsure, and what was left out."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.errors import shown


@dataclass
class Remarks:
    """Sentences for the user, in the order in which they came up."""

    found: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)  # what -> the names of those left out

    def find(self, sentence: str) -> None:
        """Say what was found, and how it is read."""
        self.found.append(sentence)

    def doubt(self, sentence: str) -> None:
        """Say what may be otherwise than it was read."""
        if sentence not in self.unsure:
            self.unsure.append(sentence)

    def leave_out(self, what: str, *names: str) -> None:
        """Say what is not part of the dataset: files, folders or columns of one description."""
        self.left_out.setdefault(what, []).extend(names)

    def lines(self) -> Iterator[str]:
        """All of it, a sentence a line.

        >>> remarks = Remarks(["60 pictures in 3 classes"])
        >>> remarks.leave_out("hidden and system files", ".DS_Store")
        >>> list(remarks.lines())
        ['found: 60 pictures in 3 classes', "left out: hidden and system files: '.DS_Store'"]
        """
        yield from (f"found: {sentence}" for sentence in self.found)
        yield from (f"unsure: {sentence}" for sentence in self.unsure)
        for what, names in self.left_out.items():
            yield f"left out: {what}{': ' if names else ''}{some(names)}"


def some(names: list[str], most: int = 3) -> str:
    """The first few names, and how many more there are.

    >>> some(["a", "b"]), some(["a", "b", "c", "d"])
    ("'a', 'b'", "'a', 'b', 'c' and 1 more")
    """
    listed = ", ".join(map(shown, names[:most]))
    return f"{listed} and {len(names) - most:,} more" if len(names) > most else listed
