"""Goes on training a network whose weights lie in a file, such as a checkpoint of torchvision or timm.

Nothing is downloaded: the file is the user's own, and ``checkpoints`` says how it is read.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from ingest.errors import ArgumentError, shown
from ingest.predicting.networks.checkpoints import load_weights
from ingest.predicting.networks.classifier import PictureClassifier, scaled
from ingest.predicting.networks.small_images import varied
from ingest.progress import Progress

#: The mean and the standard deviation of ImageNet's pixels, which most checkpoints were trained with.
IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION: Final = (0.229, 0.224, 0.225)


class FineTunedNetwork(PictureClassifier):
    """A network that begins with the weights in a file and goes on learning.

    ``architecture`` is "timm:NAME", "torchvision:NAME", "module:function" or a function; the function is called with
    the number of classes and returns a ``torch.nn.Module`` that takes (k, 3, size, size) and gives (k, classes). Its
    last layer begins anew if the file's has another number of classes. Pictures are scaled to ``size`` pixels a side
    and mirrored at random if ``mirrored``; ``mean`` and ``deviation`` are those that the network was trained with.
    """

    def __init__(
        self,
        architecture: str | Callable[[int], Any],
        weights: str | Path,
        *,
        size: int = 224,
        mean: tuple[float, ...] = IMAGENET_MEAN,
        deviation: tuple[float, ...] = IMAGENET_DEVIATION,
        epochs: int = 5,
        learning_rate: float = 5e-4,
        tuning_epochs: int = 3,
        tuning_rate: float = 2e-4,
        batch_size: int = 32,
        mirrored: bool = True,
        seed: int = 0,
        threads: int | None = None,
        device: str | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.architecture = architecture
        self.weights = weights
        self.size = size
        self.mean = mean
        self.deviation = deviation
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.tuning_epochs = tuning_epochs
        self.tuning_rate = tuning_rate
        self.batch_size = batch_size
        self.mirrored = mirrored
        self.seed = seed
        self.threads = threads
        self.device = device
        self.progress = progress

    def files(self) -> list[Path]:
        """What it begins with: other weights are another model, whose unfinished folds are not gone on with."""
        return [Path(self.weights)]

    def _network(self, shape: tuple[int, ...], classes: int) -> Any:  # noqa: ARG002  # any size is scaled
        if len(self.mean) != len(self.deviation) or len(self.mean) not in (1, 3):
            raise ArgumentError("mean", "expected mean and deviation of 1 or 3 channels")
        network = built(self.architecture, classes)
        load_weights(network, Path(self.weights))
        return _require_scores(network, (2, len(self.mean), self.size, self.size), classes)

    def _varied(self, pixels: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        return varied(pixels, 0, self.mirrored, rng)

    def _tensor(self, pixels: NDArray[Any]) -> Any:
        pictures = torch.from_numpy(_of_channels(scaled(pixels), len(self.mean))).permute(0, 3, 1, 2)
        if pictures.shape[2:] != (self.size, self.size):
            pictures = torch.nn.functional.interpolate(
                pictures, (self.size, self.size), mode="bilinear", antialias=True, align_corners=False
            )
        mean, deviation = (torch.tensor(values)[:, None, None] for values in (self.mean, self.deviation))
        return (pictures - mean) / deviation


def built(architecture: str | Callable[[int], Any], classes: int) -> Any:
    """A new network of an architecture. Raises ArgumentError for one that is not there."""
    try:
        make = _maker(architecture) if isinstance(architecture, str) else architecture
    except (ImportError, AttributeError, ValueError) as error:
        expected = "timm:NAME, torchvision:NAME or module:function"
        raise ArgumentError("architecture", f"expected {expected}, found {shown(architecture)}: {error}") from error
    network = make(classes)
    if not isinstance(network, torch.nn.Module):
        raise ArgumentError("architecture", f"expected a torch.nn.Module, found {shown(network)}")
    return network


def _maker(architecture: str) -> Callable[[int], Any]:
    library, _, name = architecture.partition(":")
    module = importlib.import_module("torchvision.models" if library == "torchvision" else library)
    if library == "timm":
        if not module.is_model(name):
            raise ValueError("timm has no model of this name")
        return lambda classes: module.create_model(name, pretrained=False, num_classes=classes)
    if library == "torchvision":
        builder = module.get_model_builder(name)
        return lambda classes: builder(weights=None, num_classes=classes)
    found: Callable[[int], Any] = getattr(module, name)
    return found


def _require_scores(network: Any, shape: tuple[int, ...], classes: int) -> Any:
    """The network, if it gives each picture a score for each class, in training as well."""
    network.train()
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with torch.no_grad():
        scores = network(torch.zeros(shape))
    network.load_state_dict(state)  # normalization counts what it sees
    found = tuple(scores.shape) if isinstance(scores, torch.Tensor) else type(scores).__name__
    if found != (shape[0], classes):
        raise ArgumentError("architecture", f"expected scores of shape {(shape[0], classes)}, found {found}")
    return network


def _of_channels(pixels: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """Pictures with as many channels as the network takes: grey repeated, colours averaged, transparency left out."""
    colours = pixels[..., :3] if pixels.shape[-1] == 4 else pixels
    if colours.shape[-1] == channels:
        return np.ascontiguousarray(colours)
    return np.repeat(colours, channels, axis=-1) if colours.shape[-1] == 1 else colours.mean(axis=-1, keepdims=True)
