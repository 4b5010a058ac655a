"""An issue of a dataset with several models, on its page and in the API: how many of them doubt the given label."""

import json
from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from ingest.commands.main import main
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
