"""Check that media found by position belong to the labels at the same positions.

A post missing from a folder, or a file that begins with another record, shifts every following picture to a wrong
label, and nobody would notice. Media found by position must therefore be as many as the labels, and if a distribution
contains labels of its own, these must be the same. Media found by key cannot shift and are not checked.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.datasets.example_labels import Labels
from ingest.datasets.load import Inputs
from ingest.errors import shown
from ingest.labels.class_names import ClassNames
from ingest.labels.vote_files import Review
from ingest.media import LabelMismatchError, MediaCountError, MediaProblem, MediaSource, Wanted
from ingest.media.items import Runs, UnpairedFilesError
from ingest.media.layouts.file_per_example import Members
from ingest.media.layouts.parquet_media import FileTable
from ingest.media.layouts.text_table import TextTable

Ids = Sequence[int] | NDArray[np.unsignedinteger[Any]]

_NAMED = 3
_WHY = "pictures, sounds or texts would stand beside labels that are not theirs"


def require_same_examples(source: MediaSource, inputs: Inputs) -> None:
    """Check that media found by position match the labels.

    Raises WrongNumberError for a different number of media and labels, MismatchError if the media come with other
    labels.
    """
    shipped = source.labels(keyed=inputs.keys is not None)
    if shipped is None:
        return
    path = source.sources[0]
    if inputs.size is not None and len(shipped) != inputs.size:
        expected = f"expected {inputs.size:,} examples, as many as there are labels of {inputs.manifest.name}"
        beside = source.beside() if isinstance(source, Members) else ""
        raise MediaCountError(path, f"{expected}, found {len(shipped):,}{beside}: {_WHY}")
    ids = _class_ids(shipped, inputs.classes)
    if ids is None:
        return
    if inputs.labels is not None:
        known, different = inputs.manifest.files.labels, _first_difference(ids, inputs.labels)
        given = () if different is None else inputs.labels[different]
    else:
        known, different, given = inputs.manifest.files.votes, *_first_of_reviews(ids, inputs.reviews)
    if different is not None:
        names = inputs.classes.names
        label = shown(", ".join(names[class_id] for class_id in given))
        found = _spelt(shipped[different], names)
        finding = f"expected the label {label}, as in {known}, found {found}: {_WHY}"
        raise LabelMismatchError(path, finding, record=f"example {different}")


def require_paired(source: MediaSource, wanted: Wanted, problems: Sequence[MediaProblem]) -> None:
    """Raises UnpairedError if a user's media are matched by name and none of the expected names is found."""
    keys = [key for key in wanted.values() if key is not None]
    if not keys or len(keys) < len(wanted) or not isinstance(source, Members | TextTable | FileTable):
        return
    if {problem.index for problem in problems if problem.absent} < wanted.keys():
        return
    instead = source.unpaired(keys[:_NAMED])
    if instead:
        some = ", ".join(map(shown, keys[:_NAMED]))
        finding = f"expected media of the names that the examples have, such as {some}, found none of them"
        raise UnpairedFilesError(source.sources[0], f"{finding}{instead}")


def notes(source: MediaSource, inputs: Inputs) -> tuple[str, ...]:
    """Remarks for whoever pairs media with labels: files that were skipped, and files used for two labels."""
    if inputs.keys is None or not isinstance(source, Members | TextTable | FileTable) or not source.own:
        return tuple(source.notes())
    first = dict[str, int]()
    twice = [(first[key], place) for place, key in enumerate(inputs.keys) if first.setdefault(key, place) != place]
    if not twice:
        return tuple(source.notes())
    one, other = twice[0]
    many = f"{len(twice):,} examples have the names of others and show"
    said = many if len(twice) > 1 else "an example has another's name and shows"
    same = f"{said} the same: {one:,} and {other:,} are both {shown(inputs.keys[one])}"
    return (*source.notes(), same)


def _class_ids(shipped: Sequence[int | str | None], classes: ClassNames) -> Ids | None:
    """The classes stated by a distribution; None unless every folder or file is named after a class."""
    if isinstance(shipped, Runs):
        found = [_of_file(name, classes) for name in shipped.names]
        return None if None in found else np.repeat(np.array(found, np.min_scalar_type(len(classes))), shipped.lengths)
    names = {
        label: label if isinstance(label, int) else None if label is None else classes.find(label)
        for label in set(shipped)
    }
    ids = [names[label] for label in shipped]
    return None if None in ids else [label for label in ids if label is not None]


def _of_file(name: str, classes: ClassNames) -> int | None:
    """The class in a file name, which often has its spaces replaced."""
    found = classes.find(name)
    return classes.find(name.replace("_", " ")) if found is None else found


def _first_of_reviews(ids: Ids, reviews: Sequence[Review]) -> tuple[int | None, tuple[int, ...]]:
    """``_first_difference`` for the given labels stated in reviews, with that label."""
    for review in sorted(reviews, key=lambda review: review.index):
        if review.index < len(ids) and int(ids[review.index]) not in review.given:
            return review.index, review.given
    return None, ()


def _first_difference(ids: Ids, labels: Labels) -> int | None:
    if labels.ids is None:
        return next((index for index, label in enumerate(ids) if label not in labels[index]), None)
    different = np.flatnonzero(np.asarray(ids) != labels.ids)
    return int(different[0]) if len(different) else None


def _spelt(label: int | str | None, names: Sequence[str]) -> str:
    if isinstance(label, int):
        return shown(names[label]) if 0 <= label < len(names) else f"class {label}"
    return shown(label)
