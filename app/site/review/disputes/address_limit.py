"""Limit how many disputes an hour come from one address, without keeping any address.

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


class AddressLimit:
    """Allow each address ``an_hour`` disputes an hour; 0 sets no limit."""

    def __init__(self, an_hour: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._an_hour = an_hour
        self._clock = clock
        self._buckets = TokenBuckets(an_hour, _HOUR, clock)
        self._key = secrets.token_bytes(32)
        self._drawn = clock()

    def count(self, network: str) -> None:
        """Count a dispute. Raises TooManyRequests beyond the limit."""
        if not self._an_hour:
            return
        if self._clock() >= self._drawn + _DAY:
            self._key, self._drawn = secrets.token_bytes(32), self._clock()
            self._buckets.clear()
        left = self._buckets.take(hmac.new(self._key, network.encode(), sha256).hexdigest())
        if left < 0:
            seconds = self._buckets.wait(left)
            minutes = -(-seconds // 60)
            refusal = TooManyRequests(
                f"From one address come at most {self._an_hour:,} disputes an hour. Nothing was taken; send it again "
                f"in {minutes} minute{'s'[: minutes > 1]}."
            )
            refusal.retry_after = seconds
            raise refusal
