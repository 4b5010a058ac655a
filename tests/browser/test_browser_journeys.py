"""From files that nobody described to suspects in a browser, by the commands that each step says is next."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.test_browser_pages import tab
from tests.conftest import ROOT
from tests.flowers import WRONG, flowers
from tests.serving import serving

N = 90
NAMES = ("north", "south", "west")
#: Examples with a label that is not theirs.
PLANTED = (4, 31, 62)


def given() -> tuple[np.ndarray, np.ndarray]:
    """What each example is of, and its label."""
    really = np.arange(N) % 3
    labels = really.copy()
    labels[list(PLANTED)] = (really[list(PLANTED)] + 1) % 3
    return really, labels


def pictures(folder: Path) -> tuple[Path, set[str]]:
    """A folder of PNG files for each class; the names of those in a wrong one."""
    rng = np.random.default_rng(0)
    wrong = set()
    for index, (kind, label) in enumerate(zip(*given(), strict=True)):
        pixels = rng.normal(60, 20, (12, 12))
        pixels[4 * kind : 4 * kind + 4] += 120
        path = folder / "scans" / NAMES[label] / f"{index:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.clip(0, 255).astype("uint8")).save(path)
        wrong |= {f"{NAMES[label]}/{index:02}.png"} if kind != label else set()
    return folder / "scans", wrong


def texts(folder: Path) -> tuple[Path, set[str]]:
    """A table of texts and labels; what those of wrong labels say."""
    rng = np.random.default_rng(2)
    words = (
        "ice snow fjord cold polar bear aurora",
        "sand sun palm dune heat oasis camel",
        "sea surf cliff gull wave port",
    )
    said = [f"{' '.join(rng.choice(words[kind].split(), 9))} {index}" for index, kind in enumerate(given()[0])]
    frame = pd.DataFrame({"note": said, "label": [NAMES[label] for label in given()[1]]})
    frame.to_csv(folder / "notes.csv", index=False)
    return folder / "notes.csv", {said[index] for index in PLANTED}


def table(folder: Path) -> tuple[Path, set[str]]:
    """A table of numbers and categories; the lengths in rows of wrong labels."""
    frame, _ = flowers()
    frame.rename(columns={"kind": "label"}).to_csv(folder / "flowers.csv", index=False)
    return folder / "flowers.csv", {str(frame["length in cm"][index]) for index in WRONG}


def command(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ingest", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("make", [pictures, texts, table])
def test_suspects_are_seen_after_four_commands(
    browser: Browser, tmp_path: Path, make: Callable[[Path], tuple[Path, set[str]]]
) -> None:
    """Most of the planted errors are flagged, and few right labels; a person sees them by following the links."""
    (tmp_path / "data").mkdir()
    place, wrong = make(tmp_path / "data")
    said = command("init", str(place), cwd=tmp_path)
    following = shlex.split(said.splitlines()[-1].removeprefix("next: label-errors "))
    assert following[0] == "check"
    manifest, folder, _, media = following[1:]
    assert f"{folder}: " in said
    assert ": good: " in command(*following, cwd=tmp_path)
    command("predict", manifest, folder, "--media", media, "--seed", "0", cwd=tmp_path)
    catalogue = tmp_path / "catalogue.sqlite"
    command("add", manifest, folder, "--media", media, "--catalogue", str(catalogue), cwd=tmp_path)
    name = Path(folder).name.removesuffix("-label-errors")
    with serving(catalogue) as site, tab(browser, site, viewport={"width": 1280, "height": 900}) as page:
        page.goto("/")
        page.get_by_role("link", name=name).first.click()
        expect(page.locator("h1")).to_have_text(name)
        cards = page.locator(".card")
        assert 2 <= cards.count() <= 3 * len(wrong)
        found = set()
        for place_of_card in range(cards.count()):
            page.goto(f"/{name}")
            cards.nth(place_of_card).locator("a.look").click()
            expect(page.locator("h1")).to_have_text(re.compile("Example"))
            body = page.locator("main").inner_text()
            found |= {one for one in wrong if one in body}
        assert len(found) >= 2
