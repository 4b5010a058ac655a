"""The JSON API over the real release and the sample: figures, shapes, filters, pages, errors."""

from typing import Any

import httpx
import pytest

from app.openapi import response_models
from tests.app.reading import read

API = "/api/v1/datasets"

# errors / non-errors; correctable, multi-label, neither, non-agreement at 3 of 5. Table 2 of the paper, and, for
# Caltech-256, the later release. None where reviewers had no such answer.
TABLE_2 = {
    "mnist": (15, 85, 10, None, 3, 2),
    "cifar10": (54, 221, 18, 0, 4, 32),
    "cifar100": (585, 1650, 318, 20, 37, 210),
    "caltech256": (458, 1902, 221, 115, 23, 99),
    "imagenet": (2916, 2524, 1428, 597, 293, 598),
    "quickdraw": (1870, 630, 1047, 20, 240, 563),
    "20news": (82, 11, 22, 12, 5, 43),
    "imdb": (725, 585, 173, None, None, 552),
    "amazon": (732, 268, 302, None, None, 430),
}
CORRECTABLE = {"imagenet": (1428, 960, 468), "cifar10": (18, 7, 3)}


def get(client: httpx.Client, address: str, **params: Any) -> Any:
    response = client.get(address, params=params or None)
    assert response.status_code == 200, response.text
    return response.json()


def all_issues(client: httpx.Client, name: str, **params: Any) -> list[dict[str, Any]]:
    body = get(client, f"{API}/{name}/issues", **params)
    items = body["items"]
    while body["next"]:
        body = get(client, body["next"])
        items += body["items"]
    return items


def test_the_ten_datasets(real):
    body = get(real, API)
    response_models.DatasetList.model_validate(body)
    assert [d["name"] for d in body["items"]] == [
        "mnist", "cifar10", "cifar100", "caltech256", "imagenet", "quickdraw", "20news", "imdb", "amazon", "audioset"
    ]  # fmt: skip
    assert body["next"] is None
    assert body["total"] == 10


@pytest.mark.parametrize("name", TABLE_2)
def test_table_2(real, name):
    errors, non_errors, correctable, multi_label, neither, non_agreement = TABLE_2[name]
    body = get(real, f"{API}/{name}")
    assert (body["errors"], body["non_errors"]) == (errors, non_errors)
    assert body["checked"] == errors + non_errors
    assert body["categories"]["3"] == {
        "correctable": correctable,
        "multi_label": multi_label,
        "neither": neither,
        "non_agreement": non_agreement,
    }
    if name in CORRECTABLE:
        assert tuple(body["categories"][t]["correctable"] for t in "345") == CORRECTABLE[name]
    for counts in body["categories"].values():
        assert sum(n or 0 for n in counts.values()) == errors


def test_audioset(real):
    body = get(real, f"{API}/audioset")
    assert (body["checked"], body["errors"], body["non_errors"]) == (307, 275, 32)
    issue = get(real, f"{API}/audioset/issues/2")
    assert {c["name"] for c in issue["given"]} == {"Children shouting", "Cheering", "Crowd", "Sound effect"}
    assert {c["name"] for c in issue["guessed"]} == {"Speech", "Applause"}
    assert issue["votes"] == {
        "Cheering": 4, "Speech": 1, "Children shouting": 0, "Sound effect": 1, "Crowd": 3, "Applause": 3
    }  # fmt: skip
    assert {c["name"] for c in issue["corrected"]} == {"Cheering", "Crowd", "Applause"}
    assert issue["links"]["source"].startswith("http")
    boats = get(real, f"{API}/audioset/issues/20328")
    assert {c["name"] for c in boats["given"]} == {"Boat, Water vehicle", "Motorboat, speedboat"}


def test_estimates_of_table_1(real):
    estimates = {"quickdraw": (5_105_386, 10.12), "amazon": (390_338, 3.90), "imagenet": (2916, 5.83)}
    for name, (estimated, percent) in estimates.items():
        body = get(real, f"{API}/{name}")
        assert body["estimated_errors"] == estimated
        assert round(body["percent_error"], 2) == percent


