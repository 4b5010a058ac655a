"""Whether "lower capacity is better on corrected labels" survives its controls, from controls as they are stored.

The claim is one about C: there the number of parameters correlates negatively with right predictions by the corrected
label. It is tested twice: on the part of C that independent opinions confirm, where it should hold too, and on flagged
examples whose label was kept, where "right" means the guess, no label is wrong, and it should not hold.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from app.domain.ranking.evidence import direction

#: As controls name the sets.
CORRECTED, KEPT, CONFIRMED = "corrected", "non_errors", "confirmed by "


class Standing(StrEnum):
    """What becomes of the claim, as the rest of a sentence."""

    SURVIVES = "survives"
    FAILS = "does not survive"
    OPEN = "is not shown"


class OnSet(NamedTuple):
    """What a set shows: smaller models predict the other label more often (-1), larger ones do (1), or neither (0).

    ``tau`` and ``interval`` are None where examples are too few for a ranking or give no interval.
    """

    name: str
    n: int
    shown: int
    tau: float | None
    interval: Sequence[float] | None


class Claim(NamedTuple):
    """What becomes of the claim, why not in words where it does not survive, and what each set shows."""

    standing: Standing
    because: str | None
    sets: tuple[OnSet, ...]

    def on(self, name: str) -> OnSet:
        """What the set of this name shows."""
        return next(one for one in self.sets if one.name == name)


def capacity_claim(controls: Mapping[str, Any]) -> Claim | None:
    """What becomes of the claim; None where the capacity of too few models is known."""
    if controls["capacity"] is None:
        return None
    parts = {f"{CONFIRMED}{name}": one for name, one in controls["confirmed"].items()}
    counts = {name: one["n"] for name, one in ({CORRECTED: controls[CORRECTED], KEPT: controls[KEPT]} | parts).items()}
    sets = tuple(_on_set(name, counts[name], found) for name, found in controls["capacity"]["sets"].items())
    shown = {one.name: one.shown for one in sets}
    confirmed = [sign for name, sign in shown.items() if name.startswith(CONFIRMED)]
    return Claim(*_judged(shown[CORRECTED], shown[KEPT], confirmed), sets)


def _on_set(name: str, n: int, found: Mapping[str, Any] | None) -> OnSet:
    of = {"tau": None, "interval": None} if found is None else found["guessed"]
    return OnSet(name, n, direction(n, of["interval"]), of["tau"], of["interval"])


def _judged(corrected: int, kept: int, confirmed: Sequence[int]) -> tuple[Standing, str | None]:
    if corrected == 0:
        return Standing.OPEN, "The data do not tell: these examples show neither smaller nor larger models ahead."
    if corrected > 0:
        return Standing.FAILS, "Larger models are right more often."
    if kept < 0:
        return Standing.FAILS, "Smaller models predict the guess more often where no label is wrong, too."
    if any(sign > 0 for sign in confirmed):
        return Standing.FAILS, "Larger models are right more often where others confirm the correction."
    if 0 in confirmed:
        return Standing.OPEN, "The data do not tell whether it holds where others confirm the correction."
    return Standing.SURVIVES, None
