"""The page of raters in a browser: by keys alone, offline, while the server is away, and with a screen reader."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.app.site.review.rounds import Open, open_round, review, vote
from tests.browser.test_browser_pages import LOOKS, WIDTHS, assert_accessible, assert_fits
from tests.serving import serving

#: What a browser writes about a server that is away, or refuses.
_AWAY = re.compile(r"net::ERR_|status of (4|5)\d\d")


@contextmanager
def rater_tab(browser: Browser, found: Open, number: int = 0, **options: Any) -> Iterator[Page]:
    """A rater's own browser. The page may complain of a server that is away, and of nothing else."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda told: complaints.append(told.text) if told.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(found.base) else complaints.append(asked.url))
    try:
        yield page
        assert [one for one in complaints if not _AWAY.search(one)] == []
    finally:
        context.close()


def begin(page: Page, found: Open, number: int = 0) -> None:
    page.goto(f"{found.links[number]}?start=1")
    expect(page.locator("#stage .task:not([method])")).to_be_visible()


def example(page: Page) -> str:
    """The address of the example in view, which tells one from another."""
    return str(page.locator(".specimen img, .specimen audio").first.get_attribute("src"))


def press(page: Page, key: str) -> None:
    """Answer, and see the next example, or what stands there instead."""
    before = page.locator("#stage > *").first.element_handle()
    page.keyboard.press(key)
    page.wait_for_function("([one]) => !one.isConnected && !document.querySelector('[aria-busy]')", arg=[before])


def has_a_task(page: Page) -> bool:
    """Whether there is an example to look at, or all is done; a server that is slow to answer is waited for."""
    page.wait_for_function(
        "document.querySelector('#stage .task') || document.querySelector('h1').textContent.includes('Thank you')"
    )
    return page.locator("#stage .task").count() > 0


def answered(found: Open) -> list[str]:
    """All answers that stand, in the order in which they came."""
    out = found.catalogue.with_name("ratings.csv")
    done = found.catalogue.with_name("v.json")
    review(found.catalogue, "votes", found.name, "--out", str(done), "--ratings", str(out))
    head, *rows = out.read_text().splitlines()
    return [row.split(",")[head.split(",").index("answer")] for row in rows]


def but_one_vote(found: Open) -> None:
    """Four others answer the round's one example, so that one more vote is needed, and one rater gets it at a time."""
    for number in range(2, 6):
        rater = found.rater(number)
        assert vote(rater, rater.get("/review/api/task").json(), "both").status_code == 201


@contextmanager
def small(catalogue: Path, tmp_path: Path, *arguments: str, raters: int = 2, **settings: Any) -> Iterator[Open]:
    with open_round(catalogue, tmp_path, "sample-digits", *arguments, raters=raters, **settings) as found:
        yield found


def test_a_rater_reads_practises_answers_and_is_done_by_keys_alone(browser, sample_catalogue, tmp_path):
    with small(sample_catalogue, tmp_path, "--lowest", "3") as found, rater_tab(browser, found) as page:
        page.goto(found.links[0])
        expect(page.locator("h2", has_text="Worked examples")).to_be_visible()
        page.keyboard.press("Enter")
        for _ in range(3):
            expect(page.locator(".count")).to_contain_text("Practice")
            page.keyboard.press("1")
            expect(page.locator(".told")).to_be_focused()
            expect(page.locator(".told")).to_contain_text("This is")
            page.keyboard.press("Enter")
        expect(page.locator("#stage .task:not([method])")).to_be_visible()
        expect(page.locator("h1")).to_be_focused()
        assert page.locator(".state").inner_text() == ""
        first = page.locator('[data-key="1"] span').inner_text()
        press(page, "1")
        expect(page.locator(".state")).to_have_text(f"Saved: {first}")
        expect(page.locator(".count b")).to_have_text("1")
        expect(page.locator("h1")).to_be_focused()
        seen = example(page)
        press(page, "4")
        expect(page.locator(".state")).to_have_text("Saved: Neither")
        press(page, "z")
        assert example(page) == seen
        expect(page.locator(".state")).to_have_text("Taken back")
        expect(page.locator(".count b")).to_have_text("1")
        press(page, "3")
        page.keyboard.press("p")
        expect(page.locator("h1")).to_have_text("Take a break")
        page.keyboard.press("2")  # no answer: there is no example in view
        page.keyboard.press("Enter")
        expect(page.locator("#stage .task")).to_be_visible()
        press(page, "0")
        expect(page.locator("h1")).to_have_text("Thank you")
        expect(page.locator(".done")).to_have_text("3 examples")
        assert answered(found) == ["a", "both", "cannot_tell"]


