"""Reads the weights of a network from a file, and never runs what the file says.

Files are safetensors, or what ``torch.save`` wrote of a dictionary of tensors. A pickle that holds anything else is
refused: opening it could run any program.
"""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ingest.errors import DataError, MissingFileError, shown

Weights = Mapping[str, Any]

#: Under which names training programs put the weights, when they store more beside them.
_WITHIN: Final = ("state_dict", "model", "model_state_dict", "state_dict_ema", "model_ema")
#: What a network that was trained on several devices puts before each name.
_PREFIX: Final = "module."
_NAMED: Final = 3


def read_weights(path: Path) -> Weights:
    """The tensors in a file by name.

    Raises MissingFileError, or DataError for a file that holds anything but finite tensors.
    """
    if not path.is_file():
        raise MissingFileError(path, "expected weights of a network, found no file")
    found = _safetensors(path) if path.suffix == ".safetensors" else _torch_file(path)
    for name in _WITHIN:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
            break
    if not isinstance(found, Mapping) or not found:
        raise DataError(path, f"expected tensors by name, found {shown(found)}")
    for name, tensor in found.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise DataError(path, f"expected a tensor, found {shown(tensor)}", record=shown(name))
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise DataError(path, "expected finite weights, found NaN or infinity", record=name)
    if all(name.startswith(_PREFIX) for name in found):
        return {name.removeprefix(_PREFIX): tensor for name, tensor in found.items()}
    return dict(found)


def load_weights(network: Any, path: Path) -> None:
    """Put the weights of a file into a network, all but those of its last layer where that has other classes.

    Raises DataError where the file is not of this network.
    """
    found, own, last = read_weights(path), network.state_dict(), _last_layer(network)
    fitting = {name for name in own if name in found and found[name].shape == own[name].shape}
    # Counters of batches are no weights, and older files have none.
    counters = {name for name in own if name.endswith("num_batches_tracked")}
    missing = [name for name in own if name not in fitting | last | counters]
    left_over = [name for name in found if name not in own and name not in last]
    if missing or left_over:
        raise DataError(path, f"expected the weights of this network: {_differences(missing, left_over, found, own)}")
    if len(fitting & last) < len(last):  # of other classes: both its weights and its bias begin anew
        fitting -= last
    network.load_state_dict({**own, **{name: found[name] for name in fitting}})


def _safetensors(path: Path) -> Any:
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(path, f"expected safetensors: {error}") from error


def _torch_file(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        finding = (
            "refused, because it holds more than tensors and opening it could run any program; expected the network's "
            "state_dict(), stored by torch.save or as safetensors"
        )
        raise DataError(path, finding) from error
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, BadZipFile) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(path, f"expected weights that torch.save wrote: {reason}") from error


def _last_layer(network: Any) -> set[str]:
    """The names of the weights of the last layer, which gives classes."""
    layers = [name for name, layer in network.named_modules() if isinstance(layer, (torch.nn.Linear, torch.nn.Conv2d))]
    return {name for name in network.state_dict() if layers and name.rpartition(".")[0] == layers[-1]}


def _differences(missing: list[str], left_over: list[str], found: Weights, own: Weights) -> str:
    parts = []
    for name in missing[:_NAMED]:
        shape = f"found {tuple(found[name].shape)}" if name in found else "not found"
        parts.append(f"{name} {tuple(own[name].shape)} {shape}")
    parts.extend(f"{name} not expected" for name in left_over[:_NAMED])
    more = len(missing) + len(left_over) - len(parts)
    return "; ".join(parts) + (f"; and {more:,} more" if more else "")
