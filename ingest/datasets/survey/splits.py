"""Which parts of a dataset are looked at, and which are only learnt from, by the names of folders and files."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Role = Literal["test", "validation", "train"]

_WORDS: Final[dict[str, Role]] = {
    **dict.fromkeys(("test", "testing", "tests", "eval", "evaluation"), "test"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
    **dict.fromkeys(("train", "training"), "train"),
}


@dataclass(frozen=True)
class Split:
    """The part to look at, the part to learn from, and other parts."""

    looked_at: str
    train: str
    others: Sequence[str] = ()


def role_of(path: str) -> Role | None:
    """What a folder or file is by its name, or by that of a folder above it; None without a usual word.

    >>> role_of("20news-bydate-test"), role_of("data/train-00000-of-00002.parquet"), role_of("cats")
    ('test', 'train', None)
    """
    words = [word for word in re.split(r"[^a-z]+", path.casefold()) if word in _WORDS]
    return _WORDS[words[-1]] if words else None


def split_of(paths: Sequence[str]) -> Split | None:
    """The pair of parts among folders or files; None if there is no part to learn from beside one to look at.

    >>> split_of(["test", "train", "val"])
    Split(looked_at='test', train='train', others=['val'])
    >>> split_of(["cat", "train"]) is None
    True
    """
    by_role: dict[Role, list[str]] = {}
    for path in paths:
        if (role := role_of(path)) is not None:
            by_role.setdefault(role, []).append(path)
    if any(len(found) > 1 for found in by_role.values()):
        return None
    first = by_role.get("test", by_role.get("validation"))
    train = by_role.get("train")
    if first is None or train is None:
        return None
    return Split(first[0], train[0], [path for path in paths if path not in (first[0], train[0])])