def test_the_next_example_is_there_before_it_is_asked_for(browser, sample_catalogue, tmp_path):
    """Once all is loaded, a key shows the next example though the server says nothing more."""
    with small(sample_catalogue, tmp_path, "--lowest", "3") as found, rater_tab(browser, found) as page:
        loaded: list[str] = []
        page.on("requestfinished", lambda asked: loaded.append(asked.url))
        with page.expect_response(lambda answer: "?after=" in answer.url) as coming:
            begin(page, found)
        task = coming.value.json()
        shown = [task["media"][0]["address"], *task["a"]["exemplars"], *task["b"]["exemplars"]]
        page.wait_for_load_state("networkidle")
        assert {found.base + one for one in shown} <= set(loaded)
        page.route("**/review/**", lambda route: None)
        page.keyboard.press("1")
        expect(page.locator(".specimen img")).to_have_attribute("src", shown[0])
        assert page.locator(".specimen img").evaluate("(one) => one.complete && one.naturalWidth > 0")
        assert page.locator(".state").inner_text() in ("", "Saving…")
        page.unroute_all(behavior="ignoreErrors")


def test_offline_votes_wait_and_arrive_once(browser, sample_catalogue, tmp_path):
    with small(sample_catalogue, tmp_path, "--lowest", "4") as found, rater_tab(browser, found) as page:
        begin(page, found)
        page.wait_for_load_state("networkidle")
        page.context.set_offline(True)
        press(page, "1")
        expect(page.locator(".state")).to_have_text("No connection: 1 answer waits in this browser")
        page.keyboard.press("2")
        expect(page.locator("h1")).to_have_text("No connection")
        assert_accessible(page, "no connection")
        press(page, "z")  # the second was not sent yet, so it is taken back here
        press(page, "4")
        expect(page.locator(".state")).to_contain_text("2 answers wait")
        page.context.set_offline(False)
        expect(page.locator(".state")).to_have_text("Saved: Neither")
        expect(page.locator("#stage .task")).to_be_visible()
        press(page, "3")
        expect(page.locator(".state")).to_have_text("Saved: Both")
        assert answered(found) == ["a", "neither", "both"]
        assert page.evaluate("Object.keys(localStorage).filter((name) => name.includes('votes'))") == []


@pytest.mark.slow
def test_a_vote_whose_answer_was_lost_is_sent_again_and_counted_once(browser, sample_catalogue, tmp_path):
    with small(sample_catalogue, tmp_path, "--lowest", "3") as found, rater_tab(browser, found) as page:
        begin(page, found)
        sent: list[Any] = []

        def lose(route: Route) -> None:
            sent.append(route.request.post_data_json)
            route.fetch()
            route.abort() if len(sent) == 1 else route.continue_()

        page.route("**/api/votes", lose)
        press(page, "2")
        expect(page.locator(".state")).to_contain_text("Saved:")
        assert sent[0] == sent[1]
        assert answered(found) == ["b"]


@pytest.mark.slow
def test_what_waits_is_sent_when_the_link_is_opened_again(browser, sample_catalogue, tmp_path):
    with small(sample_catalogue, tmp_path, "--lowest", "3") as found, rater_tab(browser, found) as page:
        begin(page, found)
        page.wait_for_load_state("networkidle")
        page.route("**/api/votes", lambda route: route.abort())
        press(page, "2")
        expect(page.locator(".state")).to_contain_text("No connection")
        page.unroute_all()
        page.goto("about:blank")
        page.goto(f"{found.links[0]}?help=1")
        page.wait_for_function("() => Object.keys(localStorage).every((name) => !name.includes('votes'))")
        assert answered(found) == ["b"]


@pytest.mark.slow
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_busy_is_asked_again_when_it_said(browser, sample_catalogue, tmp_path, status):
    with small(sample_catalogue, tmp_path, "--lowest", "3") as found, rater_tab(browser, found) as page:
        begin(page, found)
        page.wait_for_load_state("networkidle")
        asked: list[float] = []

        def busy(route: Route) -> None:
            asked.append(time.monotonic())
            if len(asked) > 1:
                route.continue_()
            else:
                route.fulfill(status=status, headers={"Retry-After": "2"}, body="")

        page.route("**/api/votes", busy)
        press(page, "1")
        expect(page.locator(".state")).to_contain_text("Saved:")
        assert len(asked) == 2
        assert asked[1] - asked[0] > 1.5, "two seconds by the clock of the browser"
        assert answered(found) == ["a"]