def test_the_frog(real):
    issue = get(real, f"{API}/cifar10/issues/2405")
    response_models.IssueDetailOut.model_validate(issue)
    assert issue["given"] == {"id": 3, "name": "cat"}
    assert issue["guessed"] == issue["corrected"] == {"id": 6, "name": "frog"}
    assert issue["category"] == "correctable"
    assert issue["rank"] == 1
    picture = real.get(issue["links"]["media"]["image"])
    assert picture.status_code == 200
    assert picture.headers["content-type"].startswith("image/")


def test_keys_of_datasets_that_have_them(real):
    assert get(real, f"{API}/imagenet/issues", limit=1)["items"][0]["key"].startswith("ILSVRC2012_val_")
    assert get(real, f"{API}/imdb/issues", limit=1)["items"][0]["key"].startswith(("neg/", "pos/"))
    found = get(real, f"{API}/imagenet/issues", q="ILSVRC2012_val_00000293")
    assert [i["key"] for i in found["items"]] == ["ILSVRC2012_val_00000293"]


@pytest.mark.parametrize("name", ["cifar10", "imdb", "audioset", "sample-texts", "sample-sounds"])
def test_pages_hold_every_issue_once_and_in_order(request, name):
    client = request.getfixturevalue("client" if name.startswith("sample") else "real")
    total = get(client, f"{API}/{name}/issues", limit=1)["total"]
    seen = None
    for sort in ("suspicion", "-suspicion", "margin", "index", "-index", "disagreement"):
        found = all_issues(client, name, sort=sort, limit=97)
        indices = [i["index"] for i in found]
        assert len(indices) == total
        assert seen is None or sorted(indices) == seen
        seen = sorted(indices)
        if sort == "index":
            assert indices == seen
        if sort == "-index":
            assert indices == seen[::-1]
        if sort == "margin":
            margins = [i["normalized_margin"] for i in found if i["normalized_margin"] is not None]
            assert margins == sorted(margins)
        if sort == "suspicion":
            ranks = [i["rank"] for i in found if i["rank"] is not None]
            assert ranks == sorted(ranks)


FILTERS = [
    {"category": "correctable"},
    {"category": "error", "agreement": "4"},
    {"category": ["neither", "non-agreement"], "sort": "disagreement"},
    {"category": "unreviewed"},
    {"given": "cat"},
    {"guessed": "frog", "given": "3"},
    {"corrected": "frog", "agreement": "5"},
    {"votes": "0-5-0-0"},
    {"flagged": "no"},
    {"flagged": "yes", "category": "non_error", "sort": "-margin"},
    {"q": "frog", "sort": "index"},
    {"q": "dee", "category": "multi_label"},
]


@pytest.mark.parametrize("params", FILTERS, ids=str)
def test_filters_select_what_they_say(real, params):
    """Against a filter over all issues written as one would say it."""
    everything = all_issues(real, "cifar10", agreement=params.get("agreement", "3"), limit=200)
    errors = {"correctable", "multi_label", "neither", "non_agreement"}

    def matches(issue: dict[str, Any]) -> bool:
        kinds = params.get("category")
        kinds = [kinds] if isinstance(kinds, str) else kinds
        names = [issue["given"]["name"], issue["guessed"]["name"]]
        corrected = issue["corrected"] and issue["corrected"]["name"]
        wanted = set().union(*(errors if k == "error" else {k.replace("-", "_")} for k in kinds)) if kinds else None
        return (
            (wanted is None or issue["category"] in wanted)
            and params.get("given") in (None, issue["given"]["name"], str(issue["given"]["id"]))
            and params.get("guessed") in (None, issue["guessed"]["name"])
            and params.get("corrected") in (None, corrected)
            and params.get("flagged") in (None, "yes" if issue["flagged"] else "no")
            and params.get("votes") in (None, "-".join(str(n) for n in (issue["votes"] or {}).values()))
            and any(n.startswith(params.get("q", "")) for n in names)
        )

    found = all_issues(real, "cifar10", limit=13, **params)
    assert {i["index"] for i in found} == {i["index"] for i in everything if matches(i)}
    assert get(real, f"{API}/cifar10/issues", limit=1, **params)["total"] == len(found)


def test_lists_answer_in_their_documented_shapes(client, real):
    for one, name in ((client, "sample-digits"), (real, "audioset"), (real, "imagenet"), (real, "amazon")):
        response_models.IssueList.model_validate(get(one, f"{API}/{name}/issues", limit=200))
        body = get(one, f"{API}/{name}/classes")
        response_models.ClassList.model_validate(body)
        assert body["total"] == len(body["items"]) == get(one, f"{API}/{name}")["classes"]


