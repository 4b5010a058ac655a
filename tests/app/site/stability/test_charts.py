"""Charts of models: names that are too long for them stay within them, apart from each other, and can be read whole."""

import re

import pytest

from app.domain.ranking.crossings import Line
from app.site.stability.charts import Axis, prevalence_chart
from app.site.stability.label_fit import fitted
from app.site.stability.looks import look
from app.site.stability.results import RankChange
from app.site.stability.slope_chart import slope_chart

LONG = [
    "models/" + "x" * 80,
    "models/vision-transformer-large-patch16-384-finetuned-imagenet21k-seed-1",
    "models/vision-transformer-large-patch16-384-finetuned-imagenet21k-seed-2",
    "models/a-model-with-lr-0.1-and-weight-decay-trained-for-many-epochs-in-all",
    "models/a-model-with-lr-0.2-and-weight-decay-trained-for-many-epochs-in-all",
    "torch/a-network-tuned-on-all-of-imagenet",
    "keras/a-network-tuned-on-all-of-imagenet",
]


@pytest.mark.parametrize("width", [80, 120, 170])
def test_long_names_stay_apart(width: float):
    shown = fitted(dict.fromkeys(LONG, width))
    assert list(shown) == LONG
    assert len(set(shown.values())) == len(LONG)
    assert all("…" in text and len(text) < 30 for text in shown.values())


def test_a_name_that_fits_is_whole_and_one_that_nearly_does_loses_its_folder():
    shown = fitted({"torch/resnet50": 120, "scikit-learn/decision-tree": 120})
    assert list(shown.values()) == ["torch/resnet50", "…/decision-tree"]


def test_a_shortened_name_is_whole_in_the_title_of_its_line():
    moved = [RankChange(key, place, place) for place, key in enumerate(LONG, start=1)]
    looks = {key: look(place) for place, key in enumerate(LONG)}
    ranks = slope_chart(moved, {LONG[0]: looks[LONG[0]]}, "before", "after", "chart")
    lines = prevalence_chart([(key, Line(0.9, 0.2)) for key in LONG], Axis(0.01, "log"), (), 0.01, "chart", looks)
    for chart in (ranks, lines):
        titles = re.findall(r"<title>(.*?)</title>", chart)
        assert {title.partition(":")[0] for title in titles} == set(LONG)
        texts = re.sub(r"<title>.*?</title>", "", chart)
        assert not any(key in texts for key in LONG)
