"""Texts where the site has none: read from the visitor's own copy of Amazon's reviews, and sent nowhere."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from ingest.commands.main import main
from tests.browser.test_browser_pages import assert_accessible
from tests.browser.test_browser_pictures import choose, visit
from tests.ingest.conftest import Tiny
from tests.serving import serving

MEDIA = '[media]\nlayout = "amazon-lines"\ncount = 40\n'
NAME = "amazon5core.preprocessed.txt"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Forty reviews of three classes, without their texts."""
    return Tiny(tmp_path_factory.mktemp("reviews"), classes=["Negative", "Neutral", "Positive"], examples=MEDIA)


@pytest.fixture(scope="module")
def reviews(tiny: Tiny) -> Iterator[str]:
    """A site over them."""
    manifest = tiny.write()
    manifest.write_text(manifest.read_text().replace('"image"', '"text"'))
    catalogue = tiny.folder / "catalogue.sqlite"
    assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(catalogue)]) == 0
    with serving(catalogue) as address:
        yield address


def lines(labels: np.ndarray) -> bytes:
    """The file that fastText reads; signs that some readers take for ends of lines stand in its texts."""
    words = "a\x0bb\x85c\u2028d " * 40
    return "".join(f"__label__{2 * c + 1} <b>{i}</b> {words}\n" for i, c in enumerate(labels)).encode()


def refusal(page: Page) -> str:
    expect(page.locator(".pictures-state.refused")).to_be_visible(timeout=60_000)
    assert page.locator(".wall > .card.text").count() == 0
    return page.locator(".pictures-state").inner_text()


def test_own_copy_fills_cards_and_issues(browser: Browser, reviews: str, tiny: Tiny, tmp_path: Path) -> None:
    file = tmp_path / f"{NAME}.gz"
    file.write_bytes(gzip.compress(lines(tiny.labels).rstrip(b"\n")))
    with visit(browser, reviews) as (page, asked):
        page.goto("/tiny?category=any")
        n = page.locator(".wall > .card.plain").count()
        assert n > 5
        expect(page.locator(".pictures-state")).to_contain_text("Texts of Tiny that are not on this site")
        choose(page, "File", file)
        expect(page.locator(".wall > .card.text")).to_have_count(n, timeout=60_000)
        expect(page.locator(".pictures-state")).to_contain_text(f"Texts from your own copy, {NAME}.gz")
        expect(page.locator(".pictures-state")).to_contain_text("Nothing was uploaded.")
        card = page.locator(".wall > .card").first
        index = (card.get_attribute("id") or "")[1:]
        assert card.locator(".clamp").inner_text().startswith(f"<b>{index}</b> a")
        assert_accessible(page, "own texts")
        page.goto(f"/tiny/issues/{index}")
        whole = page.get_by_role("region", name="Text", exact=True)
        expect(whole).to_contain_text(f"<b>{index}</b>")
        assert (whole.text_content() or "").count("\u2028") == 40
        page.get_by_role("button", name="Forget them").click()
        expect(page.locator(".pictures-state")).to_contain_text("that are not on this site")
        expect(whole).to_have_count(0)
        assert asked == []


def test_other_and_damaged_files_are_told(browser: Browser, reviews: str, tiny: Tiny, tmp_path: Path) -> None:
    whole = lines(tiny.labels)
    shuffled = lines(np.random.default_rng(0).permutation(tiny.labels))
    packed = gzip.compress(whole)
    files = {
        "reviews_Books_5.json": (b'{"reviewerID": "A1"}\n' * 40, "is no file of reviews in lines: expected __label__"),
        "other.tar": (b"\0" * 10_240, "is no file of reviews in lines: expected __label__"),
        "cut.txt.gz": (packed[: len(packed) // 2], "cannot be unpacked to its end: it is damaged, or cut short."),
        "short.txt": (whole[: len(whole) // 2], "expected 40, one an example: it is cut short, or another file."),
        "long.txt": (whole * 2, "has 80 lines; expected 40, one an example: it is another file."),
        "order.txt": (shuffled, "Its texts would stand beside wrong labels, so none is shown."),
        "empty.txt": (b"", "has 0 lines; expected 40"),
    }
    with visit(browser, reviews) as (page, _):
        for name, (content, said) in files.items():
            (tmp_path / name).write_bytes(content)
            page.goto("/tiny?category=any")
            choose(page, "File", tmp_path / name)
            told = refusal(page)
            assert said in told, name
            assert name in told
