"""The pages of benchmark stability, over real HTTP: what they tell, every choice, and what cannot be chosen."""

import re

import httpx
import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from app.site.stability.prevalence import Lead, best_by_prevalence
from app.web.templates import fragment
from tests.app.reading import body, read

API = "/api/v1/datasets"


VIEWS = ("", "/prevalence", "/pair", "/repeated")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "?agreement=4",
        "?agreement=5&top=5",
        "?find=vgg&model=pytorch/resnet18",
        "?model=&first=&agreement=",
        "/prevalence",
        "/prevalence?agreement=5",
        "/prevalence?scale=linear&prevalence=50",
        "/prevalence?reach=10&prevalence=5",
        "/prevalence?reach=30&prevalence=50&scale=linear",
        "/prevalence?prevalence=0",
        "/prevalence?model=pytorch/vgg11_bn",
        "/prevalence?model=pytorch/vgg11_bn&model=pytorch/vgg19_bn&scale=log&prevalence=12.5",
        "/pair",
        "/pair?first=pytorch/vgg11_bn&second=pytorch/vgg11_bn",
        "/pair?first=pytorch/resnet18&second=pytorch/resnet50",
        "/pair?second=pytorch/googlenet&agreement=5",
        "/repeated",
        "/repeated?model=pytorch/vgg11_bn&agreement=4",
    ],
)
def test_the_pages_are_sound_under_every_choice(site, address):
    page = read(site, f"/cifar10/stability{address}")
    assert len(page.ids) == len(set(page.ids))
    here = httpx.URL(f"{site.base_url}/cifar10/stability{address}")
    for link in page.local_links:
        assert site.get(here.join(link.href)).status_code == 200, link.href


@pytest.mark.parametrize("view", VIEWS)
def test_each_page_leads_to_the_others_with_the_same_models(site, view):
    page = read(site, f"/cifar10/stability{view}?model=pytorch/vgg11_bn&agreement=4")
    leading = [link.href for link in page.links if link.href.startswith("/cifar10/stability")]
    for other in VIEWS:
        assert f"/cifar10/stability{other}?agreement=4&model=pytorch/vgg11_bn" in leading


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("?first=pytorch/vgg19_bn&second=pytorch/vgg11_bn", "/pair?first=pytorch/vgg19_bn&second=pytorch/vgg11_bn"),
        ("?prevalence=50&model=pytorch/vgg11_bn", "/prevalence?model=pytorch/vgg11_bn&prevalence=50"),
        ("?scale=linear&agreement=4", "/prevalence?agreement=4&scale=linear"),
        ("?reach=10&first=pytorch/resnet18", "/pair?first=pytorch/resnet18"),
    ],
)
def test_addresses_from_when_all_was_one_page_still_lead_there(site, old, new):
    response = site.get(f"/cifar10/stability{old}")
    assert response.status_code == 301
    assert response.headers["location"] == f"/cifar10/stability{new}"
    assert site.get(response.headers["location"]).status_code == 200


def test_old_anchors_are_on_the_page_that_has_what_they_name(site):
    first, *others = (read(site, f"/cifar10/stability{view}").ids for view in VIEWS)
    # Without parameters an old address is the first page, which leads on from there.
    assert {"ranking", "table", "how", "prevalence", "pair", "repeated"} <= set(first)
    for name, ids in zip(("prevalence", "pair", "repeated"), others, strict=True):
        assert name in ids


def looks(html: str) -> dict[str, set[str]]:
    """Model -> all looks that its lines and the pieces beside its name have."""
    found: dict[str, set[str]] = {}
    for classes, key in re.findall(r'<g class="(?:model-line|slope stressed) (c\d d\d)"><title>([\w/]+): ', html):
        found.setdefault(key, set()).add(classes)
    piece = r'<svg class="swatch (c\d d\d)"[^>]*><path d="M0 4H32"/></svg>(?:<span class="hidden">| )?([\w/]+)'
    for classes, key in re.findall(piece, html):
        found.setdefault(key, set()).add(classes)
    return found


def test_a_model_looks_the_same_everywhere_and_like_no_other(site):
    chosen = "&".join(f"model=pytorch/{name}" for name in ("vgg11_bn", "googlenet", "resnet50"))
    everywhere: dict[str, set[str]] = {}
    for view in VIEWS:
        for query in ("", f"?{chosen}"):
            for key, classes in looks(site.get(f"/cifar10/stability{view}{query}").text).items():
                everywhere.setdefault(key, set()).update(classes)
    assert len(everywhere) == 13
    assert {len(classes) for classes in everywhere.values()} == {1}
    assert len(set().union(*everywhere.values())) == 13


