"""The paper's network for small pictures: two convolutions, each with pooling, and two dense layers.

Meant for pictures of about 28 x 28 to 64 x 64 pixels, such as those of MNIST, QuickDraw and CIFAR. Larger ones are
averaged down to that; for photographs, features of a pretrained network are better.
"""

from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ingest.predicting.networks.classifier import Change, PictureClassifier, scaled
from ingest.progress import Progress

#: Larger pictures are averaged down to at most this many pixels a side.
_LARGEST: Final = 64
_DENSE: Final = 128
_DROPPED: Final = 0.5


class SmallImageNetwork(PictureClassifier):
    """Two layers of convolution, trained from nothing.

    While it learns, pictures are shifted by up to ``shifts`` pixels, and mirrored if ``mirrored``, which must not be
    said of digits and letters. It is asked about each picture in all these ways, and gives the mean. The same
    ``seed``, rows and number of ``threads`` give the same bytes on a CPU.
    """

    def __init__(
        self,
        *,
        epochs: int = 20,
        learning_rate: float = 4e-3,
        tuning_epochs: int = 8,
        tuning_rate: float = 1e-3,
        batch_size: int = 128,
        channels: tuple[int, int] = (32, 64),
        shifts: int = 2,
        mirrored: bool = False,
        seed: int = 0,
        threads: int | None = None,
        device: str | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.tuning_epochs = tuning_epochs
        self.tuning_rate = tuning_rate
        self.batch_size = batch_size
        self.channels = channels
        self.shifts = shifts
        self.mirrored = mirrored
        self.seed = seed
        self.threads = threads
        self.device = device
        self.progress = progress

    def _network(self, shape: tuple[int, ...], classes: int) -> Any:
        height, width = shape[:2]
        shrunk = -(-max(height, width) // _LARGEST)
        first, second = self.channels
        flat = second * (height // shrunk // 4) * (width // shrunk // 4)
        return nn.Sequential(
            nn.AvgPool2d(shrunk) if shrunk > 1 else nn.Identity(),
            *_convolution(shape[2] if len(shape) == 3 else 1, first),
            *_convolution(first, second),
            nn.Flatten(),
            nn.Dropout(_DROPPED),
            nn.Linear(flat, _DENSE),
            nn.ReLU(),
            nn.Dropout(_DROPPED),
            nn.Linear(_DENSE, classes),
        )

    def _varied(self, pixels: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        return varied(pixels, self.shifts, self.mirrored, rng)

    def _ways(self) -> Sequence[Change]:
        offsets = range(-self.shifts, self.shifts + 1)
        mirrors = (False, True) if self.mirrored else (False,)
        ways = product(offsets, offsets, mirrors)
        return [partial(moved, up=up, left=left, mirrored=mirrored) for up, left, mirrored in ways]

    def _tensor(self, pixels: NDArray[Any]) -> Any:
        mean, deviation = self.brightness_
        return torch.from_numpy((scaled(pixels) - mean) / deviation).permute(0, 3, 1, 2)


def _convolution(channels_in: int, channels_out: int) -> tuple[Any, ...]:
    layer = nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1, bias=False)
    # Pooling first leaves a quarter of the pixels for the rest.
    return layer, nn.MaxPool2d(2), nn.BatchNorm2d(channels_out), nn.ReLU()


def varied(pixels: NDArray[Any], shifts: int, mirrored: bool, rng: np.random.Generator) -> NDArray[Any]:
    """(k, height, width, channels) pictures, each moved by up to ``shifts`` pixels and perhaps mirrored."""
    count = len(pixels)
    up, left = rng.integers(-shifts, shifts + 1, (2, count, 1))
    return moved(pixels, up, left, mirrored and rng.random((count, 1)) < 0.5)


def moved(pixels: NDArray[Any], up: Any, left: Any, mirrored: Any) -> NDArray[Any]:
    """(k, height, width, channels) pictures moved up and left, and mirrored or not: all alike, or by (k, 1) each.

    What comes in at an edge is the edge's own pixel.

    >>> moved(np.array([[[[1], [2], [3]]]]), 0, 1, False).ravel().tolist()
    [2, 3, 3]
    """
    count, height, width = pixels.shape[:3]
    rows = np.broadcast_to(np.clip(np.arange(height) + up, 0, height - 1), (count, height))
    columns = np.broadcast_to(np.clip(np.arange(width) + left, 0, width - 1), (count, width))
    columns = np.where(mirrored, columns[:, ::-1], columns)
    found: NDArray[Any] = pixels[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
    return found
