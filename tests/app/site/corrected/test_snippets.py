"""All code that a corrected test set's page shows is run, for every dataset; every label that it gives is the API's.

Loaders are the real ones where they are installed (scikit-learn, NumPy, csv), and else stand-ins that read their labels
where the real ones read them. The public data that are here, names of files and labels, are what they load.
"""

import csv
import html
import io
import json
import os
import pickle
import re
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sklearn.utils import Bunch

from ingest.commands.main import main
from ingest.labels.safe_pickle import load_arrays
from tests.app.site.corrected import loaders
from tests.serving import serving

MANIFESTS = Path(__file__).resolve().parents[4] / "data/datasets"
#: What names the example of an item, from its x: an index, or a key.
Name = Callable[[Any], int | str]


def snippets_of(client: httpx.Client, address: str) -> dict[str, str]:
    text = client.get(address).text
    found = re.findall(r'aria-labelledby="(\w+)" data-copy><code>(.*?)</code>', text, re.DOTALL)
    return {name: html.unescape(code) for name, code in found}


@cache
def labels_of(client: httpx.Client, name: str, query: str = "") -> dict[int | str, Any]:
    """Index, and key, of each example -> the corrected label's id, or ids, by the API; those left out are not there."""
    size = client.get(f"/api/v1/datasets/{name}").json()["size"]
    found: dict[int | str, Any] = {}
    for first in range(0, size, 10_000):
        wanted = list(range(first, min(size, first + 10_000)))
        for row in client.post(f"/api/v1/datasets/{name}/labels?{query}", json=wanted).json()["items"]:
            now = row["corrected"]
            if now is not None:
                label = [c["id"] for c in now] if isinstance(now, list) else now["id"]
                found[row["index"]] = label
                if row["key"] is not None:
                    found[row["key"]] = label
    return found


def differing(corrected: Any, name: Name, labels: dict[int | str, Any]) -> int:
    """How many items have another label than their example; every item must be of an example that is kept."""
    items = [corrected[i] for i in range(len(corrected))]
    return sum(labels[name(x)] != y for x, y in items)


def run(code: str, **names: Any) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "snippet", **names}
    exec(compile(code, "snippet", "exec"), space)
    return space


def given_labels(shared: Path, name: str) -> list[int]:
    found: list[int] = np.load(shared / f"label-errors/original_test_labels/{name}_original_labels.npy").tolist()
    return found


def index_of(shared: Path, name: str) -> list[str]:
    found: list[str] = json.loads((shared / f"label-errors/dataset_indexing/{name}.json").read_text())
    return found


def arrays(name: str) -> Callable[[Path, Path, pytest.MonkeyPatch], Name]:
    def prepare(shared: Path, _: Path, monkeypatch: pytest.MonkeyPatch) -> Name:
        def load(root: str, *, train: bool, download: bool) -> loaders.Arrays:
            assert (root, train, download) == ("data", False, True)
            return loaders.Arrays(given_labels(shared, f"{name.lower()}_test_set"))

        loaders.install(monkeypatch, **{name: load})
        return int

    return prepare


def imagenet_files(shared: Path) -> list[str]:
    """The files of the validation set as a disk lists them, in no order at all."""
    files = index_of(shared, "imagenet_val_set_index_to_filepath")
    return [files[i] for i in np.random.default_rng(0).permutation(len(files))]


def imagenet(shared: Path, _: Path, monkeypatch: pytest.MonkeyPatch) -> Name:
    def load(root: str, *, split: str) -> loaders.Folder:
        assert (root, split) == ("imagenet", "val")
        return loaders.Folder(imagenet_files(shared))

    loaders.install(monkeypatch, ImageNet=load)
    return lambda path: Path(path).stem


def caltech(shared: Path, _: Path, monkeypatch: pytest.MonkeyPatch) -> Name:
    sizes: dict[str, int] = {"257.clutter": 827}
    for file in index_of(shared, "caltech256_index_to_filename"):
        category = file.partition("/")[0]
        sizes[category] = sizes.get(category, 0) + 1

    def load(root: str, *, download: bool) -> loaders.Caltech:
        assert (root, download) == ("data", True)
        found = loaders.Caltech(sizes)
        assert len(found) == 30_607
        return found

    loaders.install(monkeypatch, Caltech256=load)
    return str


