"""Waiting for what must come, as long as it takes: how fast a machine is, or how busy, decides no test."""

import time
from collections.abc import Callable

#: Seconds after which a test fails rather than hang for ever. Nothing in a sound run comes near it.
PATIENCE = 600.0


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Return as soon as ``holds`` does; ``what`` says what never came."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"waited {PATIENCE:.0f} s for {what}"
        time.sleep(0.005)