def test_class_counts_are_the_filters(real):
    classes = {c["name"]: c for c in get(real, f"{API}/cifar10/classes", category="correctable")["items"]}
    for role in ("given", "guessed", "corrected"):
        total = get(real, f"{API}/cifar10/issues", category="correctable", **{role: "frog"})["total"]
        assert classes["frog"]["issues"][role] == total
    assert classes["frog"]["examples"] == 1000
    assert 0 < classes["frog"]["threshold"] < 1


def test_next_stands_in_the_link_header_too(real):
    response = real.get(f"{API}/imagenet/issues", params={"category": "correctable", "limit": 5})
    assert response.headers["link"] == f'<{response.json()["next"]}>; rel="next"'
    assert "category=correctable" in response.json()["next"]
    assert "link" not in real.get(f"{API}/mnist/issues", params={"limit": 200}).headers


BAD = [
    ("cifar10/issues?category=banana", "category", "correctable"),
    ("cifar10/issues?agreement=2", "agreement", "3"),
    ("cifar10/issues?agreement=%F0%9F%90%B8", "agreement", "3"),
    ("cifar10/issues?given=frgo", "given", "frog"),
    ("cifar10/issues?given=10", "given", "0 to 9"),
    ("cifar10/issues?given=-1", "given", "0 to 9"),
    ("cifar10/issues?guessed=99999999999999999999", "guessed", "0 to 9"),
    ("cifar10/issues?votes=1-2", "votes", "0-0-0-0"),
    ("cifar10/issues?votes=1-2-x-0", "votes", "0-0-0-0"),
    ("audioset/issues?votes=1-2", "votes", "class names"),
    ("cifar10/issues?flagged=maybe", "flagged", "yes, no"),
    ("cifar10/issues?sort=rank;drop table issues", "sort", "suspicion"),
    ("cifar10/issues?limit=0", "limit", "1 to 200"),
    ("cifar10/issues?limit=201", "limit", "1 to 200"),
    ("cifar10/issues?limit=1e3", "limit", "1 to 200"),
    ("cifar10/issues?limit=1&limit=2", "limit", "once"),
    ("cifar10/issues?after=zzz", "after", "cursor"),
    ("cifar10/issues?after=//////////8", "after", "cursor"),
    ("cifar10/issues?colour=red", "colour", "agreement"),
    ("cifar10/issues?q=" + "x" * 201, "q", "200"),
    ("cifar10/corrected.csv?removed=maybe", "removed", "omit"),
    ("cifar10/corrected.csv?agreement=6", "agreement", "3"),
    ("cifar10/corrected.csv?policy=mine", "policy", "agreement, multi_label"),
]


@pytest.mark.parametrize(("address", "parameter", "told"), BAD, ids=[b[0][:60] for b in BAD])
def test_bad_parameters_are_named_with_what_is_allowed(real, address, parameter, told):
    response = real.get(f"{API}/{address}")
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == 400
    assert problem["parameter"] == parameter
    assert parameter in problem["detail"] or "no class" in problem["detail"]
    assert told in problem["detail"]


@pytest.mark.parametrize(
    "address",
    [
        f"{API}/cifra10",
        f"{API}/cifar10/issues/1",
        f"{API}/cifar10/issues/-1",
        f"{API}/cifar10/issues/99999999999999999999",
        f"{API}/cifar10/issues/2405.0",
        f"{API}/cifar10/issues/%2e%2e",
        f"{API}/..%2f..%2fetc%2fpasswd",
        "/api/v1/nothing",
        "/api/v1/",
    ],
)
def test_what_is_not_there_is_said_in_the_one_shape(real, address):
    response = real.get(address)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    response_models.Problem.model_validate(problem)
    assert problem["type"].endswith("not-found")


def test_near_names_are_offered(real):
    near = real.get(f"{API}/cifra10").json()["near"]
    assert near[0] == {"label": "CIFAR-10", "href": f"{API}/cifar10"}
    assert real.get(near[0]["href"]).status_code == 200
    nothing = real.get(f"{API}/xyz").json()
    assert "It holds mnist, cifar10, " in nothing["detail"]
    assert len(nothing["near"]) == 10


