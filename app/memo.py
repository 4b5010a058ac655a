"""A bounded memory of answers that cost something and are asked for again and again."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
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
