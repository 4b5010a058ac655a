"""Which examples a browser looks for in a visitor's own copy of a dataset."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.serving import serving


@pytest.fixture(scope="module")
def bare(release_catalogue: Path) -> Iterator[httpx.Client]:
    """A client of the site over the ten datasets without media."""
    with serving(release_catalogue) as site, httpx.Client(base_url=site, timeout=30) as client:
        yield client


def test_examples_go_by_index_with_their_given_class(bare: httpx.Client, shared: Path) -> None:
    found = bare.get("/cifar100/pictures").json()
    labels = np.load(shared / "label-errors/original_test_labels/cifar100_test_set_original_labels.npy")
    assert (found["title"], found["size"], found["layout"]) == ("CIFAR-100", 10_000, "cifar100")
    assert len(found["examples"]) == 2_235
    assert all(key is None and labels[index] == given for index, key, given in found["examples"])
    assert found["classes"][72] == "seal"
    assert [2, None, 72] in found["examples"]


def test_examples_of_files_go_by_key(bare: httpx.Client, shared: Path) -> None:
    found = {index: (key, given) for index, key, given in bare.get("/imagenet/pictures").json()["examples"]}
    records = json.loads((shared / "label-errors/mturk/imagenet_mturk.json").read_text())
    stems = {one["url"].rpartition("/")[2].removesuffix(".JPEG"): one["given_original_label"] for one in records}
    assert len(found) == 5_440
    assert dict(found.values()) == stems


def test_typical_examples_are_looked_for_too(real: httpx.Client, shared: Path) -> None:
    found = real.get("/cifar10/pictures").json()["examples"]
    issues = {record["id"] for record in json.loads((shared / "label-errors/mturk/cifar10_mturk.json").read_text())}
    beside = [one for one in found if one[0] not in issues]
    assert len(found) == len(issues) + len(beside) == 275 + 40
    assert sorted(given for _, _, given in beside) == sorted([*range(10)] * 4)


@pytest.mark.parametrize("name", ["20news", "audioset", "nothing-here"])
def test_what_no_browser_reads_has_no_list(bare: httpx.Client, name: str) -> None:
    assert bare.get(f"/{name}/pictures").status_code == 404


def test_only_pages_that_lack_pictures_may_show_others(bare: httpx.Client, real: httpx.Client) -> None:
    for path in ("/cifar10", "/cifar10/issues/2405"):
        lacking = bare.get(path).headers["content-security-policy"]
        assert "img-src 'self' data: blob:;" in lacking
        assert "frame-src 'self'" in lacking
        whole = real.get(path).headers["content-security-policy"]
        assert "blob:" not in whole
        assert "frame-src" not in whole
        assert "labelerrors.com" not in lacking + whole
    for path in ("/", "/cifar100/classes", "/20news", "/audioset"):
        assert "blob:" not in bare.get(path).headers["content-security-policy"], path


def test_a_picture_of_another_host_stands_on_a_page_of_its_own(bare: httpx.Client) -> None:
    page = bare.get("/imagenet/issues/0/picture")
    policy = page.headers["content-security-policy"].split("; ")
    assert "img-src https://labelerrors.com" in policy
    assert "frame-ancestors 'self'" in policy
    assert "default-src 'none'" in policy
    assert not any(one.startswith("script-src") for one in policy)
    there = "https://labelerrors.com/static/imagenet/val/n01440764/ILSVRC2012_val_00000293.JPEG"
    assert f'<img src="{there}" alt="Example 0" referrerpolicy="no-referrer">' in page.text


@pytest.mark.parametrize("path", ["amazon/issues/22360", "audioset/issues/2", "imagenet/issues/1", "imagenet/issues/x"])
def test_what_is_no_picture_there_has_no_such_page(bare: httpx.Client, path: str) -> None:
    assert bare.get(f"/{path}/picture").status_code == 404
