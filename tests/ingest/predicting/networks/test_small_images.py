"""The network for small pictures: what it learns, that it gives the same bytes again, and what it refuses."""

import itertools
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from ingest.errors import ArgumentError

pytestmark = [pytest.mark.slow, pytest.mark.torch]


def network(**options: Any) -> Any:
    from ingest.predicting.networks.small_images import SmallImageNetwork

    return SmallImageNetwork(**({"epochs": 2, "threads": 1} | options))


def strokes(n: int, seed: int = 0, height: int = 12, width: int = 12) -> tuple[Any, Any]:
    """Noisy pictures of a bright horizontal (0), vertical (1) or diagonal (2) stroke, in turn."""
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 60, (n, height, width), dtype=np.uint8)
    labels = np.arange(n) % 3
    for picture, label in zip(pictures, labels, strict=True):
        place = rng.integers(3, min(height, width) - 3)
        if label == 0:
            picture[place] = 220
        elif label == 1:
            picture[:, place] = 220
        else:
            np.fill_diagonal(picture, 220)
    return pictures, labels


@pytest.fixture(scope="module")
def learnt() -> Any:
    return network(epochs=6).fit(*strokes(600))


def test_it_learns_what_pictures_show(learnt: Any) -> None:
    pictures, labels = strokes(90, seed=1)
    probs = learnt.predict_proba(pictures)
    assert probs.shape == (90, 3)
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-12)
    assert (probs.argmax(axis=1) == labels).mean() > 0.95
    assert (learnt.predict(pictures) == probs.argmax(axis=1)).all()


def test_the_same_seed_gives_the_same_bytes_whatever_was_drawn_before() -> None:
    import torch

    pictures, labels = strokes(300)
    first = network(seed=7).fit(pictures, labels).predict_proba(pictures)
    torch.manual_seed(123)
    np.random.seed(5)
    again = network(seed=7).fit(pictures, labels).predict_proba(pictures)
    assert first.tobytes() == again.tobytes()
    assert network(seed=8).fit(pictures, labels).predict_proba(pictures).tobytes() != first.tobytes()


def test_nothing_of_pytorch_is_left_changed() -> None:
    import torch

    def state() -> tuple[Any, ...]:
        return (
            torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_rng_state().numpy().tobytes(),
        )

    before = state()
    network(epochs=1, threads=before[0] + 1).fit(*strokes(30)).predict_proba(strokes(30)[0])
    assert state() == before


def test_a_row_does_not_depend_on_the_others(learnt: Any) -> None:
    pictures, _ = strokes(300, seed=3)
    order = np.random.default_rng(0).permutation(300)
    whole = learnt.predict_proba(pictures)
    assert learnt.predict_proba(pictures[order]).tobytes() == whole[order].tobytes()
    assert learnt.predict_proba(pictures[290:]).tobytes() == whole[290:].tobytes()
    assert learnt.predict_proba(pictures[:0]).shape == (0, 3)


def test_it_is_asked_about_each_picture_in_all_ways_it_was_shown() -> None:
    """The mean of what it says of the picture moved by hand, by up to a pixel, and mirrored."""
    pictures, labels = strokes(120, height=8, width=9)
    model = network(epochs=1, shifts=1, mirrored=True).fit(pictures, labels)
    found = model.predict_proba(pictures)
    model.shifts, model.mirrored = 0, False
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1)), mode="edge")
    moved = [padded[:, up : up + 8, left : left + 9] for up in range(3) for left in range(3)]
    ways = [np.ascontiguousarray(one) for way in moved for one in (way, way[:, :, ::-1])]
    np.testing.assert_allclose(found, np.mean([model.predict_proba(one) for one in ways], axis=0), atol=1e-6)
    assert np.abs(found - model.predict_proba(pictures)).max() > 1e-3


@pytest.mark.parametrize(
    "shape",
    [(28, 28), (28, 28, 1), (32, 32, 3), (17, 9, 4), (4, 4), (130, 70)],
    ids=lambda one: "x".join(map(str, one)),
)
def test_it_takes_pictures_of_this_shape(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (20, *shape), dtype=np.uint8)
    found = network(epochs=1).fit(pictures, np.arange(20) % 2).predict_proba(pictures)
    assert found.shape == (20, 2)
    as_floats = pictures / 255
    np.testing.assert_allclose(
        network(epochs=1).fit(as_floats, np.arange(20) % 2).predict_proba(as_floats), found, atol=1e-5
    )


def test_labels_may_be_texts_and_one_class_may_be_all() -> None:
    pictures, labels = strokes(60)
    names = np.array(["across", "down", "slanted"])
    model = network().fit(pictures, names[labels])
    assert model.classes_.tolist() == names.tolist()
    assert set(model.predict(pictures)) <= set(names.tolist())
    assert network().fit(pictures, np.zeros(60, int)).predict_proba(pictures).tolist() == [[1.0]] * 60


def test_pictures_are_read_a_batch_at_a_time(tmp_path: Any) -> None:
    """Whatever does not fit into memory is a mapped file, of which never more than some thousands are taken."""
    taken = []

    class Mapped(np.memmap):
        def __getitem__(self, index: Any) -> Any:
            found = super().__getitem__(index)
            if isinstance(found, np.ndarray) and found.ndim == 3:
                taken.append(len(found))
            return found

    pictures = Mapped(tmp_path / "pictures", np.uint8, "w+", shape=(9000, 4, 4))
    labels = np.arange(9000) % 2
    network(epochs=1).fit(pictures, labels).predict_proba(pictures)
    assert max(taken) <= 4096
    assert sum(taken) > 3 * 9000 - 4096


