"""Pictures of the documentation: ``python -m tests.doc_pictures [OUTDIR]``, by default into ``docs/pictures``.

Only the sample is on them: a round as docs/afternoon.md opens it, with five made-up raters, one of whom always answers
"a" and one at random. They are drawn anew when pages have changed; fonts are those of the machine.
"""

import argparse
import io
import json
import random
import sys
import tempfile
import time
import uuid
from contextlib import redirect_stdout
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from app.reviews.lending import Task, next_task
from app.reviews.raters import raters_of
from app.reviews.rounds import find_round
from app.reviews.store import Store, store_url
from app.reviews.voting import Vote, cast
from ingest.commands.main import main as ingest
from tests.app.site.review.rounds import review
from tests.browser.browsing import launch
from tests.conftest import ROOT
from tests.serving import serving

OUTDIR = ROOT / "docs/pictures"
NAMES = ("task", "watching", "excluding", "verdict")
#: Colours of a picture: pages have few, and a picture with few is small.
_COLOURS = 32
_WIDTH, _SCALE = 760, 1.5


class _Clock:
    """The time of raters: an hour ago, and then as slow as people are."""

    def __init__(self) -> None:
        self.now = time.time() - 3600

    def __call__(self) -> float:
        return self.now


def vote_all(catalogue: Path, name: str, turns: int) -> None:
    """Five raters answer as many examples each as there are ``turns``."""
    clock, draw = _Clock(), random.Random(turns)
    store = Store(store_url("", catalogue), clock)
    found = find_round(store, name)
    waiting = dict(enumerate(raters_of(store, found)))
    for _ in range(turns):
        for place, rater in list(waiting.items()):
            task = next_task(store, rater, found)
            if not isinstance(task, Task):
                del waiting[place]
                continue
            clock.now += (5.2, 6.1, 4.4, 3.0, 3.8, 5.5)[place] * draw.uniform(0.7, 1.4)
            given = task.question.given[0]
            guess = given if task.question.guessed is None else task.question.guessed[0]
            seen = guess if task.idx % 5 < 3 else given
            if draw.random() < 0.06:
                seen = given if seen == guess else guess
            answer = "ab"[task.sides.index(seen)]
            answer = {3: "a", 4: draw.choice(["a", "b"])}.get(place, answer)
            cast(store, rater, found, Vote(task.code, answer, str(uuid.uuid4())))
    store.close()


def shot(page: Page, folder: Path, name: str, height: int, top: str | None = None, width: int = _WIDTH) -> None:
    """A picture of what is in view, from an element on."""
    page.set_viewport_size({"width": width, "height": height})
    if top is not None:
        page.locator(top).first.evaluate(
            "element => window.scrollTo(0, element.getBoundingClientRect().top + scrollY - 12)"
        )
    page.wait_for_load_state("networkidle")
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    few = image.quantize(_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(folder / f"{name}.png", optimize=True)


def draw_all(folder: Path) -> None:
    """All pictures."""
    with tempfile.TemporaryDirectory() as made, redirect_stdout(sys.stderr):
        catalogue = Path(made) / "catalogue.sqlite"
        assert ingest(["sample", "--catalogue", str(catalogue)]) == 0
        arguments = ("sample-digits", "--lowest", "30", "--gold", "0.05", "--reviewers", "Our team of five")
        name = json.loads(review(catalogue, "open", *arguments, "--json"))["round"]
        names = [part for one in ("Ada", "Ben", "Cleo", "Dan", "Eva") for part in ("--name", one)]
        with serving(catalogue, serve_reviews=True) as site, sync_playwright() as playwright:
            links = json.loads(review(catalogue, "links", name, *names, "--base", site, "--json"))["links"]
            owner = review(catalogue, "links", name, "--owner", "--base", site).strip()
            browser = launch(playwright)
            page = browser.new_page(device_scale_factor=_SCALE, color_scheme="light", reduced_motion="reduce")
            page.goto(f"{links[0]['url']}?start=1")
            page.wait_for_selector(".task .specimen img")
            shot(page, folder, "task", 540)
            vote_all(catalogue, name, 23)
            page.goto(owner)
            shot(page, folder, "watching", 640)
            one_sided = page.locator(".rater", has_text="always answers")
            one_sided.locator("summary").click()
            one_sided.locator("input[name=why]").fill("always answers a, and says so")
            one_sided.get_by_role("button", name="See what would change").click()
            page.wait_for_selector(".asked")
            shot(page, folder, "excluding", 300, ".asked")
            review(catalogue, "exclude", name, "Dan", "--why", "always answers a, and says so")
            review(catalogue, "links", name, "--name", "Fay")
            vote_all(catalogue, name, 100)
            review(catalogue, "close", name)
            review(catalogue, "publish", name)
            votes = Path(made) / "votes.json"
            review(catalogue, "votes", name, "--out", str(votes))
            wrong = next(one["id"] for one in json.loads(votes.read_text()) if one["mturk"]["guessed"] >= 4)
            page.goto(f"{site}/sample-digits/issues/{wrong}")
            shot(page, folder, "verdict", 760, width=1100)
            browser.close()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.doc_pictures", description="Draw the documentation's pictures."
    )
    parser.add_argument("outdir", type=Path, nargs="?", default=OUTDIR)
    folder = parser.parse_args().outdir
    folder.mkdir(parents=True, exist_ok=True)
    draw_all(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
