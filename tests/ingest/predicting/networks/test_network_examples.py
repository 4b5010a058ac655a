"""The examples in docstrings of networks hold."""

import doctest
import importlib

import numpy as np
import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.torch]

MODULES = [
    path.stem
    for path in sorted((ROOT / "ingest/predicting/networks").glob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_of_networks_hold(name: str) -> None:
    module = importlib.import_module(f"ingest.predicting.networks.{name}")
    assert doctest.testmod(module, extraglobs={"np": np}).failed == 0
