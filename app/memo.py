"""A bounded memory of answers that cost something and are asked for again and again."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


class Memo:
    """Keeps the ``most`` answers used last. Lives as long as the catalogue its answers are about.

    >>> memo = Memo(most=1)
    >>> memo.get("a", lambda: 1), memo.get("a", lambda: 2), memo.get("b", lambda: 3), memo.get("a", lambda: 4)
    (1, 1, 3, 4)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The answer for a key, made now if it is not remembered."""
        try:
            self._kept.move_to_end(key)
            kept: T = self._kept[key]
        except KeyError:
            kept = self._kept[key] = make()
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return kept


class Answers:
    """Whole answers, headers and body, kept up to a number of bytes in all; those not asked for longest go first."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = 0
        self._kept: OrderedDict[Hashable, tuple[Sequence[tuple[bytes, bytes]], bytes]] = OrderedDict()

    def get(self, key: Hashable) -> tuple[Sequence[tuple[bytes, bytes]], bytes] | None:
        """The headers and body kept under a key."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: Hashable, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        """Keep an answer, unless it alone would take more than a sixteenth of the room.

        >>> answers = Answers(most_bytes=64)
        >>> for name in "abcdefgh":
        ...     answers.keep(name, (), b"....")
        >>> answers.keep("large", (), b"....." )
        >>> answers.get("h"), answers.get("large")
        (((), b'....'), None)
        """
        if len(body) * 16 > self._most or key in self._kept:
            return
        self._kept[key] = headers, body
        self._held += len(body)
        while self._held > self._most:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._held -= len(dropped)
