"""A classifier of pictures by a network, with scikit-learn's interface; what its kinds share.

A kind says which network it is (``_network``), how pixels become its input (``_tensor``) and how pictures are varied
while it learns (``_varied``). A network that was
pretrained on other rows goes on from there, and knows the classes of both.
"""

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from ingest.errors import ArgumentError
from ingest.predicting.networks.training import Schedule, chosen_device, probabilities, reproducible, train
from ingest.progress import Progress

#: Another view of (k, height, width, channels) pixels.
Change = Callable[[NDArray[Any]], NDArray[Any]]

#: Pixels looked at once, to learn how bright pictures are.
_CHUNK: Final = 4096


class PictureClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Learns classes of (n, height, width) or (n, height, width, channels) pictures.

    Pixels are uint8, or floating-point numbers from 0 to 1. The array is read a batch at a time and may be mapped from
    a file. Labels are numbers or text.
    """

    epochs: int
    learning_rate: float
    tuning_epochs: int
    tuning_rate: float
    batch_size: int
    seed: int
    threads: int | None
    device: str | None
    progress: Progress | None

    classes_: NDArray[Any]
    network_: Any
    shape_: tuple[int, ...]  # of a picture
    brightness_: tuple[NDArray[np.float32], NDArray[np.float32]]  # see ``brightness``
    pretrained_: tuple[Any, NDArray[Any]]  # a network and its classes

    def _network(self, shape: tuple[int, ...], classes: int) -> Any:
        """A new network for pictures of this shape, with an output for each class."""
        raise NotImplementedError

    def _tensor(self, pixels: NDArray[Any]) -> Any:
        """(k, channels, height, width) input of the network."""
        raise NotImplementedError

    def _varied(self, pixels: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Pictures as the network is shown them while it learns."""
        raise NotImplementedError

    def _ways(self) -> Sequence[Change]:
        """In which ways it is asked about each picture; the mean of the probabilities is taken."""
        return (lambda pixels: pixels,)

    def pretrain(self, pictures: Any, labels: Any) -> Self:
        """Learn from rows that are not looked at, before ``fit``, which then goes on for ``tuning_epochs``."""
        schedule = Schedule(self.epochs, self.learning_rate, self.batch_size)
        self._learn(pictures, labels, schedule, goes_on=False)
        self.pretrained_ = self.network_, self.classes_
        return self

    def fit(self, pictures: Any, labels: Any) -> Self:
        """Learn from these rows; what was pretrained is the beginning, and a fit before is forgotten."""
        goes_on = hasattr(self, "pretrained_")
        epochs, rate = (self.tuning_epochs, self.tuning_rate) if goes_on else (self.epochs, self.learning_rate)
        self._learn(pictures, labels, Schedule(epochs, rate, self.batch_size), goes_on=goes_on)
        return self

    def predict_proba(self, pictures: Any) -> NDArray[np.float64]:
        """(k, len(classes_)) probabilities."""
        pictures = checked(pictures)
        if pictures.shape[1:] != self.shape_:
            raise ArgumentError("pictures", f"expected {_of(self.shape_)} as learnt, found {_of(pictures.shape[1:])}")
        if not len(pictures):
            return np.empty((0, len(self.classes_)))
        total = np.zeros((len(pictures), len(self.classes_)))
        with reproducible(self.seed, self.threads):
            for way in self._ways():
                total += probabilities(self.network_, partial(self._batch, pictures, way), len(pictures))
        return total / len(self._ways())

    def predict(self, pictures: Any) -> NDArray[Any]:
        """(k,) the most probable class of each."""
        chosen: NDArray[Any] = self.classes_[self.predict_proba(pictures).argmax(axis=1)]
        return chosen

    def _learn(self, pictures: Any, labels: Any, schedule: Schedule, *, goes_on: bool) -> None:
        pictures, labels = checked(pictures), np.asarray(labels)
        if len(labels) != len(pictures) or labels.ndim != 1 or not len(labels):
            raise ArgumentError("labels", f"expected one for each of {len(pictures):,} pictures, found {labels.shape}")
        classes = np.unique(labels)
        self.device_ = chosen_device(self.device)
        rng = np.random.default_rng(self.seed)
        with reproducible(self.seed, self.threads):
            if goes_on:
                if pictures.shape[1:] != self.shape_:
                    found = _of(pictures.shape[1:])
                    raise ArgumentError("pictures", f"expected {_of(self.shape_)} as pretrained, found {found}")
                before, known = self.pretrained_
                classes = np.union1d(known, classes)
                network = copy.deepcopy(before)
                if len(classes) > len(known):
                    network = self._network(self.shape_, len(classes))
                    _carry_over(before, network, np.searchsorted(classes, known).astype(np.int64))
            else:
                self.shape_ = pictures.shape[1:]
                self.brightness_ = brightness(pictures)
                network = self._network(self.shape_, len(classes))
            self.classes_, self.network_ = classes, network.to(self.device_, memory_format=torch.channels_last)
            targets = np.searchsorted(classes, labels).astype(np.int64)
            shown = partial(self._batch, pictures, partial(self._varied, rng=rng))
            train(network, shown, targets, schedule, rng, self.progress)

    def _batch(self, pictures: Any, change: Change, rows: NDArray[np.int64]) -> Any:
        pixels = np.asarray(pictures[rows])
        return self._tensor(change(pixels if pixels.ndim == 4 else pixels[..., None])).to(self.device_)


