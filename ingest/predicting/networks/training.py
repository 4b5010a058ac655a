"""Training a network on batches, with the same bytes for the same seed, rows and number of threads.

That holds on a CPU. On a GPU, deterministic algorithms are chosen where PyTorch has them.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from ingest.errors import ArgumentError
from ingest.progress import Progress

#: Gives the network's input for some rows, on the network's device.
BatchOf = Callable[[NDArray[np.int64]], Any]

#: Rows predicted at once.
_PREDICTED: Final = 256


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network learns; the rate rises to its highest value and falls to nothing."""

    epochs: int
    learning_rate: float
    batch_size: int = 128
    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        for name in ("epochs", "learning_rate", "batch_size"):
            if getattr(self, name) <= 0:
                raise ArgumentError(name, f"expected a number above zero, found {getattr(self, name)!r}")


def chosen_device(name: str | None) -> Any:
    """The device of this name; without one a GPU if there is one, else the CPU. Raises ArgumentError."""
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise ArgumentError("device", f"expected one that PyTorch can use here, found {name!r}: {reason}") from error
    return device


@contextmanager
def reproducible(seed: int, threads: int | None) -> Iterator[None]:
    """Random numbers of this seed, this many threads and deterministic algorithms; all as before afterwards."""
    threads_before, strict_before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    lenient_before = torch.is_deterministic_algorithms_warn_only_enabled()
    gpus = list(range(torch.cuda.device_count()))
    if gpus:  # cuBLAS reads it when it is first used
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed(seed)
        try:
            torch.set_num_threads(threads or threads_before)
            # Pooling in many pretrained networks has no deterministic gradient on GPUs.
            torch.use_deterministic_algorithms(True, warn_only=bool(gpus))
            yield
        finally:
            torch.use_deterministic_algorithms(strict_before, warn_only=lenient_before)
            torch.set_num_threads(threads_before)


def train(
    network: Any,
    batch_of: BatchOf,
    targets: NDArray[np.int64],
    schedule: Schedule,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> None:
    """Train a network to give the (n,) ``targets``, numbers of its outputs, from ``batch_of`` their rows.

    Raises ArgumentError if training diverges.
    """
    device = next(network.parameters()).device
    steps = schedule.epochs * -(-len(targets) // schedule.batch_size)
    optimizer = torch.optim.AdamW(network.parameters(), schedule.learning_rate, weight_decay=schedule.weight_decay)
    # The cycle takes at least two steps.
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, schedule.learning_rate, total_steps=max(steps, 2))
    network.train()
    with progress.task("training", schedule.epochs, "epochs") if progress else nullcontext(lambda _: None) as advance:
        for _ in range(schedule.epochs):
            order = rng.permutation(len(targets)).astype(np.int64)
            total = 0.0
            for start in range(0, len(order), schedule.batch_size):
                rows = order[start : start + schedule.batch_size]
                optimizer.zero_grad()
                scores = network(batch_of(rows))
                loss = torch.nn.functional.cross_entropy(scores, torch.from_numpy(targets[rows]).to(device))
                loss.backward()
                optimizer.step()
                rate.step()
                total += loss.item()
            if not np.isfinite(total):
                raise ArgumentError("learning_rate", f"training diverged at {schedule.learning_rate}; try a lower one")
            advance(1)


def probabilities(network: Any, batch_of: BatchOf, n: int) -> NDArray[np.float64]:
    """(n, m) probabilities that a network gives ``n`` rows.

    Batches are of one size, so a row's result does not depend on how many others there are.
    """
    network.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, n, _PREDICTED):
            rows = np.minimum(np.arange(start, start + _PREDICTED, dtype=np.int64), n - 1)
            found.append(torch.softmax(network(batch_of(rows)).double(), dim=1).cpu().numpy()[: n - start])
    result: NDArray[np.float64] = np.concatenate(found)
    return result