@pytest.mark.slow
def test_the_server_may_be_started_again_in_between(browser, sample_catalogue, tmp_path):
    catalogue = tmp_path / "catalogue.sqlite"
    shutil.copyfile(sample_catalogue, catalogue)
    name = json.loads(review(catalogue, "open", "sample-digits", "--lowest", "4", "--json"))["round"]
    with serving(catalogue, serve_reviews=True) as base:
        links = json.loads(review(catalogue, "links", name, "--raters", "1", "--base", base, "--json"))["links"]
        found = Open(name, base, catalogue, [one["url"] for one in links], None)
        context = browser.new_context()
        page = context.new_page()
        begin(page, found)
        page.wait_for_load_state("networkidle")
    press(page, "1")
    expect(page.locator(".state")).to_contain_text("1 answer waits")
    with serving(catalogue, serve_reviews=True, port=int(base.rpartition(":")[2])):
        expect(page.locator(".state")).to_contain_text("Saved:", timeout=40_000)
        press(page, "2")
        expect(page.locator(".state")).to_contain_text("Saved:")
        assert answered(found) == ["a", "b"]
        context.close()


@pytest.mark.slow
def test_an_example_that_is_answered_elsewhere_is_told_and_another_comes(browser, sample_catalogue, tmp_path):
    with small(sample_catalogue, tmp_path, "--lowest", "3") as found, rater_tab(browser, found) as page:
        begin(page, found)
        vote(found.rater(0), found.rater(0).get("/review/api/task").json(), "both")
        press(page, "1")
        expect(page.locator(".told")).to_have_text("You have answered this example already.")
        expect(page.locator(".count b")).to_have_text("1")
        press(page, "2")
        expect(page.locator(".told")).to_be_hidden()
        expect(page.locator(".state")).to_contain_text("Saved:")
        assert answered(found) == ["both", "b"]


@pytest.mark.slow
def test_a_revoked_link_says_so_and_what_is_unsent_stays(browser, sample_catalogue, tmp_path):
    with small(sample_catalogue, tmp_path, "--lowest", "3") as found, rater_tab(browser, found) as page:
        begin(page, found)
        review(found.catalogue, "links", found.name, "--revoke", "rater 1")
        page.keyboard.press("1")
        expect(page.locator("h1")).to_have_text("This link is not accepted")
        expect(page.locator(".reason")).to_contain_text("revoked")
        expect(page.locator(".unsent")).to_contain_text("1 answer was not sent, and stays in this browser")
        assert_accessible(page, "revoked")
        page.reload()
        expect(page.locator("body")).to_contain_text("revoked")


@pytest.mark.slow
def test_whoever_waits_gets_what_others_leave(browser, sample_catalogue, tmp_path):
    arguments = ("--lowest", "1", "--lease", "0.05")
    with small(sample_catalogue, tmp_path, *arguments, raters=6) as found, rater_tab(browser, found) as page:
        but_one_vote(found)
        assert found.rater(1).get("/review/api/task").status_code == 200
        page.goto(f"{found.links[0]}?start=1")
        expect(page.locator("h1")).to_have_text("Others are looking at the rest")
        expect(page.locator(".wait")).to_have_text(re.compile(r"^[1-3] seconds?$"))
        assert_accessible(page, "waiting")
        expect(page.locator("#stage .task:not([method])")).to_be_visible()
        press(page, "1")
        expect(page.locator("h1")).to_have_text("Thank you")


@pytest.mark.slow
def test_a_lease_is_renewed_while_the_page_is_open_and_not_while_one_pauses(browser, sample_catalogue, tmp_path):
    arguments = ("--lowest", "1", "--lease", "0.05")
    with small(sample_catalogue, tmp_path, *arguments, raters=6) as found, rater_tab(browser, found) as page:
        but_one_vote(found)
        begin(page, found)
        for _ in range(4):  # one a second, of a lease of three
            with page.expect_response("**/api/lease") as renewed:
                pass
            assert renewed.value.status == 200
        assert found.rater(1).get("/review/api/task").status_code == 204
        page.keyboard.press("p")
        with rater_tab(browser, found) as other:
            other.goto(f"{found.links[1]}?start=1")
            expect(other.locator("#stage .task:not([method])")).to_be_visible()
            press(other, "1")
        page.keyboard.press("p")
        expect(page.locator("#stage .task")).to_have_count(0)
        expect(page.locator("h1")).to_have_text("Thank you")


