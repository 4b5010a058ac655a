"""Read files of reviewers' votes, in any of the release's dialects, into reviews.

A votes file is a JSON list of records, one per reviewed example. This module knows three dialects, all described by the
manifest: a count per option, a count per class name, a count per label of a multi-label example. It joins each record
to its example and determines the classes that each vote names, from what reviewers were shown: the given label and the
label guessed by the model of that time. It decides no verdicts: categories come from ``app.domain.review.verdicts``,
and ``vote_joins`` checks that records and labels belong together.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.errors import DataError, shown
from ingest.labels.ballots import Ballot, ChoiceBallot, LabelBallot, Vote
from ingest.labels.class_names import ClassNames
from ingest.labels.files import LabelSet, key_of, read_json
from ingest.manifest.fields import LARGEST
from ingest.manifest.model import Manifest

#: A whole number written as a text, as keys of JSON objects and cells of tables are.
_DIGITS = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Review:
    """One reviewed example. ``record`` names the source record, for messages.

    ``shown`` is the label that reviewers were shown beside the given one: the model's guess at that time.
    """

    record: str
    index: int
    given: LabelSet
    shown: LabelSet
    ballot: Ballot
    url: str | None


@dataclass(frozen=True, slots=True)
class _Context:
    """What all records of one file are checked against."""

    path: Path
    manifest: Manifest
    classes: ClassNames
    size: int | None
    indices_of: Mapping[str, list[int]]  # key -> indices, if records name keys; a release repeats some keys


def read_reviews(
    path: Path, manifest: Manifest, classes: ClassNames, size: int | None, keys: Sequence[str] | None
) -> list[Review]:
    """The reviews in a votes file, in the order of their examples.

    ``size`` is the number of examples, ``keys`` are their keys, each None if unknown. Raises DataError, naming the
    record, for an invalid record, an unknown or repeated example, an unknown class name, or impossible votes.
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
    ballot: Ballot
    index = reader.index()
    if context.manifest.labels == "multiple":
        given, shown_ = reader.labels("given_original_labels"), reader.labels("our_guessed_labels")
        ballot = reader.label_ballot(given, shown_)
    else:
        given, shown_ = (reader.label("given_original_label"),), (reader.label("our_guessed_label"),)
        ballot = reader.ballot(given[0], shown_[0])
    url = record.get("url")
    return Review(name, index, given, shown_, ballot, url if isinstance(url, str) else None)


