"""The pages of raters without JavaScript: they lead through a round, take what they sent themselves, and no more."""

import html
import json
import re
import shutil
import sqlite3
from contextlib import closing

import httpx
import pytest

from tests.app.site.review.rounds import Open, open_round, review


def fields(page: str) -> dict[str, str]:
    """The hidden fields of the first form of a page."""
    form = page.partition('<form method="post"')[2].partition("</form>")[0]
    return {
        name: html.unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    }


def test_a_rater_reads_answers_takes_back_and_goes_on(digits: Open):
    link, http = digits.links[9], digits.http
    first = http.get(link).text
    assert "<h1>What to do</h1>" in first
    assert "Practise on 3 examples" in first
    page = http.get(f"{link}?start=1").text
    sent = fields(page)
    answered = http.post(link, data=sent | {"answer": "a"})
    assert (answered.status_code, answered.headers["location"]) == (303, f"{link.removeprefix(digits.base)}?saved=1")
    after = http.get(answered.headers["location"]).text
    assert "<b>1</b> of 96<" in after
    assert ">Saved<" in after
    assert http.post(link, data=sent | {"answer": "a"}).status_code == 303  # sent twice, as by a second click
    assert "<b>1</b> of 96" in http.get(link).text
    assert http.post(link, data=sent | {"do": "undo"}).status_code == 303
    assert "<b>0</b> of 96" in http.get(f"{link}?start=1").text
    assert "Take a break" in http.get(f"{link}?pause=1").text


def test_practice_says_what_is_right_and_stores_nothing(digits: Open):
    link, http = digits.links[10], digits.http
    page = http.get(f"{link}?practice=1").text
    address = re.search(r'src="(/review/media/p\.[^"]+)"', page)
    assert http.get(address[1]).headers["content-type"] == "image/png"
    assert http.get(address[1].replace("/p.", "/p.1")).status_code == 404
    told = [http.get(f"{link}?practice=1&answer={side}").text for side in "ab"]
    assert sum("<b>Yes.</b> This is" in page for page in told) == 1
    assert http.get(f"{link}?practice=9").status_code == 404
    assert "<b>0</b> of 96" in http.get(f"{link}?start=1").text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_site_sends_is_refused(digits: Open, site: str):
    link, http = digits.links[10], digits.http
    sent = fields(http.get(f"{link}?start=1").text) | {"answer": "a"}
    assert http.post(link, data=sent, headers={"Sec-Fetch-Site": site}).status_code == 403
    for forged in ({"form_key": ""}, {"form_key": "0" * 32}):
        assert http.post(link, data=sent | forged).status_code == 403
    other = fields(http.get(f"{digits.links[11]}?start=1").text)
    assert http.post(link, data=sent | {"form_key": other["form_key"]}).status_code == 403
    assert "<b>0</b> of 96" in http.get(f"{link}?start=1").text


def test_another_raters_task_is_not_taken(digits: Open):
    http = digits.http
    sent = fields(http.get(f"{digits.links[10]}?start=1").text) | {"answer": "a"}
    own = fields(http.get(f"{digits.links[11]}?start=1").text)
    page = http.post(digits.links[11], data=sent | {"form_key": own["form_key"]}).text
    assert "no such task of yours" in page
    assert "<b>0</b> of 96" in http.get(f"{digits.links[10]}?start=1").text


def test_whoever_has_the_open_link_joins_by_name(digits: Open):
    link = review(digits.catalogue, "links", digits.name, "--open", "--base", digits.base).strip()
    page = digits.http.get(link).text
    assert digits.http.post(link, data=fields(page) | {"name": "  "}).status_code == 422
    joined = digits.http.post(link, data=fields(page) | {"name": "<b>Kim</b>"})
    assert joined.status_code == 303
    assert ">Which is it?</h1>" in digits.http.get(joined.headers["location"]).text


def test_text_of_a_dataset_is_escaped(sample_catalogue, quick_folder):
    folder = quick_folder / "escaped"
    folder.mkdir()
    hostile = folder / "hostile.sqlite"
    shutil.copyfile(sample_catalogue, hostile)
    with sqlite3.connect(hostile) as connection:
        connection.execute("UPDATE classes SET name = '<script>alert(1)</script>' || class_id WHERE dataset_id = 2")
    connection.close()
    plan = folder / "round.toml"
    plan.write_text('instructions = "<img src=x onerror=alert(2)>"\n')
    with open_round(hostile, folder, "sample-texts", "--lowest", "2", "--round", str(plan)) as found:
        pages = [found.http.get(found.links[0] + query).text for query in ("", "?start=1", "?practice=1")]
        assert "<script>alert" not in "".join(pages)
        assert "<img src=x" not in "".join(pages)
        assert "&lt;script&gt;alert(1)" in pages[1]


