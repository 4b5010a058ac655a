"""Which examples must not be in two folds, because one would tell the label of another.

Groups come from a file of the manifest, from a column of a table of the examples or of their labels, from a pattern in
their names or texts, or from the threads of a mailing list. Near-duplicates join the groups of both.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.evaluation.tables.row_names import id_column
from ingest.datasets.survey.label_classes import label_texts
from ingest.datasets.survey.table_columns import SUFFIXES, read_columns_of
from ingest.datasets.train_rows import read_groups
from ingest.errors import ArgumentError, DataError, shown
from ingest.labels.files import read_index
from ingest.manifest.model import Manifest
from ingest.matrices.row_order import in_order
from ingest.media import MediaSource
from ingest.predicting.examples import Examples, Rows
from ingest.predicting.near_duplicates import Pair, clusters

THREAD: Final = "thread"
DUPLICATES: Final = "duplicates"

_SUBJECT: Final = re.compile(r"^Subject:[^\S\n]*(.*)$", re.MULTILINE | re.IGNORECASE)
_REPLY: Final = re.compile(r"(?:(?:re|fwd?)\s*:\s*)+")
#: The difference in accuracy from which groups matter.
_APART: Final = 0.02
#: Where headers stand.
_HEAD: Final = 20_000
_HINT: Final = ". Of a table that names files, label-errors init takes a column with --group-column"
#: Layouts of media whose examples are rows of a table, which may have more columns.
_TABLES: Final = ("text-table", "image-table", "audio-table", "row-table")


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


def groups_of(
    asked: str | None,
    examples: Examples,
    manifest: Manifest,
    folder: Path,
    pairs: Sequence[Pair],
    source: MediaSource | None = None,
) -> Groups:
    """The groups that ``--groups`` or the manifest asks for, joined where near-duplicates link them.

    ``source`` holds the examples, if they were read. Raises ArgumentError or DataError if there is nothing like it.
    """
    names, said = _names(asked, examples, manifest, folder, source)
    links = [(pair.first, pair.second) for pair in pairs]
    if names is not None:
        first: dict[str, int] = {}
        links += [(first.setdefault(name, index), index) for index, name in enumerate(names) if name != ""]
        named = sum(name != "" for name in names)
        if asked is not None and manifest.train is None and len(first) == named:
            finding = f"expected groups of two examples or more, found {len(first):,} of one each, by {said}"
            raise ArgumentError("--groups", finding)
    found = clusters(len(examples), links)
    if said is not None and (found == found[0]).all():
        raise ArgumentError("--groups", f"expected two groups at least, found all examples in one, by {said}")
    return Groups(found, said)


def group_warning(groups: Groups, accuracy: float, ungrouped: float | None) -> list[str]:
    """What the accuracy without groups tells, if that was measured and is another one."""
    if ungrouped is None or abs(ungrouped - accuracy) <= _APART:
        return []
    return [
        f"With groups kept together ({groups.said}) the accuracy is {accuracy:.3f}, without {ungrouped:.3f}: examples "
        "of one group tell the labels of each other. Only the lower figure says what the model knows of new examples; "
        "which examples are flagged differs too."
    ]


class Side(NamedTuple):
    """Examples, the manifest that describes them, and what holds them, if that was read."""

    examples: Examples
    manifest: Manifest
    source: MediaSource | None


def in_looked_at_groups(asked: str | None, looked_at: Side, train: Side, folder: Path) -> NDArray[np.bool_] | None:
    """(t,) which examples to learn from are of a group that is looked at too; None if their groups are not known."""
    names, _ = _names(asked, looked_at.examples, looked_at.manifest, folder, looked_at.source)
    if names is None:
        return np.zeros(len(train.examples), np.bool_)
    of_train = _names_of_train(asked, looked_at, train, folder)
    known = set(names) - {""}
    return None if of_train is None else np.array([name in known for name in of_train], np.bool_)


def _names_of_train(asked: str | None, looked_at: Side, train: Side, folder: Path) -> Sequence[str] | None:
    """The groups of examples to learn from, found as those of the others were."""
    if asked is None or asked == THREAD:
        return _names(asked, train.examples, train.manifest, folder, train.source)[0]
    of_manifest = read_groups(train.manifest, folder, len(train.examples))
    if asked.endswith(".json"):
        return of_manifest
    for path, cells, keys in _tables(train.manifest, folder, train.source):
        if asked in cells:
            return _of_column(path, asked, cells[asked], keys, train.examples)
    if any(asked in cells for _, cells, _ in _tables(looked_at.manifest, folder, looked_at.source)):
        return of_manifest
    _, where = _matched(asked, looked_at.examples)
    words = dict(_places(train.examples)).get(where)
    return of_manifest if words is None else [_found(re.compile(asked, re.MULTILINE), word) for word in words]


def duplicates_alone(n: int, pairs: Sequence[Pair]) -> Groups:
    """Groups of near-duplicates."""
    return Groups(clusters(n, [(pair.first, pair.second) for pair in pairs]), None)


def _names(
    asked: str | None, examples: Examples, manifest: Manifest, folder: Path, source: MediaSource | None
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
    for path, cells, keys in _tables(manifest, folder, source):
        if asked in cells:
            return _of_column(path, asked, cells[asked], keys, examples), f"the column {asked} of {path.name}"
    found, where = _matched(asked, examples)
    return found, f"what {asked} finds in the {where}"


def _tables(
    manifest: Manifest, folder: Path, source: MediaSource | None
) -> Iterator[tuple[Path, Mapping[str, Sequence[Any]], Sequence[Any] | None]]:
    """Tables with a row for each example: their columns, and that of the examples' names, where rows go by name."""
    if source is not None and manifest.media is not None and manifest.media.layout in _TABLES:
        cells = _columns(source.sources[0])
        key = manifest.media.options.get("key_column")
        yield source.sources[0], cells, None if key is None else cells.get(str(key), ())
    if manifest.files.labels is not None:
        labels = folder / manifest.files.labels
        yield labels, _in_order_of_labels(labels, _columns(labels)), None


