"""Find the words of a text that support the guessed or the given label, by the weights of a linear model.

A linear model's score of a class is a sum over words, so the contribution of a word to one class against another can be
read off its weights. Without weights nothing is marked: no other kind of model is explained by its words.

The weights are a file ``.npz``, read without unpickling: ``words``, (v,) texts in lower case, and ``weights``, (m, v),
the contribution of one occurrence of a word to the score of a class. A constant factor per text, such as the norm of a
TF-IDF row, changes nothing. After a cross-validation there are k models: then ``weights`` is (k, m, v), and ``folds``,
(n,), gives for each example the model that was not trained on it.
"""

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.evaluation.archive_errors import PACKED_DAMAGE
from ingest.errors import DataError, MissingFileError
from ingest.manifest.model import Words

_WORD: Final = re.compile(r"\w+")
#: Words below this share of the strongest one's weight, or beyond this number, are not marked.
_FAINTEST: Final = 0.25
_MOST: Final = 80
_MOST_BYTES: Final = 2 << 30

#: Begin and end of a word in a text, in characters, and its share of the strongest one's weight: above 0 it speaks for
#: the guessed label, below 0 for the given one.
Span = tuple[int, int, float]


@dataclass(frozen=True, slots=True)
class WordWeights:
    """The weights of linear models, and how texts are split into words."""

    places: Mapping[str, int]  # word -> its column
    weights: NDArray[np.floating]  # (k, m, v)
    folds: NDArray[np.integer] | None  # (n,) the model of each example; None if there is only one
    words: Words

    def spans(self, index: int, text: str, given: int, guessed: int) -> list[Span]:
        """The marked words of an example's text, in text order; none if both labels are the same.

        >>> weights = np.array([[[2.0, 0.0], [0.5, 0.75]]])
        >>> evidence = WordWeights({"sun": 0, "rain": 1}, weights, None, Words(weights="sun.npz"))
        >>> evidence.spans(7, "Sun or rain", given=1, guessed=0)
        [(0, 3, 1.0), (7, 11, -0.5)]
        """
        found = []
        for match in _WORD.finditer(text):
            place = self.places.get(match[0].lower()[: self.words.beginning])
            if place is not None and len(match[0]) >= self.words.shortest:
                found.append((match.start(), match.end(), place))
        if not found or given == guessed:
            return []
        columns = [place for _, _, place in found]
        model = self.weights[0 if self.folds is None else self.folds[index]]
        sides = (model[guessed, columns] - model[given, columns]).astype(float)
        strongest = float(np.abs(sides).max())
        if strongest == 0:
            return []
        shares = np.round(sides / strongest, 2)
        order = np.argsort(-np.abs(shares), kind="stable")[:_MOST]
        chosen = sorted(int(place) for place in order if abs(shares[place]) >= _FAINTEST)
        return [(found[place][0], found[place][1], float(shares[place])) for place in chosen]


def read_word_weights(path: Path, n: int | None, m: int, words: Words) -> WordWeights:
    """The weights in a file, for n examples of m classes. Raises MissingFileError or DataError naming the file."""
    if not path.is_file():
        raise MissingFileError(path, "expected a file of linear models' weights, found none")
    arrays = _arrays(path)
    texts, weights, folds = arrays["words"], arrays["weights"], arrays.get("folds")
    if texts.ndim != 1 or texts.dtype.kind != "U" or not len(texts):
        raise DataError(path, f'expected "words" to be texts in one row, found {texts.dtype} of shape {texts.shape}')
    if weights.ndim == 2:
        weights = weights[None]
    if weights.dtype.kind != "f" or weights.shape[1:] != (m, len(texts)) or not len(weights):
        expected = f'expected "weights" to be numbers of shape ({m}, {len(texts)}), or several such'
        raise DataError(path, f"{expected}; found {weights.dtype} of shape {arrays['weights'].shape}")
    if not np.isfinite(weights).all():
        model, row, column = (int(place) for place in np.argwhere(~np.isfinite(weights))[0])
        finding = f"expected finite weights, found {weights[model, row, column]} for the word {str(texts[column])!r}"
        raise DataError(path, finding, record=f"class {row}")
    places = {str(word): place for place, word in enumerate(texts.tolist())}
    if len(places) < len(texts):
        raise DataError(path, f"expected each word once, found {len(texts) - len(places):,} of them again")
    return WordWeights(places, weights, _folds(path, folds, n, len(weights)), words)


def _folds(path: Path, folds: NDArray[Any] | None, n: int | None, k: int) -> NDArray[np.integer] | None:
    if folds is None and k == 1:
        return None
    found = "none" if folds is None else f"{folds.dtype} of shape {folds.shape}"
    if folds is None or folds.dtype.kind not in "iu" or folds.ndim != 1 or len(folds) != n:
        raise DataError(path, f'expected "folds" to be a whole number for each of {n or 0:,} examples, found {found}')
    wrong = np.flatnonzero((folds < 0) | (folds >= k))
    if len(wrong):
        finding = f'expected "folds" from 0 to {k - 1}, found {folds[wrong[0]]}'
        raise DataError(path, finding, record=f"example {wrong[0]}")
    return folds


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > _MOST_BYTES:
            raise DataError(path, f"expected at most {_MOST_BYTES >> 20:,} MB unpacked, found {size >> 20:,} MB")
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ("words", "weights", "folds") if name in file}
    except (*PACKED_DAMAGE, OSError, ValueError) as error:
        raise DataError(path, f"expected an .npz file of arrays, found another ({error})") from error
    absent = {"words", "weights"} - arrays.keys()
    if absent:
        raise DataError(path, f'expected the arrays "words" and "weights", found no {" and no ".join(sorted(absent))}')
    return arrays
