"""What people come for is at most two clicks from the home page, by links to be seen, and no way is a dead end."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.test_browser_pages import tab

MOST_CLICKS = 2


class Visitor:
    """Somebody at the home page, whose clicks are counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0
        page.goto("/")

    def click(self, what: Locator) -> None:
        """A click on what can be seen by scrolling; a link must lead to a page."""
        expect(what).to_be_visible()
        self.clicks += 1
        what.click()
        self.page.wait_for_load_state()
        expect(self.page.locator("h1").first).not_to_have_text(re.compile("not found|went wrong", re.I))

    def link(self, name: str | re.Pattern[str], within: str = "main") -> Locator:
        return self.page.locator(within).get_by_role("link", name=name).first


def entry(page: Page, title: str) -> Locator:
    """The part of the home page that is about a dataset."""
    return page.locator("li.entry").filter(has=page.get_by_role("heading", name=title, exact=True))


def a_frog_labelled_cat(visitor: Visitor) -> None:
    visitor.click(entry(visitor.page, "CIFAR-10").get_by_role("link", name="54 errors"))
    expect(visitor.page.locator("#i2405")).to_contain_text("frog")
    visitor.click(visitor.page.locator("#i2405 .look"))
    expect(visitor.page.locator("h1")).to_contain_text("Labelled cat. Reviewers say frog.")


def rams_that_are_bighorn_sheep(visitor: Visitor) -> None:
    visitor.click(entry(visitor.page, "ImageNet").get_by_role("link", name=re.compile("^ram .*bighorn sheep")))
    expect(visitor.page.locator("#sentence")).to_contain_text("given label ram and corrected label bighorn sheep")
    visitor.click(visitor.page.locator(".card .look").first)
    expect(visitor.page.locator("h1")).to_contain_text("Labelled ram. Reviewers say bighorn sheep.")


def corrected_imagenet_labels_for_pytorch(visitor: Visitor) -> None:
    door = visitor.page.locator(".door").filter(has_text="Get corrected labels")
    visitor.click(door.get_by_role("link", name="ImageNet"))
    expect(visitor.page.get_by_role("link", name="NumPy array .npy")).to_be_visible()
    expect(visitor.page.locator("pre").filter(has_text="torch").first).to_be_visible()


def the_worst_dataset_and_why(visitor: Visitor) -> None:
    rates = visitor.page.locator("li.entry").evaluate_all(
        """(entries) => entries.map((e) => [Number.parseFloat(e.querySelector('.rate b').textContent),
            e.querySelector('h3 a').textContent])"""
    )
    _, worst = max(rates)
    assert worst == "QuickDraw"
    visitor.click(entry(visitor.page, worst).locator(".mixed-up a").first)
    expect(visitor.page.locator("#sentence")).to_contain_text("QuickDraw with given label")
    visitor.click(visitor.link("Confusions"))
    expect(visitor.page.locator("h2").first).to_have_text("Given label by corrected label")


def a_view_to_share(visitor: Visitor) -> None:
    visitor.click(entry(visitor.page, "CIFAR-10").get_by_role("link", name=re.compile("^cat .*dog")))
    shared = visitor.page.url
    visitor.click(visitor.page.get_by_role("button", name="Copy link"))
    expect(visitor.page.get_by_role("status")).to_have_text("Link copied.")
    assert visitor.page.evaluate("navigator.clipboard.readText()") == shared


def a_sound_to_hear(visitor: Visitor) -> None:
    """No sound of AudioSet is here: the player of its source is asked for, and only then is the source asked."""
    visitor.click(entry(visitor.page, "AudioSet").locator(".look"))
    playing = visitor.link("Play it here")
    expect(playing).to_be_visible()
    assert re.search(r"/audioset/issues/\d+/play", playing.get_attribute("href") or "")
    visitor.clicks += 1  # it would load the player from another host


def a_dataset_of_my_own(visitor: Visitor) -> None:
    visitor.click(visitor.link("Your own dataset"))
    expect(visitor.page.locator("h1")).to_contain_text("own dataset", ignore_case=True)
    expect(visitor.page.locator("pre").filter(has_text="label-errors").first).to_be_visible()


TASKS = (
    a_frog_labelled_cat,
    rams_that_are_bighorn_sheep,
    corrected_imagenet_labels_for_pytorch,
    the_worst_dataset_and_why,
    a_view_to_share,
    a_sound_to_hear,
    a_dataset_of_my_own,
)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
@pytest.mark.parametrize("width", [390, 1280])
def test_it_is_two_clicks_away(browser: Browser, release: str, width: int, task: Callable[[Visitor], None]) -> None:
    options = {"viewport": {"width": width, "height": 900}, "permissions": ["clipboard-read", "clipboard-write"]}
    with tab(browser, release, **options) as page:
        visitor = Visitor(page)
        task(visitor)
        assert 1 <= visitor.clicks <= MOST_CLICKS
        # No dead end: the masthead and something of the page itself lead on.
        assert page.locator("main a[href]").count() > 3
        expect(page.get_by_role("link", name="Label errors")).to_be_visible()


def test_a_quiz_tells_each_answer_where_the_focus_is(browser: Browser, site: str) -> None:
    """No key then answers a question that is out of sight, and a screen reader reads the answer."""
    with tab(browser, site) as page:
        page.goto("/quiz/sample-digits?seed=7")
        for question in page.locator(".question").all():
            question.locator("[data-pick]").first.press("Enter")
            if question.get_attribute("id") != "q10":
                expect(question.locator(".told")).to_be_focused()
            mine = question.locator('[aria-pressed="true"]')
            assert "you" in mine.evaluate("e => getComputedStyle(e, '::after').content")
        expect(page.locator(".result")).to_be_focused()
        expect(page.locator(".score")).to_contain_text("of 10")
