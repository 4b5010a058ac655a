"""No finding about a ranking without enough examples and an interval, wherever it is told."""

import csv
import io
import re

import httpx
import numpy as np
import pytest

from app.evaluation.opinions.capacity_claim import Standing, capacity_claim
from app.site.opinions.response_models import ControlOut
from app.site.stability.response_models import CrossingList, CrossingOfPair, EvaluationOut, StabilityOut
from tests.app.reading import body, read

CIFAR = "/api/v1/datasets/cifar10"
#: Three corrections at five votes, and four that CIFAR-10H confirms at three.
TOO_FEW = [({"agreement": 5}, 3), ({"confirmed_by": "cifar10h"}, 4)]
#: What would be a finding.
FINDINGS = r"turns over|reverses|overtakes|is ahead|it would be|goes from number|best by corrected|is the best model"


@pytest.mark.parametrize(("at", "n"), TOO_FEW)
def test_stability_of_too_few_is_null_and_says_so(site: httpx.Client, at: dict[str, object], n: int) -> None:
    found = body(site, f"{CIFAR}/stability", **at)
    StabilityOut.model_validate(found)
    assert found["sizes"]["C"] == n
    assert found["too_few"] == f"too few: {n} examples say nothing of a ranking, which takes at least 5"
    on_c = found["agreement_of_rankings"]["correctable"]
    for top in ("top1", "top5"):
        assert on_c[top] == {"kendall": None, "spearman": None, "intervals": {"kendall": None, "spearman": None}}
    for model in found["models"]:
        ranks = model["ranks"]["correctable"]
        assert {value for kind, value in ranks.items() if kind != "intervals"} == {None}
        assert set(ranks["intervals"].values()) == {None}
        # What was counted stays; only who is ahead of whom is not told.
        assert model["correctable"]["corrected_top1"] is not None
        assert model["ranks"]["pruned"]["corrected_top1"] is not None
    rows = list(csv.DictReader(io.StringIO(site.get(f"{CIFAR}/stability.csv", params=at).text)))
    assert {row[column] for row in rows for column in ("Rank@1", "cRank@1", "cRank@1_low", "cRank@5")} == {""}


@pytest.mark.parametrize(("at", "n"), TOO_FEW)
def test_crossings_of_too_few_corrections_are_null_and_say_so(
    site: httpx.Client, at: dict[str, object], n: int
) -> None:
    every = body(site, f"{CIFAR}/crossings", limit=1000, **at)
    CrossingList.model_validate(every)
    assert every["total"] == len(every["items"]) == 78
    assert {one[side] for one in every["items"] for side in ("original", "corrected")} == {None}
    pair = body(site, f"{CIFAR}/crossings", first="pytorch/vgg11_bn", second="pytorch/vgg19_bn", **at)
    CrossingOfPair.model_validate(pair)
    assert (pair["original"], pair["corrected"]) == (None, None)
    assert every["too_few"] == pair["too_few"] == body(site, f"{CIFAR}/stability", **at)["too_few"]


def test_enough_corrections_are_not_called_too_few(site: httpx.Client) -> None:
    assert body(site, f"{CIFAR}/stability")["too_few"] is None
    assert body(site, f"{CIFAR}/crossings")["too_few"] is None
    control = body(site, f"{CIFAR}/control")
    ControlOut.model_validate(control)
    assert (control["corrected"]["too_few"], control["opposed"]["cifar10h"]["too_few"]) == (None, None)
    assert control["confirmed"]["cifar10h"]["too_few"].startswith("too few: 4 examples")


