"""The page of benchmark stability, over real HTTP: what it tells, every choice, and what cannot be chosen."""

import re

import httpx
import pytest

from tests.app.reading import body, read

API = "/api/v1/datasets"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?agreement=4",
        "?agreement=5&top=5",
        "?scale=linear&prevalence=50",
        "?reach=10&prevalence=5",
        "?reach=30&prevalence=50&scale=linear",
        "?prevalence=0",
        "?model=pytorch/vgg11_bn",
        "?model=pytorch/vgg11_bn&model=pytorch/vgg19_bn&scale=log&prevalence=12.5",
        "?first=pytorch/vgg11_bn&second=pytorch/vgg11_bn",
        "?first=pytorch/resnet18&second=pytorch/resnet50#pair",
        "?model=&first=&agreement=",
    ],
)
def test_the_page_is_sound_under_every_choice(site, query):
    page = read(site, f"/cifar10/stability{query}")
    assert len(page.ids) == len(set(page.ids))
    for link in page.local_links:
        assert site.get(httpx.URL(f"{site.base_url}/cifar10/stability").join(link.href)).status_code == 200, link.href


def test_the_page_tells_the_finding_and_how_little_it_proves(site):
    words = " ".join(read(site, "/cifar10/stability").words.split())
    assert "pytorch/googlenet is first of 13 models on the 18 examples" in words
    assert "By the corrected labels it is number 10" in words
    assert "pytorch/vgg11_bn goes from number 11 to number 1" in words
    assert "18 examples are few" in words
    assert "hardly changes the ranking; on the corrected examples it reverses" in words
    assert "pytorch/vgg11_bn overtakes pytorch/googlenet at N = 1.78 %" in words


def test_nothing_is_called_found_whose_interval_includes_the_opposite(site):
    four, five = (" ".join(read(site, f"/cifar10/stability?agreement={n}").words.split()) for n in (4, 5))
    assert "Kendall's τ −0.47" in four
    assert (
        "hardly changes the ranking; on the corrected examples, there are too few examples to tell whether it reverses."
        in four
    )
    assert "3 examples are few" in five
    assert "from 1 to 1" not in five
    assert "too few examples for an interval of its rank" in five


def test_a_shorter_axis_shows_what_lies_on_it(site):
    def drawn(query: str) -> list[str]:
        html = site.get(f"/cifar10/stability{query}").text
        return re.findall(r'<g class="crossing">.*?text-anchor="middle">(\d+)</text>', html)

    whole, short = drawn("?reach=100"), drawn("?reach=10")
    assert 0 < len(short) < len(whole)
    page = read(site, "/cifar10/stability?reach=10&prevalence=50")
    # The list still tells all of them, and the ranking at 50 % is there, though its rule lies beyond the axis.
    assert len(page.elements("li")) == len(read(site, "/cifar10/stability?prevalence=50").elements("li"))
    assert all(rule.get("visibility") == "hidden" for rule in page.elements("path") if rule.get("class") == "here")
    hidden = [rule for rule in page.elements("path") if rule.get("class") == "here"]
    assert len(hidden) == 2


def test_intervals_stand_beside_ranks_and_correlations(site):
    words = " ".join(read(site, "/cifar10/stability").words.split())
    assert "Kendall's τ −0.44 (−0.77 to −0.13), Spearman's ρ −0.54 (−0.87 to −0.17)" in words
    assert "and its rank one from 1 to 7" in words


def test_two_models_and_the_examples_on_which_they_differ(site):
    page = read(site, "/cifar10/stability?first=pytorch/vgg19_bn&second=pytorch/vgg11_bn")
    words = " ".join(page.words.split())
    assert "pytorch/vgg11_bn overtakes pytorch/vgg19_bn at N = 5.64 %" in words
    leading = [link.href for link in page.links if link.href.startswith("/cifar10/issues/")]
    assert leading
    example = int(leading[0].rsplit("/", 1)[1])
    choices = {m["name"]: m["predicted"] for m in body(site, f"{API}/cifar10/issues/{example}")["models"]}
    assert choices["vgg19_bn"] != choices["vgg11_bn"]