def test_what_was_learnt_before_is_gone_on_with() -> None:
    """As with a train set: a few rows of each fold do not suffice, what they tune does."""
    many, few = strokes(600), strokes(30, seed=1)
    held_out, labels = strokes(90, seed=2)
    alone = network(epochs=1).fit(*few)
    tuned = network(epochs=6, tuning_epochs=1).pretrain(*many).fit(*few)
    assert (tuned.predict(held_out) == labels).mean() > 0.95 > (alone.predict(held_out) == labels).mean()
    again = network(epochs=6, tuning_epochs=1).pretrain(*many)
    first = again.fit(*strokes(30, seed=9)).predict_proba(held_out)
    assert again.fit(*few).predict_proba(held_out).tobytes() == tuned.predict_proba(held_out).tobytes()
    assert first.tobytes() != tuned.predict_proba(held_out).tobytes()


@pytest.mark.parametrize("epochs", [6, 20])
def test_classes_of_pretraining_and_of_the_fold_are_all_known(epochs: int) -> None:
    """Also where the train set was learnt as long as it is by default, and few pictures teach the class it lacks."""
    pictures, labels = strokes(300)
    before = network(epochs=epochs).pretrain(pictures[labels < 2], labels[labels < 2])
    model = before.fit(pictures[labels > 0], labels[labels > 0])
    assert model.classes_.tolist() == [0, 1, 2]
    held_out, given = strokes(60, seed=4)
    shown = model.predict(held_out)
    assert (shown[given == 0] == 0).mean() > 0.5  # learnt before, and not forgotten
    assert (shown[given == 2] == 2).mean() > 0.9


def test_it_works_within_scikit_learn() -> None:
    from sklearn.model_selection import cross_val_predict

    pictures, labels = strokes(90)
    assert cross_val_predict(network(), pictures, labels, cv=3, method="predict_proba").shape == (90, 3)


def test_progress_counts_epochs() -> None:
    steps = []

    class Steps:
        @contextmanager
        def task(self, what: str, total: int | None, unit: str) -> Any:
            steps.append((total, unit))
            yield steps.append

        def say(self, line: str) -> None:
            """Nothing is said."""

    network(epochs=3, progress=Steps()).fit(*strokes(30))
    assert steps == [(3, "epochs"), 1, 1, 1]


def test_shifted_and_mirrored() -> None:
    from ingest.predicting.networks.small_images import varied

    picture = np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1)
    assert (varied(picture, 0, False, np.random.default_rng(0)) == picture).all()
    possible = set()
    for down, right, mirrored in itertools.product((-1, 0, 1), (-1, 0, 1), (False, True)):
        rows, columns = np.clip(np.arange(4) + down, 0, 3), np.clip(np.arange(4) + right, 0, 3)
        possible.add(picture[0, rows][:, columns[::-1] if mirrored else columns, 0].tobytes())
    rng = np.random.default_rng(0)
    assert {varied(picture, 1, True, rng).tobytes() for _ in range(500)} == possible


@pytest.mark.parametrize(
    ("pictures", "labels", "says"),
    [
        (np.zeros((3, 16)), [0, 1, 0], r"pictures: expected an array \(n, height, width\).*found \(3, 16\)"),
        (np.zeros((3, 3, 9)), [0, 1, 0], r"of at least 4 pixels.*found \(3, 3, 9\)"),
        (np.zeros((3, 8, 8, 2)), [0, 1, 0], r"found \(3, 8, 8, 2\)"),
        (np.zeros((3, 8, 8), int), [0, 1, 0], "expected uint8 or floating-point pixels, found int64"),
        (np.full((3, 8, 8), 7.0), [0, 1, 0], "expected pixels from 0 to 1, found 7.0 to 7.0"),
        (np.full((3, 8, 8), np.nan), [0, 1, 0], "expected pixels from 0 to 1, found nan to nan"),
        (np.zeros((3, 8, 8)), [0, 1], r"labels: expected one for each of 3 pictures, found \(2,\)"),
        (np.zeros((0, 8, 8)), [], "labels: expected one for each of 0 pictures"),
    ],
    ids=["flat", "tiny", "two channels", "integers", "bright", "nan", "labels", "none"],
)
def test_what_it_cannot_learn_from(pictures: Any, labels: Any, says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        network().fit(pictures, labels)


def test_pictures_of_another_size_are_refused(learnt: Any) -> None:
    with pytest.raises(ArgumentError, match="expected pictures of 12 x 12 as learnt, found pictures of 9 x 12"):
        learnt.predict_proba(np.zeros((2, 9, 12), np.uint8))
    with pytest.raises(ArgumentError, match="expected pictures of 12 x 12 as pretrained, found pictures of 8 x 8"):
        network().pretrain(*strokes(30)).fit(np.zeros((2, 8, 8), np.uint8), [0, 1])


def test_no_result_comes_of_training_that_diverges() -> None:
    with pytest.raises(ArgumentError, match="learning_rate: training diverged"):
        network(learning_rate=1e30, epochs=3).fit(*strokes(300))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"epochs": 0}, "epochs: expected a number above zero, found 0"),
        ({"learning_rate": -1.0}, "learning_rate: expected a number above zero"),
        ({"device": "abacus"}, "device: expected one that PyTorch can use here, found 'abacus'"),
        ({"device": "cuda:99"}, "device: expected one that PyTorch can use here, found 'cuda:99'"),
    ],
)
def test_settings_that_make_no_sense(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        network(**options).fit(*strokes(30))
