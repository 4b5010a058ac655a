"""The pages of workers in a real frame of another site, and the owner's page, with a screen reader."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.app.site.review.rounds import Open, open_round, review
from tests.app.site.review.test_mturk import ASSIGNMENT, BASE, PREVIEW, SANDBOX, arriving
from tests.browser.test_browser_pages import LOOKS, assert_accessible, assert_fits


@pytest.fixture(scope="module")
def task(sample_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Open, str]]:
    """A round over three digits, two an assignment, and its address."""
    folder = tmp_path_factory.mktemp("mturk")
    with open_round(sample_catalogue, folder, "sample-digits", "--lowest", "3", raters=1) as found:
        told = review(found.catalogue, "links", found.name, "--mturk", "2", "--base", BASE)
        yield found, told.split()[0].replace(BASE, found.base)


@contextmanager
def framed(browser: Browser, address: str, by: str, **options: object) -> Iterator[tuple[Page, list[str], list[str]]]:
    """A page that shows an address in a frame, as Mechanical Turk does; what is sent to that site; complaints."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    # A page of the internet frames this machine, which browsers ask about.
    context.grant_permissions(["local-network-access"], origin=by)
    sent: list[str] = []
    told: list[str] = []
    page = context.new_page()
    page.on("console", lambda said: told.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    html = (
        "<!doctype html><html lang='en'><title>Task</title><body style='margin:0'>"
        f"<iframe title='Task' src='{address.replace('&', '&amp;')}' style='width:100%;height:860px;border:0' "
        "sandbox='allow-scripts allow-same-origin allow-forms allow-modals allow-popups'></iframe>"
    )

    def answer(route) -> None:
        if route.request.method == "POST":
            sent.append(f"{route.request.url} {route.request.post_data}")
            route.fulfill(content_type="text/html", body="<title>Sent</title><p>Submitted")
        else:
            route.fulfill(content_type="text/html", body=html)

    context.route(f"{by}/**", answer)
    try:
        page.goto(f"{by}/task")
        yield page, sent, told
        assert context.cookies() == [], "nothing needs a cookie"
    finally:
        context.close()


def inside(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_worker_answers_in_the_frame_and_sends_the_assignment_back(browser, task, scripts):
    _, address = task
    at = arriving(address, workerId=f"W{scripts}", assignmentId=f"{ASSIGNMENT}{scripts}")
    with framed(browser, at, SANDBOX, java_script_enabled=scripts) as (page, sent, told):
        frame = inside(page)
        frame.get_by_role("button", name="I agree, begin").click()
        for n in range(2):
            expect(frame.locator(".count b")).to_have_text(str(n))
            if scripts:
                expect(frame.locator(".specimen img")).to_have_js_property("complete", value=True)
            frame.get_by_role("button", name="Neither").click()
        frame.get_by_role("button", name="Finish, and send to Mechanical Turk").click()
        expect(frame.locator('p:text-is("Submitted")')).to_have_count(1)
        assert told == []
    (body,) = sent
    where, _, fields = body.partition(" ")
    assert where == f"{SANDBOX}/mturk/externalSubmit"
    assert parse_qs(fields)["assignmentId"] == [f"{ASSIGNMENT}{scripts}"]
    assert parse_qs(fields)["answered"] == ["2"]


def test_another_site_frames_nothing(browser, task):
    found, address = task
    for at, by in ((arriving(address), "https://evil.example"), (found.links[0], SANDBOX)):
        with framed(browser, at, by) as (page, _, told):
            page.wait_for_load_state("networkidle")
            assert inside(page).locator("main").count() == 0
            assert "frame-ancestors" in told[0]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_what_workers_see_is_accessible(browser, task, width, scheme):
    _, address = task
    name = f"{width}{scheme}"
    options = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme}
    context = browser.new_context(**options)
    page = context.new_page()
    preview = arriving(address, assignmentId=PREVIEW, workerId=None)
    page.goto(preview)
    assert page.locator("button:enabled").count() == 0
    assert_accessible(page, f"preview {name}")
    assert_fits(page, f"preview {name}")
    page.goto(arriving(address, workerId=name, assignmentId=name))
    assert_accessible(page, f"consent {name}")
    assert_fits(page, f"consent {name}")
    page.get_by_role("button", name="I agree, begin").click()
    while page.get_by_role("button", name="Neither").count():
        assert_accessible(page, f"task {name}")
        assert_fits(page, f"task {name}")
        page.get_by_role("button", name="Neither").click()
        page.wait_for_load_state()
    expect(page.get_by_role("button", name="Finish, and send to Mechanical Turk")).to_be_visible()
    assert_accessible(page, f"done {name}")
    assert_fits(page, f"done {name}")
    page.goto(arriving(address, workerId=None))
    assert_accessible(page, f"problem {name}")
    context.close()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_owners_page_is_accessible(browser, task, width, scheme):
    found, _ = task
    link = review(found.catalogue, "links", found.name, "--owner", "--base", found.base).strip()
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    assert page.goto(link).ok
    assert_accessible(page, f"owner {width} {scheme}")
    assert_fits(page, f"owner {width} {scheme}")
    context.close()