def posts(shared: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Name:
    """What scikit-learn keeps of its download: the posts of the sorted folders, shuffled as ``load_files`` does."""
    with tarfile.open(shared / "media/20news-bydate-test.tar.gz") as archive:
        texts = {m.name: archive.extractfile(m).read().decode("latin1") for m in archive if m.isfile()}  # type: ignore[union-attr]
    names = sorted(texts, key=lambda name: name.split("/")[-2:])
    groups = sorted({name.split("/")[-2] for name in names})
    order = np.arange(len(names))
    np.random.RandomState(0).shuffle(order)
    filenames = np.array(names)[order]
    cache = Bunch(
        data=[texts[name] for name in filenames],
        filenames=filenames,
        target_names=groups,
        target=np.array([groups.index(name.split("/")[-2]) for name in filenames]),
    )
    (folder / "20news-bydate_py3.pkz").write_bytes(zlib.compress(pickle.dumps({"train": cache, "test": cache}), 1))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(folder))
    again = np.arange(len(names))
    np.random.RandomState(42).shuffle(again)
    of_text = {texts[name]: index for index, name in enumerate(filenames[again])}
    assert "Mac LCII 4/80 for sale" in next(text for text, index in of_text.items() if index == 38)
    assert len(of_text) == 7_532
    return of_text.__getitem__


def reviews(shared: Path, folder: Path, _: pytest.MonkeyPatch) -> Name:
    """The folder of the archive, each file holding its own name."""
    with tarfile.open(shared / "media/aclImdb-test.tar.gz") as archive:
        names = [m.name for m in archive if m.isfile() and m.name.endswith(".txt") and m.name.count("/") == 3]
    assert len(names) == 25_000
    for kind in ("neg", "pos"):
        (folder / "aclImdb/test" / kind).mkdir(parents=True)
    for name in names:
        (folder / name).write_text(name)
    return lambda text: text.removeprefix("aclImdb/test/").removesuffix(".txt")


def clips(shared: Path, folder: Path, _: pytest.MonkeyPatch) -> Name:
    """AudioSet's own tables, in another order, and its clips but for five that are no longer to be had."""
    table = (shared / "label-errors/class_labels_indices.csv").read_text()
    (folder / "class_labels_indices.csv").write_text(table)
    mids = [row["mid"] for row in csv.DictReader(io.StringIO(table))]
    entries = index_of(shared, "audioset_eval_set_index_to_youtube_id")
    keys = [entry.split("/")[-1].partition("?")[0] for entry in entries]
    lines = ["# Segments csv", "# num_ytids=20371", "# YTID, start_seconds, end_seconds, positive_labels"]
    given = given_sets(shared)
    for i in sorted(range(len(keys)), key=keys.__getitem__):
        labels = ",".join(mids[c] for c in reversed(given[i]))
        lines.append(f'{keys[i]}, 30.000, 40.000, "{labels}"')
    (folder / "eval_segments.csv").write_text("\n".join(lines) + "\n")
    (folder / "eval_segments").mkdir()
    for key in keys[5:]:
        (folder / "eval_segments" / f"{key}.wav").touch()
    return lambda path: path.stem


def given_sets(shared: Path) -> list[list[int]]:
    path = shared / "label-errors/original_test_labels/audioset_eval_set_original_labels.npy"
    with path.open("rb") as file:
        found: Any = load_arrays(file, path.name)
    return [sorted(map(int, labels)) for labels in found]


#: Dataset -> what makes its loader work here and says what an item's x is called.
LOADED = {
    "mnist": arrays("MNIST"),
    "cifar10": arrays("CIFAR10"),
    "cifar100": arrays("CIFAR100"),
    "caltech256": caltech,
    "imagenet": imagenet,
    "20news": posts,
    "imdb": reviews,
    "audioset": clips,
}


