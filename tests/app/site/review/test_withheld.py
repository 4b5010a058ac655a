"""While a round is open its examples are not on the site: the answer is not to be found next door."""

import hashlib
import html
import io
import json
import re
import sqlite3
from contextlib import closing

import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest

from app.catalogue.rounds.withheld import withhold
from tests.app.site.review.rounds import Open, open_round, review

AT = "/api/v1/datasets/sample-texts"
FILE = f"{AT}/corrected.csv"


@pytest.fixture(scope="module")
def small(sample_catalogue, quick_folder):
    """A round over the three most suspicious texts, and one of what the site tells before it."""
    folder = quick_folder / "withheld"
    folder.mkdir()
    with open_round(sample_catalogue, folder, "sample-digits", "--lowest", "2") as found:
        before = {path: found.http.get(path) for path in (AT, f"{AT}/issues?limit=200", FILE, "/sample-texts")}
        name = review(found.catalogue, "open", "sample-texts", "--lowest", "3", "--json").split('"')[3]
        indices = [one["index"] for one in before[f"{AT}/issues?limit=200"].json()["items"]]
        yield Open(name, found.base, found.catalogue, [], found.http), before, indices


def test_nothing_of_them_is_listed_counted_shown_or_found(small):
    found, before, indices = small
    hidden, others = indices[:3], indices[3:]
    get = found.http.get
    assert [one["index"] for one in get(f"{AT}/issues?limit=200").json()["items"]] == others
    assert [one["index"] for one in get(f"{AT}/issues?limit=200&sort=disagreement").json()["items"]].count(
        hidden[0]
    ) == 0
    for idx in hidden:
        for path in (
            f"/sample-texts/issues/{idx}",
            f"/sample-texts/issues/{idx}/dispute",
            f"/share/sample-texts/{idx}.png",
        ):
            assert get(path).status_code in (404, 409), path
        for path in (f"{AT}/issues/{idx}", f"{AT}/labels/{idx}"):
            assert get(path).json()["type"] == "/about/errors#in-review", path
    assert get(f"/sample-texts/issues/{others[0]}").status_code == 200
    assert get(f"{AT}/issues").json()["total"] == len(others) == before[f"{AT}/issues?limit=200"].json()["total"] - 3
    reviewed = [one for one in before[f"{AT}/issues?limit=200"].json()["items"][:3] if one["votes"]]
    assert get(AT).json()["checked"] == before[AT].json()["checked"] - len(reviewed)
    page = get("/sample-texts").text
    assert not any(f'id="i{idx}"' in page for idx in hidden)
    assert get(AT).json()["missing"] == before[AT].json()["missing"]


def test_the_page_of_one_says_until_when_and_nothing_else(small):
    """The same for all of them but for the index, and another answer than for what was never an issue."""
    found, _, indices = small
    answers = [found.http.get(f"/sample-texts/issues/{idx}") for idx in indices[:3]]
    assert [answer.status_code for answer in answers] == [409] * 3
    assert len({re.sub(rf"\b{idx}\b", "N", one.text) for idx, one in zip(indices, answers, strict=False)}) == 1
    assert f"is held back until the round {found.name} is closed" in answers[0].text
    assert "Only flagged or reviewed examples" not in answers[0].text
    assert "Meanwhile" in answers[0].text
    assert "Only flagged or reviewed examples" in found.http.get("/sample-texts/issues/99999").text


def test_corrected_sets_are_there_without_them_in_every_format(small, sample_site):
    """They have no row, removed or not, and no label; the rows of the others are the bytes they always were."""
    found, before, indices = small
    hidden, size = indices[:3], before[AT].json()["size"]
    for query in ("", "?removed=include", "?multi_label=given&neither=given&non_agreement=given&unreviewed=drop"):
        for suffix in ("csv", "jsonl"):
            whole, left = (
                httpx.get(f"{base}{AT}/corrected.{suffix}{query}").content.splitlines()
                for base in (sample_site, found.base)
            )
            told = [
                line for line in whole if re.match(rb'(\{"index":)?(%b),' % b"|".join(b"%d" % i for i in hidden), line)
            ]
            assert left == [line for line in whole if line not in told], (suffix, query)
        rows = pq.read_table(io.BytesIO(found.http.get(f"{AT}/corrected.parquet{query}").content))
        assert not set(rows["index"].to_pylist()) & set(hidden)
        page = found.http.get(f"{AT}/corrected.json?limit=10000{query.replace('?', '&')}").json()
        assert [one["index"] for one in page["items"]] == rows["index"].to_pylist()
        assert page["total"] == len(page["items"])
        assert page["sizes"]["all"] == size - 3
        assert page["held_back"]["examples"] == 3
    array = np.load(io.BytesIO(found.http.get(f"{AT}/corrected.npy?neither=given").content))
    assert (len(array), set(array[hidden])) == (size, {-1})
    with np.load(io.BytesIO(found.http.get(f"{AT}/corrected.npz").content)) as archive:
        assert not archive["kept"][hidden].any()
        assert (archive["indptr"][np.array(hidden) + 1] == archive["indptr"][hidden]).all()


