"""Words that speak for a label: by hand, by an obvious loop, in files that are none, and in the sample."""

import io
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.site.issue.highlight import highlight
from ingest.datasets.word_weights import WordWeights, read_word_weights
from ingest.errors import DataError, MissingFileError
from ingest.manifest.model import Words
from tests.damaging import PACKINGS, damaged_npz

WHOLE = Words(weights="weights.npz", shortest=1)
VOCABULARY = ["ab", "b", "ça", "d1"]

words_of_texts = st.lists(st.sampled_from([*VOCABULARY, "AB", "other", "Ça", "👁"]), max_size=12)
separators = st.sampled_from([" ", ", ", "\n", "<br>", " — "])


@given(words_of_texts, separators, st.integers(0, 2), st.integers(0, 2), st.integers(0, 9_999))
def test_spans_are_what_a_plain_loop_finds(words: list[str], between: str, own: int, other: int, seed: int) -> None:
    weights = np.random.default_rng(seed).normal(size=(1, 3, 4)).round(2)
    text = between.join(words)
    expected = []
    for match in re.finditer(r"\w+", text):
        if match[0].lower() in VOCABULARY:
            place = VOCABULARY.index(match[0].lower())
            expected.append((match.start(), match.end(), weights[0, other, place] - weights[0, own, place]))
    strongest = max((abs(side) for _, _, side in expected), default=0)
    found = WordWeights({word: place for place, word in enumerate(VOCABULARY)}, weights, None, WHOLE).spans(
        0, text, own, other
    )
    assert [text[begin:end].lower() in VOCABULARY for begin, end, _ in found] == [True] * len(found)
    if not strongest:
        assert found == []
        return
    kept = [(b, e, side / strongest) for b, e, side in expected if round(abs(side) / strongest, 2) >= 0.25]
    assert [(b, e) for b, e, _ in found] == [(b, e) for b, e, _ in kept]
    np.testing.assert_allclose([s for _, _, s in found], [s for _, _, s in kept], atol=0.006)


def test_the_model_that_did_not_learn_from_an_example_speaks_for_it() -> None:
    weights = np.array([[[1.0], [0.0]], [[0.0], [1.0]]])
    evidence = WordWeights({"x": 0}, weights, np.array([1, 0]), WHOLE)
    assert evidence.spans(0, "x", given=0, guessed=1) == [(0, 1, 1.0)]
    assert evidence.spans(1, "x", given=0, guessed=1) == [(0, 1, -1.0)]


def test_words_are_cut_as_the_manifest_says() -> None:
    words = Words(weights="weights.npz", shortest=3, beginning=5)
    evidence = WordWeights({"cycli": 0, "by": 1}, np.array([[[0.0, 0.0], [1.0, 1.0]]]), None, words)
    assert evidence.spans(0, "Cyclists go by.", given=0, guessed=1) == [(0, 8, 1.0)]


@given(st.text(max_size=40), st.lists(st.integers(0, 40), max_size=8, unique=True))
def test_a_marked_text_is_the_text_escaped(text: str, cuts: list[int]) -> None:
    ends = sorted(min(cut, len(text)) for cut in cuts)
    spans = [(begin, end, 0.5) for begin, end in zip(ends[::2], ends[1::2], strict=False)]
    html = str(highlight(text, spans))
    assert highlight(text, []).unescape() == text
    without = re.sub(r'</?mark(?: class="guessed")?>', "", html)
    assert without == str(highlight(text, []))
    assert html.count("<") == 2 * len(spans)


def saved(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


GOOD = {"words": np.array(["a", "b"]), "weights": np.ones((3, 2))}


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"words": GOOD["words"]}, 'found no "weights"'.replace('"', "")),
        (GOOD | {"words": np.array(["a", "a"])}, "expected each word once"),
        (GOOD | {"words": np.array([1, 2])}, 'expected "words" to be texts'),
        (GOOD | {"weights": np.ones((2, 2))}, r'expected "weights" to be numbers of shape \(3, 2\)'),
        (GOOD | {"weights": np.ones((3, 2), int)}, "found int64"),
        (GOOD | {"weights": np.array([[1, 1], [1, np.nan], [1, 1]])}, "class 1: expected finite weights, found nan"),
        (GOOD | {"weights": np.ones((2, 3, 2))}, 'expected "folds" to be a whole number for each of 4 examples'),
        (GOOD | {"weights": np.ones((2, 3, 2)), "folds": np.array([0, 1, 2, 0])}, "example 2: .*from 0 to 1, found 2"),
        (GOOD | {"weights": np.ones((2, 3, 2)), "folds": np.zeros(3, int)}, "shape (3,)".replace("(", r"\(")[:-1]),
        (GOOD | {"words": np.array(["a", None], object)}, "expected an .npz file"),
    ],
)
def test_files_that_are_none_say_what_was_expected(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    path = saved(tmp_path / "weights.npz", **arrays)
    with pytest.raises(DataError, match=said) as caught:
        read_word_weights(path, 4, 3, WHOLE)
    assert "weights.npz" in str(caught.value)


def test_files_that_are_no_archives(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    with pytest.raises(MissingFileError):
        read_word_weights(path, 4, 3, WHOLE)
    file = io.BytesIO()
    np.savez(file, **GOOD)
    for content in (b"", b"PK", file.getvalue()[:200]):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"expected an \.npz file"):
            read_word_weights(path, 4, 3, WHOLE)


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_damaged_archive_is_named(packing: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(damaged_npz(packing, "weights", np.random.default_rng(3).random((3, 500))))
    with pytest.raises(DataError, match=r"weights\.npz: expected an \.npz file"):
        read_word_weights(path, 4, 3, WHOLE)


def test_in_the_sample_what_speaks_for_the_guess_outweighs(sample_catalogue: Path) -> None:
    with closing(sqlite3.connect(sample_catalogue)) as connection:
        rows = connection.execute(
            "SELECT i.flagged, i.spans, i.given = i.guessed FROM issues i JOIN datasets d ON d.id = i.dataset_id "
            "WHERE d.name = 'sample-texts'"
        ).fetchall()
        others = connection.execute(
            "SELECT count(i.spans) FROM issues i JOIN datasets d ON d.id = i.dataset_id WHERE d.name <> 'sample-texts'"
        ).fetchone()
    assert others == (0,), "no other model is explained by words"
    sums = [sum(share for _, _, share in json.loads(spans)) for flagged, spans, one in rows if flagged and not one]
    assert len(sums) > 20
    assert np.mean(np.array(sums) > 0) > 0.95
