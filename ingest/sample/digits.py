"""The image sample: handwritten digits of the UCI repository, a few of them overprinted or blotted."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ingest.sample.draft import Draft

#: The maximum of ink; the minimum is 0.
FULL_INK = 16

_ERROR_RATE = 0.04
_OVERPRINTED, _BLOTTED = 36, 14
_NEIGHBOURS = 12
#: Digits that are easily confused, and how much more often than any other pair.
_LOOKALIKES = ((0, 6), (1, 7), (1, 8), (2, 3), (3, 5), (3, 8), (4, 9), (5, 6), (5, 9), (7, 9), (8, 9))
_LOOKALIKE_WEIGHT = 8.0


def draft(file: Path, rng: np.random.Generator) -> Draft:
    """1,797 pictures of 8 x 8 pixels. Some show two digits, one printed over the other, some only blots of ink.

    ``file`` holds ``images``, (1797, 8, 8) from 0 to FULL_INK, and ``target``, (1797,) the digits they show.
    """
    with np.load(file, allow_pickle=False) as digits:
        images, classes = digits["images"].astype(np.float64), digits["target"].astype(np.int64)
    pictures = images.copy()
    clarity = _legibility(pictures, classes)
    truth = [frozenset({int(label)}) for label in classes]

    changed = rng.choice(len(pictures), _OVERPRINTED + _BLOTTED, replace=False)
    for index in changed[:_OVERPRINTED]:
        other = rng.choice(np.flatnonzero(classes != classes[index]))
        pictures[index] = np.maximum(images[index], images[other])
        truth[index] = frozenset({int(classes[index]), int(classes[other])})
    for index in changed[_OVERPRINTED:]:
        pictures[index] = rng.permutation(pictures[index].ravel()).reshape(pictures[index].shape)
        truth[index] = frozenset()
    clarity[changed] = 0.9

    return Draft(
        truth=truth,
        clarity=clarity,
        confusable=_confusable(),
        error_rate=_ERROR_RATE,
        media=[_png(picture) for picture in pictures],
        ending=".png",
        features=pictures.reshape(len(pictures), -1) / FULL_INK,
    )


def _confusable() -> NDArray[np.float64]:
    weights = np.ones((10, 10))
    for a, b in _LOOKALIKES:
        weights[a, b] = weights[b, a] = _LOOKALIKE_WEIGHT
    return weights


def _legibility(pictures: NDArray[np.float64], classes: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,) clarity: a picture is harder to read, the more of the pictures most similar to it show other digits."""
    flat = pictures.reshape(len(pictures), -1)
    squares = (flat**2).sum(axis=1)
    # Ink values are integers, so these distances are exact and their order is the same everywhere.
    distances = squares[:, None] + squares[None, :] - 2 * flat @ flat.T
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :_NEIGHBOURS]
    others = (classes[nearest] != classes[:, None]).mean(axis=1)
    clarity: NDArray[np.float64] = np.clip(0.96 - 0.9 * others, 0.4, None)
    return clarity


def _png(picture: NDArray[np.float64]) -> bytes:
    """Dark ink on white paper, losslessly compressed."""
    grey = np.round(255 * (1 - picture / FULL_INK)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(grey).save(file, format="PNG")
    return file.getvalue()
