"""What changed, from version to version: against the files that were served before and after, over real HTTP."""

import csv
import io
import itertools
import json
import shutil
import sqlite3
import uuid
import xml.etree.ElementTree as ET
from collections import Counter
from contextlib import closing
from datetime import datetime
from typing import Any

import httpx
import pytest

from app.corrected.policy import ExportOptions
from app.domain.review.corrections import policies
from app.site.corrected.changes import response_models
from tests.app.reading import read
from tests.ingest.catalogue.test_change_log import changed_votes, other_labels, votes
from tests.ingest.conftest import Tiny
from tests.serving import serving

API = "/api/v1/datasets/tiny"
POLICIES = [ExportOptions(policy).query(3) for agreement in (3, 4, 5) for policy in policies(agreement)]
ATOM = "{http://www.w3.org/2005/Atom}"

Rows = dict[int, dict[str, str]]


def rows_of(client: httpx.Client, policy: str) -> Rows:
    text = client.get(f"{API}/corrected.csv?{policy}&removed=include").text
    return {int(row["index"]): row for row in csv.DictReader(io.StringIO(text))}


def differences(before: Rows, after: Rows) -> dict[int, tuple[str, str, str]]:
    """Index -> kind of change, label before, label after, as the files have them."""
    found = {}
    for index in sorted(before.keys() | after.keys()):
        was = before[index]["corrected"] if index in before else ""
        now = after[index]["corrected"] if index in after else ""
        if was != now:
            found[index] = ("relabelled" if was and now else "added" if now else "removed", was, now)
    return found


class History:
    """A dataset that had three versions, and the files of each as they were served."""

    def __init__(self, client: httpx.Client, versions: list[str], files: list[dict[str, Rows]]) -> None:
        self.client = client
        self.versions = versions
        self.files = files


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    folder = tmp_path_factory.mktemp("history")
    catalogue, tiny = folder / "catalogue.sqlite", Tiny(folder / "tiny")
    versions, files = [], []
    with serving(catalogue) as address, httpx.Client(base_url=address, timeout=30) as client:
        for step in (lambda _: None, changed_votes, lambda tiny: (other_labels(tiny), votes(tiny, 0, 0, 5, 0, 0))):
            step(tiny)
            assert tiny.add(catalogue) == 0
            versions.append(client.get(API).json()["version"])
            files.append({policy: rows_of(client, policy) for policy in POLICIES})
        yield History(client, versions, files)


