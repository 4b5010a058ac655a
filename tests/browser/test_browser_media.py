"""Photographs in a browser: as large as they say, no higher than a screen, opened in full by keys."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.test_browser_pages import assert_accessible, assert_fits, tab
from tests.conftest import ingest
from tests.serving import serving

WIDE, TALL, GONE = 3, 14, 26
#: What a page takes from the width of a window for its margins is told to a browser only roughly.
ROUGHLY = 20
#: Who visits the page of coverage changes its words and not its layout.
REPEATED = ((320, "light", False), (390, "dark", True), (900, "light", True), (1280, "dark", False))


@pytest.fixture(scope="module")
def photographs(shared: Path, tmp_path_factory: pytest.TempPathFactory):
    """A site over Caltech-256 with a wide photograph, a very tall one, and no others."""
    folder = tmp_path_factory.mktemp("photographs")
    y, x = np.mgrid[0:1_000, 0:1_250]
    pixels = Image.fromarray(np.stack([x % 256, y % 256, x * y % 256], axis=-1).astype(np.uint8))
    with tarfile.open(folder / "256_ObjectCategories.tar", "w") as tar:
        for name, size in (("001_0004.jpg", (1_250, 1_000)), ("001_0015.jpg", (200, 1_800))):
            file = io.BytesIO()
            pixels.resize(size).save(file, "JPEG")
            info = tarfile.TarInfo(f"256_ObjectCategories/001.ak47/{name}")
            info.size = len(file.getvalue())
            tar.addfile(info, io.BytesIO(file.getvalue()))
    catalogue = folder / "catalogue.sqlite"
    ingest("release", shared / "label-errors", "--dataset", "caltech256", "--media", folder, "--catalogue", catalogue)
    with serving(catalogue, public=True) as address:
        yield address


@pytest.mark.parametrize("width", [320, 390, 800, 1000, 1280, 1800])
def test_a_browser_is_told_how_wide_a_photograph_is_shown(browser, photographs, width):
    """The natural width of a picture with a srcset is what ``sizes`` promises of it."""
    with tab(browser, photographs, viewport={"width": width, "height": 900}) as page:
        for index in (WIDE, TALL):
            page.goto(f"/caltech256/issues/{index}")
            picture = page.locator(".specimen img")
            picture.evaluate("(img) => img.decode()")
            promised, shown = picture.evaluate("(img) => [img.naturalWidth, img.clientWidth]")
            assert abs(promised - shown) <= ROUGHLY, index


def test_a_small_screen_gets_the_small_file_and_a_fine_one_the_large(browser, photographs):
    for scale, kind in ((1, "thumbnail"), (3, "image")):
        with tab(browser, photographs, viewport={"width": 390, "height": 900}, device_scale_factor=scale) as page:
            page.goto(f"/caltech256/issues/{WIDE}")
            page.locator(".specimen img").evaluate("(img) => img.decode()")
            assert page.locator(".specimen img").evaluate("(img) => img.currentSrc").endswith(f"/{kind}")


@pytest.mark.parametrize("height", [500, 900])
def test_what_is_said_of_a_tall_picture_begins_on_the_same_screen(browser, photographs, height):
    with tab(browser, photographs, viewport={"width": 1280, "height": height}) as page:
        page.goto(f"/caltech256/issues/{TALL}")
        box = page.locator(".specimen img").bounding_box()
        assert box["height"] <= 0.9 * height
        assert page.locator(".finding").bounding_box()["y"] <= height


def test_the_picture_is_opened_in_full_by_keys(browser, photographs):
    with tab(browser, photographs) as page:
        page.goto(f"/caltech256/issues/{TALL}")
        link = page.get_by_role("link", name=f"Example {TALL}, in full")
        for _ in range(30):
            page.keyboard.press("Tab")
            if link.evaluate("(e) => e === document.activeElement"):
                break
        page.keyboard.press("Enter")
        box = page.get_by_role("dialog", name="Picture, enlarged")
        whole = box.get_by_role("img", name=f"Example {TALL}, in full")
        expect(whole).to_be_visible()
        assert whole.evaluate("async (img) => { await img.decode(); return img.naturalHeight }") == 1_280
        box.get_by_role("link", name="Only the picture").click()
        page.wait_for_url("**/image")
        assert page.evaluate("document.images[0].naturalHeight") == 1_280


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_pages_of_which_much_is_missing_are_accessible(browser, photographs, width, scheme):
    size = {"width": width, "height": 900}
    paths = ("/caltech256?sort=index", f"/caltech256/issues/{TALL}", f"/caltech256/issues/{GONE}", "/media-coverage")
    with tab(browser, photographs, viewport=size, color_scheme=scheme) as page:
        for path in paths:
            page.goto(path)
            for folded in page.locator("details").all():
                folded.evaluate("(e) => { e.open = true }")
            assert_accessible(page, f"{path} {width} {scheme}")
            assert_fits(page, f"{path} {width}")


@pytest.mark.parametrize(
    ("width", "scheme", "public"),
    [
        (320, "light", True),
        (390, "dark", False),
        (900, "light", False),
        (1280, "dark", True),
        *(pytest.param(*other, marks=pytest.mark.slow) for other in REPEATED),
    ],
)
def test_the_coverage_is_read_without_scrolling_sideways(browser, real_catalogue, public, width, scheme):
    """On a narrow screen each row is a list, in which every value stands beside what it is."""
    with (
        serving(real_catalogue, public=public) as address,
        tab(browser, address, viewport={"width": width, "height": 900}, color_scheme=scheme) as page,
    ):
        page.goto("/media-coverage")
        assert_fits(page, f"coverage {width}")
        assert_accessible(page, f"coverage {width} {scheme}")
        table = page.locator(".coverage")
        assert table.evaluate("(e) => e.scrollWidth <= e.clientWidth")
        cells = table.locator("tbody td").all()
        named = [cell.evaluate("(e) => getComputedStyle(e, '::before').content") for cell in cells]
        assert (
            all(name in ("none", "normal") for name in named) if width == 1280 else all('"' in name for name in named)
        )
        assert page.get_by_role("row").count() == (11 if width == 1280 else 10), "cells and rows are still told as such"
        assert page.get_by_role("rowheader", name="CIFAR-100").count() == 1
