"""Find examples that are the same, or nearly.

Texts are compared by the runs of three words that they share (found by MinHash, then counted), pictures by their
correlation when reduced to 28 x 28 pixels (found by bits of random projections, then computed). Rows of tables,
features and everything else are duplicates only where they are equal. Near-duplicates in two folds would let a model
answer by heart.
"""

import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.predicting.examples import Examples, Rows, joined

#: The share of the runs of words of two texts together that both have, from which they are near-duplicates.
LEAST_SHARED: Final = 0.8
#: The correlation of two reduced pictures from which they are near-duplicates.
LEAST_CORRELATION: Final = 0.98

#: Where more pairs than a few, and than this share, have different labels, they are no duplicates: label errors, of
#: which there are a few in a hundred, do not explain it.
_FEW_DIFFERENT: Final = 10
_MOST_DIFFERENT: Final = 0.15
#: The share of its colour by which a picture may differ from another of the same colours, and what counts as grey.
_OTHER_COLOURS: Final = 0.6
_GREY: Final = 4.0

_WORD: Final = re.compile(r"\w+")
_RUN: Final = 3
_HASHES: Final = 64
_TEXT_BANDS: Final = 16
_SIDE: Final = 28
_IMAGE_BANDS: Final = 12
_BITS: Final = 16
#: In a bucket of more candidates than this, each is compared with so many that follow it only.
_COMPARED: Final = 64
_IMAGES_AT_A_TIME: Final = 4_096
_TEXTS_AT_A_TIME: Final = 2_048

_Bands = NDArray[np.uint64]
_Similar = Callable[[Rows, Rows], NDArray[np.float64]]


@dataclass(frozen=True, order=True)
class Pair:
    """Two examples, ``first`` below ``second``, and how alike they are, up to 1."""

    first: int
    second: int
    similarity: float

    @property
    def both(self) -> tuple[int, int]:
        """The two indices."""
        return self.first, self.second


def near_duplicates(examples: Examples) -> list[Pair]:
    """Pairs of examples that are the same or nearly, which link all such; ascending.

    Of many that are alike, not every two are listed: each is linked to another.
    """
    pairs = []
    equal = defaultdict[bytes, list[int]](list)
    for index in examples.order.tolist():
        equal[examples.contents[index]].append(index)
    firsts = [_first(copies, examples.labels) for copies in equal.values()]
    for first, copies in zip(firsts, equal.values(), strict=True):
        pairs += [_pair(first, index, 1.0) for index in copies if index != first]
    rows = np.array(firsts, dtype=np.int64)
    if examples.kind == "texts":
        pairs += _near([examples.inputs[row] for row in firsts], rows, _of_texts, LEAST_SHARED)
    elif examples.kind == "images":
        pairs += _near(examples.inputs, rows, _of_images, LEAST_CORRELATION)
    return sorted(pairs)


def _first(copies: Sequence[int], labels: NDArray[np.int64]) -> int:
    """One of several equal examples, to stand for all: of the label that most of them have, of the lowest of these.

    >>> _first([4, 2, 7], np.array([0, 0, 1, 0, 0, 0, 0, 0]))
    4
    """
    return (
        copies[0] if len(copies) == 1 else min(i for i in copies if labels[i] == np.bincount(labels[copies]).argmax())
    )


def twins(learnt: Examples, looked_at: Examples, *, near: bool = True) -> NDArray[np.bool_]:
    """(n,) which of the examples to learn from are the same as one that is looked at, or nearly (``near``).

    Such a twin tells the label of the other, in every fold. Both are of one kind.

    >>> labels = np.zeros(2, np.int64)
    >>> first = Examples("features", np.array([[1], [2]]), labels, [b"one", b"two"])
    >>> twins(first, Examples("features", np.array([[2], [3]]), labels, [b"two", b"three"])).tolist()
    [False, True]
    """
    known = set(looked_at.contents)
    found = set(known)
    if near:
        inputs = joined(looked_at.inputs, learnt.inputs)
        labels = np.concatenate([looked_at.labels, learnt.labels])
        contents = [*looked_at.contents, *learnt.contents]
        for pair in near_duplicates(Examples(looked_at.kind, inputs, labels, contents)):
            both = {contents[pair.first], contents[pair.second]}
            if both & known:
                found |= both
    return np.array([content in found for content in learnt.contents], bool)


