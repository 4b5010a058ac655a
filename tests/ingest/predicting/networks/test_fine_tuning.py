"""Going on from a checkpoint: its weights are there, nothing in it is run, and nothing is downloaded."""

import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.errors import ArgumentError, DataError, MissingFileError

pytestmark = [pytest.mark.slow, pytest.mark.torch]


def tiny(classes: int) -> Any:
    """A network of one convolution, as somebody's own module has it."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, classes),
    )


def tuned(weights: Path, **options: Any) -> Any:
    from ingest.predicting.networks.fine_tuning import FineTunedNetwork

    defaults: dict[str, Any] = {"size": 8, "epochs": 1, "threads": 1, "mirrored": False}
    return FineTunedNetwork(options.pop("architecture", tiny), weights, **(defaults | options))


@pytest.fixture
def weights(tmp_path: Path) -> dict[str, Any]:
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = tiny(4)
        network(torch.rand(64, 3, 8, 8))  # normalization has seen something
    return dict(network.state_dict())


def stored(weights: Any, path: Path) -> Path:
    import torch
    from safetensors.torch import save_file

    if path.suffix == ".safetensors":
        save_file(weights, path)
    else:
        torch.save(weights, path)
    return path


def pictures(n: int = 16) -> Any:
    return np.random.default_rng(0).integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)


def expected(weights: Any, shown: Any) -> Any:
    """What the network of the checkpoint itself says, by ImageNet's brightness."""
    import torch

    network = tiny(4)
    network.load_state_dict(weights)
    scaled = (shown / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    with torch.no_grad():
        scores = network.eval()(torch.from_numpy(scaled.astype(np.float32)).permute(0, 3, 1, 2))
    return torch.softmax(scores.double(), dim=1).numpy()


@pytest.mark.parametrize("name", ["one.safetensors", "one.pth"])
def test_it_begins_with_the_weights_in_the_file(name: str, weights: Any, tmp_path: Path) -> None:
    """With steps too small to change them, and normalization as it was."""
    from ingest.predicting.networks.checkpoints import load_weights

    file = stored(weights, tmp_path / name)
    network = tiny(4)
    load_weights(network, file)
    for key, tensor in network.state_dict().items():
        assert (tensor == weights[key]).all(), key
    model = tuned(file).fit(pictures(), np.arange(16) % 4)
    model.network_ = network.eval()
    np.testing.assert_allclose(model.predict_proba(pictures()), expected(weights, pictures()), atol=1e-6)


def test_what_it_learns_from_there_is_not_what_it_learns_from_nothing(weights: Any, tmp_path: Path) -> None:
    file = stored(weights, tmp_path / "one.safetensors")
    other = stored({name: tensor * 2 for name, tensor in weights.items()}, tmp_path / "two.safetensors")
    labels = np.arange(16) % 4
    first, again, from_other = (
        tuned(one).fit(pictures(), labels).predict_proba(pictures()) for one in (file, file, other)
    )
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != from_other.tobytes()


def test_a_last_layer_for_other_classes_begins_anew(weights: Any, tmp_path: Path) -> None:
    from ingest.predicting.networks.checkpoints import load_weights

    file = stored(weights, tmp_path / "one.safetensors")
    network = tiny(2)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    load_weights(network, file)
    state = network.state_dict()
    assert (state["0.weight"] == weights["0.weight"]).all()
    assert (state["5.weight"] == before["5.weight"]).all()
    assert (state["5.bias"] == before["5.bias"]).all()
    assert tuned(file).fit(pictures(), np.arange(16) % 2).predict_proba(pictures()).shape == (16, 2)


@pytest.mark.parametrize("wrap", [lambda one: {"state_dict": one, "epoch": 3}, lambda one: {"model": one}])
def test_weights_within_what_a_training_program_stored(wrap: Any, weights: Any, tmp_path: Path) -> None:
    from ingest.predicting.networks.checkpoints import read_weights

    prefixed = {f"module.{name}": tensor for name, tensor in weights.items()}
    found = read_weights(stored(wrap(prefixed), tmp_path / "one.pth"))
    assert list(found) == list(weights)


def test_trained_on_train_first_and_tuned_within_the_folds(weights: Any, tmp_path: Path) -> None:
    """Dark and bright pictures: what is pretrained holds after tuning on a handful."""
    file = stored(weights, tmp_path / "one.safetensors")
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 2
    shown = (rng.integers(0, 100, (200, 8, 8, 3)) + labels[:, None, None, None] * 100).astype(np.uint8)
    model = tuned(file, epochs=20, learning_rate=1e-2, tuning_epochs=1)
    model.pretrain(shown[:150], labels[:150]).fit(shown[150:154], labels[150:154])
    assert (model.predict(shown[154:]) == labels[154:]).all()


def test_grey_pictures_of_another_size_are_scaled(weights: Any, tmp_path: Path) -> None:
    file = stored(weights, tmp_path / "one.safetensors")
    grey = np.random.default_rng(0).integers(0, 256, (8, 20, 30), dtype=np.uint8)
    colours = np.repeat(grey[..., None], 3, axis=-1)
    labels = np.arange(8) % 2
    found = tuned(file).fit(grey, labels).predict_proba(grey)
    assert found.tobytes() == tuned(file).fit(colours, labels).predict_proba(colours).tobytes()


class Malicious:
    """Runs a program when it is unpickled freely."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.file),)


@pytest.mark.parametrize("name", ["one.pth", "one.bin", "one.pkl"])
def test_a_pickle_is_refused_and_not_run(name: str, weights: Any, tmp_path: Path) -> None:
    file = stored(dict(weights) | {"more": Malicious(tmp_path / "ran")}, tmp_path / name)
    with pytest.raises(DataError, match=rf"{name}: refused, because it holds more than tensors.*could run any program"):
        tuned(file).fit(pictures(), np.arange(16) % 4)
    assert not (tmp_path / "ran").exists()


def test_a_whole_network_is_refused(tmp_path: Path) -> None:
    import torch

    torch.save(tiny(4), tmp_path / "whole.pt")
    with pytest.raises(DataError, match="expected the network's state_dict"):
        tuned(tmp_path / "whole.pt").fit(pictures(), np.arange(16) % 4)


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"", "one.pth", "expected weights that torch.save wrote"),
        (b"no weights at all", "one.pth", "refused|expected weights that torch.save wrote"),
        (b"PK\x03\x04 and no more", "one.pth", "expected weights that torch.save wrote"),
        (b"no weights at all", "one.safetensors", "expected safetensors"),
        (b"", "one.safetensors", "expected safetensors"),
    ],
)
def test_a_file_that_holds_no_weights(content: bytes, name: str, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name}: ({says})"):
        tuned(tmp_path / name).fit(pictures(), np.arange(16) % 4)


def test_a_file_that_is_cut_off(weights: Any, tmp_path: Path) -> None:
    for name in ("one.pth", "one.safetensors"):
        file = stored(weights, tmp_path / name)
        file.write_bytes(file.read_bytes()[:-200])
        with pytest.raises(DataError, match=name):
            tuned(file).fit(pictures(), np.arange(16) % 4)


def test_weights_of_another_network_are_named(weights: Any, tmp_path: Path) -> None:
    import torch

    changed = dict(weights) | {"0.weight": torch.zeros(8, 1, 3, 3), "stem.weight": torch.zeros(1)}
    del changed["1.running_mean"]
    says = r"0\.weight \(8, 3, 3, 3\) found \(8, 1, 3, 3\); 1\.running_mean \(8,\) not found; stem\.weight not expected"
    with pytest.raises(DataError, match=f"one.safetensors: expected the weights of this network: {says}"):
        tuned(stored(changed, tmp_path / "one.safetensors")).fit(pictures(), np.arange(16) % 4)


def test_weights_that_are_not_numbers(weights: Any, tmp_path: Path) -> None:
    import torch

    file = stored(dict(weights) | {"5.bias": torch.full((4,), torch.nan)}, tmp_path / "one.pth")
    with pytest.raises(DataError, match=r"one.pth: 5.bias: expected finite weights, found NaN"):
        tuned(file).fit(pictures(), np.arange(16) % 4)
    file = stored(dict(weights) | {"5.bias": "four"}, tmp_path / "two.pth")
    with pytest.raises(DataError, match=r"two.pth: '5.bias': expected a tensor, found 'four'"):
        tuned(file).fit(pictures(), np.arange(16) % 4)
    with pytest.raises(DataError, match=r"three.pth: expected tensors by name"):
        tuned(stored([1, 2], tmp_path / "three.pth")).fit(pictures(), np.arange(16) % 4)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="expected weights of a network, found no file"):
        tuned(tmp_path / "none.safetensors").fit(pictures(), np.arange(16) % 4)


@pytest.mark.parametrize("architecture", ["nowhere:resnet", "resnet", "ingest.errors:no_such"])
def test_an_architecture_that_is_not_there(architecture: str, weights: Any, tmp_path: Path) -> None:
    file = stored(weights, tmp_path / "one.safetensors")
    with pytest.raises(ArgumentError, match="architecture: expected timm:NAME, torchvision:NAME or module:function"):
        tuned(file, architecture=architecture).fit(pictures(), np.arange(16) % 4)


def test_a_function_that_makes_no_network(weights: Any, tmp_path: Path) -> None:
    file = stored(weights, tmp_path / "one.safetensors")
    with pytest.raises(ArgumentError, match=r"architecture: expected a torch.nn.Module, found '\*\*\*\*'"):
        tuned(file, architecture=lambda classes: "*" * classes).fit(pictures(), np.arange(16) % 4)


def test_a_network_that_gives_no_score_for_each_class(tmp_path: Path) -> None:
    from torch import nn

    def flat(_: int) -> Any:
        return nn.Sequential(nn.Flatten(), nn.Linear(192, 7))

    file = stored(dict(flat(4).state_dict()), tmp_path / "one.safetensors")
    with pytest.raises(ArgumentError, match=r"architecture: expected scores of shape \(2, 4\), found \(2, 7\)"):
        tuned(file, architecture=flat).fit(pictures(), np.arange(16) % 4)


def test_nothing_is_downloaded(weights: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: asked.append(address))
    file = stored(weights, tmp_path / "one.safetensors")
    tuned(file).fit(pictures(), np.arange(16) % 4).predict_proba(pictures())
    assert asked == []
