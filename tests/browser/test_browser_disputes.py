"""Disputes in a browser: with keys alone, without JavaScript, on a phone and at a desk, light and dark."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.app.site.review.disputes.disputing import Disputed, disputed_site
from tests.browser.test_browser_pages import LOOKS, tab

WORDS = "Look at the loop below; a six has one, and so has this: " + "W" * 200


@pytest.fixture(scope="module")
def site(sample_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disputed]:
    """The sample with the form, a rejected dispute and one that reviewers upheld."""
    with disputed_site(sample_catalogue, tmp_path_factory.mktemp("disputes")) as found:
        first, second = found.issues("sample-digits", "category=correctable")[:2]
        upheld = found.code(
            "sample-digits", first["index"], claim="given", reason=WORDS, source="https://e.org/" + "x" * 300
        )
        rejected = found.code("sample-digits", second["index"])
        found.owner("reject", rejected, "--why", "W" * 300)
        found.owner("accept", upheld)
        found.votes("sample-digits-1", first["given"]["name"])
        yield found


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize("path", ["form", "refused", "?sent=1", "issue", "log", "all", "changes"])
def test_accessible_and_no_wider_than_the_window(browser: Browser, site: Disputed, path: str, width: int, scheme: str):
    issue = f"/sample-digits/issues/{site.issues('sample-digits', 'category=correctable')[-1]['index']}"
    decided = site.all()[0]["index"]
    address = {
        "form": f"{issue}/dispute",
        "refused": f"{issue}/dispute",
        "?sent=1": f"{issue}/dispute?sent=1",
        "issue": f"/sample-digits/issues/{decided}",
        "log": "/sample-digits/disputes",
        "all": "/disputes",
        "changes": "/sample-digits/changes",
    }[path]
    with tab(browser, site.base, viewport={"width": width, "height": 900}, color_scheme=scheme) as page:
        page.goto(address)
        if path == "refused":
            page.get_by_label("Neither label fits").check()
            page.get_by_label("Why?").fill("It has no label that fits.")
            page.get_by_label("A source").fill("ftp://example.org/")
            page.get_by_role("button", name="Send").click()
            expect(page.get_by_role("alert")).to_contain_text("must be a web address")
        if path in ("issue", "log", "all", "changes"):
            expect(page.locator(".disputes > li").first).to_be_visible()
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        for narrow in (width, 320):
            page.set_viewport_size({"width": narrow, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= narrow


@pytest.mark.parametrize("scripted", [True, False])
def test_a_dispute_is_sent_by_keys_alone_and_without_javascript(browser: Browser, site: Disputed, scripted: bool):
    one = site.issues("sample-digits", "category=correctable")[3]
    before = len(site.all())
    with tab(browser, site.base, java_script_enabled=scripted) as page:
        page.goto(f"/sample-digits/issues/{one['index']}")
        page.get_by_role("link", name="This looks wrong").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/dispute")
        page.get_by_label(f"The given label is right: {one['given']['name']}").focus()
        page.keyboard.press("Space")
        page.keyboard.press("Tab")  # the class, which this claim does not need
        page.keyboard.press("Tab")
        page.keyboard.type(f"Typed with scripts {scripted}.")
        page.keyboard.press("Tab")
        page.keyboard.type("https://example.org/")
        page.keyboard.press("Tab")  # past the field that people do not see
        page.keyboard.press("Enter")
        page.wait_for_url("**/dispute?sent=1")
        expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    sent = site.all()
    assert len(sent) == before + 1
    assert (sent[-1]["reason"], sent[-1]["claim"]) == (f"Typed with scripts {scripted}.", "given")
    assert sent[-1]["source"] == "https://example.org/"