class _Record:
    """One record and the meaning of its fields. Every error names it."""

    def __init__(self, context: _Context, name: str, values: Mapping[str, Any]) -> None:
        self._context = context
        self._classes = context.classes
        self._format = context.manifest.votes
        self._name = name
        self._values = values

    def error(self, finding: str) -> DataError:
        return DataError(self._context.path, finding, record=self._name)

    def index(self) -> int:
        """The index of the example, given directly or by the key in the record."""
        examples = self._context.manifest.examples
        value = self._field(examples.field)
        if examples.records == "key":
            if isinstance(value, int) and not isinstance(value, bool):
                value = str(value)  # tables write numeric names like this
            if not isinstance(value, str):
                raise self.error(f"expected the name of an example in {examples.field!r}, found {shown(value)}")
            key = key_of(value.removeprefix(examples.drop_prefix), examples.key)
            indices = self._context.indices_of.get(key, [])
            if len(indices) != 1:
                finding = "which is not in it" if not indices else f"which names {len(indices)} examples in it"
                raise self.error(f"expected an example of the index file, found {shown(value)}, {finding}")
            return indices[0]
        size = self._context.size
        index = int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else _whole(value)
        if index is None:
            raise self.error(f"expected the index of an example in {examples.field!r}, found {shown(value)}")
        most = LARGEST if size is None else size - 1
        if not 0 <= index <= most:
            raise self.error(f"expected the index of an example, 0 to {most}, found {shown(value)}")
        return index

    def label(self, field: str) -> int:
        """A class, given by its id or its name; if both are given, they must agree."""
        value = self._field(field)
        label = self._class(field, value)
        if isinstance(value, str):
            return label
        name = self._values.get(field + "_name")
        if name is not None and (not isinstance(name, str) or self._class_of(name) != label):
            known = self._classes.names[label]
            raise self.error(f"expected {known!r}, the name of class {label}, in {field}_name, found {shown(name)}")
        return label

    def _class(self, field: str, value: object) -> int:
        if isinstance(value, str):
            return self._class_of(value)
        label = int(value) if isinstance(value, bool) else _whole(value)
        if label is None or not 0 <= label < len(self._classes):
            raise self.error(f"expected a class from 0 to {len(self._classes) - 1} in {field!r}, found {shown(value)}")
        return label

    def labels(self, field: str) -> LabelSet:
        names = self._field(field)
        if not isinstance(names, list):
            raise self.error(f"expected a list of classes in {field!r}, found {shown(names)}")
        found = tuple(sorted({self._class(field, name) for name in names}))
        if len(found) < len(names):
            raise self.error(f"expected each class once in {field!r}, found {shown(names)}")
        return found

    def ballot(self, given: int, guess: int) -> ChoiceBallot:
        """One answer per rater, who was shown the given label and a guess."""
        votes = (
            self._class_votes(given, guess) if self._format.dialect == "class-names" else self._options(given, guess)
        )
        total = sum(vote.n for vote in votes)
        raters = self._context.manifest.raters
        if not 1 <= total <= raters:
            raise self.error(f"expected the votes of 1 to {raters} raters, found {total} votes")
        counts = dict.fromkeys(self._format.options, 0)
        for vote in votes:
            counts[vote.option] += vote.n
        eligible = frozenset({guess}) if self._format.corrects == "guessed" else None
        return ChoiceBallot(counts, votes, given, raters, eligible)

    def _options(self, given: int, guess: int) -> list[Vote]:
        """The answers of the paper's interface, by the classes they name; other options are words."""
        named = _named_by(given, guess)
        cast = self._cast()
        options = self._format.options
        for option in cast:
            if option not in options:
                raise self.error(f"expected votes for {', '.join(options)}, found votes for {shown(option)}")
        counts = {option: cast.get(option, 0) for option in options}
        if given == guess:
            if counts["guessed"] not in (0, counts["given"]):
                found = f"{counts['given']} and {counts['guessed']} votes"
                raise self.error(f"guessed and given label are one, expected the same votes under both, found {found}")
            counts["guessed"] = 0  # they are from the same raters, and already counted
        return [Vote(option, option, named.get(option), n) for option, n in counts.items()]

    def _class_votes(self, given: int, guess: int) -> list[Vote]:
        """Votes for class names, those for neither label in question counted as "other", and for other words.

        The word "other" itself, if no class has that name, is the answer that none of the classes applies.
        """
        options = self._format.options[2:]
        named: Mapping[str, LabelSet] = {**_named_by(given, guess), "other": ()}
        words = dict.fromkeys(options[1:], 0)
        option_of = {option.casefold(): option for option in options}
        for_classes = {given: 0, guess: 0}
        spelled = {}
        for word, n in self._cast().items():
            option, class_id = option_of.get(word.casefold()), self._classes.find(word)
            # Every such manifest lists "other"; a class of this name is meant first. Further words are deliberate.
            if option is not None and (class_id is None or option != "other"):
                words[option] = words.get(option, 0) + n
            else:
                class_id = self._class_of(word)
                for_classes[class_id] = for_classes.get(class_id, 0) + n
                spelled[class_id] = word
        votes = [Vote("given", "given", (given,), for_classes.pop(given))]
        votes.append(Vote("guessed", "guessed", (guess,), for_classes.pop(guess, 0)))
        votes += [Vote("other", spelled[one], (one,), n) for one, n in sorted(for_classes.items())]
        return votes + [Vote(word, word, named.get(word), n) for word, n in words.items()]

    def label_ballot(self, given: LabelSet, guess: LabelSet) -> LabelBallot:
        """A vote on each of the labels, given and guessed, that raters were asked about."""
        raters = self._context.manifest.raters
        heard: dict[int, int] = {}
        for name, n in self._cast().items():
            label = self._class_of(name)
            if label in heard:
                raise self.error(f"expected each class once in the votes, found {shown(name)} twice")
            if n > raters:
                raise self.error(f"expected at most {raters} votes, one a rater, found {n} for {shown(name)}")
            heard[label] = n
        asked = (*given, *(label for label in guess if label not in given))
        if set(heard) != set(asked):
            names = ", ".join(self._classes.names[label] for label in asked)
            found = ", ".join(self._values["mturk"])
            raise self.error(f"expected votes for the given and guessed labels ({names}), found {found}")
        counts = {self._classes.names[label]: heard[label] for label in asked}
        return LabelBallot(counts, {label: heard[label] for label in asked}, given, raters)

    def _cast(self) -> dict[str, int]:
        cast = self._field("mturk")
        if not isinstance(cast, dict) or not cast:
            raise self.error(f"expected an object of votes in 'mturk', found {shown(cast)}")
        counts = {}
        for option, n in cast.items():
            whole = _whole(n)
            if whole is None or whole < 0:
                raise self.error(f"expected a number of votes for {option!r}, a whole one, 0 or more, found {shown(n)}")
            counts[option] = whole
        return counts

    def _class_of(self, name: str) -> int:
        found = self._classes.find(name)
        if found is None:
            raise self.error(f"expected the name of a class, found {shown(name)}, which is none")
        return found

    def _field(self, field: str) -> Any:
        if field not in self._values:
            raise self.error(f"expected a field {field!r}, found {', '.join(map(repr, self._values)) or 'none'}")
        return self._values[field]


def _named_by(given: int, guess: int) -> Mapping[str, LabelSet]:
    """Option -> the classes it names; () if it says that no class fits; other options are words without a class."""
    both = tuple(sorted({given, guess}))
    return {"given": (given,), "guessed": (guess,), "both": both, "neither": ()}


def _whole(value: object) -> int | None:
    """A whole number, which tables with gaps write as 1.0; None for anything else.

    >>> _whole(3), _whole(3.0), _whole(1.5), _whole(True), _whole(float("nan"))
    (3, 3, None, None, None)
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