def test_what_is_left_has_a_version_of_its_own(small):
    """The address of the published version answers with those bytes or not at all."""
    found, _, _ = small
    get = found.http.get
    file = get(f"{AT}/corrected.csv")
    assert file.headers["held-back"] == "3"
    assert "-without-3-in-review.csv" in file.headers["content-disposition"]
    lasting = file.headers["content-location"]
    assert get(lasting).content == file.content
    version = get(f"{AT}/versions").json()["items"][0]["version"]
    assert f"/versions/{version}-without-" in lasting
    published = get(re.sub(r"/versions/[^/]+/", f"/versions/{version}/", lasting))
    assert (published.status_code, published.json()["type"]) == (409, "/about/errors#in-review")
    assert f"It is back when the round {found.name} is closed" in published.json()["detail"]
    croissant = get(f"{AT}/croissant.json").json()
    assert croissant["version"] == "1.0.0+" + lasting.split("/")[4]
    assert "3 examples are in an open review" in croissant["description"]
    described = {one["@id"]: one["sha256"] for one in croissant["distribution"]}
    assert described["csv"] == hashlib.sha256(file.content).hexdigest()
    metadata = pq.read_metadata(io.BytesIO(get(f"{AT}/corrected.parquet").content)).metadata
    assert metadata[b"held_back"].startswith(b"3 examples are in an open review")


def test_what_was_kept_from_before_the_round_is_not_sent_again(small):
    """Neither as "not modified", nor as a range of the file as it was."""
    found, before, indices = small
    for path in (AT, f"{AT}/issues?limit=200", FILE, "/sample-texts"):
        tag = before[path].headers["etag"]
        answer = found.http.get(path, headers={"if-none-match": tag})
        assert (answer.status_code, answer.headers["etag"] == tag) == (200, False), path
        assert answer.content != before[path].content, path
    ranged = {"range": "bytes=0-", "if-range": before[FILE].headers["etag"]}
    assert found.http.get(FILE, headers=ranged).content == found.http.get(FILE).content
    lasting = found.http.get(before[FILE].headers["content-location"], headers={"if-none-match": "*"})
    assert lasting.status_code == 409
    assert f"\r\n{indices[0]},".encode() in before[FILE].content
    assert f"\r\n{indices[0]},".encode() not in found.http.get(FILE).content


def test_every_page_and_answer_says_so_in_the_same_words(small):
    found, _, _ = small
    get = found.http.get
    why = get(AT).json()["held_back"]["why"]
    assert why.startswith("3 examples are in an open review and held back until that is over")
    assert get(AT).json()["held_back"]["rounds"] == [found.name]
    tabs = ("", "/classes", "/confusions", "/corrected", "/changes", "/disputes", "/confidence", "/ranks")
    for path in (*(f"/sample-texts{tab}" for tab in tabs), "/quiz/sample-texts"):
        page = html.unescape(get(path).text)
        assert page.count(f'<p class="held-back"><b>In review.</b> {why}') == page.count("held-back") == 1, path
    for path in ("issues", "corrected.json", "confidence", "disputes", "classes", "versions", "changes", "ranks"):
        assert get(f"{AT}/{path}").json()["held_back"]["why"] == why, path
    two = "2 examples of Sample: handwritten digits and 3 of Sample: notice board are in an open review"
    for path in ("/", "/figures", "/media-coverage", "/disputes", "/reproduction"):
        assert get(path).text.count("in an open review and held back") == 1, path
        assert two in get(path).text or path == "/", path
    assert "held_back" not in get("/api/v1/datasets/sample-sounds").json()
    assert "held back" not in get("/sample-sounds").text