def test_wrong_labels_that_models_repeat_are_counted(site):
    html = site.get("/cifar10/stability").text
    part = html[html.index('id="repeated"') : html.index('id="how"')]
    rows = re.findall(r'href="/cifar10/issues/(\d+)".*?<td class="num">(\d+) of 13</td>', part, re.S)
    assert rows
    assert [int(n) for _, n in rows] == sorted((int(n) for _, n in rows), reverse=True)
    for index, n in rows:
        detail = body(site, f"{API}/cifar10/issues/{index}")
        assert sum(m["predicted"] == detail["given"] for m in detail["models"]) == int(n)


def test_the_ranking_at_a_prevalence_is_that_on_p_and_on_c_at_its_ends(site):
    results = body(site, f"{API}/cifar10/stability")
    for query, part in (("?prevalence=0", "pruned"), ("?prevalence=100", "correctable")):
        html = site.get(f"/cifar10/stability{query}").text
        rows = re.findall(
            r'<th scope="row">(pytorch/\w+)</th><td class="num">(\d+)(=?)</td><td class="num">(\d+)(=?)</td>',
            html[html.index('id="standings"') :],
        )
        shown = {row[0]: row[1:] for row in rows[:13]}
        for model in results["models"]:
            expected = []
            for kind in ("original_top1", "corrected_top1"):
                rank = model["ranks"][part][kind]
                tied = sum(other["ranks"][part][kind] == rank for other in results["models"]) > 1
                expected += [str(rank), "=" if tied else ""]
            assert shown[f"pytorch/{model['name']}"] == tuple(expected)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?top=3", "expected 1, 5"),
        ("?scale=cubic", "expected log, linear"),
        ("?reach=20", "expected 100, 30, 10"),
        ("?prevalence=nan", "from 0 to 100"),
        ("?prevalence=101", "from 0 to 100"),
        ("?model=<script>", "&lt;script&gt;"),
        ("?first=resnet", "pytorch/resnet"),
        ("?" + "&".join(f"model=pytorch/{m}" for m in (
            "densenet121", "densenet161", "densenet169", "googlenet", "inception_v3", "mobilenet_v2", "resnet18",
            "resnet34", "resnet50",
        )), "at most 8 models"),
    ],
)  # fmt: skip
def test_choices_that_cannot_be(site, query, words):
    response = site.get(f"/cifar10/stability{query}")
    assert response.status_code == 400
    assert words in response.text
    assert "<script>" not in response.text.replace("<script src", "")


def test_only_datasets_with_models_have_the_tab(site):
    assert any(link.href == "/cifar10/stability" for link in read(site, "/cifar10").links)
    assert not any("stability" in link.href for link in read(site, "/mnist").links)
    assert any(link.href == "/mnist/evaluate" for link in read(site, "/mnist").links)
    assert not any("evaluate" in link.href for link in read(site, "/audioset").links)
    assert "several labels at once" in read(site, "/audioset/stability", 409).words
    assert "several labels at once" in read(site, "/audioset/evaluate", 409).words


def test_reproduction(site):
    page = read(site, "/reproduction")
    words = " ".join(page.words.split())
    assert "210 are the same, 16 differ for a known reason, and 289 need data" in words
    assert "≠ differs" in words
    assert "✗ broken" not in words
    # What is not loaded stands there too, with the reason.
    assert "None of the 272 figures can be recomputed here. No model's predictions for ImageNet" in words
    assert "2 of the 13 figures cannot be recomputed here." in words
    assert words.count("– not loaded") == 289
    # What the paper claims in words has its own group.
    assert "6 of the 13 figures cannot be recomputed here. No model's predictions for ImageNet" in words
    assert "It is 90 or more for 7 of the 10: MNIST 99.0, CIFAR-10 97.2, CIFAR-100 77.6" in words
    assert "pytorch/alexnet" in words
    assert any(link.href == "/reproduction" for link in read(site, "/figures").links)


def test_the_sample_has_a_ranking_to_look_at(client):
    page = read(client, "/sample-digits/stability")
    assert "A sample." in page.words
    assert "scikit-learn/random-forest" in page.words
