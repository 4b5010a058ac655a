"""Colours of models can be told apart, on both grounds and by the colour-blind, and 36 models look different."""

import re
from itertools import combinations, pairwise

import numpy as np
import pytest

from app.package_files import STATIC
from app.site.stability.looks import COLOURS, DASHES, look

#: Machado, Oliveira and Fernandes (2009): what is seen of linear RGB, at full severity.
SEEN = {
    "by most": np.eye(3),
    "without long cones": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "without middle cones": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "without short cones": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
#: Ottosson (2020): from linear RGB to Oklab.
CONES = np.array(
    [[0.41222147, 0.53633254, 0.05144599], [0.2119035, 0.68069955, 0.10739696], [0.08830246, 0.28171884, 0.6299787]]
)
LAB = np.array(
    [[0.21045426, 0.79361779, -0.00407205], [1.9779985, -2.42859221, 0.45059371], [0.02590404, 0.78277177, -0.80867577]]
)
#: Oklab distances: 0.02 can just be seen.
LEAST = 0.1


def linear(colour: str) -> np.ndarray:
    found = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(found <= 0.04045, found / 12.92, ((found + 0.055) / 1.055) ** 2.4)


def values(name: str, pattern: str) -> list[list[str]]:
    """The colours in a style sheet, of its light and of its dark scheme."""
    light, dark = (STATIC / name).read_text(encoding="utf-8").split("@media (prefers-color-scheme: dark)")[:2]
    return [re.findall(pattern, part) for part in (light, dark.partition("\n}")[0])]


COLOURS_OF_MODELS = values("stability.css", r"--m\d: (#[0-9a-f]{6})")
GROUNDS = [found[0] for found in values("site.css", r"--ground: (#[0-9a-f]{6})")]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_each_colour_stands_out_from_the_ground(scheme: int) -> None:
    """3 to 1 (WCAG 2.2, 1.4.11)."""
    assert len(COLOURS_OF_MODELS[scheme]) == COLOURS
    weights = np.array([0.2126, 0.7152, 0.0722])
    ground = float(weights @ linear(GROUNDS[scheme])) + 0.05
    for colour in COLOURS_OF_MODELS[scheme]:
        own = float(weights @ linear(colour)) + 0.05
        assert max(own, ground) / min(own, ground) >= 3, colour


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_stand_out_from_each_other(scheme: int, seen: str) -> None:
    rgb = [np.clip(SEEN[seen] @ linear(colour), 0, 1) for colour in COLOURS_OF_MODELS[scheme]]
    places = [LAB @ np.cbrt(CONES @ one) for one in rgb]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(places, 2)) > LEAST


def test_36_models_have_looks_of_their_own_and_neighbours_share_nothing() -> None:
    looks = [look(place) for place in range(COLOURS * DASHES)]
    assert len(set(looks)) == 36
    for one, other in pairwise(looks):
        assert not set(one.split()) & set(other.split())
