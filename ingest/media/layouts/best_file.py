"""Choose the best of several files of one example, and count the others.

People keep a download beside files they made from it. The same file is chosen wherever the same files are present, in
any order; only names decide, so nothing is read twice.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ingest.media.archives.stores import Member
from ingest.media.layouts.audioset_names import Part, Rank

#: The rank of a file by its name and by the wanted part of a recording.
Ranking = Callable[[str, Part | None], Rank]


class Candidate(NamedTuple):
    """A file of an example."""

    rank: Rank
    place: int  # among all members, in their order
    member: Member


@dataclass
class FilesByExample:
    """The files of each example."""

    ranking: Ranking
    _found: dict[int, list[Candidate]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, index: int, place: int, member: Member, part: Part | None) -> None:
        """Note a file of an example."""
        self._found.setdefault(index, []).append(Candidate(self.ranking(member.name, part), place, member))

    def __contains__(self, index: object) -> bool:
        return index in self._found

    def drop_tied(self) -> dict[int, Sequence[Candidate]]:
        """Remove and return the examples with two equally good files, with the file names."""
        tied: dict[int, Sequence[Candidate]] = {}
        for index, found in self._found.items():
            best = self.best(index).rank._replace(name="")
            same = [one for one in found if one.rank._replace(name="") == best]
            if len(same) > 1:
                tied[index] = same
        self._found = {index: found for index, found in self._found.items() if index not in tied}
        return tied

    def best(self, index: int) -> Candidate:
        """The file to read."""
        return min(self._found[index])

    def others(self, index: int) -> Sequence[Candidate]:
        """The files to read if that one cannot be, best first; files of another segment are excluded."""
        return [one for one in sorted(self._found[index])[1:] if not one.rank.other]

    def in_order(self) -> Iterable[tuple[int, Candidate]]:
        """Each example with its best file, in stored order."""
        return sorted(((index, self.best(index)) for index in self._found), key=lambda one: one[1].place)
