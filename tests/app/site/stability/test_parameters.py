"""What a visitor of a stability page chose, in and out of addresses."""

from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.site.stability.parameters import REACHES, SCALES, TOPS, Choice

KEYS = ["keras/resnet50", "pytorch/resnet50", "pytorch/vgg11_bn", "own/a+b"]
KEY = st.none() | st.sampled_from(KEYS)
CHOICES = st.builds(
    Choice,
    agreement=st.sampled_from([3, 4, 5]),
    top=st.sampled_from(TOPS),
    models=st.lists(st.sampled_from(KEYS), unique=True).map(tuple),
    prevalence=st.none() | st.integers(0, 1_000).map(lambda n: n / 1_000),
    scale=st.sampled_from(SCALES),
    reach=st.sampled_from(REACHES),
    first=KEY,
    second=KEY,
    find=st.sampled_from(["", "vgg", "a+b c"]),
)


@pytest.fixture(scope="module")
def digits(sample_catalogue: Path) -> Dataset:
    return Catalogue(sample_catalogue).datasets["sample-digits"]


@given(choice=CHOICES)
@settings(max_examples=200)
def test_an_address_says_all_of_a_choice(digits, choice):
    found = Choice.parse(digits, KEYS, parse_qsl(choice.query(digits)))
    assert found.prevalence == pytest.approx(choice.prevalence)
    assert found.query(digits) == choice.query(digits)
    assert {name: getattr(found, name) for name in Choice.__slots__ if name != "prevalence"} == {
        name: getattr(choice, name) for name in Choice.__slots__ if name != "prevalence"
    }
    assert Choice(agreement=3).query(digits) == ""