def pages(client: httpx.Client, address: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    items, body = [], client.get(address).json()
    first = body
    while True:
        response_models.ChangeList.model_validate(body)
        items += body["items"]
        if body["next"] is None:
            return items, first
        answer = client.get(body["next"])
        assert answer.status_code == 200
        body = answer.json()


def spelled(label: Any) -> str:
    parts = label if isinstance(label, list) else [label] if label else []
    return "|".join(str(part["id"]) for part in parts)


def as_found(items: list[dict[str, Any]]) -> dict[int, tuple[str, str, str]]:
    return {
        item["index"]: (
            item["change"],
            spelled(item["before"] and item["before"]["corrected"]),
            spelled(item["after"] and item["after"]["corrected"]),
        )
        for item in items
    }


@pytest.mark.parametrize("policy", POLICIES)
def test_changes_are_what_the_files_differ_in(history, policy):
    client, (first, second, third) = history.client, history.versions
    for query, before, after in (
        ("", 1, 2),
        (f"version={second}", 0, 1),
        (f"version={third}&limit=2", 1, 2),
        (f"from={first}", 0, 2),
        (f"from={first}&limit=1", 0, 2),
        (f"from={second}", 1, 2),
    ):
        expected = differences(history.files[before][policy], history.files[after][policy])
        items, body = pages(client, f"{API}/changes?{policy}&{query}")
        assert as_found(items) == expected, query
        assert body["total"] == len(expected)
        kinds = Counter(kind for kind, _, _ in expected.values())
        assert body["counts"] == {kind: kinds[kind] for kind in ("added", "removed", "relabelled")}
        for item in items:
            for side, version in (("before", before), ("after", after)):
                row = history.files[version][policy][item["index"]]
                assert (item[side]["action"], item[side]["category"]) == (row["action"], row["category"]), (query, item)
                assert spelled(item[side]["given"]) == row["given"]


def test_the_sample_of_policies_tells_something(history):
    addresses = [f"{API}/changes?version={history.versions[1]}&{policy}" for policy in POLICIES]
    told = [history.client.get(address).json()["total"] for address in addresses]
    assert len(set(told)) > 2


def test_nothing_changed_since_now(history):
    body = history.client.get(f"{API}/changes?from={history.versions[2]}").json()
    assert (body["items"], body["total"], body["counts"]) == ([], 0, {"added": 0, "removed": 0, "relabelled": 0})


def test_what_changed_back_has_not_changed(history):
    to_second = as_found(pages(history.client, f"{API}/changes?version={history.versions[1]}")[0])
    assert 0 in to_second
    assert 0 not in as_found(pages(history.client, f"{API}/changes?from={history.versions[0]}")[0])


@pytest.mark.parametrize("kind", ["added", "removed", "relabelled"])
def test_one_kind_alone(history, kind):
    every, _ = pages(history.client, f"{API}/changes?from={history.versions[0]}")
    items, body = pages(history.client, f"{API}/changes?from={history.versions[0]}&change={kind}&limit=1")
    assert items == [item for item in every if item["change"] == kind]
    assert body["total"] == len(items)


def test_pages_are_linked_and_fields_are_chosen(history):
    answer = history.client.get(f"{API}/changes?limit=1&fields=index,change&version={history.versions[1]}")
    body = answer.json()
    assert list(body["items"][0]) == ["index", "change"]
    assert answer.links["next"]["url"] == body["next"]
    assert list(httpx.get(body["next"], timeout=60).json()["items"][0]) == ["index", "change"]
    assert (body["limit"], body["most"]) == (1, 1000)


def test_links_lead_to_issues(history):
    items, _ = pages(history.client, f"{API}/changes?agreement=4&version={history.versions[1]}")
    linked = [item for item in items if item["links"]["issue"]]
    assert linked
    for item in linked:
        issue = httpx.get(item["links"]["issue"], timeout=60).json()
        assert issue["index"] == item["index"]
        assert httpx.get(item["links"]["page"], timeout=60).status_code == 200
    for item in items:
        status = history.client.get(f"{API}/issues/{item['index']}").status_code
        assert (status == 200) == (item["links"]["issue"] is not None)


def test_versions_are_listed_with_counts(history):
    body = history.client.get(f"{API}/versions?agreement=4").json()
    response_models.VersionList.model_validate(body)
    items = body["items"]
    assert [item["version"] for item in items] == history.versions[::-1]
    assert [item["former"] for item in items] == [*history.versions[1::-1], None]
    assert items[0]["until"] is None
    for newer, older in itertools.pairwise(items):
        assert older["until"] == newer["since"]
        assert httpx.get(newer["links"]["changes"], timeout=60).json()["counts"] == newer["counts"]
        assert httpx.get(newer["links"]["page"], timeout=60).status_code == 200
    assert items[-1]["links"]["changes"] is None
    assert "first version" in items[-1]["note"]
    assert [item["links"]["corrected"] is not None for item in items] == [True, False, False]


@pytest.mark.parametrize("name", [*(f"corrected.{form}" for form in ("csv", "parquet", "npy")), "croissant.json"])
def test_a_version_that_was_is_gone_and_says_where_to_go_on(history, name):
    first, second, third = history.versions
    versions = {item["version"]: item for item in history.client.get(f"{API}/versions").json()["items"]}
    for old in (first, second):
        answer = history.client.get(f"/api/v1/versions/{old}/datasets/tiny/{name}?agreement=4")
        assert answer.status_code == 410
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["type"] == "/about/errors#gone"
        assert (problem["since"], problem["until"]) == (versions[old]["since"], versions[old]["until"])
        assert problem["current"] == f"/api/v1/versions/{third}/datasets/tiny/{name}?agreement=4"
        assert history.client.get(problem["current"]).status_code == 200
        assert history.client.get(problem["changes"]).json()["former"] == old
        assert all(history.client.get(near["href"]).status_code == 200 for near in problem["near"])
    assert history.client.get(f"/api/v1/versions/{third}/datasets/tiny/{name}").status_code == 200
    never = history.client.get(f"/api/v1/versions/0123456789abcdef/datasets/tiny/{name}")
    assert never.status_code == 404
    assert history.client.get(never.json()["near"][0]["href"]).status_code == 200


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("version=never", 404, "was never"),
        ("from=never", 404, "was never"),
        ("version=a&from=b", 400, "cannot be combined"),
        ("change=moved", 400, "added, removed, relabelled"),
        ("agreement=2", 400, "agreement"),
        ("removed=include", 400, "no parameter"),
        ("after=nonsense", 400, "cursor"),
        ("agreement=3&sort=index", 400, "no parameter"),
        ("limit=0", 400, "limit"),
    ],
)
def test_what_cannot_be_asked_is_refused(history, query, status, says):
    answer = history.client.get(f"{API}/changes?{query}")
    assert answer.status_code == status
    assert says in answer.json()["detail"]
    if not query.startswith("limit"):
        assert history.client.get(f"/tiny/changes?{query}").status_code == status


