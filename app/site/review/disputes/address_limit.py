"""Limit how many disputes come from one address, an hour and of one example a day, without keeping any address.

Addresses are hashed with a key that is drawn anew each day, known to this process alone and never stored.
"""

import hmac
import secrets
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from app.errors import TooManyRequests
from app.web.rate_limit import TokenBuckets

_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR
#: Disputes of one example that come from one address within a day: well below those that can wait of it.
MOST_OF_EXAMPLE: Final = 5


class AddressLimit:
    """Allow each address ``an_hour`` disputes an hour, and a few of one example a day; 0 sets no limit."""

    def __init__(self, an_hour: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._an_hour = an_hour
        self._clock = clock
        self._buckets = TokenBuckets(an_hour, _HOUR, clock)
        self._of_example = TokenBuckets(MOST_OF_EXAMPLE, _DAY, clock)
        self._key = secrets.token_bytes(32)
        self._drawn = clock()

    def count(self, network: str, example: str) -> None:
        """Count a dispute of an example. Raises TooManyRequests beyond either limit."""
        if not self._an_hour:
            return
        if self._clock() >= self._drawn + _DAY:
            self._key, self._drawn = secrets.token_bytes(32), self._clock()
            self._buckets.clear()
            self._of_example.clear()
        left = self._buckets.take(self._hashed(network))
        if left < 0:
            seconds = self._buckets.wait(left)
            minutes = -(-seconds // 60)
            raise _refusal(
                f"From one address come at most {self._an_hour:,} disputes an hour. Nothing was taken; send it again "
                f"in {minutes} minute{'s'[: minutes > 1]}.",
                seconds,
            )
        left = self._of_example.take(self._hashed(f"{network} {example}"))
        if left < 0:
            raise _refusal(
                f"From one address come at most {MOST_OF_EXAMPLE} disputes of one example a day, so enough is waiting "
                "for this one. Nothing was taken.",
                self._of_example.wait(left),
            )

    def _hashed(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), sha256).hexdigest()


def _refusal(words: str, seconds: int) -> TooManyRequests:
    refusal = TooManyRequests(words)
    refusal.retry_after = seconds
    return refusal