def _pair(one: int, other: int, similarity: float) -> Pair:
    return Pair(min(one, other), max(one, other), round(similarity, 4))


def _near(inputs: Any, rows: Rows, of: Callable[[Any, Rows], tuple[_Bands, _Similar]], least: float) -> Iterator[Pair]:
    """Pairs of rows, found among those that share a band, and at least so similar."""
    if len(rows) < 2:
        return
    bands, similar = of(inputs, rows)
    first, second = _candidates(bands)
    for start in range(0, len(first), 1 << 16):
        one, other = first[start : start + (1 << 16)], second[start : start + (1 << 16)]
        found = similar(one, other)
        for place in np.flatnonzero(found >= least).tolist():
            yield _pair(int(rows[one[place]]), int(rows[other[place]]), float(found[place]))


def _candidates(bands: _Bands) -> tuple[Rows, Rows]:
    """Pairs of rows that are equal in some column of (k, b) bands, each once."""
    found = set[int]()
    n = len(bands)
    for band in bands.T:
        order = np.argsort(band, kind="stable")
        ends = np.append(np.flatnonzero(band[order][1:] != band[order][:-1]) + 1, n)
        starts = np.append(0, ends[:-1])
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            if end - start > 1:
                bucket = order[start:end].tolist()
                for place, one in enumerate(bucket):
                    found.update(one * n + other for other in bucket[place + 1 : place + 1 + _COMPARED])
    codes = np.array(sorted(found), dtype=np.int64)
    return codes // n, codes % n


def _of_texts(texts: Sequence[str], _rows: Rows) -> tuple[_Bands, _Similar]:
    """MinHash bands of texts, and the share of runs of words that two texts have in common."""
    runs = [_runs_of_words(text) for text in texts]
    draw = np.random.default_rng(0)
    factors = draw.integers(1, 2**63, _HASHES, dtype=np.uint64) | np.uint64(1)
    parts = np.concatenate(
        [_signatures(runs[at : at + _TEXTS_AT_A_TIME], factors) for at in range(0, len(runs), _TEXTS_AT_A_TIME)]
    )
    parts = parts.reshape(len(texts), _TEXT_BANDS, -1)
    powers = draw.integers(1, 2**63, parts.shape[2], dtype=np.uint64) | np.uint64(1)

    def similar(first: Rows, second: Rows) -> NDArray[np.float64]:
        found = np.zeros(len(first))
        for place, (one, other) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
            shared = len(np.intersect1d(runs[one], runs[other], assume_unique=True))
            found[place] = shared / max(1, len(runs[one]) + len(runs[other]) - shared)
        return found

    return (parts * powers).sum(axis=2, dtype=np.uint64), similar


