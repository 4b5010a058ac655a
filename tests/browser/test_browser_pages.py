"""The pages in a browser: accessible, quiet, at home on a phone, usable by keys and without a script."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (390, 1280)
#: Both widths and both schemes; the other pairs of them seldom find what these do not.
LOOKS = [
    (390, "light"),
    (1280, "dark"),
    pytest.param(390, "dark", marks=pytest.mark.slow),
    pytest.param(1280, "light", marks=pytest.mark.slow),
]
SAMPLE_PAGES = (
    "/",
    "/method",
    "/about",
    "/about/errors",
    "/api",
    "/docs",
    "/docs/operating",
    "/docs/confident-learning",
    "/docs/api",
    "/docs/nothing",
    "/nothing-here",
    "/sample-digits",
    "/sample-texts?category=error&category=non_error&given=cooking",
    "/sample-sounds",
    "/sample-texts?q=zzzz",
    "/sample-digits?category=rubbish",
    "/sample-digits/classes",
    "/sample-digits/map",
    "/sample-digits/confusions",
    "/sample-digits/confusions?kind=joint",
    "/sample-digits/classes/3",
    "/sample-digits/confusions?q=9+zzz",
    "/sample-digits?category=any&page=2",
    "/sample-digits/corrected",
    "/sample-digits/changes",
    "/sample-digits/disputes",
    "/disputes",
    "ISSUE sample-digits",
    "ISSUE sample-texts",
    "ISSUE sample-sounds",
)
RELEASE_PAGES = (
    "/",
    "/cifar10",
    "/imagenet?category=multi_label",
    "/audioset",
    "/imagenet/confusions",
    "/imagenet/classes/345",
    "/audioset/classes/0",
    "/cifar10?q=frgo&given=truck",
    "ISSUE audioset",
)


@contextmanager
def tab(browser: Browser, site: str, **options: Any) -> Iterator[Page]:
    """A tab that fails the test when the page complains or asks anything of another host."""
    context = browser.new_context(base_url=site, **options)
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request", lambda request: None if request.url.startswith((site, "data:")) else complaints.append(request.url)
    )
    try:
        yield page
        # A page that is not there, or a filter or form that is refused, is an answer and not a complaint.
        assert [c for c in complaints if "status of 40" not in c and "status of 422" not in c] == []
    finally:
        context.close()


def address_of(page: Page, path: str) -> str:
    if not path.startswith("ISSUE "):
        return path
    name = path.removeprefix("ISSUE ")
    answer = page.request.get(f"/api/v1/datasets/{name}/issues?category=correctable&limit=2").json()
    return f"/{name}/issues/{answer['items'][-1]['index']}"


def assert_accessible(page: Page, where: str) -> None:
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]})
    problems = [
        f"{v['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for v in found.response["violations"]
        for node in v["nodes"]
    ]
    assert problems == [], f"{where}\n" + "\n".join(problems)


def assert_fits(page: Page, where: str) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{where} is {wide} px too wide"


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_sample_pages_are_accessible(browser, site, width, scheme):
    with tab(browser, site, viewport={"width": width, "height": 900}, color_scheme=scheme) as page:
        for path in SAMPLE_PAGES:
            page.goto(address_of(page, path))
            assert_accessible(page, f"{path} {width} {scheme}")
            assert_fits(page, f"{path} {width}")


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_release_pages_are_accessible(browser, release, width, scheme):
    with tab(browser, release, viewport={"width": width, "height": 900}, color_scheme=scheme) as page:
        for path in RELEASE_PAGES:
            page.goto(address_of(page, path))
            assert_accessible(page, f"{path} {width} {scheme}")
            assert_fits(page, f"{path} {width}")


def test_links_and_buttons_are_large_enough_to_hit(browser, site):
    """24 px in both directions, links within a sentence excepted (WCAG 2.2, 2.5.8)."""
    small = """() => [...document.querySelectorAll('a, button, summary, input')]
        .filter((e) => e.checkVisibility() && !e.closest('p:not(.switch, .twins, .whole, .elsewhere, .more), .skip')
            && getComputedStyle(e).display !== 'inline')
        .map((e) => [e.outerHTML.slice(0, 120), e.getBoundingClientRect()])
        .filter(([, box]) => box.width > 0 && (box.height < 23.5 || box.width < 23.5))
        .map(([html, box]) => `${html} ${box.width}x${box.height}`)"""
    with tab(browser, site, viewport={"width": 390, "height": 900}) as page:
        for path in SAMPLE_PAGES:
            page.goto(address_of(page, path))
            for folded in page.locator("details").all():
                folded.evaluate("(e) => { e.open = true }")
            assert page.evaluate(small) == [], path


def test_keys_walk_through_the_gallery(browser, site):
    with tab(browser, site, viewport={"width": 1280, "height": 900}) as page:
        page.goto("/sample-digits")
        cards = page.locator(".wall > .card")
        for key, place in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
            page.keyboard.press(key)
            expect(cards.nth(place).locator(".look")).to_be_focused()
        index = cards.nth(1).get_attribute("id")[1:]
        page.keyboard.press("o")
        page.wait_for_url(f"**/sample-digits/issues/{index}")
        before = page.url
        page.keyboard.press("j")
        page.wait_for_url(lambda url: url != before)
        assert "/issues/" in page.url


def test_enter_opens_the_example_in_hand(browser, site):
    with tab(browser, site) as page:
        page.goto("/sample-texts?category=error")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/sample-texts/issues/*")


@pytest.mark.parametrize("width", WIDTHS)
def test_slash_goes_to_the_search(browser, site, width):
    with tab(browser, site, viewport={"width": width, "height": 900}) as page:
        page.goto("/sample-texts")
        page.keyboard.press("/")
        expect(page.locator("#q")).to_be_focused()
        # Keys are letters again while one types.
        page.keyboard.type("jk?/")
        expect(page.locator("#q")).to_have_value("jk?/")
        page.locator("#q").fill("stars")
        page.keyboard.press("Enter")
        page.wait_for_url("**/sample-texts?q=stars")
        expect(page.locator("#sentence")).to_contain_text("that match “stars”")


def test_help_opens_and_keys_can_be_switched_off(browser, site):
    with tab(browser, site) as page:
        page.goto("/sample-digits")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        assert_accessible(page, "help")
        page.get_by_label("Keys are on").uncheck()
        page.keyboard.press("Escape")
        for _ in range(2):
            page.keyboard.press("j")
            assert page.locator(".current-card").count() == 0
            page.reload()
        page.get_by_role("button", name="Keys and help").click()
        page.get_by_label("Keys are on").check()
        page.get_by_role("button", name="Close").click()
        page.keyboard.press("j")
        assert page.locator(".current-card").count() == 1


def test_blocked_storage_breaks_nothing(browser, site):
    blocked = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('blocked'); } })"
    with tab(browser, site) as page:
        page.add_init_script(blocked)
        page.goto("/sample-digits")
        page.keyboard.press("?")
        page.get_by_label("Keys are on").uncheck()
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        assert page.locator(".current-card").count() == 0


def test_tables_sort_in_place(browser, release):
    with tab(browser, release) as page:
        page.goto("/figures")
        table = page.locator("table").first
        first = table.locator("tbody th").first
        errors = table.get_by_role("link", name="Errors", exact=True)
        errors.click()
        expect(first).to_have_text("ImageNet")
        errors.click()
        expect(first).to_have_text("MNIST")
        expect(table.locator("[aria-sort]")).to_have_attribute("aria-sort", "ascending")
        assert page.url == release + "/figures"
        # Unknown figures stay at the end both ways.
        second = page.locator("table").nth(1)
        for _ in range(2):
            second.get_by_role("link", name="Neither").click()
            assert second.locator("tbody tr").last.locator("td").last.inner_text() == "–"


def test_a_long_text_opens_in_place(browser, release):
    with tab(browser, release) as page:
        page.goto("/imdb")
        card = page.locator("details.excerpt", has=page.locator(".whole")).first
        card.locator("summary").click()
        whole = card.get_by_role("region", name="Whole text")
        expect(whole).to_be_visible()
        excerpt = card.locator(".clamp").text_content().rstrip("…")
        assert len(whole.text_content()) > len(excerpt)


def test_filters_stand_open_beside_the_pictures_and_fold_on_a_phone(browser, site):
    for width, folded in ((1280, False), (390, True)):
        with tab(browser, site, viewport={"width": width, "height": 900}) as page:
            page.goto("/sample-digits")
            choice = page.get_by_role("link", name=re.compile("^correctable"))
            assert choice.is_visible() is not folded
            if folded:
                page.locator(".filters > summary").click()
                expect(choice).to_be_visible()


def test_everything_works_without_a_script(browser, site):
    with tab(browser, site, java_script_enabled=False, viewport={"width": 390, "height": 900}) as page:
        page.goto("/")
        page.get_by_role("link", name="Sample: notice board").first.click()
        page.locator(".filters > summary").click()
        page.get_by_role("link", name=re.compile("^correctable")).click()
        assert "category=correctable" in page.url
        page.locator(".filters > summary").click()
        page.locator("#q").fill("oven")
        page.get_by_role("button", name="Search").click()
        assert page.url.endswith("?category=correctable&q=oven")
        page.get_by_role("link", name=re.compile("Remove the filter.*oven")).click()
        page.locator(".card .look").first.click()
        assert "/issues/" in page.url
        page.get_by_role("link", name="Next").click()
        assert "category=correctable" in page.url
        page.goto("/figures?table1=-size")
        expect(page.locator("table").first.locator("tbody th").first).to_have_text("Sample: handwritten digits")
        assert page.get_by_role("button", name="Keys and help").count() == 0


def test_sounds_can_be_played(browser, site):
    with tab(browser, site) as page:
        page.goto("/sample-sounds")
        seconds = page.evaluate(
            """() => new Promise((resolve, reject) => {
                const sound = document.querySelector('audio');
                sound.addEventListener('loadedmetadata', () => resolve(sound.duration));
                sound.addEventListener('error', () => reject(new Error('cannot be played')));
                sound.preload = 'metadata';
                sound.load();
            })"""
        )
        assert 1 < seconds < 3
