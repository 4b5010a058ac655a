"""Cross-validated predictions for the sample datasets, stored in ``data/sample/learnt``.

They are stored because a plain install has no library to learn with, and so that every machine gets the same numbers.
They are valid only for the labels they were learnt from, which are stored with them. ``ingest.sample.train`` makes
them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

_RIVAL: Final = "rival:"


@dataclass(frozen=True, slots=True)
class Learnt:
    """Results for n examples and m classes by cross-validation: no model learnt from an example it predicts."""

    given: NDArray[np.uint16]  # (n,) the labels it was learnt from
    probabilities: NDArray[np.float32]  # (n, m)
    #: Of linear models on words, as ``ingest.datasets.word_weights`` reads them: words (v,), weights (k, m, v) of each
    #: fold's classifier, and folds (n,), which of them an example's probabilities come from.
    words: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    rivals: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)  # model -> (n, 5) classes, likeliest first

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read what ``write`` wrote."""
        with np.load(file, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
        return cls(
            arrays.pop("given"),
            arrays.pop("probabilities"),
            rivals={name.removeprefix(_RIVAL): arrays.pop(name) for name in list(arrays) if name.startswith(_RIVAL)},
            words=arrays,
        )

    def write(self, file: Path) -> None:
        """Store the results in a file."""
        rivals = {f"{_RIVAL}{name}": ranked for name, ranked in self.rivals.items()}
        arrays: dict[str, NDArray[Any]] = {"given": self.given, "probabilities": self.probabilities}
        np.savez_compressed(file, **arrays, **self.words, **rivals)  # type: ignore[arg-type]
