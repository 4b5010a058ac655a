"""Labels and indexes from files: label arrays, label sets, names of examples.

Everything is checked before anyone computes with it: shape, type, range. No file is ever unpickled here; see
``pickles`` for the one kind that needs it, and ``matrices`` for predicted probabilities.
"""

import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from numpy.typing import NDArray

from ingest.description import KeyKind
from ingest.errors import DataError, MissingFileError, shown
from ingest.npy import open_array, read_header
from ingest.pickles import load_arrays
from ingest.whereabouts import outside, whereabouts

LabelSet = tuple[int, ...]


def read_labels(path: Path, n_classes: int) -> NDArray[np.int64]:
    """(n,) class ids, one an example, from a .npy file of any type of whole number."""
    labels = open_array(path)
    if labels.ndim != 1 or len(labels) == 0:
        raise DataError(path, f"expected one label an example, shape (n,), found shape {labels.shape}")
    if not np.issubdtype(labels.dtype, np.integer):
        raise DataError(path, f"expected whole numbers, found {labels.dtype}")
    wrong = np.flatnonzero((labels < 0) | (labels >= n_classes))
    if len(wrong):
        place = int(wrong[0])
        raise DataError(path, outside(int(labels[place]), n_classes, labels), record=whereabouts(path, place))
    return labels.astype(np.int64)


def read_multiple_labels(path: Path, n_classes: int, names: Sequence[str] = ()) -> list[LabelSet]:
    """The label set of each example, from a .json file, a list of lists, or a .npy file: an object array of arrays or
    lists, or (n, m) zeros and ones.

    Each set comes back ascending, without repetition. In JSON, texts are ``names`` of classes.
    """
    if path.suffix.lower() == ".json":
        listed = read_json(path)
        if not isinstance(listed, list) or not listed:
            raise DataError(path, f"expected a list of lists of class numbers, found {shown(listed)}")
        ids = {name: class_id for class_id, name in enumerate(names)}
        for place, labels in enumerate(listed):
            if isinstance(labels, list):
                listed[place] = [ids.get(label, label) if isinstance(label, str) else label for label in labels]
        return [_label_set(path, place, labels, n_classes) for place, labels in enumerate(listed)]
    if not path.is_file():
        raise MissingFileError(path, "expected a .npy file, found none")
    with path.open("rb") as stream:
        header = read_header(path, stream)
    if not header.dtype.hasobject:
        return _sets_of_indicators(path, n_classes)
    with path.open("rb") as stream:
        loaded = load_arrays(stream, str(path))
    if isinstance(loaded, np.ndarray) and loaded.ndim == 2:
        loaded = np.fromiter(loaded.tolist(), dtype=object)  # what numpy makes of lists that happen to be of one length
    if not isinstance(loaded, np.ndarray) or loaded.ndim != 1 or len(loaded) == 0:
        raise DataError(path, f"expected an (n,) array of label sets, found {shown(loaded)}")
    return [_label_set(path, place, labels, n_classes) for place, labels in enumerate(loaded)]


def _label_set(path: Path, place: int, labels: object, n_classes: int) -> LabelSet:
    if (
        isinstance(labels, np.ndarray)
        and labels.ndim == 1
        and (np.issubdtype(labels.dtype, np.integer) or not labels.size)
    ):
        labels = labels.tolist()  # an empty array has the type of no number at all
    if not isinstance(labels, list | tuple) or not all(type(label) is int for label in labels):
        finding = f"expected class numbers, as an array or a list, found {shown(labels)}"
        raise DataError(path, finding, record=whereabouts(path, place))
    label_set = tuple(sorted(set(labels)))
    for label in label_set:
        if not 0 <= label < n_classes:
            raise DataError(path, outside(label, n_classes, np.array(label_set)), record=whereabouts(path, place))
    return label_set


def _sets_of_indicators(path: Path, n_classes: int) -> list[LabelSet]:
    indicators = open_array(path)
    if indicators.ndim != 2 or indicators.shape[1] != n_classes:
        finding = f"expected a set of class numbers an example, or shape (n, {n_classes}) of 0 and 1"
        raise DataError(path, f"{finding}, found shape {indicators.shape} of {indicators.dtype}")
    wrong = np.argwhere((indicators != 0) & (indicators != 1))
    if len(wrong):
        row, column = wrong[0]
        raise DataError(path, f"expected 0 or 1, found {indicators[row, column]}", record=whereabouts(path, int(row)))
    return [tuple(int(label) for label in np.flatnonzero(row)) for row in indicators]


def read_json(path: Path) -> Any:
    """What a JSON file holds. Refuses an object that says one key twice, which JSON readers otherwise forget."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise DataError(path, f"expected each key once in an object, found {shown(twice)} twice")
        return values

    try:
        text = path.read_text(encoding="utf-8-sig")
        values = json.loads(text, object_pairs_hook=unique)
        if "\\ud" in text.casefold():
            json.dumps(values, ensure_ascii=False).encode()
        return values
    except UnicodeEncodeError as error:
        raise DataError(path, f"expected text, found half a character, which no text has: {error}") from error
    except FileNotFoundError as error:
        raise MissingFileError(path, "expected a JSON file, found none") from error
    except UnicodeDecodeError as error:
        raise DataError(path, f"expected UTF-8 text: {error}") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DataError(path, f"expected JSON, found that it breaks there: {error.msg}", record=where) from error
    except (RecursionError, ValueError) as error:
        raise DataError(path, f"expected plain JSON, found it too deep or a number too long: {error}") from error


def read_index(path: Path) -> list[str]:
    """The names of all examples, in order, from a JSON list of texts."""
    entries = read_json(path)
    if not isinstance(entries, list):
        raise DataError(path, f"expected a list of names, found {shown(entries)}")
    for place, entry in enumerate(entries):
        if not isinstance(entry, str) or not entry or "\n" in entry:
            raise DataError(path, f"expected a name, found {shown(entry)}", record=f"entry {place}")
    return entries


def key_of(entry: str, kind: KeyKind) -> str:
    """An entry of an index file reduced to the example's key.

    >>> key_of("val/n01440764/ILSVRC2012_val_00000293.JPEG", "stem")
    'ILSVRC2012_val_00000293'
    >>> key_of("neg/9641_4.txt", "path"), key_of("http://youtu.be/lL-7q3g0k3k?start=140", "youtube")
    ('neg/9641_4', 'lL-7q3g0k3k')
    """
    if kind == "entry":
        return entry
    if kind == "youtube":
        address = urlsplit(entry)
        return parse_qs(address.query).get("v", [address.path.rpartition("/")[2]])[0]
    path = PurePosixPath(entry)
    return path.stem if kind == "stem" else str(path.with_suffix(""))
