"""No page is wider than the window, from a phone to a desk, in wide fonts and where there is no sans-serif at all."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import fonts
from tests.browser.browsing import launch
from tests.browser.test_browser_pages import RELEASE_PAGES, SAMPLE_PAGES, address_of, tab
from tests.browser.test_browser_stability import PAGES as MODEL_PAGES

WIDTHS = (320, 390, 768, 1280)
CATEGORIES = ("correctable", "multi_label", "neither", "non_agreement", "non_error", "unreviewed")
#: What sticks out by how much, and what of it: elements beyond the edge that no scrolling box holds.
TOO_WIDE = """() => {
    const root = document.documentElement, edge = root.clientWidth;
    if (root.scrollWidth <= edge) return [];
    const held = (e) => e && (getComputedStyle(e).overflowX !== 'visible' || held(e.parentElement));
    return [...document.querySelectorAll('body *')]
        .filter((e) => e.getBoundingClientRect().right > edge + 0.5 && !held(e.parentElement))
        .map((e) => `${Math.round(e.getBoundingClientRect().right - edge)} px: ${e.outerHTML.slice(0, 160)}`)
        .concat(`${root.scrollWidth - edge} px in all`);
}"""


@pytest.fixture(scope="module", params=fonts.FONTS)
def wide(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Browser]]:
    """A set of fonts, and a browser that has no others."""
    with sync_playwright() as playwright:
        browser = launch(playwright, fonts.only(request.param, tmp_path_factory.mktemp(request.param)))
        yield request.param, browser
        browser.close()


def require_fit(page: Page, paths: list[str] | tuple[str, ...]) -> None:
    for path in paths:
        page.goto(address_of(page, path))
        page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true })")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(TOO_WIDE) == [], f"{page.url} at {width} px"


def test_the_fonts_are_those_that_were_asked_for(wide, site):
    """On each machine the same, whatever it has installed."""
    font, browser = wide
    with tab(browser, site) as page:
        page.goto("/about/errors")
        session = page.context.new_cdp_session(page)
        session.send("DOM.enable")
        session.send("CSS.enable")
        root = session.send("DOM.getDocument")["root"]["nodeId"]
        used = set()
        for element in ("h1", "main p", "code", ".masthead nav a"):
            node = session.send("DOM.querySelector", {"nodeId": root, "selector": element})["nodeId"]
            used |= {f["familyName"] for f in session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]}
        expected = {"dejavu": {"DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono"}, "serif": {"DejaVu Serif"}}
        assert used == expected[font]


def test_pages_of_the_sample_fit(wide, site):
    with tab(wide[1], site) as page:
        require_fit(page, SAMPLE_PAGES + MODEL_PAGES)


def test_pages_of_the_release_fit(wide, release):
    with tab(wide[1], release) as page:
        require_fit(page, [*RELEASE_PAGES, "/cifar100/classes", "/quickdraw/corrected", "/media-coverage"])


#: How many cells or choices there are, and how many of them reach beyond the window.
CUT = """(which) => {
    const found = [...document.querySelectorAll(which)], edge = document.documentElement.clientWidth;
    return [found.length, found.filter((e) => e.getBoundingClientRect().right > edge + 0.5).length];
}"""


def test_the_point_of_each_table_is_in_view_on_a_phone(wide, site, release):
    with tab(wide[1], release) as page:
        page.set_viewport_size({"width": 390, "height": 900})
        page.goto(address_of(page, "/cifar10/corrected"))
        assert page.evaluate(CUT, ".policy select") == [8, 0]
        page.goto(address_of(page, "/reproduction"))
        n, cut = page.evaluate(CUT, ".reproduced .outcome")
        assert n > 100
        assert cut == 0
    with tab(wide[1], site) as page:
        page.set_viewport_size({"width": 390, "height": 900})
        size = page.request.get("/api/v1/datasets/sample-digits").json()["size"]
        page.goto(address_of(page, "/sample-digits/evaluate"))
        sent = {"name": "mine.csv", "mimeType": "text/csv", "buffer": b"prediction\n" + b"1\n" * size}
        page.set_input_files("input[type=file]", sent)
        page.click(".upload button")
        page.wait_for_selector(".accuracies")
        assert page.evaluate(CUT, ".accuracies td:nth-child(3)") == [4, 0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["site", "release"])
def test_every_kind_of_page_of_every_dataset_fits(wide, kind, request):
    with tab(wide[1], request.getfixturevalue(kind)) as page:
        paths = []
        for dataset in page.request.get("/api/v1/datasets").json()["items"]:
            name = dataset["name"]
            paths += [f"/{name}{rest}" for rest in ("", "?q=zzzz", "?category=error&sort=index", "?category=rubbish")]
            paths += [
                f"/{name}/{part}" for part in ("classes", "classes/0", "confusions", "confusions?kind=joint", "changes")
            ]
            paths += [f"/{name}/corrected?agreement=4&neither=given", f"/{name}/evaluate"]
            paths += [f"/{name}/stability{tail}" for tail in ("", "/prevalence", "/pair", "/repeated")]
            for category in CATEGORIES:
                found = page.request.get(f"/api/v1/datasets/{name}/issues?category={category}&limit=2").json()["items"]
                paths += [f"/{name}/issues/{issue['index']}" for issue in found]
        require_fit(page, paths)
