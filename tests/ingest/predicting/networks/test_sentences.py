"""Texts described by all-MiniLM-L6-v2: what it knows, from where it is read, and that nothing is downloaded."""

import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.errors import ArgumentError, DataError, MissingFileError

pytestmark = [pytest.mark.slow, pytest.mark.torch]

TEXTS = [
    "The cat sat on the mat.",
    "A kitten was sitting on a rug.",
    "Stock prices fell sharply today.",
    "",
    "The cat sat on the mat.",
    "Shares lost much of their value. " * 60,
]


@pytest.fixture(scope="module")
def vectors() -> Any:
    from ingest.predicting.networks.sentences import SentenceModel

    return SentenceModel(threads=1).prepare(TEXTS)


def test_what_means_the_same_is_near(vectors: Any) -> None:
    near = vectors @ vectors.T
    assert near[0, 1] > 0.5 > 0.2 > near[0, 2]
    assert near[2, 5] > near[0, 5]


def test_it_is_the_mean_of_what_the_network_says_of_each_piece(vectors: Any) -> None:
    """As the network's authors describe it, one text at a time, without the library that does it for us."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    from ingest.predicting.networks.sentences import _without_bars, published_folder

    folder = str(published_folder())
    with _without_bars():
        network = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    assert vectors.shape == (6, 384)
    assert vectors.dtype == np.float32
    for text, found in zip(TEXTS, vectors, strict=True):
        pieces = tokenizer(text, truncation=True, max_length=128, return_tensors="pt")
        with torch.no_grad():
            mean = network(**pieces).last_hidden_state[0].mean(dim=0)
        np.testing.assert_allclose(found, (mean / mean.norm()).numpy(), atol=1e-5)


def test_equal_texts_are_equal_rows_and_another_order_changes_none(vectors: Any) -> None:
    from ingest.predicting.networks.sentences import SentenceModel, described

    assert (vectors[0] == vectors[4]).all()
    order = [5, 3, 0, 4, 2, 1]
    again = SentenceModel(threads=1).prepare([TEXTS[row] for row in order])
    assert again.tobytes() == vectors[order].tobytes()
    assert described([]).shape == (0, 384)


def test_only_the_beginning_counts_as_far_as_told() -> None:
    from ingest.predicting.networks.sentences import described

    first, second = described(["a b c d e f g h the end", "a b c d e f g h quite another end"], tokens=10)
    assert (first == second).all()
    first, second = described(["a b c d e f g h the end", "a b c d e f g h quite another end"], tokens=16)
    assert (first != second).any()


def test_classes_of_texts_are_learnt() -> None:
    from ingest.predicting.networks.sentences import SentenceModel

    animals = [
        "A dog barks.",
        "The cow eats grass.",
        "Birds fly south.",
        "Our cat sleeps.",
        "A fish swims.",
        "Lions roar.",
    ]
    money = [
        "Banks raised rates.",
        "He paid a bill.",
        "Taxes rose.",
        "Shares fell.",
        "She owes a debt.",
        "Gold is dear.",
    ]
    labels = np.array([0] * 5 + [1] * 5)
    learnt = [*animals[:5], *money[:5]]
    model = SentenceModel(threads=1)
    probs = model.fit(model.prepare(learnt), labels).predict_proba([animals[5], money[5]])
    assert probs.shape == (2, 2)
    assert model.predict([animals[5], money[5]]).tolist() == [0, 1]
    assert (
        SentenceModel(threads=1).fit(learnt, labels).predict_proba([animals[5], money[5]]).tobytes() == probs.tobytes()
    )


def test_nothing_is_asked_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    from ingest.predicting.networks import sentences

    asked = []

    def refused(_: Any, address: Any) -> None:
        asked.append(address)
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    sentences._network.cache_clear()
    sentences.described(["Read from the disk."])
    assert asked == []


def test_files_that_are_not_the_published_ones_are_refused(tmp_path: Path) -> None:
    from ingest.predicting.networks.sentences import PUBLISHED, published_folder, verify

    for name in PUBLISHED:
        shutil.copyfile(published_folder() / name, tmp_path / name)
    verify(tmp_path)
    with (tmp_path / "config.json").open("a") as file:
        file.write(" ")
    with pytest.raises(
        DataError, match=r"config.json: expected the published file, of SHA-256 953f9c0d\w+, found \w{64}"
    ):
        verify(tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(MissingFileError, match=r"config.json: expected a file of all-MiniLM-L6-v2, found none"):
        verify(tmp_path)


@pytest.mark.parametrize("tokens", [0, 7, 513])
def test_more_than_the_network_takes(tokens: int) -> None:
    from ingest.predicting.networks.sentences import described

    with pytest.raises(ArgumentError, match=f"tokens: expected 8 to 512 pieces of words, found {tokens}"):
        described(["text"], tokens)