def test_confusions_too_few_to_differ_are_null_and_say_so(site: httpx.Client) -> None:
    """Seven corrections have five confusions: the ten most frequent are all of them, however labels are shuffled."""
    found = body(site, f"{CIFAR}/control", agreement=4)["systematic"]
    assert (found["share"], found["shuffled"], found["p"]) == (None, None, None)
    assert found["too_few"].startswith("too few: 7 corrections have 5 different confusions;")
    assert (found["n"], len(found["most"])) == (7, 5)
    words = " ".join(read(site, "/cifar10/stability?agreement=4").words.split())
    assert "The 7 corrections have 5 different confusions, too few to tell" in words
    assert "shuffled among the same examples it would be" not in words
    told = body(site, f"{CIFAR}/control")["systematic"]
    assert (told["too_few"], round(told["p"], 3), round(told["share"], 3)) == (None, 0.012, 0.889)
    assert "(p = 0.012)" in " ".join(read(site, "/cifar10/stability").words.split())


def test_lower_capacity_gets_a_verdict_and_each_set_says_what_it_shows(site: httpx.Client) -> None:
    words = " ".join(read(site, "/cifar10/stability").words.split())
    assert "“Lower capacity is better on corrected labels” is not shown." in words
    assert (
        "On the 18 examples whose label reviewers corrected, it is open whether smaller or larger models are right by "
        "the corrected label more often: τ 0.10 (−0.13 to 0.36)." in words
    )
    assert (
        "On the 221 examples whose flagged label reviewers kept, where none was found wrong, larger models predict the "
        "guess more often: τ 0.42 (0.07 to 0.58)." in words
    )
    assert "The 4 examples whose correction CIFAR-10H confirms are too few to tell." in words
    four, five = (" ".join(read(site, f"/cifar10/stability?agreement={n}").words.split()) for n in (4, 5))
    assert "“Lower capacity is better on corrected labels” does not survive." in four
    assert "On the 7 examples whose label reviewers corrected, larger models are right by the corrected label" in four
    assert "“Lower capacity is better on corrected labels” is not shown." in five
    assert "The 3 examples whose label reviewers corrected are too few to tell." in five


def _capacity(corrected: object, kept: object, confirmed: object = (), n: int = 20) -> dict[str, object]:
    """Controls, as far as capacity asks for them, by the intervals of tau."""
    parts = {str(place): interval for place, interval in enumerate(confirmed)}
    named = {"corrected": corrected, "non_errors": kept} | {f"confirmed by {name}": one for name, one in parts.items()}
    sets = {name: one and {"guessed": {"tau": sum(one) / 2, "interval": one}} for name, one in named.items()}
    count = {"n": n}
    return {
        "corrected": count,
        "non_errors": count,
        "confirmed": dict.fromkeys(parts, count),
        "capacity": {"known": 9, "of": 9, "sets": sets},
    }


LOWER, OPEN, HIGHER = (-0.6, -0.1), (-0.3, 0.2), (0.1, 0.6)


@pytest.mark.parametrize(
    ("corrected", "kept", "confirmed", "standing"),
    [
        (LOWER, OPEN, [], Standing.SURVIVES),
        (LOWER, HIGHER, [LOWER], Standing.SURVIVES),
        (LOWER, None, [LOWER, LOWER], Standing.SURVIVES),
        (LOWER, LOWER, [LOWER], Standing.FAILS),  # without wrong labels it is the same
        (LOWER, OPEN, [HIGHER], Standing.FAILS),
        (HIGHER, OPEN, [LOWER], Standing.FAILS),
        (LOWER, OPEN, [OPEN], Standing.OPEN),
        (LOWER, OPEN, [None], Standing.OPEN),  # too few are confirmed
        (OPEN, LOWER, [LOWER], Standing.OPEN),
        (None, HIGHER, [], Standing.OPEN),
        ((-0.4, -0.4), OPEN, [], Standing.OPEN),  # resampling could not vary it
    ],
)
def test_a_claim_survives_only_where_no_control_undoes_it(
    corrected: object, kept: object, confirmed: object, standing: Standing
) -> None:
    claim = capacity_claim(_capacity(corrected, kept, confirmed))
    assert claim is not None
    assert (claim.standing, claim.because is None) == (standing, standing is Standing.SURVIVES)
    few = capacity_claim(_capacity(corrected, kept, confirmed, n=4))
    assert few is not None
    assert few.standing is Standing.OPEN
    assert capacity_claim({"capacity": None}) is None


