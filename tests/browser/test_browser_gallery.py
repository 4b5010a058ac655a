"""A gallery in a browser: how large its cards are, what is copied, and how it looks in print and by few colours."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_browser_pages import assert_accessible, assert_fits, tab


def columns(page: Page) -> int:
    return len(page.locator(".wall").evaluate("(e) => getComputedStyle(e).gridTemplateColumns").split())


def test_the_size_of_cards_is_remembered_and_set_before_anything_is_painted(browser: Browser, site: str) -> None:
    with tab(browser, site, viewport={"width": 1280, "height": 900}) as page:
        page.goto("/sample-digits")
        usual = columns(page)
        for name, button in (("compact", "Compact"), ("pictures", "Pictures alone")):
            page.get_by_role("button", name=button).click()
            expect(page.get_by_role("button", name=button)).to_have_attribute("aria-pressed", "true")
            assert columns(page) > usual
            page.add_init_script(
                """new PerformanceObserver((list) => {
                    for (const entry of list.getEntries()) window.painted = document.documentElement.dataset.density;
                }).observe({ type: "paint", buffered: true });"""
            )
            page.reload()
            # Waiting for an expression would evaluate a string within the page, which its policy forbids.
            page.evaluate("""() => new Promise((done) => {
                const look = () => (window.painted === undefined ? requestAnimationFrame(look) : done());
                look();
            })""")
            assert page.evaluate("window.painted") == name
            assert columns(page) > usual
            assert_accessible(page, name)
        expect(page.locator(".card .labels").first).to_be_hidden()
        expect(page.locator(".card .look img").first).to_be_visible()
        page.get_by_role("button", name="Comfortable").click()
        page.reload()
        assert columns(page) == usual
        expect(page.locator(".card .labels").first).to_be_visible()


#: Names of a heat map that stand out of it.
CUT_NAMES = """[...document.querySelectorAll('svg.heat text')].filter((text) => {
    const [name, map] = [text, text.closest('svg')].map((one) => one.getBoundingClientRect());
    return name.left < map.left || name.top < map.top;
}).map((text) => text.textContent)"""


def test_no_page_is_long(browser: Browser, release: str) -> None:
    paths = (
        "/20news",
        "/imdb",
        "/cifar10",
        "/imagenet",
        "/imagenet/confusions",
        "/imagenet/corrected",
        "/api",
        "/about",
    )
    with tab(browser, release, viewport={"width": 1280, "height": 900}) as page:
        heights = {}
        for path in paths:
            page.goto(path)
            heights[path] = page.evaluate("document.documentElement.scrollHeight")
            assert page.evaluate(CUT_NAMES) == []
    assert {path: height for path, height in heights.items() if height > 5_300} == {}


def test_errors_are_on_the_first_screen_of_a_phone(browser: Browser, release: str) -> None:
    with tab(browser, release, viewport={"width": 390, "height": 844}) as page:
        for path in ("/cifar10", "/mnist"):
            page.goto(path)
            expect(page.locator(".density")).to_be_visible()
            assert page.locator(".card img").first.evaluate("(e) => e.getBoundingClientRect().top") < 844 - 96


def test_texts_have_one_size(browser: Browser, site: str) -> None:
    with tab(browser, site) as page:
        page.goto("/sample-texts")
        expect(page.get_by_role("button", name="Compact")).to_have_count(0)


def test_without_a_script_nothing_is_offered_that_needs_one(browser: Browser, site: str) -> None:
    with tab(browser, site, java_script_enabled=False) as page:
        page.goto("/sample-digits?category=any")
        for name in ("Compact", "Copy link", "Copy indices"):
            expect(page.get_by_role("button", name=name)).to_have_count(0)
        page.get_by_label("Page", exact=True).fill("2")
        page.get_by_role("button", name="Go").click()
        assert "category=any" in page.url
        expect(page.locator(".jump .place")).to_have_text(re.compile(r"^37–72 of "))


def test_links_and_indices_are_copied_and_said(browser: Browser, site: str) -> None:
    with tab(browser, site, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto("/sample-digits?category=correctable")
        page.get_by_role("button", name="Copy link").click()
        said = page.locator(".copies [role=status]")
        expect(said).to_have_text("Link copied.")
        assert page.evaluate("navigator.clipboard.readText()") == page.url
        page.get_by_role("button", name="Copy indices").click()
        expect(said).to_have_text(re.compile(r"^\d+ indices of this page copied\.$"))
        ids = page.locator(".wall > .card").evaluate_all("(cards) => cards.map((card) => card.id.slice(1))")
        assert page.evaluate("navigator.clipboard.readText()") == "\n".join(ids)


def test_keys_go_on_to_the_next_page(browser: Browser, site: str) -> None:
    with tab(browser, site) as page:
        page.goto("/sample-digits?category=any")
        n = page.locator(".wall > .card").count()
        page.locator(".wall > .card .look").nth(n - 1).focus()
        page.keyboard.press("j")
        page.wait_for_url("**after=**")
        expect(page.locator(".jump .place")).to_have_text(re.compile(rf"^{n + 1}–"))
        page.keyboard.press("j")
        expect(page.locator(".wall > .card .look").first).to_be_focused()


@pytest.mark.parametrize("path", ["/sample-digits", "/sample-digits/classes", "/method"])
def test_the_current_page_can_be_told_where_colours_are_forced(browser: Browser, site: str, path: str) -> None:
    lines = """(links) => links.map((e) => {
        const s = getComputedStyle(e), ground = getComputedStyle(document.body).backgroundColor;
        const drawn = s.borderBottomStyle !== 'none' && s.borderBottomColor !== ground;
        return [e.getAttribute('aria-current') !== null, drawn ? parseFloat(s.borderBottomWidth) : 0];
    })"""
    with tab(browser, site, forced_colors="active") as page:
        page.goto(path)
        assert page.evaluate("matchMedia('(forced-colors: active)').matches")
        found = page.locator(".tabs a, .masthead nav a").evaluate_all(lines)
        assert [seen > 2 for current, seen in found if current] == [True]
        assert not any(seen for current, seen in found if not current)
        assert_accessible(page, path)


@pytest.mark.parametrize(("width", "height"), [(794, 1123), (1123, 794)])
def test_in_print_the_cards_take_the_whole_sheet(browser: Browser, site: str, width: int, height: int) -> None:
    with tab(browser, site, viewport={"width": width, "height": height}) as page:
        page.goto("/sample-digits")
        page.emulate_media(media="print")
        box = page.locator(".results").bounding_box()
        assert box is not None
        assert box["width"] > 0.95 * width
        expect(page.locator(".filters")).to_be_hidden()
        assert_fits(page, "print")


def test_wide_screens_are_used(browser: Browser, site: str) -> None:
    with tab(browser, site, viewport={"width": 1920, "height": 1080}) as page:
        page.goto("/sample-digits")
        root = page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
        box = page.locator("main").bounding_box()
        assert box is not None
        assert box["width"] == min(1920, 120 * root)
        for path, text in (("/method", ".prose"), ("/docs/api", ".prose"), ("/sample-digits", ".lede")):
            page.goto(path)
            assert page.locator(text).first.bounding_box()["width"] <= 44 * root  # type: ignore[index]


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_buttons_stay_in_their_columns(browser: Browser, release: str, width: int) -> None:
    beyond = """(fields) => fields.filter((e) => {
        const column = e.closest('.facet').getBoundingClientRect(), button = e.getBoundingClientRect();
        return button.right > column.right + 0.5 || button.left < column.left - 0.5;
    }).length"""
    with tab(browser, release, viewport={"width": width, "height": 900}) as page:
        page.goto("/imagenet")
        page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true })")
        fields = page.locator(".other button, .other input:not([type=hidden]), .other select")
        assert fields.count() >= 4
        assert fields.evaluate_all(beyond) == 0


@pytest.mark.parametrize("width", [390, 430])
def test_the_pages_of_the_site_stand_in_one_line(browser: Browser, site: str, width: int) -> None:
    with tab(browser, site, viewport={"width": width, "height": 900}) as page:
        page.goto("/method")
        expect(page.get_by_role("button", name="Keys and help")).to_be_visible()
        tops = page.locator(".masthead nav a").evaluate_all("(links) => links.map((e) => Math.round(e.offsetTop))")
        assert len(set(tops)) == 1
        mark, button = page.locator(".wordmark").bounding_box(), page.locator(".keys").bounding_box()
        assert mark is not None
        assert button is not None
        assert abs(mark["y"] + mark["height"] / 2 - button["y"] - button["height"] / 2) < 8
        assert_fits(page, "masthead")


def test_figures_of_tables_stand_below_one_another(browser: Browser, release: str) -> None:
    styles = "(cells) => cells.map((e) => [getComputedStyle(e).fontVariantNumeric, getComputedStyle(e).textAlign])"
    with tab(browser, release) as page:
        for path in ("/figures", "/cifar10/classes", "/cifar10/classes/3", "/cifar10/confusions", "/reproduction"):
            page.goto(path)
            found = page.locator("td.num").evaluate_all(styles)
            assert found
            assert {tuple(one) for one in found} == {("tabular-nums", "right")}, path