def checked(pictures: Any) -> Any:
    """An array of pictures, not copied. Raises ArgumentError for another shape or type."""
    if not isinstance(pictures, np.ndarray):
        pictures = np.asarray(pictures)
    shape = pictures.shape
    if len(shape) not in (3, 4) or min(shape[1:3]) < 4 or (len(shape) == 4 and shape[3] not in (1, 3, 4)):
        expected = "(n, height, width) or (n, height, width, channels), of at least 4 pixels and 1, 3 or 4 channels"
        raise ArgumentError("pictures", f"expected an array {expected}, found {shape}")
    if pictures.dtype != np.uint8 and not np.issubdtype(pictures.dtype, np.floating):
        raise ArgumentError("pictures", f"expected uint8 or floating-point pixels, found {pictures.dtype}")
    return pictures


def scaled(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Pixels from 0 to 1.

    >>> scaled(np.array([0, 51, 255], np.uint8)).tolist()
    [0.0, 0.20000000298023224, 1.0]
    """
    return pixels.astype(np.float32) / np.float32(255) if pixels.dtype == np.uint8 else pixels.astype(np.float32)


def brightness(pictures: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The mean and the standard deviation of all pixels, for each channel; read in chunks.

    Raises ArgumentError for pixels that are not finite, or beyond 0 to 1.

    >>> mean, deviation = brightness(np.array([[[0.0, 1.0], [0.0, 1.0]]]))
    >>> mean.tolist(), deviation.tolist()
    ([0.5], [0.5])
    """
    channels = pictures.shape[3] if pictures.ndim == 4 else 1
    count, total, squares = 0, np.zeros(channels), np.zeros(channels)
    for start in range(0, len(pictures), _CHUNK):
        chunk = scaled(np.asarray(pictures[start : start + _CHUNK])).reshape(-1, channels).astype(np.float64)
        if not (chunk.min() >= 0 and chunk.max() <= 1):
            found = f"found {chunk.min()} to {chunk.max()} in the {_CHUNK:,} from {start:,} on"
            raise ArgumentError("pictures", f"expected pixels from 0 to 1, {found}")
        count += len(chunk)
        total += chunk.sum(axis=0)
        squares += (chunk**2).sum(axis=0)
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    return mean.astype(np.float32), np.where(deviation > 0, deviation, 1).astype(np.float32)


def _carry_over(before: Any, network: Any, places: NDArray[np.int64]) -> None:
    """Give a network with more classes the weights of one with fewer, whose classes have these places in it."""
    state = network.state_dict()
    for name, weights in before.state_dict().items():
        if state[name].shape == weights.shape:
            state[name].copy_(weights)
        else:
            state[name][torch.from_numpy(places)] = weights.to(state[name].device)
    network.load_state_dict(state)


def _of(shape: tuple[int, ...]) -> str:
    return "pictures of " + " x ".join(map(str, shape))