@pytest.mark.parametrize("view", ["", "/prevalence", "/pair"])
@pytest.mark.parametrize("query", ["agreement=5", "confirmed_by=cifar10h"])
def test_pages_tell_no_ranking_on_too_few_corrections(site: httpx.Client, view: str, query: str) -> None:
    page = read(site, f"/cifar10/stability{view}?{query}")
    words = page.words.partition("Is it the labels? Controls")[0]
    assert "too few" in words
    assert re.findall(FINDINGS, words) == []


def test_a_model_that_is_sent_gets_no_rank_on_too_few_corrections(site: httpx.Client) -> None:
    file = io.BytesIO()
    np.save(file, np.zeros(10_000, np.int64))
    sent = {"file": ("predictions.npy", file.getvalue())}
    answer = site.post(f"{CIFAR}/evaluate", files=sent, data={"agreement": "5"})
    found = EvaluationOut.model_validate_json(answer.text)
    assert (found.sizes.C, found.crossings) == (3, [])
    assert found.ranks.correctable.original_top1 is found.ranks.correctable.corrected_top1 is None
    assert found.ranks.pruned.corrected_top1 is not None
    page = site.post("/cifar10/evaluate", files=sent, data={"agreement": "5"})
    assert page.status_code == 200
    assert "3 corrected examples are too few for a rank" in " ".join(page.text.split())


def test_pages_of_stability_are_told_of_what_an_opinion_confirms(site: httpx.Client) -> None:
    """The parameter that the API knows is read by the pages, and goes with every link and form."""
    page = read(site, "/cifar10/stability?confirmed_by=cifar10h")
    assert "there are 4 examples whose label reviewers corrected, as CIFAR-10H confirms" in page.words
    leading = [link.href for link in page.links if link.href.startswith("/cifar10/stability")]
    others = [href for href in leading if "confirmed_by=cifar10h" not in href]
    assert others == ["/cifar10/stability", "/cifar10/stability"]  # the tab, and "All corrections"
    assert "/api/v1/datasets/cifar10/stability.csv?agreement=3&confirmed_by=cifar10h" in [x.href for x in page.links]
    assert 'name="confirmed_by" value="cifar10h"' in page.html
    confirmed = {2405, 2804, 5468, 9227}
    for view in ("pair?first=pytorch/vgg11_bn&second=pytorch/mobilenet_v2&", "repeated?"):
        listed = re.findall(
            r"/cifar10/issues/(\d+)", read(site, f"/cifar10/stability/{view}confirmed_by=cifar10h").html
        )
        assert listed
        assert {int(index) for index in listed} <= confirmed
    refused = read(site, "/cifar10/stability?confirmed_by=real", 400)
    assert "cifar10h" in refused.words


def test_two_models_are_compared_with_a_paired_interval(site: httpx.Client) -> None:
    query = "first=pytorch/vgg19_bn&second=pytorch/vgg11_bn"
    words = " ".join(read(site, f"/cifar10/stability/pair?{query}").words.split())
    said = re.findall(
        r"18 corrected examples pytorch/vgg19_bn alone is right on (\d+), pytorch/vgg11_bn alone on (\d+): (\w+)",
        words,
    )
    assert len(said) == 2
    stability = {m["name"]: m["correctable"] for m in body(site, f"{CIFAR}/stability")["models"]}
    for (first, second, _), kind in zip(said, ("original_top1", "corrected_top1"), strict=True):
        apart = 18 * (stability["vgg19_bn"][kind] - stability["vgg11_bn"][kind])
        assert int(first) - int(second) == pytest.approx(apart)
    assert {verdict for _, _, verdict in said} <= {"they", "a"}
