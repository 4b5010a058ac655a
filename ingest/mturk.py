"""Vote files -> reviews. The release's field names and its ways to spell votes end here.

A votes file is a JSON list of records, one a reviewed example. This module knows three dialects, all described by the
manifest: one count an option, one count a class name, one count a label of several. It joins each record to its
example, holds what the record says against the labels, and refuses what does not fit. It judges nothing: categories
come from ``app.domain.verdicts``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domain.verdicts import Votes
from ingest.ballots import Ballot, LabelBallot, OptionBallot
from ingest.classes import ClassNames
from ingest.errors import DataError, shown
from ingest.manifest import Manifest
from ingest.readers import LabelSet, key_of, read_json
from ingest.tables import LARGEST

_ANSWERS = ("given", "guessed", "both", "neither")


@dataclass(frozen=True, slots=True)
class Review:
    """One reviewed example. ``record`` names the record it came from, for messages."""

    record: str
    index: int
    given: LabelSet
    guessed: LabelSet
    ballot: Ballot
    url: str | None


@dataclass(frozen=True, slots=True)
class _Context:
    """What every record of one file is read against."""

    path: Path
    manifest: Manifest
    classes: ClassNames
    size: int | None
    indices_of: Mapping[str, list[int]]  # key -> indices, where records name keys; a release repeats some keys


def read_reviews(
    path: Path, manifest: Manifest, classes: ClassNames, size: int | None, keys: Sequence[str] | None
) -> list[Review]:
    """The reviews in a votes file, in the order of their examples.

    ``size`` is the number of examples, ``keys`` are their keys, each None where unknown. Raises DataError, naming the
    record, for a record that is not one, an unknown or repeated example, a class name nobody knows, or votes that
    cannot be.
    """
    records = read_json(path)
    if not isinstance(records, list) or not records:
        raise DataError(path, f"expected a list of records, found {shown(records)}")
    indices_of: dict[str, list[int]] = {}
    if manifest.examples.records == "key":
        for index, key in enumerate(keys or ()):
            indices_of.setdefault(key, []).append(index)
    context = _Context(path, manifest, classes, size, indices_of)
    reviews: dict[int, Review] = {}
    for place, record in enumerate(records, start=1):
        review = _review(context, place, record)
        if review.index in reviews:
            finding = f"expected each example once, found example {review.index} also in {reviews[review.index].record}"
            raise DataError(path, finding, record=review.record)
        reviews[review.index] = review
    return [reviews[index] for index in sorted(reviews)]


def _review(context: _Context, place: int, record: object) -> Review:
    name = f"record {place}"
    if not isinstance(record, dict):
        raise DataError(context.path, f"expected an object, found {shown(record)}", record=name)
    if "id" in record:
        name += f" (id {shown(record['id'])})"
    reader = _Record(context, name, record)
    index = reader.index()
    if context.manifest.labels == "multiple":
        given, guessed = reader.labels("given_original_labels"), reader.labels("our_guessed_labels")
    else:
        given, guessed = (reader.label("given_original_label"),), (reader.label("our_guessed_label"),)
    url = record.get("url")
    return Review(name, index, given, guessed, reader.ballot(given, guessed), url if isinstance(url, str) else None)


class _Record:
    """One record and what its parts mean. Every error names it."""

    def __init__(self, context: _Context, name: str, values: Mapping[str, Any]) -> None:
        self._context = context
        self._classes = context.classes
        self._name = name
        self._values = values

    def error(self, finding: str) -> DataError:
        return DataError(self._context.path, finding, record=self._name)

    def index(self) -> int:
        """The index of the example, by itself or by the key that the record names."""
        examples = self._context.manifest.examples
        value = self._field(examples.field)
        if examples.records == "key":
            if not isinstance(value, str):
                raise self.error(f"expected the name of an example in {examples.field!r}, found {shown(value)}")
            key = key_of(value.removeprefix(examples.drop_prefix), examples.key)
            indices = self._context.indices_of.get(key, [])
            if len(indices) != 1:
                finding = "which is not in it" if not indices else f"which names {len(indices)} examples in it"
                raise self.error(f"expected an example of the index file, found {shown(value)}, {finding}")
            return indices[0]
        size = self._context.size
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error(f"expected the index of an example in {examples.field!r}, found {shown(value)}")
        most = LARGEST if size is None else size - 1
        if not 0 <= value <= most:
            raise self.error(f"expected the index of an example, 0 to {most}, found {shown(value)}")
        return value

    def label(self, field: str) -> int:
        """A class, given by its id or its name; where both stand there, they must agree."""
        value = self._field(field)
        if isinstance(value, str):
            return self._class_of(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < len(self._classes):
            raise self.error(f"expected a class from 0 to {len(self._classes) - 1} in {field!r}, found {shown(value)}")
        name = self._values.get(field + "_name")
        if name is not None and (not isinstance(name, str) or self._class_of(name) != value):
            known = self._classes.names[value]
            raise self.error(f"expected {known!r}, the name of class {value}, in {field}_name, found {shown(name)}")
        return value

    def labels(self, field: str) -> LabelSet:
        names = self._field(field)
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self.error(f"expected a list of class names in {field!r}, found {shown(names)}")
        found = tuple(sorted({self._class_of(name) for name in names}))
        if len(found) < len(names):
            raise self.error(f"expected each class once in {field!r}, found {shown(names)}")
        return found

    def ballot(self, given: LabelSet, guessed: LabelSet) -> Ballot:
        cast = self._cast()
        dialect = self._context.manifest.votes.dialect
        if dialect == "label-sets":
            return self._label_ballot(cast, given, guessed)
        same = given == guessed
        return (
            self._class_ballot(cast, given, guessed)
            if dialect == "class-names"
            else self._option_ballot(cast, guessed, same=same)
        )

    def _option_ballot(self, cast: Mapping[str, int], guessed: LabelSet, *, same: bool) -> OptionBallot:
        options = self._context.manifest.votes.options
        for option in cast:
            if option not in options:
                raise self.error(f"expected votes for {', '.join(options)}, found votes for {shown(option)}")
        counts = {option: cast.get(option, 0) for option in options}
        if same:
            if counts["guessed"] not in (0, counts["given"]):
                found = f"{counts['given']} and {counts['guessed']} votes"
                raise self.error(f"guessed and given label are one, expected the same votes under both, found {found}")
            counts["guessed"] = 0  # they are the same people's, and already counted
        self._require_raters(sum(counts.values()))
        elsewhere = {option: n for option, n in counts.items() if option not in _ANSWERS}
        answers = {option: n for option, n in counts.items() if option in _ANSWERS}
        return self._options(counts, Votes(**answers, elsewhere=elsewhere), guessed)

    def _class_ballot(self, cast: Mapping[str, int], given: LabelSet, guessed: LabelSet) -> OptionBallot:
        options = self._context.manifest.votes.options
        counts = dict.fromkeys(options, 0)
        elsewhere: dict[str, int] = {}
        for word, n in cast.items():
            class_id = None if word in options[3:] else self._class_of(word)
            if class_id == given[0]:
                counts["given"] += n
            elif class_id == guessed[0]:
                counts["guessed"] += n
            else:
                counts["other" if class_id is not None else word] += n
                elsewhere[word] = elsewhere.get(word, 0) + n
        self._require_raters(sum(counts.values()))
        return self._options(counts, Votes(counts["given"], counts["guessed"], elsewhere=elsewhere), guessed)

    def _options(self, counts: Mapping[str, int], votes: Votes, guessed: LabelSet) -> OptionBallot:
        return OptionBallot(counts, votes, guessed, self._context.manifest.raters)

    def _label_ballot(self, cast: Mapping[str, int], given: LabelSet, guessed: LabelSet) -> LabelBallot:
        raters = self._context.manifest.raters
        votes: dict[int, int] = {}
        for name, n in cast.items():
            label = self._class_of(name)
            if label in votes:
                raise self.error(f"expected each class once in the votes, found {shown(name)} twice")
            if n > raters:
                raise self.error(f"expected at most {raters} votes, one a rater, found {n} for {shown(name)}")
            votes[label] = n
        asked = (*given, *(label for label in guessed if label not in given))
        if set(votes) != set(asked):
            names = ", ".join(self._classes.names[label] for label in asked)
            raise self.error(f"expected votes for the given and guessed labels ({names}), found {', '.join(cast)}")
        counts = {self._classes.names[label]: votes[label] for label in asked}
        return LabelBallot(counts, votes, given, raters)

    def _cast(self) -> dict[str, int]:
        cast = self._field("mturk")
        if not isinstance(cast, dict) or not cast:
            raise self.error(f"expected an object of votes in 'mturk', found {shown(cast)}")
        for option, n in cast.items():
            if isinstance(n, bool) or not isinstance(n, int) or n < 0:
                raise self.error(f"expected a number of votes for {option!r}, a whole one, 0 or more, found {shown(n)}")
        return cast

    def _require_raters(self, total: int) -> None:
        raters = self._context.manifest.raters
        if not 1 <= total <= raters:
            raise self.error(f"expected the votes of 1 to {raters} raters, found {total} votes")

    def _class_of(self, name: str) -> int:
        found = self._classes.find(name)
        if found is None:
            raise self.error(f"expected the name of a class, found {shown(name)}, which is none")
        return found

    def _field(self, field: str) -> Any:
        if field not in self._values:
            raise self.error(f"expected a field {field!r}, found {', '.join(map(repr, self._values)) or 'none'}")
        return self._values[field]