def test_the_chosen_models_are_stressed_and_all_others_gray(site):
    html = site.get("/cifar10/stability?model=pytorch/vgg11_bn&model=pytorch/resnet50").text
    for chart in re.findall(r'<svg class="slopes.*?</svg>', html, re.S):
        stressed = re.findall(r'class="slope stressed c\d d\d"><title>([\w/]+)', chart)
        assert sorted(stressed) == ["pytorch/resnet50", "pytorch/vgg11_bn"]
        assert chart.count('class="slope rest"') == 11


def test_a_search_shortens_the_list_and_keeps_what_is_chosen(site):
    page = read(site, "/cifar10/stability?find=VGG&model=pytorch/resnet18")
    boxes = [box for box in page.elements("input") if box.get("type") == "checkbox"]
    assert {box["value"] for box in boxes if "vgg" not in box["value"]} == {"pytorch/resnet18"}
    assert [box["value"] for box in boxes if "checked" in box] == ["pytorch/resnet18"]
    assert len(boxes) > 3


def test_without_a_second_glance_one_reads_that_labels_are_not_all(opinions_catalogue):
    """Before any chart, the page says that the ranking turns where labels are right too."""
    with TestClient(create_app(Settings(catalogue=opinions_catalogue, public=False))) as client:
        html = client.get("/cifar10/stability").text
    said = html.index("It takes no wrong label to turn a ranking.")
    assert said < html.index('id="ranking"')
    beside = " ".join(html[said : html.index('id="ranking"')].split())
    # Right beside the finding, and with an interval.
    # A p-value, (1 + 895) / (1 + 1,000), is no share of 1,000 draws.
    assert "895 of 1,000 random relabellings of the same examples turn it as far or further (p = 0.895)." in beside
    assert "895 of the 1,000 draws are as low or lower (p = 0.895)" in " ".join(html.split())
    assert "89.51" not in html
    assert "on the 221 flagged examples whose given label reviewers kept: τ −0.64 (−0.82 to −0.36)" in beside
    assert "due to wrong labels" not in html
    assert '<a href="#controls">' in html[said : html.index('id="ranking"')]
    assert 'id="controls"' in html


def test_the_page_tells_the_finding_and_how_little_it_proves(site):
    words = " ".join(read(site, "/cifar10/stability").words.split())
    assert "On the 18 examples whose label reviewers corrected, it turns over" in words
    assert "Kendall’s τ between the two rankings is −0.44 (−0.77 to −0.13)" in words
    assert "Of no single model do these examples show that its place changes." in words
    assert "18 examples are few" in words
    assert "correcting the labels hardly changes the ranking: τ 0.97 (0.90 to 1.00)" in words
    further = " ".join(read(site, "/cifar10/stability/prevalence").words.split())
    assert "pytorch/vgg11_bn overtakes pytorch/googlenet at N = 1.78 %" in further


def test_nothing_is_called_found_whose_interval_includes_the_opposite(site):
    four, five = (" ".join(read(site, f"/cifar10/stability?agreement={n}").words.split()) for n in (4, 5))
    assert (
        "there are too few examples to tell whether it turns over: Kendall’s τ between the two rankings is −0.47"
        in four
    )
    assert "goes from number" not in four
    assert "1,000 random relabellings give a τ as low or lower" in four
    assert "so random labels often give one this low as well" in four
    assert "as far or further" not in four
    assert "there are 3 examples whose label reviewers corrected: too few to say anything of a ranking" in five
    for word in ("turns over", "reverses", "−0.70", "goes from number", "is first of"):
        assert word not in five


def test_a_shorter_axis_shows_what_lies_on_it(site):
    def drawn(query: str) -> list[str]:
        html = site.get(f"/cifar10/stability/prevalence{query}").text
        return re.findall(r'<g class="crossing">.*?text-anchor="middle">(\d+)</text>', html)

    whole, short = drawn("?reach=100"), drawn("?reach=10")
    assert 0 < len(short) < len(whole)
    page = read(site, "/cifar10/stability/prevalence?reach=10&prevalence=50")
    # The list still tells all of them, and the ranking at 50 % is there, though its rule lies beyond the axis.
    assert len(page.elements("li")) == len(read(site, "/cifar10/stability/prevalence?prevalence=50").elements("li"))
    assert all(rule.get("visibility") == "hidden" for rule in page.elements("path") if rule.get("class") == "here")
    hidden = [rule for rule in page.elements("path") if rule.get("class") == "here"]
    assert len(hidden) == 4  # two charts, each for a wide and for a narrow screen


