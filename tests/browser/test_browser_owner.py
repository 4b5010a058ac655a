"""What the owner of a full round sees, with a screen reader: page, question before excluding, report and file."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.app.reviews.databases import store_at
from tests.app.site.review.owner.test_owner_page import vote_all
from tests.app.site.review.rounds import Open, open_round, review
from tests.browser.test_browser_pages import LOOKS, assert_accessible, assert_fits

PEOPLE = ("Always", "Coin", "Ann", "Ben", "Cleo", "Dora", "Emil", "Fay", "Gus", "Wolfeschlegelsteinhausenbergerdorff")


@pytest.fixture(scope="module")
def full(sample_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Open, str, Path]]:
    """A round over twenty digits, all votes given, one of ten excluded; the owner's link; a file for somebody else."""
    folder = tmp_path_factory.mktemp("owner")
    arguments = ("sample-digits", "--lowest", "20", "--instructions", "Look at the whole picture.")
    with open_round(sample_catalogue, folder, *arguments, raters=1) as found:
        review(found.catalogue, "links", found.name, *(part for one in PEOPLE for part in ("--name", one)))
        with closing(store_at(found.catalogue)) as store:
            vote_all(store, found)
        review(found.catalogue, "exclude", found.name, "Fay", "--why", "was not there in the end")
        file = folder / "ida.html"
        review(found.catalogue, "offline", found.name, "--rater", "Ida", "--out", str(file))
        yield found, review(found.catalogue, "links", found.name, "--owner", "--base", found.base).strip(), file


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_what_an_owner_sees_is_accessible(
    browser: Browser, full: tuple[Open, str, Path], tmp_path: Path, width, scheme
):
    found, link, file = full
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()

    def holds(name: str) -> None:
        assert_accessible(page, f"{name} {width} {scheme}")
        assert_fits(page, f"{name} {width} {scheme}")

    page.goto(link)
    assert page.locator(".rater").count() == len(PEOPLE) + 2
    holds("page")
    card = page.locator(".rater", has_text="Always")
    card.locator("summary").click()
    card.get_by_label("Reason").fill("always answers a")
    holds("reason")
    card.get_by_role("button", name="See what would change").click()
    page.get_by_text("Which examples").click()
    holds("question")
    report = tmp_path / "report.html"
    review(found.catalogue, "report", found.name, "--out", str(report))
    page.goto(report.as_uri())
    holds("report")
    page.goto(file.as_uri())
    page.wait_for_selector(".task .specimen img")
    holds("file")
    context.close()
