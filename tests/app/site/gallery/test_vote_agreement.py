"""How far the published votes agree, on the page of each dataset and in its JSON."""

import krippendorff
import numpy as np
import pytest

#: FACTS, section 8.
ALPHA = {
    "mnist": 0.375,
    "cifar10": 0.145,
    "cifar100": 0.246,
    "caltech256": 0.360,
    "imagenet": 0.412,
    "quickdraw": 0.203,
    "20news": 0.038,
    "imdb": 0.106,
    "amazon": 0.034,
}


@pytest.mark.parametrize("name", ALPHA)
def test_alpha_of_the_published_votes(real, name):
    found = real.get(f"/api/v1/datasets/{name}").json()
    agreement = found["rater_agreement"]
    assert round(agreement["alpha"], 3) == ALPHA[name]
    assert agreement["interval"][0] < agreement["alpha"] < agreement["interval"][1]
    assert agreement["examples"] == found["checked"]
    assert agreement["measured"] == "options"
    assert agreement["raters_known"] is False, "the paper publishes counts"
    page = real.get(f"/{name}").text
    assert f"{ALPHA[name]:.3f}" in page
    assert "they are harder than others" in page


def test_votes_for_classes_are_measured_class_by_class(real):
    agreement = real.get("/api/v1/datasets/audioset").json()["rater_agreement"]
    assert agreement["measured"] == "classes"
    assert "whether each class is there" in real.get("/audioset").text


def test_it_is_the_alpha_of_the_votes_that_the_api_gives(client):
    """Votes of every issue, by the library."""
    issues = client.get("/api/v1/datasets/sample-digits/issues?limit=200").json()["items"]
    counts = np.array([list(one["votes"].values()) for one in issues if one["votes"]])
    expected = krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
    found = client.get("/api/v1/datasets/sample-digits").json()["rater_agreement"]
    assert found["alpha"] == pytest.approx(expected, abs=1e-12)
    assert (found["examples"], found["votes"]) == (len(counts), counts.sum())
