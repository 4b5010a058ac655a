"""A bounded memory of answers that cost something and are asked for again and again.

What visitors ask makes the keys, so every memory ends somewhere: in entries, and where an entry can be large, in bytes,
keys and all that surrounds them counted.
"""

import sys
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from itertools import chain, islice
from operator import itemgetter
from threading import Lock
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from cachetools import LRUCache

from app.catalogue.records import ClassInfo, Dataset, Label
from app.corrected.original_test_set import TestSet

T = TypeVar("T")

#: What the memory itself needs for an entry: a link of the order, a place in each table.
_ENTRY: Final = 250
#: Objects of libraries that are not looked into: a clause of SQLAlchemy with what hangs on it, roughly.
_OPAQUE: Final = 4_000
#: Parts of a collection that are weighed; the others are taken to weigh the same.
_WEIGHED: Final = 32
#: The catalogue's own, which an answer only points to.
_SHARED: Final = (Dataset, ClassInfo, Label, TestSet, type)
_SCALARS: Final = (str, bytes, int, float, bool, type(None))


def footprint(value: Any) -> int:
    """About how many bytes of memory a value takes with all that belongs to it alone.

    >>> footprint("a" * 1000) - footprint(""), footprint([b"x" * 100] * 1000) > 100_000
    (1000, True)
    """
    if isinstance(value, _SCALARS):
        return sys.getsizeof(value)
    if isinstance(value, _SHARED):
        return 0
    if isinstance(value, np.ndarray):
        return int(value.nbytes) + 100
    own = sys.getsizeof(value)
    if isinstance(value, Mapping):
        return own + _of_many(value.keys()) + _of_many(value.values())
    if isinstance(value, Collection):
        return own + _of_many(value)
    if type(value).__module__.partition(".")[0] != "app":
        return own + _OPAQUE
    slots = chain.from_iterable(getattr(kind, "__slots__", ()) for kind in type(value).__mro__)
    parts = [getattr(value, name, None) for name in slots if not name.startswith("__")]
    return own + sum(map(footprint, parts)) + sum(map(footprint, getattr(value, "__dict__", {}).values()))


def _of_many(values: Collection[Any]) -> int:
    if len(values) <= _WEIGHED:
        return sum(map(footprint, values))
    step = len(values) // _WEIGHED
    weighed = [footprint(value) for value in islice(values, 0, None, step)]
    return sum(weighed) * len(values) // len(weighed)


class Cache:
    """Keeps the ``most`` answers used last, and of those no more than ``most_bytes``. Lives as long as its catalogue.

    >>> memo = Cache(most=1)
    >>> memo.get("a", lambda: 1), memo.get("a", lambda: 2), memo.get("b", lambda: 3), memo.get("a", lambda: 4)
    (1, 1, 3, 4)
    >>> memo = Cache(most=100, most_bytes=10_000)
    >>> [memo.get(key, lambda: "x" * 4_000)[0] for key in "abc"], len(memo)
    (['x', 'x', 'x'], 2)
    """

    def __init__(self, most: int, most_bytes: int | None = None) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._changing = Lock()
        self._kept: LRUCache[Hashable, tuple[Any, int]] = LRUCache(
            most if most_bytes is None else most_bytes, getsizeof=itemgetter(1)
        )

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def held(self) -> int:
        """The bytes of all that is kept, where they are counted."""
        return 0 if self._most_bytes is None else int(self._kept.currsize)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The answer for a key, made now if it is not remembered."""
        try:
            with self._changing:
                kept: T = self._kept[key][0]
        except KeyError:
            kept = make()
            self._keep(key, kept)
        return kept

    def _keep(self, key: Hashable, value: Any) -> None:
        weight = 1 if self._most_bytes is None else _ENTRY + footprint(key) + footprint(value)
        if weight > self._kept.maxsize:
            return
        with self._changing:
            # Several threads may make the same answer; the last one stays.
            self._kept[key] = value, weight
            if len(self._kept) > self._most:
                self._kept.popitem()


class Answer(NamedTuple):
    """A whole answer that is kept."""

    headers: Sequence[tuple[bytes, bytes]]
    body: bytes


class Answers:
    """Whole answers kept up to a number of bytes in all, keys and headers among them; the least asked for go first.

    Its own table and not an LRUCache, in whose Python a kept answer, 25 µs in all, would take a tenth longer to find.

    >>> answers = Answers(most_bytes=16_000)
    >>> for name in "abcdefghijklmnopqrstuvwxyz":
    ...     answers.keep(name, (), b"....")
    >>> answers.keep("large", (), b"." * 1_000)
    >>> answers.keep("x" * 1_000, (), b"....")
    >>> answers.get("z"), answers.get("large"), answers.get("x" * 1_000), answers.held <= 16_000
    (Answer(headers=(), body=b'....'), None, None, True)
    """

    #: However small they are: what is kept must also be found and dropped again.
    MOST: Final = 50_000

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = 0
        self._kept: OrderedDict[Hashable, tuple[Answer, int]] = OrderedDict()

    @property
    def held(self) -> int:
        """The bytes of all that is kept."""
        return self._held

    def get(self, key: Hashable) -> Answer | None:
        """The answer kept under a key."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def keep(self, key: Hashable, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        """Keep an answer, unless it alone would take more than a sixteenth of the room."""
        if len(body) * 16 > self._most or key in self._kept:
            return
        weight = _ENTRY + footprint(key) + footprint(headers) + len(body)
        if weight * 16 > self._most:
            return
        # A copy takes what it is long; orjson hands out four kilobytes for a body of ten bytes.
        self._kept[key] = Answer(headers, bytes(memoryview(body))), weight
        self._held += weight
        while self._held > self._most or len(self._kept) > self.MOST:
            self._held -= self._kept.popitem(last=False)[1][1]


def visitors_caches() -> tuple[Cache, Cache, Cache, Cache]:
    """What is remembered of visitors' filters: statements, groups of issues, counts, pages around the cards."""
    return Cache(1_000, 16 << 20), Cache(200, 64 << 20), Cache(5_000, 32 << 20), Cache(1_000, 32 << 20)