def cells(html: str) -> list[list[str]]:
    """The rows of the table of changes."""
    table = html.partition('<table class="ledger changes">')[2].partition("</table>")[0]
    page = ET.fromstring(f"<table>{table.partition('<tbody>')[2].partition('</tbody>')[0]}</table>")
    return [["".join(cell.itertext()) for cell in row] for row in page]


@pytest.mark.parametrize("policy", ["", "agreement=4", "multi_label=both&unreviewed=drop", "neither=given"])
def test_the_pages_say_what_the_api_says(history, policy):
    items, body = pages(history.client, f"{API}/changes?{policy}")
    expected = [[str(item["index"]), item["change"]] for item in items]
    for address in (f"/tiny/changes?{policy}", f"/tiny/corrected?{policy}"):
        page = read(history.client, address)
        found = [row[:2] for row in cells(page.html)]
        assert found == expected[: 12 if "corrected" in address else 100]
        for kind, n in body["counts"].items():
            assert (f"{n} {kind}" in page.words or f"{n} example{'s' if n > 1 else ''} {kind}" in page.words) == (n > 0)
        for item in items[:12]:
            tail = "?agreement=4" if "=4" in policy else ""
            href = f"/tiny/issues/{item['index']}{tail}"
            assert (href in [link.href for link in page.links]) == (item["links"]["issue"] is not None)
        feeds = [link["href"] for link in page.elements("link") if link.get("type") == "application/atom+xml"]
        assert feeds == [f"/tiny/changes.atom{'?' + policy if policy else ''}"]
        twins = [link["href"] for link in page.elements("link") if link.get("type") == "application/json"]
        assert all(history.client.get(twin).status_code == 200 for twin in twins)


def test_labels_are_shown_by_the_names_they_had(history, tmp_path):
    catalogue, tiny = tmp_path / "names.sqlite", Tiny(tmp_path / "tiny")
    assert tiny.add(catalogue) == 0
    tiny.classes = ["ant", "bee", "tiger"]
    tiny.labels[39] = 2
    assert tiny.add(catalogue) == 0
    tiny.labels[39] = 0
    assert tiny.add(catalogue) == 0
    with serving(catalogue) as address, httpx.Client(base_url=address, timeout=60) as client:
        item = client.get(f"{API}/changes").json()["items"][0]
        assert (item["before"]["corrected"]["name"], item["after"]["corrected"]["name"]) == ("tiger", "ant")
        versions = [entry["version"] for entry in client.get(f"{API}/versions").json()["items"]]
        second = client.get(f"{API}/changes?version={versions[1]}").json()["items"]
        assert all(one["before"]["given"]["name"] != "tiger" for one in second)
        assert "tiger" in read(client, "/tiny/changes").words


def test_a_dataset_that_had_one_version_says_so(client):
    body = client.get("/api/v1/datasets/sample-digits/changes").json()
    assert (body["items"], body["counts"], body["former"]) == ([], None, None)
    assert "first version" in read(client, "/sample-digits/corrected").words
    assert "First version" in read(client, "/sample-digits/changes").words


def test_a_catalogue_without_a_log_still_has_its_pages(sample_catalogue, tmp_path):
    catalogue = tmp_path / "catalogue.sqlite"
    shutil.copy(sample_catalogue, catalogue)
    with closing(sqlite3.connect(catalogue)) as connection, connection:
        connection.execute("DELETE FROM versions")
    with serving(catalogue) as address, httpx.Client(base_url=address, timeout=60) as client:
        assert client.get("/sample-digits/corrected").status_code == 200
        assert client.get("/sample-digits/changes").status_code == 404
        assert client.get("/api/v1/datasets/sample-digits/versions").json()["items"] == []
        assert client.get("/api/v1/datasets/sample-digits/changes").status_code == 404
        assert client.get("/api/v1/versions/x/datasets/sample-digits/corrected.csv").status_code == 404
        assert ET.fromstring(client.get("/sample-digits/changes.atom").content).findall(f"{ATOM}entry") == []


