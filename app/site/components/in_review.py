"""What open rounds hold back, for the pages and answers that list or count examples."""

from collections.abc import Iterable
from typing import Any

from app.catalogue.records import Dataset
from app.schema.held_back import HeldBack


def held_back_of(datasets: Iterable[Dataset]) -> list[tuple[str, HeldBack]]:
    """The datasets of which something is held back, by title, as ``held_back.html`` tells of them."""
    return [(one.title, one.held_back) for one in datasets if one.held_back is not None]


def held_back_json(dataset: Dataset) -> dict[str, Any]:
    """What is held back of a dataset as a field of an answer; no field where nothing is."""
    return {} if dataset.held_back is None else {"held_back": dataset.held_back.told()}


def held_back_header(dataset: Dataset) -> dict[str, str]:
    """The same as a header of a file, which has no place for it."""
    return {} if dataset.held_back is None else {"Held-Back": str(dataset.held_back.examples)}
