"""Rounds that draw the same on every run: whom they lend what, and which side is (a)."""

import random

import pytest


class SeededSecrets:
    """As much of ``secrets`` as lending draws from, from a seed."""

    def __init__(self) -> None:
        self._draw = random.Random(7)

    def randbelow(self, n: int) -> int:
        return self._draw.randrange(n)

    def token_urlsafe(self, n: int) -> str:
        return f"{self._draw.getrandbits(8 * n):x}"

    def SystemRandom(self) -> random.Random:
        return self._draw


@pytest.fixture(autouse=True)
def seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.reviews.lending.secrets", SeededSecrets())
