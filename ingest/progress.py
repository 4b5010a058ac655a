"""Progress of long tasks: bars on a terminal, plain lines elsewhere.

Everything goes to standard error, so that standard output contains only results.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from tqdm import tqdm


class Progress(Protocol):
    """The interface through which a long task reports its progress."""

    @contextmanager
    def task(self, what: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
        """A task of ``total`` steps; the function it gives is called with the number of steps done since."""

    def say(self, line: str) -> None:
        """One line for the reader."""


class Bars:
    """A bar for each task, with counts and rates."""

    @contextmanager
    def task(self, what: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
        with tqdm(total=total, desc=what, unit=f" {unit}", file=sys.stderr, dynamic_ncols=True, leave=False) as bar:
            yield bar.update
        self.say(_summary(what, bar.n, total, unit, bar.format_dict["elapsed"]))

    def say(self, line: str) -> None:
        tqdm.write(line, file=sys.stderr)


class Lines:
    """A line for each finished task."""

    @contextmanager
    def task(self, what: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
        done, start = 0, time.monotonic()

        def advance(steps: int) -> None:
            nonlocal done
            done += steps

        yield advance
        self.say(_summary(what, done, total, unit, time.monotonic() - start))

    def say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


def progress_for_terminal() -> Progress:
    """Bars if standard error is a terminal, else lines."""
    return Bars() if sys.stderr.isatty() else Lines()


def _summary(what: str, done: int, total: int | None, unit: str, seconds: float) -> str:
    of = "" if total is None or total == done else f" of {total:,}"
    return f"{what}: {done:,}{of} {unit} in {seconds:.1f} s{_rate(done, seconds)}"


def _rate(done: int, seconds: float) -> str:
    """The rate of a finished task, per second or in seconds each, whichever is at least one; nothing for very short
    tasks.

    >>> _rate(4_300, 2.0), _rate(6, 29.4), _rate(0, 60.0), _rate(7, 0.01)
    (', 2,150 a second', ', 4.9 s each', '', '')
    """
    if seconds < 0.1 or not done:
        return ""
    return f", {done / seconds:,.0f} a second" if done >= seconds else f", {seconds / done:,.1f} s each"