def _signatures(runs: Sequence[NDArray[np.uint64]], factors: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """(k, h) for each text and each way of mixing hashes the smallest of the mixed ones."""
    lengths = np.array([len(one) for one in runs])
    every, starts = np.concatenate(runs), np.append(0, np.cumsum(lengths)[:-1])
    found = np.empty((len(runs), len(factors)), np.uint64)
    for place, factor in enumerate(factors):
        mixed = every * factor
        mixed ^= mixed >> np.uint64(32)
        found[:, place] = np.minimum.reduceat(mixed, starts)
    return found


def _runs_of_words(text: str) -> NDArray[np.uint64]:
    """Hashes of the different runs of three words of a text; of its words, where there are fewer, and at least one."""
    found = _WORD.findall(text.lower()) or [text]
    words = np.array([zlib.crc32(word.encode("utf-8", "replace")) for word in found], np.uint64)
    if len(words) >= _RUN:
        n = len(words) - _RUN + 1
        words = words[:n] * np.uint64(0x9E3779B97F4A7C15) + words[1 : n + 1] * np.uint64(0xC2B2AE3D27D4EB4F) + words[2:]
    words ^= words >> np.uint64(29)
    hashes: NDArray[np.uint64] = np.unique(words * np.uint64(0xBF58476D1CE4E5B9))
    return hashes


def _of_images(images: NDArray[np.uint8], rows: Rows) -> tuple[_Bands, _Similar]:
    """Bands of random bits of pictures, and the correlation of two reduced pictures."""
    vectors = np.concatenate(
        [_reduced(images[rows[at : at + _IMAGES_AT_A_TIME]]) for at in range(0, len(rows), _IMAGES_AT_A_TIME)]
    )
    directions = np.random.default_rng(0).standard_normal((vectors.shape[1], _IMAGE_BANDS * _BITS), np.float32)
    projected = (vectors - vectors.mean(axis=0)) @ directions
    bits = (projected > np.median(projected, axis=0)).reshape(len(rows), _IMAGE_BANDS, _BITS)

    def similar(first: Rows, second: Rows) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.einsum("ij,ij->i", vectors[first], vectors[second]).astype(np.float64)
        return found

    return bits @ (np.uint64(1) << np.arange(_BITS, dtype=np.uint64)), similar


def _reduced(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(k, d) grey pictures of 28 x 28 pixels with mean 0 and length 1, so that products are correlations."""
    greys = images.reshape(*images.shape[:3], -1).mean(axis=3, dtype=np.float32)
    down, across = (_averages(length) for length in greys.shape[1:])
    small = (down @ greys @ across.T).reshape(len(images), -1)
    small -= small.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(small, axis=1, keepdims=True)
    # A picture of one colour has no shape to compare; its own direction keeps it apart from all but the same.
    found: NDArray[np.float32] = small / np.where(lengths > 1e-3, lengths, np.inf)
    return found


def _colours(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How far the channels of a picture, reduced to 28 x 28 pixels, are from its greys."""
    channels = image[..., :3].astype(np.float32)
    down, across = (_averages(length) for length in channels.shape[:2])
    small = np.einsum("ih,hwc,jw->ijc", down, channels, across)
    found: NDArray[np.float32] = small - small.mean(axis=2, keepdims=True)
    return found


def _have_same_colours(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    most = max(float(np.linalg.norm(one)), float(np.linalg.norm(other)))
    return bool(np.linalg.norm(one - other) <= max(_OTHER_COLOURS * most, _GREY * one.size**0.5))


def _averages(length: int) -> NDArray[np.float32]:
    """(28, length) weights that average so many pixels into 28 parts of equal width."""
    bounds = np.linspace(0, length, _SIDE + 1)
    pixels = np.arange(length)
    shares = np.minimum(bounds[1:, None], pixels + 1) - np.maximum(bounds[:-1, None], pixels)
    weights = np.clip(shares, 0, None)
    found: NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return found


def clusters(n: int, links: Sequence[tuple[int, int]]) -> Rows:
    """(n,) the smallest index of those that each example is linked to, directly or through others.

    >>> clusters(5, [(1, 3), (3, 4)]).tolist()
    [0, 1, 2, 1, 1]
    """
    parent = list(range(n))

    def root(one: int) -> int:
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for one, other in links:
        first, second = sorted((root(one), root(other)))
        parent[second] = first
    return np.array([root(one) for one in range(n)], dtype=np.int64)


def are_coincidences(n_different: int, n_pairs: int) -> bool:
    """Whether so many pairs have different labels that wrong labels do not explain it: such rows are equal by chance.

    >>> are_coincidences(40, 100), are_coincidences(3, 53)
    (True, False)
    """
    return n_different > max(_FEW_DIFFERENT, _MOST_DIFFERENT * n_pairs)


def differently_labelled(pairs: Sequence[Pair], labels: NDArray[np.int64], alike: Examples) -> list[Pair]:
    """The pairs whose two examples do not have the same label, most alike first.

    ``alike`` are the examples among which pairs were sought. Texts without a word are equal, and tell no label; nor do
    pictures of the same shapes in other colours.
    """
    found = [pair for pair in pairs if labels[pair.first] != labels[pair.second]]
    if alike.kind == "texts":
        found = [pair for pair in found if alike.inputs[pair.first].strip() or alike.inputs[pair.second].strip()]
    if alike.kind == "images" and alike.inputs.ndim == 4:
        found = [pair for pair in found if _have_same_colours(*(_colours(alike.inputs[i]) for i in pair.both))]
    return sorted(found, key=lambda pair: (-pair.similarity, pair.first, pair.second))


def members(cluster_of: Rows) -> dict[int, list[int]]:
    """The members of each cluster of more than one."""
    found = defaultdict[int, list[int]](list)
    for index, cluster in enumerate(cluster_of.tolist()):
        found[cluster].append(index)
    return {cluster: indices for cluster, indices in found.items() if len(indices) > 1}
