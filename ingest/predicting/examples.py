"""The examples of a dataset as models take them: contents, labels and a canonical order.

The canonical order is that of a digest of each example's content, name and label. Folds and training go by it, so that
another order of the examples in the dataset changes no result.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

#: What ``Examples.inputs`` is.
Kind = Literal["texts", "images", "table", "features"]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Examples:
    """n examples; ``contents`` are digests of what each contains, equal where the contents are."""

    kind: Kind
    inputs: Any  # a list of str, or an array or DataFrame of n rows; see ``ingest.predicting``
    labels: NDArray[np.int64]  # (n,) class ids
    contents: Sequence[bytes]
    keys: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def order(self) -> Rows:
        """(n,) the indices in canonical order."""
        return canonical_order(self.contents, self.keys, self.labels)

    def only(self, kept: NDArray[np.bool_]) -> "Examples":
        """Those that are kept."""
        rows = np.flatnonzero(kept)
        keys = None if self.keys is None else [self.keys[row] for row in rows.tolist()]
        contents = [self.contents[row] for row in rows.tolist()]
        return Examples(self.kind, take(self.inputs, rows), self.labels[rows], contents, keys)


def canonical_order(contents: Sequence[bytes], keys: Sequence[str] | None, labels: NDArray[np.int64]) -> Rows:
    """(n,) the indices of the examples in an order that does not depend on the order in which they are given.

    Examples that are equal in content, name and label can take each other's place.

    >>> labels = np.array([1, 0, 1])
    >>> first = canonical_order([b"ant", b"bee", b"cat"], None, labels)
    >>> again = canonical_order([b"cat", b"ant", b"bee"], None, labels[[2, 0, 1]])
    >>> [b"ant bee cat".split()[i] for i in first] == [b"cat ant bee".split()[i] for i in again]
    True
    """
    digests = [
        digest(content, b"" if keys is None else keys[index].encode("utf-8", "surrogatepass"), int(labels[index]))
        for index, content in enumerate(contents)
    ]
    return np.array(sorted(range(len(digests)), key=digests.__getitem__), dtype=np.int64)


def digest(*parts: bytes | int) -> bytes:
    """16 bytes that stand for these parts; no two lists of parts are written the same.

    >>> digest(b"ab", b"c") == digest(b"a", b"bc"), len(digest(b""))
    (False, 16)
    """
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        found.update(len(data).to_bytes(8, "little"))
        found.update(data)
    return found.digest()


def take(inputs: Any, rows: Rows) -> Any:
    """Rows of what models take.

    >>> take(["a", "b", "c"], np.array([2, 0])), take(np.arange(3), np.array([2, 0])).tolist()
    (['c', 'a'], [2, 0])
    """
    if isinstance(inputs, list):
        return [inputs[row] for row in rows.tolist()]
    return inputs.iloc[rows] if hasattr(inputs, "iloc") else inputs[rows]


def joined(first: Any, second: Any) -> Any:
    """The rows of both, one below the other.

    >>> joined(["a"], ["b"]), joined(np.zeros(1), np.ones(1)).tolist()
    (['a', 'b'], [0.0, 1.0])
    """
    if isinstance(first, list):
        return [*first, *second]
    if isinstance(first, np.ndarray):
        return np.concatenate([first, second])
    if hasattr(first, "iloc"):
        import pandas as pd

        return pd.concat([first, second], ignore_index=True)
    return first.joined(second)