def test_what_may_have_been_meant_is_called_by_what_it_is(real):
    """A link's words are not an address other than the one it leads to."""
    page = read(real, "/imagenet/issues", status=404)
    [meant] = [link for link in page.links if link.href == "/imagenet"]
    assert meant.words == "ImageNet"
    for address in ("/cifra10", "/imagenet/issues", "/mnist/corected"):
        page = read(real, address, status=404)
        assert all(not link.words.startswith("/") for link in page.links)


def test_addresses_of_examples_have_one_slash_behind_the_host(real):
    issues = real.get(f"{API}/imagenet/issues?limit=100").json()["items"]
    assert all(i["links"]["source"].startswith("https://labelerrors.com/static/imagenet/") for i in issues)
    assert "//static" not in real.get(f"/imagenet/issues/{issues[0]['index']}").text


SEARCHES = [
    "'; DROP TABLE issues; --", '" OR 1=1', "frog*", "NEAR(a b)", "body:frog", "<script>alert(1)</script>", "\x00frog",
    "%", "_", "(", ")", "^", "-", "+", "𓆏", "a" * 200, "frog AND", "NOT", "- - -", '"""',
]  # fmt: skip


@pytest.mark.parametrize("q", SEARCHES, ids=ascii)
def test_no_search_is_an_error(real, q):
    for name in ("cifar10", "20news"):
        found = all_issues(real, name, q=q, limit=200)
        assert get(real, f"{API}/{name}/issues", q=q, limit=1)["total"] == len(found)


def test_a_query_string_that_is_no_utf_8_is_no_error(real):
    assert real.get(f"{API}/cifar10/issues?q=%ed%a0%bd%ff").status_code == 200


def test_texts_are_searched(real):
    found = get(real, f"{API}/20news/issues", q="Mac LCII")
    assert 38 in [i["index"] for i in found["items"]]
    assert "LCII" in get(real, f"{API}/20news/issues/38")["text"]


def test_openapi_names_every_address_and_no_other_host(real):
    spec = get(real, "/api/openapi.json")
    forms = ("csv", "jsonl", "parquet", "npy", "npz")
    assert set(spec["paths"]) >= {
        f"{API}",
        f"{API}/{{name}}",
        f"{API}/{{name}}/classes",
        f"{API}/{{name}}/corrected",
        f"{API}/{{name}}/corrected.json",
        f"{API}/{{name}}/corrected.sha256",
        f"{API}/{{name}}/croissant.json",
        f"{API}/{{name}}/issues",
        f"{API}/{{name}}/issues/{{index}}",
        f"{API}/{{name}}/labels",
        f"{API}/{{name}}/labels/{{index_or_key}}",
        *(f"{API}/{{name}}/corrected.{form}" for form in forms),
        *(f"/api/v1/versions/{{version}}/datasets/{{name}}/corrected.{form}" for form in forms),
    }
    assert all(path.startswith("/api/v1/") for path in spec["paths"])
    assert spec["openapi"].startswith("3.1")
    parameters = {p["name"] for p in spec["paths"][f"{API}/{{name}}/issues"]["get"]["parameters"]}
    from app.issues.filter import readers

    assert parameters == {*readers(), "limit", "after", "fields", "name"}


def test_examples_are_real_answers(real, client):
    for site in (real, client):
        tried = 0
        for path, methods in get(site, "/api/openapi.json")["paths"].items():
            for answer in methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {}).values():
                for example in answer.get("examples", {}).values():
                    method, _, address = example["summary"].partition(" ")
                    assert method == "GET"
                    assert get(site, address) == example["value"], path
                    tried += 1
        assert tried >= 6


def test_every_refusal_is_described_as_a_problem(real):
    for path, methods in get(real, "/api/openapi.json")["paths"].items():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                if status.startswith("4"):
                    assert list(answer["content"]) == ["application/problem+json"], (path, status)


def test_where_it_is_not_known_how_probabilities_were_made_the_api_says_so(client):
    name = client.get("/api/v1/datasets").json()["items"][0]["name"]
    assert client.get(f"/api/v1/datasets/{name}").json()["links"]["prediction_report"] is None
    answer = client.get(f"/api/v1/datasets/{name}/prediction-report")
    assert answer.status_code == 404
    assert "were predicted is not known" in answer.json()["detail"]
