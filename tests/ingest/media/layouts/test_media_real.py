"""The datasets' own distributions, read whole: which example is which must be beyond doubt."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ingest.media import MediaItem, MediaProblem, MediaSource, excerpt, open_media

NEWS = {"order": "sorted", "shuffle_seeds": [0, 42]}


def opened(layout: str, shared: Path, **options: object) -> MediaSource:
    source = open_media(layout, shared / "media", options)
    assert source is not None, f"{layout} must lie in {shared / 'media'}"
    return source


def given_labels(shared: Path, dataset: str) -> np.ndarray:
    return np.load(shared / f"label-errors/original_test_labels/{dataset}_test_set_original_labels.npy")


def images(source: MediaSource, wanted: list[int]) -> dict[int, np.ndarray]:
    found = list(source.items(dict.fromkeys(wanted)))
    assert not [str(one) for one in found if isinstance(one, MediaProblem)]
    assert len(found) == 2 * len(wanted)
    pictures = {}
    for item in found:
        if isinstance(item, MediaItem) and item.kind == "image":
            with Image.open(io.BytesIO(item.data)) as image:
                pictures[item.index] = np.asarray(image)
    return pictures


def texts(source: MediaSource, wanted: dict[int, str | None]) -> dict[int, str]:
    found = list(source.items(wanted))
    assert not [str(one) for one in found if isinstance(one, MediaProblem)]
    return {one.index: one.text for one in found if isinstance(one, MediaItem) and one.text is not None}


def test_mnists_images_are_those_of_the_labels(shared: Path) -> None:
    """A template of each digit, made of every tenth image, names most of another tenth."""
    labels = given_labels(shared, "mnist")
    source = opened("mnist-idx", shared)
    pictures = images(source, [i for i in range(10_000) if i % 10 < 2])
    rows = {part: np.array([pictures[i] for i in range(part, 10_000, 10)], float).reshape(1000, -1) for part in (0, 1)}
    templates = np.array([rows[0][labels[0::10] == digit].mean(axis=0) for digit in range(10)])
    distances = ((rows[1][:, None, :] - templates[None]) ** 2).sum(axis=2)
    assert (distances.argmin(axis=1) == labels[1::10]).mean() > 0.75
    assert pictures[0].shape == (28, 28)
    assert pictures[0][0, 0] == 0, "white on black, as published"


def test_cifars_label_bytes_are_the_labels_of_the_release(shared: Path) -> None:
    assert opened("cifar10", shared).labels() == given_labels(shared, "cifar10").tolist()


def test_cifars_2405_is_the_green_frog_labelled_cat(shared: Path) -> None:
    names = json.loads((shared / "label-errors/class_names.json").read_text())["cifar10_test_set"]
    assert names[given_labels(shared, "cifar10")[2405]] == "cat"
    frog = images(opened("cifar10", shared), [2405])[2405]
    assert frog.shape == (32, 32, 3)
    red, green, blue = frog[8:26, 8:26].reshape(-1, 3).astype(float).mean(axis=0)
    assert green > red > blue
    assert green > 1.3 * blue


def test_20news_folders_are_the_labels_of_the_release(shared: Path) -> None:
    folders = opened("20news-bydate", shared, **NEWS).labels()
    assert folders is not None
    groups = sorted(set(folders))
    assert len(groups) == 20
    assert [groups.index(folder) for folder in folders] == given_labels(shared, "20news").tolist()


def test_20news_posts_are_read_whole(shared: Path) -> None:
    posts = texts(opened("20news-bydate", shared, **NEWS), dict.fromkeys(range(7_532)))
    assert len(posts) == 7_532
    assert "\nSubject: Mac LCII 4/80 for sale\n" in posts[38]
    assert excerpt(posts[38]).startswith(
        "Mac LCII 4/80 for sale — I have a mac LCII 4/80 purchased last august. Just the"
    )
    assert all(0 < len(excerpt(post)) <= 320 for post in posts.values())
    assert any("é" in post or "ü" in post for post in posts.values()), "Latin-1"


@pytest.mark.parametrize("ending", ["", ".txt"])
def test_imdbs_reviews_are_found_by_key(shared: Path, ending: str) -> None:
    names = json.loads((shared / "label-errors/dataset_indexing/imdb_test_set_index_to_filename.json").read_text())
    wanted = {i: name.removesuffix(".txt") + ending for i, name in enumerate(names) if i % 500 == 0}
    reviews = texts(opened("aclimdb", shared), dict(wanted))
    assert set(reviews) == set(wanted)
    assert names[0] == "neg/9641_4.txt"
    assert reviews[0].startswith("My mistake for thinking this was a serious war-is-hell movie prior to seeing it.")
    assert not any("<br" in review for review in reviews.values())
    assert any("\n\n" in review for review in reviews.values())


def test_every_reviewed_imdb_review_is_there(shared: Path) -> None:
    records = json.loads((shared / "label-errors/mturk/imdb_mturk.json").read_text())
    wanted = {i: record["id"].removeprefix("test/") for i, record in enumerate(records)}
    assert len(texts(opened("aclimdb", shared), dict(wanted))) == 1_310