@pytest.mark.parametrize("name", LOADED)
def test_every_label_of_the_loaders_snippet_is_the_apis(real, shared, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    named = LOADED[name](shared, tmp_path, monkeypatch)
    corrected = run(snippets_of(real, f"/{name}/corrected")["loader"])["corrected"]
    labels = labels_of(real, name)
    assert differing(corrected, named, labels) == 0
    kept = real.get(f"/api/v1/datasets/{name}/corrected.json?limit=1").json()["total"]
    assert len(corrected) == kept - (5 if name == "audioset" else 0)


def test_a_policy_with_sets_of_labels_gives_sets(real, shared, tmp_path, monkeypatch):
    query = "multi_label=both&neither=given"
    named = arrays("CIFAR100")(shared, tmp_path, monkeypatch)
    corrected = run(snippets_of(real, f"/cifar100/corrected?{query}&removed=include")["loader"])["corrected"]
    assert differing(corrected, named, labels_of(real, "cifar100", query)) == 0
    assert sum(len(label) == 2 for _, label in corrected) == 20


def test_labels_that_are_set_and_not_read_are_found_out(real, shared, monkeypatch):
    """Setting ``targets`` of a folder changes nothing: items have their given labels still."""
    loaders.install(monkeypatch)
    test_set = loaders.Folder(imagenet_files(shared))
    y = np.load(io.BytesIO(real.get("/api/v1/datasets/imagenet/corrected.npy").content))
    test_set.targets = y.tolist()
    corrected = loaders.Subset(test_set, np.flatnonzero(y >= 0).tolist())
    assert differing(corrected, lambda path: Path(path).stem, labels_of(real, "imagenet")) == 1_428


def test_another_order_is_refused(real, shared, monkeypatch):
    given = given_labels(shared, "cifar10_test_set")
    loaders.install(monkeypatch, CIFAR10=lambda *_, **__: loaders.Arrays([given[-1], *given[:-1]]))
    corrected = run(snippets_of(real, "/cifar10/corrected")["loader"])["corrected"]
    with pytest.raises(ValueError, match=r"item 0: expected the given label 3, found 7"):
        corrected[0]


@pytest.mark.parametrize("name", ["sample-digits", "sample-texts", "sample-sounds"])
def test_a_dataset_of_ones_own_has_a_snippet_for_any_test_set(client, monkeypatch, name):
    loaders.install(monkeypatch)
    labels = labels_of(client, name)
    size = client.get(f"/api/v1/datasets/{name}").json()["size"]
    rows = client.get(f"/api/v1/datasets/{name}/corrected.json?removed=include&limit=10000").json()["items"]
    test_set = [(row["index"], row["given"]["id"]) for row in rows]
    assert len(test_set) == size
    corrected = run(snippets_of(client, f"/{name}/corrected")["loader"], test_set=test_set)["corrected"]
    assert differing(corrected, int, labels) == 0
    assert len(corrected) == sum(isinstance(name, int) for name in labels) < size
    assert sum(y != test_set[i][1] for i, y in corrected) > 3


def reduced(name: str, folder: Path, classes: list[str], labels: list[int], votes: list[dict[str, Any]]) -> Path:
    """A dataset with the manifest of a published one, and made-up labels: a catalogue of it."""
    manifest = (MANIFESTS / f"{name}.toml").read_text(encoding="utf-8")
    size = re.search(r"^size = (.*)$", manifest, re.MULTILINE)
    assert size
    manifest = manifest.replace(f"= {size[1]}\n", f"= {len(labels)}\n")
    manifest = re.sub(r"^(flagged|predicted) = .*\n|^pred_probs = (\[[^]]*\]|.*)\n", "", manifest, flags=re.MULTILINE)
    for part in ("original_test_labels", "mturk"):
        (folder / part).mkdir(parents=True)
    (folder / f"{name}.toml").write_text(manifest, encoding="utf-8")
    (folder / "class_names.json").write_text(json.dumps({name: classes}))
    np.save(folder / f"original_test_labels/{name}_original_labels.npy", np.array(labels, np.uint16))
    (folder / f"mturk/{name}_mturk.json").write_text(json.dumps(votes))
    catalogue = folder / "catalogue.sqlite"
    assert main(["add", str(folder / f"{name}.toml"), str(folder), "--catalogue", str(catalogue)]) == 0
    return catalogue


@contextmanager
def site_of(catalogue: Path) -> Iterator[httpx.Client]:
    with serving(catalogue) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def test_drawings_are_found_in_the_files_of_their_classes(tmp_path, monkeypatch):
    classes = ["cat", "cat face", "The Mona Lisa"]  # the order of their files is another one
    files = {"The Mona Lisa": 3, "cat face": 5, "cat": 4}
    labels = [place for place, n in enumerate(files.values()) for _ in range(n)]
    names = list(files)
    votes = [
        {"id": i, "given_original_label": labels[i], "given_original_label_name": names[labels[i]]}
        | {"our_guessed_label": other, "our_guessed_label_name": names[other]}
        | {"mturk": {"given": 0, "guessed": guessed, "neither": 5 - guessed, "both": 0}}
        for i, other, guessed in ((0, 1, 5), (4, 2, 4), (7, 0, 0), (11, 1, 3))
    ]
    catalogue = reduced("quickdraw", tmp_path / "release", classes, labels, votes)
    (tmp_path / "numpy_bitmap").mkdir()
    first = 0
    for name, n in files.items():
        np.save(tmp_path / f"numpy_bitmap/{name}.npy", np.arange(first, first + n)[:, None].repeat(784, axis=1))
        first += n
    monkeypatch.chdir(tmp_path)
    with site_of(catalogue) as client:
        corrected = run(snippets_of(client, "/quickdraw/corrected")["loader"])["corrected"]
        found = labels_of(client, "quickdraw")
        assert differing(corrected, lambda drawing: int(drawing[0]), found) == 0
    assert [int(x[0]) for x, _ in corrected] == [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11]
    assert [y for _, y in corrected] == [1, 0, 0, 1, 2, 1, 1, 2, 2, 2, 1]


def test_reviews_are_found_in_the_lines_of_their_file(tmp_path, monkeypatch):
    labels = [2, 0, 1, 2, 2, 0]
    votes = [
        {"id": i, "given_original_label": given, "our_guessed_label": guessed, "mturk": dict(counts)}
        for i, given, guessed, counts in (
            (1, "Negative", "Positive", {"positive": 4, "negative": 1, "neutral": 0, "off-topic": 0}),
            (3, "Positive", "Neutral", {"positive": 0, "negative": 0, "neutral": 5, "off-topic": 0}),
            (4, "Positive", "Neutral", {"positive": 1, "negative": 0, "neutral": 0, "off-topic": 4}),
        )
    ]
    catalogue = reduced("amazon", tmp_path / "release", ["Negative", "Neutral", "Positive"], labels, votes)
    # Signs that some readers take for the ends of lines stand in texts.
    lines = "".join(f"__label__{2 * c + 1} {i} a\x0bb\x85c\u2028d\n" for i, c in enumerate(labels))
    (tmp_path / "amazon5core.preprocessed.txt").write_text(lines, encoding="utf-8", newline="")
    monkeypatch.chdir(tmp_path)
    with site_of(catalogue) as client:
        space = run(snippets_of(client, "/amazon/corrected")["loader"])
        found = labels_of(client, "amazon")
    corrected = space["corrected"]
    assert differing(corrected, lambda text: int(text.split()[0]), found) == 0
    assert [y for _, y in corrected] == [2, 2, 1, 1, 0]
    assert corrected[0][0] == "0 a\x0bb\x85c\u2028d"
    space["test_set"].file.close()


@pytest.mark.parametrize("name", ["quickdraw", "amazon"])
def test_where_labels_are_not_here_no_code_is_shown(real, name):
    assert snippets_of(real, f"/{name}/corrected") == {}


NAMES = ["mnist", "cifar10", "cifar100", "caltech256", "imagenet", "20news", "imdb", "audioset"]


@pytest.mark.parametrize("name", [*NAMES, "sample-digits", "sample-texts", "sample-sounds"])
def test_the_other_snippets_run_for_every_dataset(request, tmp_path, monkeypatch, name):
    import datasets

    client = request.getfixturevalue("client" if name.startswith("sample") else "real")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    found = snippets_of(client, f"/{name}/corrected?removed=include&agreement=4")
    assert set(found) == {"loader", "pandas", "numpy", "huggingface", "curl"}
    labels = labels_of(client, name, "agreement=4")
    size = client.get(f"/api/v1/datasets/{name}").json()["size"]
    table = run(found["pandas"])["test_set"]
    assert len(table) == size
    spelled = {i: "|".join(map(str, y)) if isinstance(y, list) else str(y) for i, y in labels.items()}
    assert [str(v) for v in table["corrected"]] == [spelled.get(i, "") for i in range(size)]
    assert run(found["huggingface"])["test_set"]["corrected"][:] == [labels.get(i) for i in range(size)]
    space = run(found["numpy"], predicted=np.zeros(size, int))
    if name == "audioset":
        assert np.flatnonzero(space["kept"]).tolist() == [i for i in labels if isinstance(i, int)]
        sets = [space["labels"].indices[a:b].tolist() for a, b in pairwise(space["labels"].indptr)]
        assert sets == [labels.get(i, []) for i in range(size)]
    else:
        assert space["y"].tolist() == [labels.get(i, -1) for i in range(size)]
        assert space["accuracy"] == np.mean([y == 0 for i, y in labels.items() if isinstance(i, int)])


def shell(lines: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-o", "pipefail", "-e", "-c", lines]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("query", ["", "?agreement=4&removed=include", "?multi_label=both&neither=given"])
def test_the_lines_for_a_shell_take_the_file_and_check_it(real, tmp_path, query):
    lines = snippets_of(real, f"/cifar10/corrected{query}")["curl"]
    whole = real.get(f"/api/v1/datasets/cifar10/corrected.parquet{query}").content
    done = shell(lines, tmp_path)
    assert done.returncode == 0, done.stderr
    [file] = tmp_path.iterdir()
    assert file.read_bytes() == whole
    assert done.stdout.strip() == f"{file.name}: OK"
    # Run again they give the same, whatever lies under the name: the whole file, a part of it, or another version's.
    other = real.get("/api/v1/datasets/cifar10/corrected.parquet?agreement=5").content
    for former in (whole, whole[:1000], other[:-1000], other + whole):
        file.write_bytes(former)
        again = shell(lines, tmp_path)
        assert again.returncode == 0, again.stderr
        assert file.read_bytes() == whole
    file.write_bytes(b"x" * 1000 + whole[1000:])
    damaged = shell(lines[lines.index("\ncurl") :], tmp_path)
    assert damaged.returncode == 1
    assert f"{file.name}: FAILED" in damaged.stdout


def test_the_lines_for_a_shell_on_other_pages_run(real, tmp_path):
    text = html.unescape(real.get("/api").text)
    [lines] = re.findall(r'aria-labelledby="curl"><code>(.*?)</code>', text, re.DOTALL)
    done = shell(lines, tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["items"]) == 5
    [address] = re.findall(r"/api/v1/datasets/\S+/corrected.csv", lines)
    assert (tmp_path / "corrected.csv").read_bytes() == real.get(address).content
    text = html.unescape(real.get("/cifar10/evaluate").text)
    [line] = re.findall(r'aria-label="Evaluation over the API"><code>(.*?)</code>', text, re.DOTALL)
    (tmp_path / "predictions.csv").write_text("prediction\n" + "0\n" * 10_000)
    done = shell(line, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["agreement"] == 3


@pytest.mark.slow
def test_the_lines_for_a_shell_of_the_home_page_load_the_release(client, shared, tmp_path, monkeypatch):
    """As they stand, with a ``git`` that has nothing to fetch: the clone is the release that lies here."""
    text = html.unescape(client.get("/").text)
    [lines] = re.findall(r'aria-labelledby="load"><code>(.*?)</code>', text, re.DOTALL)
    (tmp_path / "bin").mkdir()
    git = tmp_path / "bin/git"
    git.write_text(f'#!/bin/sh\n[ "$1" = clone ] && ln -s {shared / "label-errors"} label-errors\n')
    git.chmod(0o755)
    commands = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{commands}:{os.environ['PATH']}")
    done = shell(lines, tmp_path)
    assert done.returncode == 0, done.stderr
    with site_of(tmp_path / "var/catalogue.sqlite") as loaded:
        assert loaded.get("/api/v1/datasets/imagenet").json()["errors"] == 2_916