def test_logs_hold_no_link_and_no_person(sample_catalogue, quick_folder):
    folder = quick_folder / "logged"
    folder.mkdir()
    log = folder / "access.log"
    with open_round(sample_catalogue, folder, "sample-texts", "--lowest", "2", access_log=str(log)) as found:
        agent = {"User-Agent": "Kim's own browser", "Referer": found.links[0]}
        httpx.get(found.links[0], headers=agent)
        httpx.get(found.links[0].replace("/review/", "/%72eview/"), headers=agent)
        httpx.get(f"{found.base}/static/site.css", headers={"Referer": found.links[0]})
        found.rater(0).get("/review/api/task")
    written = log.read_text()
    lines = [json.loads(line) for line in written.splitlines()]
    assert len(lines) == 4
    token = found.links[0].rpartition("/")[2]
    assert token not in written
    assert token.partition(".")[0] not in written
    assert "Kim" not in written
    assert [line["client"] for line in lines] == ["", "", "127.0.0.1", ""]


def test_the_instructions_show_worked_examples_that_are_sure(digits: Open):
    """One of a class that is asked for, one of another ("neither"); no suspect, and none is among those to practise."""
    page = digits.http.get(f"{digits.links[8]}?help=1").text
    shown = re.findall(r'<div class="sample">\s*<img src="([^"]+)"', page)
    assert len(shown) == 2
    assert {digits.http.get(one).headers["content-type"] for one in shown} == {"image/png"}
    assert "It looks like the typical examples of" in page
    assert "which is not among the answers" in page
    with closing(sqlite3.connect(digits.catalogue)) as connection:
        suspects = {idx for (idx,) in connection.execute("SELECT idx FROM issues WHERE dataset_id = 1")}
        exemplars = set(connection.execute("SELECT idx, class_id FROM exemplars WHERE dataset_id = 1"))
    with closing(sqlite3.connect(digits.catalogue.with_name("reviews.sqlite"))) as connection:
        asked = "SELECT idx, json_extract(question, '$.given[0]') FROM items WHERE practice AND round_id = 1"
        practice = set(connection.execute(asked))
    assert len(practice) == 3
    assert practice <= exemplars
    assert not {idx for idx, _ in practice} & suspects


def test_who_has_begun_is_not_led_to_practice_again(digits: Open):
    link, http = digits.links[7], digits.http
    before = http.get(f"{link}?help=1").text
    assert "I have done this before: start" in before
    assert 'href="?practice=1" data-key="Enter"' in before
    http.post(link, data=fields(http.get(f"{link}?start=1").text) | {"answer": "b"})
    after = http.get(f"{link}?help=1").text
    assert 'href="?start=1" data-key="Enter">Go on' in after
    assert "Practise again" in after


def test_a_row_of_a_table_is_shown_without_marks(rows_catalogue, quick_folder):
    """They say what is unusual for the given label, which would tell it."""
    folder = quick_folder / "rows"
    folder.mkdir()
    with closing(sqlite3.connect(rows_catalogue)) as connection:
        ((name,),) = connection.execute("SELECT name FROM datasets")
        rows = [json.loads(row) for (row,) in connection.execute("SELECT bytes FROM media WHERE kind = 'row'")]
    assert any(mark for row in rows for _, _, mark in row)
    with open_round(rows_catalogue, folder, name) as found:
        rater = found.rater(0)
        task = rater.get("/review/api/task").json()
        assert [one["kind"] for one in task["media"]] == ["row"]
        for address in [task["media"][0]["address"], *task["a"]["exemplars"], *task["b"]["exemplars"]]:
            medium = rater.get(address)
            assert medium.headers["content-type"] == "application/json"
            assert [column for column, _ in medium.json()] == ["length in cm", "petals", "colour", "garden"]
        page = found.http.get(f"{found.links[0]}?start=1").text
        assert page.count('<table class="values">') == 9
        assert "<mark" not in page
        assert "<b>&" not in page
        assert 'class="values"' in found.http.get(f"{found.links[0]}?help=1").text


def test_a_page_that_waits_asks_again_without_a_script(sample_catalogue, quick_folder):
    folder = quick_folder / "waits"
    folder.mkdir()
    with open_round(sample_catalogue, folder, "sample-texts", "--lowest", "1", raters=6) as found:
        for number in range(5):
            assert found.rater(number).get("/review/api/task").status_code == 200
        page = found.http.get(f"{found.links[5]}?start=1")
        seconds = page.headers["retry-after"]
        assert f'<noscript><meta http-equiv="refresh" content="{seconds}"></noscript>' in page.text
        assert '<h1 tabindex="-1">Others are looking at the rest</h1>' in page.text