def test_intervals_stand_beside_ranks_and_correlations(site):
    words = " ".join(read(site, "/cifar10/stability").words.split())
    assert "Kendall's τ −0.44 (−0.77 to −0.13)Spearman's ρ −0.54 (−0.87 to −0.17)" in words


def test_two_models_and_the_examples_on_which_they_differ(site):
    page = read(site, "/cifar10/stability/pair?first=pytorch/vgg19_bn&second=pytorch/vgg11_bn")
    words = " ".join(page.words.split())
    assert "pytorch/vgg11_bn overtakes pytorch/vgg19_bn at N = 5.64 %" in words
    leading = [link.href for link in page.links if link.href.startswith("/cifar10/issues/")]
    assert leading
    example = int(leading[0].rsplit("/", 1)[1])
    choices = {m["name"]: m["predicted"] for m in body(site, f"{API}/cifar10/issues/{example}")["models"]}
    assert choices["vgg19_bn"] != choices["vgg11_bn"]


def test_wrong_labels_that_models_repeat_are_counted(site):
    html = site.get("/cifar10/stability/repeated").text
    part = html[html.index('id="repeated"') : html.index('id="by-model"')]
    rows = re.findall(r'href="/cifar10/issues/(\d+)".*?<td class="num">(\d+) of 13</td>', part, re.S)
    assert rows
    assert [int(n) for _, n in rows] == sorted((int(n) for _, n in rows), reverse=True)
    for index, n in rows:
        detail = body(site, f"{API}/cifar10/issues/{index}")
        assert sum(m["predicted"] == detail["given"] for m in detail["models"]) == int(n)


def test_examples_are_those_that_the_chosen_models_repeat(site):
    html = site.get("/cifar10/stability/repeated?model=pytorch/vgg11_bn&model=pytorch/googlenet").text
    part = html[html.index('id="repeated"') : html.index('id="by-model"')]
    shown = re.findall(r'href="/cifar10/issues/(\d+)".*?<td class="who">(.*?)</td>', part, re.S)
    for index, cell in shown:
        detail = body(site, f"{API}/cifar10/issues/{index}")
        repeating = {f"pytorch/{m['name']}" for m in detail["models"] if m["predicted"] == detail["given"]}
        expected = repeating & {"pytorch/vgg11_bn", "pytorch/googlenet"}
        assert expected
        assert set(re.findall(r'title="([^"]+)"', cell)) == expected
    # Both first, then one of the two.
    sizes = [cell.count("title=") for _, cell in shown]
    assert sizes == sorted(sizes, reverse=True)


def test_each_model_is_listed_with_what_it_repeats(site):
    html = site.get("/cifar10/stability/repeated").text
    rows = re.findall(r"Repeated by ([\w/]+): </span>(\d+)</a>", html)
    assert len(rows) == 13
    for key, n in rows:
        assert body(site, f"{API}/cifar10/issues?model={key}&limit=1")["total"] == int(n)


