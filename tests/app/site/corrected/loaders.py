"""Stand-ins of torch and torchvision, which tests do without: the attributes and reading paths of the real loaders.

Each is after torchvision's own source. What matters here is which attribute an item is read from: ``samples`` for
folders, ``targets`` for arrays, ``y`` for Caltech-256, whose file names are made of it. Instead of a picture, an item's
x is what names its example: a path, or its place.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from types import ModuleType
from typing import Any

import pytest


class Dataset:
    """``torch.utils.data.Dataset``: nothing but the promise of ``__getitem__``."""

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError


class Subset(Dataset):
    """``torch.utils.data.Subset``: some items of a dataset, read as the dataset reads them."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


class Arrays(Dataset):
    """CIFAR10, CIFAR100, MNIST: ``data`` and ``targets``, both read."""

    def __init__(self, targets: Sequence[int]) -> None:
        self.data, self.targets = range(len(targets)), list(targets)

    def __getitem__(self, index: int) -> tuple[int, int]:
        return self.data[index], int(self.targets[index])

    def __len__(self) -> int:
        return len(self.data)


class Folder(Dataset):
    """DatasetFolder, and so ImageNet: ``samples`` are read; ``targets`` are a copy that nothing reads."""

    def __init__(self, files: Sequence[str]) -> None:
        folders = sorted({PurePosixPath(file).parent.name for file in files})
        self.class_to_idx = {folder: place for place, folder in enumerate(folders)}
        by_folder: dict[str, list[str]] = {folder: [] for folder in folders}
        for file in files:
            by_folder[PurePosixPath(file).parent.name].append(file)
        self.samples = [(f, self.class_to_idx[d]) for d in folders for f in sorted(by_folder[d])]
        self.targets = [target for _, target in self.samples]

    def __getitem__(self, index: int) -> tuple[str, int]:
        path, target = self.samples[index]
        return path, target

    def __len__(self) -> int:
        return len(self.samples)


class Caltech(Dataset):
    """Caltech256: no ``targets``; ``y`` is the label and part of the path, and the 257th class is there."""

    def __init__(self, sizes: dict[str, int]) -> None:
        self.categories = sorted(sizes)
        self.index: list[int] = []
        self.y: list[int] = []
        for place, category in enumerate(self.categories):
            self.index.extend(range(1, sizes[category] + 1))
            self.y.extend(sizes[category] * [place])

    def __getitem__(self, index: int) -> tuple[str, int]:
        y = self.y[index]
        return f"{self.categories[y]}/{y + 1:03d}_{self.index[index]:04d}.jpg", y

    def __len__(self) -> int:
        return len(self.index)


def install(monkeypatch: pytest.MonkeyPatch, **datasets: Callable[..., Any]) -> None:
    """Make ``torch`` and ``torchvision`` importable, with these datasets."""
    data = {"Dataset": Dataset, "Subset": Subset}
    found: dict[str, dict[str, Any]] = {"torch": {}, "torch.utils": {}, "torch.utils.data": data}
    found |= {"torchvision": {}, "torchvision.datasets": datasets}
    for name, members in found.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
