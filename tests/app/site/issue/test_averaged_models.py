"""An issue of a dataset with several models, on its page and in the API: how many of them doubt the given label."""

import json
from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from ingest.commands.main import main
from tests.app.reading import Page
from tests.serving import serving

LABELS = np.array([0, 1, 2] * 10)
MANIFEST = """\
name = "kinds"
title = "Kinds"
modality = "text"
summary = "Three kinds, three models."
flag = 4

[licence]
name = "CC0"
source = "made up"
media = "none"

[classes]
names = ["ant", "bee", "cat"]

[files]
labels = "labels.npy"
pred_probs_of = {forest = "0.npy", network = "1.npy", "<b>linear" = "2.npy"}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Of example k, for k below 4, k models prefer the next class to the given one, the surer the more they are."""
    folder = tmp_path_factory.mktemp("kinds")
    for model in range(3):
        probs = np.full((30, 3), 0.1)
        guesses = LABELS.copy()
        guesses[model + 1 : 4] = (LABELS[model + 1 : 4] + 1) % 3
        probs[np.arange(30), guesses] = 0.8
        probs[0] = [0.375, 0.375, 0.25]  # of equals the lower number is the guess, here the given label
        np.save(folder / f"{model}.npy", probs)
    np.save(folder / "labels.npy", LABELS)
    (folder / "dataset.toml").write_text(MANIFEST)
    catalogue = folder / "catalogue.sqlite"
    assert main(["add", str(folder / "dataset.toml"), str(folder), "--catalogue", str(catalogue)]) == 0
    with serving(catalogue) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def test_the_api_says_how_many_doubt(site: httpx.Client) -> None:
    for index in range(4):
        body = site.get(f"/api/v1/datasets/kinds/issues/{index}").json()
        assert body["doubting_models"] == {"of": ["forest", "network", "<b>linear"], "doubting": index}, json.dumps(
            body
        )
    assert body["self_confidence"] == pytest.approx(0.1)


def test_the_page_says_how_many_doubt(site: httpx.Client) -> None:
    page = site.get("/kinds/issues/2").text
    assert "<dt>Models in doubt</dt><dd><b>2 of 3</b>" in page
    assert "forest, network, &lt;b&gt;linear" in page
    assert "The mean probability of the given label." in page


def test_of_one_model_nothing_is_said(client: httpx.Client) -> None:
    issues = client.get("/api/v1/datasets").json()["items"]
    name = issues[0]["name"]
    first = client.get(f"/api/v1/datasets/{name}/issues?limit=1").json()["items"][0]["index"]
    assert client.get(f"/api/v1/datasets/{name}/issues/{first}").json()["doubting_models"] is None
    assert "Models in doubt" not in client.get(f"/{name}/issues/{first}").text


@pytest.mark.parametrize("least", [1, 2, 3])
def test_the_gallery_is_narrowed_to_issues_that_so_many_doubt(site: httpx.Client, least: int) -> None:
    """Of the issues 0 to 3, as many models doubt as their index says."""
    expected = list(range(least, 4))
    found = site.get(f"/api/v1/datasets/kinds/issues?doubting={least}&sort=index").json()
    assert [one["index"] for one in found["items"]] == expected
    assert found["total"] == len(expected)
    page = Page(site.get(f"/kinds?doubting={least}").text)
    assert "Models that doubt the given label" in page.headings("h2")
    words = {1: "at least one of 3 models", 2: "at least 2 of 3 models", 3: "all 3 models"}
    links = {" ".join(link.words.split()): link for link in page.links}
    for other in (1, 2, 3):
        assert f"{words[other]} {4 - other}" in links
    assert links[f"{words[least]} {len(expected)}"].attributes["aria-current"] == "true"
    assert links[f"Remove the filter doubted by {words[least]} ×"].href == "/kinds"
    sentence = " ".join(page.words.split())
    assert f"whose given label {words[least]} doubt" in sentence


@pytest.mark.parametrize("value", ["0", "4", "-1", "x", "1.5"])
def test_no_other_number_is_taken(site: httpx.Client, value: str) -> None:
    refused = site.get("/api/v1/datasets/kinds/issues", params={"doubting": value})
    assert refused.status_code == 400
    assert refused.json()["allowed"] == ["a whole number from 1 to 3"]


def test_of_one_model_it_is_no_filter(client: httpx.Client) -> None:
    name = client.get("/api/v1/datasets").json()["items"][0]["name"]
    refused = client.get(f"/api/v1/datasets/{name}/issues?doubting=1")
    assert refused.status_code == 400
    assert "are those of one model" in refused.json()["detail"]
    assert "Models that doubt" not in client.get(f"/{name}").text