def test_predictions_are_not_evaluated_meanwhile(small):
    """A score with and without one changed prediction would tell what is held back."""
    found, _, _ = small
    answer = found.http.post(f"{AT}/evaluate", files={"file": ("p.csv", "0\n")})
    assert (answer.status_code, answer.json()["type"]) == (409, "/about/errors#in-review")
    assert found.http.get("/sample-texts/evaluate").status_code == 409
    assert "/sample-texts/evaluate" not in found.http.get("/sample-texts").text


def test_two_rounds_over_one_example_are_both_named(sample_catalogue):
    with closing(sqlite3.connect(f"file:{sample_catalogue}?mode=ro", uri=True)) as connection:
        facts = "SELECT n_issues FROM datasets WHERE name = 'sample-texts'"
        before = connection.execute(facts).fetchone()[0]
        idx = connection.execute(
            "SELECT i.idx FROM issues i JOIN datasets d ON d.id = i.dataset_id WHERE d.name = 'sample-texts'"
        ).fetchone()[0]
        withhold(connection, (("sample-texts", idx, "b"), ("sample-texts", idx, "a"), ("sample-sounds", -1, "c")))
        assert connection.execute(facts).fetchone()[0] == before - 1
        about = dict(connection.execute("SELECT name, about FROM datasets"))
    told = json.loads(about["sample-texts"])["held_back"]
    assert (told["examples"], told["rounds"]) == (1, ["a", "b"])
    assert [name for name, text in about.items() if "held_back" in json.loads(text)] == ["sample-texts"]


def test_their_media_are_gone_at_their_own_addresses(small):
    found, _, indices = small
    version = re.search(r"/media/sample-texts/(\w+)/", found.http.get(f"{AT}/issues?limit=1").text)
    assert version, "an issue that is shown has a text"
    for idx, status in ((indices[0], 409), (indices[3], 200)):
        assert found.http.get(f"/media/sample-texts/{version[1]}/{idx}/text").status_code == status


def test_counts_beside_choices_are_the_counts_after_the_click(small):
    found, _, _ = small
    for category in ("correctable", "non_error", "unreviewed", "non_agreement", "multi_label", "neither"):
        total = found.http.get(f"{AT}/issues?category={category}").json()["total"]
        items = found.http.get(f"{AT}/issues?category={category}&limit=200").json()["items"]
        assert total == len(items)


def test_a_search_does_not_find_them(small, sample_site):
    found, before, _ = small
    for one in before[f"{AT}/issues?limit=200"].json()["items"][:3]:
        text = httpx.get(sample_site + one["links"]["media"]["text"].partition(found.base)[2]).text
        word = max(re.findall(r"[a-z]+", text), key=len)
        whole = httpx.get(f"{sample_site}{AT}/issues", params={"q": word, "limit": 200}).json()["items"]
        assert one["index"] in [hit["index"] for hit in whole]
        hits = found.http.get(f"{AT}/issues", params={"q": word, "limit": 200}).json()["items"]
        assert one["index"] not in [hit["index"] for hit in hits]
        page = found.http.get("/sample-texts", params={"q": f"#{one['index']}", "category": "any"}).text
        assert f"Example {one['index']} of" in page
        assert f"is held back until the round {found.name} is closed" in page
        assert "only flagged and reviewed examples are" not in page, "it is one of these"


def test_other_datasets_are_as_they_were(small):
    found, _, _ = small
    assert found.http.get("/api/v1/datasets/sample-sounds/corrected.csv").status_code == 200


def test_the_owner_sees_all_and_nobody_keeps_it(small):
    found, before, indices = small
    link = review(found.catalogue, "links", found.name, "--owner", "--base", found.base).strip()
    with httpx.Client(base_url=found.base, timeout=600) as owner:
        assert owner.get(link).status_code == 200
        page = owner.get(f"/sample-texts/issues/{indices[0]}")
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
        assert "etag" not in page.headers
        assert owner.get(AT).json() == before[AT].json()
    assert found.http.get(f"/sample-texts/issues/{indices[0]}").status_code == 409
    rater = link.replace("/owner/", "/owner/x")
    assert found.http.get(rater).status_code == 401


def test_they_come_back_when_the_round_is_closed(small):
    """The last test of the module: it closes the round."""
    found, before, indices = small
    review(found.catalogue, "close", found.name)
    assert found.http.get(f"/sample-texts/issues/{indices[0]}").status_code == 200
    assert found.http.get(AT).json() == before[AT].json()
    assert found.http.get(f"{AT}/corrected.csv").status_code == 200
    review(found.catalogue, "reopen", found.name)
    assert found.http.get(f"/sample-texts/issues/{indices[0]}").status_code == 409