@pytest.mark.slow
def test_keys_can_be_switched_off(browser, sample_catalogue, tmp_path):
    with small(sample_catalogue, tmp_path, "--lowest", "3") as found, rater_tab(browser, found) as page:
        begin(page, found)
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        assert_accessible(page, "keys")
        page.get_by_label("Keys are on").uncheck()
        page.keyboard.press("Escape")
        seen = example(page)
        page.keyboard.press("1")
        page.reload()
        expect(page.locator("#stage .task:not([method])")).to_be_visible()
        page.keyboard.press("1")
        assert example(page) == seen
        assert page.locator(".task kbd").first.is_hidden()
        page.get_by_role("button", name="Neither").click()
        expect(page.locator(".state")).to_have_text("Saved: Neither")


@pytest.mark.slow
def test_sounds_are_played_by_the_space_bar(browser, sample_catalogue, tmp_path):
    with (
        open_round(sample_catalogue, tmp_path, "sample-sounds", "--lowest", "2", raters=1) as found,
        rater_tab(browser, found) as page,
    ):
        begin(page, found)
        playing = "() => !document.querySelector('.specimen audio').paused"
        page.evaluate("document.querySelector('.specimen audio').loop = true")
        page.keyboard.press(" ")
        page.wait_for_function(playing)
        shelf = page.get_by_role("button", name=re.compile("^A typical example of")).first
        shelf.evaluate("(one) => { one.firstChild.loop = true }")
        shelf.press("Enter")
        expect(shelf).to_have_attribute("aria-pressed", "true")
        assert not page.evaluate(playing), "one sound at a time"
        shelf.press("Enter")
        expect(shelf).to_have_attribute("aria-pressed", "false")


SET = {
    "task": "made-up",
    "kind": "set",
    "choices": [
        {"name": "Speech", "exemplars": []},
        {"name": "<b>Dog</b>", "exemplars": []},
        {"name": "Rain", "exemplars": []},
    ],
    "media": [],
    "answers": ["cannot_tell"],
    "progress": {"done": 4, "of": 9},
}


def test_of_a_set_each_class_is_told(browser, sample_catalogue, tmp_path):
    with small(sample_catalogue, tmp_path, "--lowest", "1") as found, rater_tab(browser, found) as page:
        sent: list[Any] = []

        def taken(route: Route) -> None:
            sent.append(route.request.post_data_json)
            route.fulfill(status=201, json={})

        page.route("**/api/task", lambda route: route.fulfill(json=SET) if not sent else route.fulfill(status=204))
        page.route("**/api/task?after=*", lambda route: route.fulfill(status=204))
        page.route("**/api/votes", taken)
        begin(page, found)
        assert_accessible(page, "set")
        page.keyboard.press("1")
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        expect(page.locator(".told")).to_have_text("Say yes or no for Rain too.")
        page.keyboard.press("2")
        page.keyboard.press("n")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Thank you")
        assert [one["answer"] for one in sent] == [{"Speech": True, "<b>Dog</b>": False, "Rain": False}]


