"""The quiz asks of examples that reviewers judged, tells what they said, and is the same for a seed."""

import html
import re
from collections.abc import Iterator

import httpx
import pytest


@pytest.fixture(scope="module")
def real(real_site: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=real_site, timeout=60) as client:
        yield client


def asked(client: httpx.Client, path: str) -> list[dict[str, str]]:
    """Index, given label, right label and choices of each question."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    found = []
    for part in answer.text.split('<li class="question ')[1:]:
        choices = [html.unescape(one) for one in re.findall(r'data-pick="([^"]*)"', part)]
        (given,), (right,) = (re.findall(rf'data-{name}="([^"]*)"', part) for name in ("given", "right"))
        (index,) = re.findall(r"/issues/(\d+)\">Example", part)
        found.append({"index": index, "given": html.unescape(given), "right": html.unescape(right), "choices": choices})
    return found


@pytest.mark.parametrize("name", ["cifar10", "mnist", "imdb", "20news"])
def test_questions_tell_what_reviewers_said(real, name):
    questions = asked(real, f"/quiz/{name}?seed=7")
    assert len(questions) == 10
    assert {one["given"] == one["right"] for one in questions} == {True, False}
    for one in questions:
        issue = real.get(f"/api/v1/datasets/{name}/issues/{one['index']}").json()
        assert issue["given"]["name"] == one["given"]
        assert one["choices"] == sorted(one["choices"])
        assert {one["given"], one["right"]} <= set(one["choices"])
        if issue["category"] == "correctable":
            assert issue["corrected"]["name"] == one["right"] != one["given"]
        else:
            assert (issue["category"], one["right"]) == ("non_error", one["given"])


def test_a_seed_asks_the_same_and_another_asks_otherwise(real):
    first, again, other = (asked(real, f"/quiz/cifar10?seed={seed}") for seed in (7, 7, 8))
    assert first == again
    assert [one["index"] for one in first] != [one["index"] for one in other]


def test_only_what_can_be_seen_is_asked(real):
    offered = re.findall(r'href="/quiz/([\w-]+)"', real.get("/quiz").text)
    assert offered == ["mnist", "cifar10", "20news", "imdb"]
    for name in ("imagenet", "audioset"):
        assert real.get(f"/quiz/{name}").status_code == 404


@pytest.mark.parametrize("seed", ["0", "-1", "x", "10000", "1.5"])
def test_another_seed_is_refused(real, seed):
    assert real.get(f"/quiz/cifar10?seed={seed}").status_code == 400


@pytest.mark.parametrize("seed", [2, 7])
def test_an_answer_says_what_the_models_predict(sample_site, seed):
    with httpx.Client(base_url=sample_site, timeout=60) as client:
        answer = client.get(f"/quiz/sample-digits?seed={seed}").text
        told = re.findall(
            r"Of 6 models, (1(?= predicts)|[02-6](?= predict )) predicts? (\w+), (\d) (\w+)\. "
            r"<a href=\"/sample-digits/issues/(\d+)",
            answer,
        )
        assert len(told) == 10
        for most, first, least, second, index in told:
            issue = client.get(f"/api/v1/datasets/sample-digits/issues/{index}").json()
            predicted = [one["predicted"]["name"] for one in issue["models"]]
            assert (predicted.count(first), predicted.count(second)) == (int(most), int(least))
