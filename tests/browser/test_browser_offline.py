"""A rater's page as one file, finished in the browser with the network cut; its answers come back into the round."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from app.reviews.owner.given_answers import answers_of
from app.reviews.rounds import find_round
from app.reviews.store import Store, store_url
from ingest.commands.main import main
from tests.app.site.review.rounds import review

N = 6


@pytest.fixture
def offline(sample_catalogue: Path, tmp_path: Path) -> tuple[Path, str, Path]:
    """A catalogue with a round, and the file for Ann."""
    catalogue = tmp_path / "catalogue.sqlite"
    shutil.copyfile(sample_catalogue, catalogue)
    name = json.loads(review(catalogue, "open", "sample-digits", "--lowest", str(N), "--json"))["round"]
    out = tmp_path / "ann.html"
    assert f"{N} examples for Ann" in review(catalogue, "offline", name, "--rater", "Ann", "--out", str(out))
    return catalogue, name, out


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(offline=True, accept_downloads=True)
    yield context.new_page()
    context.close()


def answered(page: Page, keys: str) -> None:
    for n, key in enumerate(keys, start=int(page.locator("#offline-count").text_content() or 0) + 1):
        page.wait_for_selector(".task .specimen img")
        page.keyboard.press(key)
        page.wait_for_function(f"document.querySelector('#offline-count').textContent === '{n}'")


def saved(page: Page, folder: Path) -> Path:
    with page.expect_download() as download:
        page.click("#offline-save")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_round_is_answered_without_a_network(offline, page, tmp_path, capsys):
    catalogue, name, file = offline
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    answered(page, "12")
    page.reload()
    assert page.locator("#offline-count").text_content() == "2", "answers outlive the page"
    page.wait_for_selector(".task .specimen img")
    page.keyboard.press("z")
    page.wait_for_function("document.querySelector('#offline-count').textContent === '1'")
    answered(page, "12121")
    page.wait_for_selector("text=Thank you")
    assert {url.partition(":")[0] for url in asked} <= {"file", "data", "blob"}
    answers = saved(page, tmp_path)
    told = review(catalogue, "import", name, str(answers))
    assert f"took {N} of {N} answers of Ann into {name}" in told
    assert f"took {N} of {N} answers" in review(catalogue, "import", name, str(answers)), "twice is once"
    store = Store(store_url("", catalogue))
    given = answers_of(store, find_round(store, name)).answers
    assert len(given) == N
    sent = {one["task"]: one["answer"] for one in json.loads(answers.read_text())["answers"]}
    assert sorted(one.sent for one in given) == sorted(sent.values())
    took = [one["seconds"] for one in json.loads(answers.read_text())["answers"]]
    assert sorted(one.seconds for one in given) == pytest.approx(sorted(took), abs=0.001), "as the page measured"
    review(catalogue, "exclude", name, "Ann", "--why", "w")
    assert "Ann is excluded: these answers are kept and do not count" in review(catalogue, "import", name, str(answers))
    store.close()


@pytest.mark.parametrize("width", [320, 390, 720, 800, 1000, 1280])
def test_no_answer_is_broken_within_a_word(offline, page, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(offline[2].as_uri())
    page.wait_for_selector(".task .specimen img")
    broken = page.evaluate(
        """() => [...document.querySelectorAll(".answers button span")].flatMap((span) => {
          const text = span.firstChild, range = document.createRange();
          return [...text.data.matchAll(/\\S+/g)].filter((word) => {
            range.setStart(text, word.index);
            range.setEnd(text, word.index + word[0].length);
            return range.getClientRects().length > 1;
          }).map((word) => word[0]);
        })"""
    )
    assert page.locator(".answers button span").count() == 5
    assert broken == []


def test_the_file_is_blind(offline):
    """It has neither indices nor what was given or guessed; of Ann only her opaque name."""
    _, _, file = offline
    text = file.read_text()
    tasks = json.loads(text.partition('id="offline-tasks">')[2].partition("</script>")[0])
    assert set(tasks) == {"round", "rater", "tasks", "media"}
    assert {key for task in tasks["tasks"] for key in task} == {"task", "kind", "a", "b", "media", "answers"}
    assert "given" not in json.dumps(tasks["tasks"])
    assert "Ann" not in text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"round": "other-1"}, "expected answers of"),
        ({"rater": "nobody"}, "expected a rater of"),
        ({"answers": {}}, "expected a list of answers"),
        ({"answers": [{"task": "x"}]}, "answer 0: expected"),
        (
            {"answers": [{"task": "x", "answer": "a", "key": "5f0c0000-0000-4000-8000-000000000000", "seconds": "3"}]},
            "answer 0: expected",
        ),
    ],
)
def test_damaged_answers_are_refused(offline, tmp_path, capsys, change, expected):
    catalogue, name, file = offline
    tasks = json.loads(file.read_text().partition('id="offline-tasks">')[2].partition("</script>")[0])
    path = tmp_path / "answers.json"
    whole = {"label_errors_answers": 1, "round": name, "rater": tasks["rater"], "answers": []}
    path.write_text(json.dumps({**whole, **change}))
    assert main(["review", "import", name, str(path), "--catalogue", str(catalogue)]) == 1
    assert expected in capsys.readouterr().err