@pytest.mark.slow
def test_one_of_many_is_answered_by_its_key(browser, sample_catalogue, tmp_path):
    plan = tmp_path / "round.toml"
    plan.write_text('kind = "options"\n')
    with small(sample_catalogue, tmp_path, "--lowest", "2", "--round", str(plan)) as found:
        for width in WIDTHS:
            with rater_tab(browser, found, viewport={"width": width, "height": 844}) as page:
                begin(page, found)
                assert_accessible(page, f"options {width}")
                assert_fits(page, f"options {width}")
                tenth = page.locator('[data-key="a"] span').inner_text()
                page.keyboard.press("a")
                expect(page.locator(".state")).to_have_text(f"Saved: {tenth}")
        assert len(answered(found)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sample-texts", "sample-sounds"])
def test_answers_are_large_and_in_view_on_a_phone(browser, sample_catalogue, tmp_path, name):
    with (
        open_round(sample_catalogue, tmp_path, name, "--lowest", "2", raters=1) as found,
        rater_tab(browser, found, viewport={"width": 390, "height": 664}, has_touch=True, is_mobile=True) as page,
    ):
        if name == "sample-texts":  # a very long one
            page.route("**/m0", lambda route: route.fulfill(body="word " * 4000, content_type="text/plain"))
        begin(page, found)
        assert_fits(page, name)
        for button in page.locator(
            ".answers button, .review-bar button:visible, .review-bar a, .exemplars button"
        ).all():
            assert button.bounding_box()["height"] >= 48, button.inner_text()
        for button in page.locator(".answers button").all():
            expect(button).to_be_in_viewport(ratio=1)


#: How many lines each answer's text takes.
_LINES_OF = """spans => spans.map(span => {
  const text = document.createRange();
  text.selectNodeContents(span);
  return [span.textContent, new Set([...text.getClientRects()].map(one => Math.round(one.top))).size];
})"""


def test_no_answer_is_broken_on_a_narrow_screen_with_keys(browser, sample_catalogue, tmp_path):
    """A phone with a keyboard, or a narrow window, where each answer has its key too."""
    with (
        open_round(sample_catalogue, tmp_path, "sample-texts", "--lowest", "3", raters=1) as found,
        rater_tab(browser, found, viewport={"width": 390, "height": 844}) as page,
    ):
        begin(page, found)
        for width in (390, 320):
            page.set_viewport_size({"width": width, "height": 844})
            expect(page.locator(".answers kbd").first).to_be_visible()
            lines = dict(page.locator(".answers button span, .review-bar nav a").evaluate_all(_LINES_OF))
            assert {"Both", "Neither", "Cannot tell", "Instructions"} < set(lines)
            assert set(lines.values()) == {1}, (width, lines)
            assert_fits(page, f"{width} px")


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_state_is_accessible(browser, sample_catalogue, tmp_path, width, scheme):
    with (
        small(sample_catalogue, tmp_path, "--lowest", "2") as found,
        rater_tab(browser, found, viewport={"width": width, "height": 844}, color_scheme=scheme) as page,
    ):

        def look(where: str) -> None:
            assert_accessible(page, f"{where} {width} {scheme}")
            assert_fits(page, f"{where} {width}")

        for query in ("", "?practice=1", "?practice=1&answer=a", "?pause=1"):
            assert page.goto(found.links[0] + query).ok
            look(query)
        begin(page, found)
        look("task")
        press(page, "1")
        expect(page.locator(".state")).to_contain_text("Saved:")
        look("saved")
        page.keyboard.press("p")
        look("paused")
        page.keyboard.press("p")
        press(page, "2")
        expect(page.locator("h1")).to_have_text("Thank you")
        look("done")


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["sample-digits", "sample-texts", "sample-sounds"])
def test_five_raters_finish_a_round_by_keys_and_the_site_shows_it(browser, sample_catalogue, tmp_path, name, width):
    """All say the class that comes first in the alphabet; how long a key takes is printed, and asserted nowhere."""
    # Of the telephone's round a part is enough: what differs there is where things stand.
    part = ("--lowest", "8") if width == min(WIDTHS) else ()
    with open_round(sample_catalogue, tmp_path, name, *part) as found:
        before = found.http.get(f"/api/v1/datasets/{name}/issues?limit=200").json()["items"]
        took: list[float] = []
        for number in range(5):
            with rater_tab(browser, found, viewport={"width": width, "height": 844}) as page:
                begin(page, found, number)
                while has_a_task(page):
                    names = [page.locator(f'[data-key="{key}"] span').inner_text() for key in "12"]
                    press(page, str(names.index(min(names)) + 1))
                expect(page.locator("h1")).to_have_text("Thank you")
                took += page.evaluate("performance.getEntriesByName('next example').map((one) => one.duration)")
        took.sort()
        print(
            f"\n{name} at {width}: from key to next example, of {len(took)}: median {took[len(took) // 2]:.0f} ms, "
            f"95 % {took[int(0.95 * len(took))]:.0f} ms, most {took[-1]:.0f} ms"
        )
        review(found.catalogue, "close", found.name)
        review(found.catalogue, "publish", found.name)
        seen = {one["index"] for one in before}
        shown = found.http.get(f"/api/v1/datasets/{name}/issues?limit=200").json()["items"]
        mine = [one for one in shown if one["index"] not in seen]
        assert len(mine) == (8 if part else len(shown)), "while the round was open, none of its examples was shown"
        for one in mine:
            given, guessed = one["given"]["name"], one["guessed"]["name"]
            said = "given" if min(given, guessed) == given else "guessed"
            assert {option: n for option, n in one["votes"].items() if n} == {said: 5}, one["index"]
            assert one["category"] == ("non_error" if said == "given" else "correctable")
        with rater_tab(browser, found) as page:
            page.goto(f"{found.base}/{name}")
            expect(page.locator("main")).to_contain_text("by 5 raters")