def test_the_ranking_at_a_prevalence_is_that_on_p_and_on_c_at_its_ends(site):
    results = body(site, f"{API}/cifar10/stability")
    for query, part in (("?prevalence=0", "pruned"), ("?prevalence=100", "correctable")):
        html = site.get(f"/cifar10/stability/prevalence{query}").text
        rows = re.findall(
            r'</svg>(pytorch/\w+)</th><td class="num">(\d+)(=?)</td><td class="num">(\d+)(=?)</td>',
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


def test_who_is_best_as_errors_become_commoner(site):
    """The leaders that the page names are on top of its ranking just before and just after they change."""
    words = " ".join(read(site, "/cifar10/stability/prevalence").words.split())
    [first] = re.findall(r"by the corrected labels (pytorch/\w+) is ahead, though it cannot be told apart", words)
    changes = re.findall(r"From ([\d.]+) % on it would be (pytorch/\w+)", words)
    assert changes

    def best(per_cent: float) -> str:
        html = site.get(f"/cifar10/stability/prevalence?prevalence={per_cent}").text
        return re.search(r'<th scope="row"><svg.*?</svg>(pytorch/\w+)</th>', html[html.index('id="standings"') :])[1]

    before = first
    for at, after in changes:
        assert best(float(at) - 0.02) == before
        assert best(float(at) + 0.02) == after
        before = after


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
    assert "210 are the same, 17 differ for a known reason, and 290 need data" in words
    assert "≠ differs" in words
    assert "✗ broken" not in words
    # What differs is open, what is the same or not loaded is folded.
    html = page.html
    folded = "".join(re.findall(r'<details class="published">.*?</details>', html, re.S))
    assert folded.count("= same") == html.count("= same") == 210
    assert folded.count("– not loaded") == 290
    assert "≠ differs" not in folded
    assert len(page.ids) == len(set(page.ids))
    # Each difference named above leads to its row.
    assert html.count('">here ') == html.count("≠ differs") == 17
    assert all(link.href[1:] in page.ids for link in page.links if link.href.startswith("#text"))
    # What is not loaded stands there too, with the reason.
    assert "None of the 272 figures can be recomputed here. No model's predictions for ImageNet" in words
    assert "2 of the 13 figures cannot be recomputed here." in words
    assert words.count("– not loaded") == 290
    # What the paper claims in words has its own group.
    assert "7 of the 15 figures cannot be recomputed here. No model's predictions for ImageNet" in words
    assert "It is 90 or more for 7 of the 10: MNIST 99.0, CIFAR-10 97.2, CIFAR-100 77.6" in words
    assert "pytorch/alexnet" in words
    assert any(link.href == "/reproduction" for link in read(site, "/figures").links)


def test_the_sample_has_a_ranking_to_look_at(client):
    page = read(client, "/sample-digits/stability")
    assert "A sample." in page.words
    assert "scikit-learn/random-forest" in page.words


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ("vgg11_bn", "By original accuracy pytorch/googlenet is ahead throughout."),
        ("resnet34", "pytorch/resnet18 has the higher figures throughout, which does not show that it is better."),
    ],
)
def test_who_is_ahead_throughout_is_so_on_all_examples_and_on_the_corrected(site, second, words):
    first = "googlenet" if second == "vgg11_bn" else "resnet18"
    asked = f"first=pytorch/{first}&second=pytorch/{second}"
    found = " ".join(read(site, f"/cifar10/stability/pair?{asked}").words.split())
    assert words in found
    models = {one["name"]: one for one in body(site, f"{API}/cifar10/stability")["models"]}
    for kind, n in (("original_top1", 0), ("corrected_top1", 1)):
        alone = re.findall(
            r"9,964 examples of the pruned set \S+ alone is right on ([\d,]+), \S+ alone on ([\d,]+)", found
        )
        a, b = (int(text.replace(",", "")) for text in alone[n])
        difference = models[first]["pruned"][kind] - models[second]["pruned"][kind]
        assert (a - b) / 9_964 == pytest.approx(difference, abs=1e-9)
    if second == "vgg11_bn":
        assert "a difference of 0.55 points (0.01 to 1.09)" in found


def test_of_many_examples_a_ranking_that_no_draw_changes_is_told(client):
    """No resampled set of 1,777 changes it: that is an interval, and not too few examples."""
    said = " ".join(read(client, "/sample-digits/stability?agreement=4").words.split())
    assert "On the whole pruned set correcting the labels hardly changes the ranking: τ 1.00 (1.00 to 1.00)" in said
    assert "too few examples to tell whether correcting" not in said


def test_all_that_lead_at_higher_prevalence_are_told_with_an_interval():
    leads = [Lead(f"torch/m{n}", n / 10, interval=(n / 20, n / 5), share=0.9 - n / 10) for n in (1, 2, 3, 4)]
    said = re.sub("<[^>]+>", "", fragment("later_leads.html", later=leads)).replace("\xa0", " ")
    for n in (1, 2, 3, 4):
        told = (
            f"From {n}0.00 % on it would be torch/m{n} (they cross in {90 - 10 * n} % of resampled test sets, between"
        )
        assert f"{told} {5 * n}.0 and {20 * n}.0 %)." in said


@pytest.mark.parametrize(("ranks", "sure"), [((1, 1), True), ((1, 2), False), (None, False)])
def test_the_best_model_is_told_apart_from_all_and_not_only_from_the_next(ranks, sure):
    """The third is right on other examples: though further behind, it could be the better one."""
    models = [
        {
            "platform": "torch",
            "name": name,
            "benign": {"corrected_top1": benign},
            "correctable": {"corrected_top1": benign},
            "ranks": {"pruned": {"intervals": {"corrected_top1": ranks if name == "a" else (1, 3)}}},
        }
        for name, benign in (("a", 0.9), ("b", 0.88), ("c", 0.87))
    ]
    found = {
        "sizes": {"C": 50},
        "noise_prevalence": 0.05,
        "models": models,
        "crossings": [],
        "leaders": [{"kind": "corrected_top1", "first": "torch/a", "second": "torch/b", "interval": (0.01, 0.03)}],
    }
    assert [(one.key, one.sure) for one in best_by_prevalence(found, "corrected_top1")] == [("torch/a", sure)]