def is_valid_atom(raw: bytes) -> ET.Element:
    """What RFC 4287 asks of a feed and of its entries, sections 4.1.1 and 4.1.2, as far as this one has them."""
    root = ET.fromstring(raw)
    assert root.tag == f"{ATOM}feed"

    def texts(node: ET.Element, tag: str) -> list[str]:
        return [child.text or "" for child in node.findall(f"{ATOM}{tag}")]

    ids = []
    for node in (root, *root.findall(f"{ATOM}entry")):
        for tag in ("id", "title", "updated"):
            assert len(texts(node, tag)) == 1, tag
        ids += texts(node, "id")
        assert texts(node, "id")[0] == uuid.UUID(texts(node, "id")[0]).urn
        assert texts(node, "title")[0]
        for moment in texts(node, "updated") + texts(node, "published"):
            assert datetime.fromisoformat(moment).tzinfo is not None
            assert "T" in moment
        links = node.findall(f"{ATOM}link")
        assert all(link.get("href", "").startswith("http://") for link in links)
        alternates = [(link.get("type"), link.get("hreflang")) for link in links if link.get("rel") == "alternate"]
        assert len(alternates) == len(set(alternates)) == 1
    assert len(ids) == len(set(ids))
    assert len([link for link in root.findall(f"{ATOM}link") if link.get("rel") == "self"]) == 1
    assert [author.findtext(f"{ATOM}name") for author in root.findall(f"{ATOM}author")] == ["Label errors"]
    updated = [texts(entry, "updated")[0] for entry in root.findall(f"{ATOM}entry")]
    assert updated == sorted(updated, reverse=True)
    assert texts(root, "updated")[0] == updated[0]
    return root


def test_the_feed_is_atom_and_has_one_entry_a_version(history):
    answer = history.client.get("/tiny/changes.atom")
    assert answer.headers["content-type"] == "application/atom+xml"
    root = is_valid_atom(answer.content)
    entries = root.findall(f"{ATOM}entry")
    assert len(entries) == 3
    for entry, version in zip(entries, reversed(history.versions), strict=True):
        assert version in (entry.findtext(f"{ATOM}summary") or "")
        for link in entry.findall(f"{ATOM}link"):
            assert httpx.get(link.get("href", ""), timeout=60).status_code == 200
    counts = history.client.get(f"{API}/changes").json()["counts"]
    title = entries[0].findtext(f"{ATOM}title") or ""
    assert all((f"{n} " in title) for n in counts.values() if n)
    assert root.find(f"{ATOM}link[@rel='self']").get("href") == str(answer.url)


def test_ids_of_the_feed_stay_wherever_the_site_stands(history):
    def ids(raw: bytes) -> list[str]:
        return [node.text or "" for node in ET.fromstring(raw).iter(f"{ATOM}id")]

    here = ids(history.client.get("/tiny/changes.atom").content)
    elsewhere = ids(history.client.get("/tiny/changes.atom", headers={"Host": "example.org"}).content)
    assert here == elsewhere
    other_policy = ids(history.client.get("/tiny/changes.atom?agreement=4").content)
    assert set(here).isdisjoint(other_policy)


def test_a_new_version_leaves_the_entries_of_a_feed_as_they_were(tmp_path):
    catalogue, tiny = tmp_path / "catalogue.sqlite", Tiny(tmp_path / "tiny")
    with serving(catalogue) as address, httpx.Client(base_url=address, timeout=60) as client:
        seen: list[list[str]] = []
        for step in (lambda _: None, changed_votes, other_labels):
            step(tiny)
            tiny.top = 'flag = 8\nhomepage = "https://example.org/a\\u0007b"'
            assert tiny.add(catalogue) == 0
            root = is_valid_atom(client.get("/tiny/changes.atom").content)
            seen.append([entry.findtext(f"{ATOM}id") or "" for entry in root.findall(f"{ATOM}entry")])
    assert seen[1][1:] == seen[0]
    assert seen[2][1:] == seen[1]


def test_titles_that_xml_cannot_hold_do_no_harm(tmp_path):
    catalogue, tiny = tmp_path / "catalogue.sqlite", Tiny(tmp_path / "tiny")
    manifest = tiny.write()
    nasty = json.dumps("A <b>&\u0007\u000b\ufffe title")
    manifest.write_text(manifest.read_text().replace('title = "Tiny"', f"title = {nasty}"))
    from ingest.commands.main import main

    assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(catalogue)]) == 0
    with serving(catalogue) as address:
        root = is_valid_atom(httpx.get(f"{address}/tiny/changes.atom", timeout=60).content)
    assert (root.findtext(f"{ATOM}title") or "").startswith("A <b>& title")
