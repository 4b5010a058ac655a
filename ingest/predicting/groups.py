"""Which examples must not be in two folds, because one would tell the label of another.

Groups come from a file of the manifest, from a pattern in the examples' names or texts, from a column, or from the
threads of a mailing list. Near-duplicates join the groups of both.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ingest.datasets.train_rows import read_groups
from ingest.errors import ArgumentError, DataError, shown
from ingest.labels.files import read_index
from ingest.manifest.model import Manifest
from ingest.predicting.examples import Examples, Rows
from ingest.predicting.near_duplicates import Pair, clusters

THREAD: Final = "thread"
DUPLICATES: Final = "duplicates"

_SUBJECT: Final = re.compile(r"^Subject:[^\S\n]*(.*)$", re.MULTILINE | re.IGNORECASE)
_REPLY: Final = re.compile(r"(?:(?:re|fwd?)\s*:\s*)+")
#: Where headers stand.
_HEAD: Final = 20_000


@dataclass(frozen=True)
class Groups:
    """The group of each example, (n,) numbers, and where groups come from; ``said`` is None for duplicates alone."""

    of: Rows
    said: str | None

    @property
    def shared(self) -> int:
        """How many examples have another one in their group."""
        _, counts = np.unique(self.of, return_counts=True)
        return int(counts[counts > 1].sum())


def thread_of(text: str) -> str:
    """The thread of a mail: its subject without what marks replies; of a text without one, its first line.

    >>> thread_of("From: a@b\\nSubject: Re: RE: Fwd: Cars\\n\\nSubject: no"), thread_of("Hello\\nyou")
    ('cars', 'hello')
    """
    found = _SUBJECT.search(text[:_HEAD])
    subject = (found[1] if found else text.partition("\n")[0]).strip().lower()
    reply = _REPLY.match(subject)
    return subject[reply.end() :] if reply else subject


def groups_of(asked: str | None, examples: Examples, manifest: Manifest, folder: Path, pairs: Sequence[Pair]) -> Groups:
    """The groups that ``--groups`` or the manifest asks for, joined where near-duplicates link them.

    Raises ArgumentError or DataError if there is nothing like it.
    """
    names, said = _names(asked, examples, manifest, folder)
    links = [(pair.first, pair.second) for pair in pairs]
    if names is not None:
        first: dict[str, int] = {}
        links += [(first.setdefault(name, index), index) for index, name in enumerate(names) if name != ""]
    return Groups(clusters(len(examples), links), said)


def duplicates_alone(n: int, pairs: Sequence[Pair]) -> Groups:
    """Groups of near-duplicates."""
    return Groups(clusters(n, [(pair.first, pair.second) for pair in pairs]), None)


def _names(
    asked: str | None, examples: Examples, manifest: Manifest, folder: Path
) -> tuple[Sequence[str] | None, str | None]:
    """The name of each example's group, "" for one by itself; and where they come from."""
    if asked == DUPLICATES or (asked is None and manifest.files.groups is None):
        return None, None
    if asked is None:
        return read_groups(manifest, folder, len(examples)), manifest.files.groups
    if asked == THREAD:
        if examples.kind != "texts":
            raise ArgumentError("--groups", f"expected texts for {THREAD}, found {examples.kind}")
        return [thread_of(text) for text in examples.inputs], "threads, by the subjects of mails"
    if asked.endswith(".json"):
        return _of_file(folder / asked if (folder / asked).is_file() else Path(asked), len(examples)), asked
    if examples.kind == "table" and asked in examples.inputs.columns:
        column = examples.inputs[asked]
        return ["" if value is None or value != value else str(value) for value in column], f"the column {asked}"
    return _matched(asked, examples)


def _of_file(path: Path, n: int) -> list[str]:
    """The group of each example from a JSON list. Raises DataError if they are not n."""
    found = read_index(path)
    if len(found) != n:
        raise DataError(path, f"expected the groups of {n:,} examples, found {len(found):,}")
    return found


def _matched(asked: str, examples: Examples) -> tuple[Sequence[str], str]:
    """What a pattern finds in the examples' names or, where it finds nothing there, in texts."""
    try:
        pattern = re.compile(asked, re.MULTILINE)
    except re.error as error:
        raise ArgumentError("--groups", f"expected a column or a pattern, found {shown(asked)}: {error}") from error
    places: list[tuple[str, Sequence[str]]] = []
    if examples.keys is not None:
        places.append(("names", examples.keys))
    if examples.kind == "texts":
        places.append(("texts", examples.inputs))
    for where, words in places:
        found = [_found(pattern, word) for word in words]
        if any(found):
            return found, f"what {asked} finds in the {where}"
    in_them = " and in ".join(f"{where}, such as {shown(words[0])}" for where, words in places)
    finding = f"found {shown(asked)} in none of their {in_them}" if places else "found examples without names"
    raise ArgumentError("--groups", f"expected a column, or a pattern in the examples' names or texts; {finding}")


def _found(pattern: re.Pattern[str], word: str) -> str:
    match = pattern.search(word)
    if match is None:
        return ""
    return (match[1] if pattern.groups else match[0]) or ""