def _columns(path: Path) -> Mapping[str, Sequence[Any]]:
    """The columns of a table; none of other files, and of tables in other encodings."""
    try:
        return read_columns_of(path).cells if path.suffix.lower() in SUFFIXES else {}
    except DataError:
        return {}


def _in_order_of_labels(path: Path, cells: Mapping[str, Sequence[Any]]) -> Mapping[str, Sequence[Any]]:
    """The columns of a table of labels, whose rows go by an index, where it has one, as labels are read."""
    if not cells:
        return cells
    if path.suffix.lower() == ".parquet":
        import pyarrow.parquet as pq

        from ingest.matrices.parquet_order import order_of

        with pq.ParquetFile(path) as file:
            order = order_of(path, file, ())
    else:
        column = id_column(list(cells))
        order = None if column is None else in_order(path, column, cells[column])
    return cells if order is None else {name: [column[row] for row in order] for name, column in cells.items()}


def _of_column(
    path: Path, name: str, cells: Sequence[Any], keys: Sequence[Any] | None, examples: Examples
) -> list[str]:
    """The group of each example by a column. Raises DataError if rows are not those of the examples."""
    words = [text or "" for text in label_texts(cells)]  # 1.0, as pandas writes it where some are missing, is 1
    if keys is not None and examples.keys is not None:
        by_key = {str(key): word for key, word in zip(keys, words, strict=True)}
        words = [by_key[key] for key in examples.keys if key in by_key]
    if len(words) != len(examples):
        raise DataError(path, f"expected {len(examples):,} examples in column {shown(name)}, found {len(words):,}")
    return words


def _of_file(path: Path, n: int) -> list[str]:
    """The group of each example from a JSON list. Raises DataError if they are not n."""
    found = read_index(path)
    if len(found) != n:
        raise DataError(path, f"expected the groups of {n:,} examples, found {len(found):,}")
    return found


def _places(examples: Examples) -> list[tuple[str, Sequence[str]]]:
    """Where a pattern is sought, in this order: what it is called, and a text for each example."""
    places: list[tuple[str, Sequence[str]]] = []
    if examples.keys is not None:
        places.append(("names", examples.keys))
    if examples.kind == "texts":
        places.append(("texts", examples.inputs))
    return places


def _matched(asked: str, examples: Examples) -> tuple[Sequence[str], str]:
    """What a pattern finds in the examples' names or, where it finds nothing there, in texts; and in which."""
    try:
        pattern = re.compile(asked, re.MULTILINE)
    except re.error as error:
        raise ArgumentError("--groups", f"expected a column or a pattern, found {shown(asked)}: {error}") from error
    places = _places(examples)
    for where, words in places:
        found = [_found(pattern, word) for word in words]
        alike = set(found) - {""}
        if len(alike) == 1 and not pattern.groups:
            finding = f"found {shown(alike.pop())} and nothing else in {len(found) - found.count(''):,} {where}"
            raise ArgumentError("--groups", f"expected a column, or a pattern that tells groups apart; {finding}")
        if alike:
            return found, where
    in_them = " and in ".join(f"{where}, such as {shown(words[0])}" for where, words in places)
    finding = f"found {shown(asked)} in none of their {in_them}" if places else "found examples without names"
    raise ArgumentError(
        "--groups", f"expected a column, or a pattern in the examples' names or texts; {finding}{_HINT}"
    )


def _found(pattern: re.Pattern[str], word: str) -> str:
    match = pattern.search(word)
    if match is None:
        return ""
    return (match[1] if pattern.groups else match[0]) or ""
