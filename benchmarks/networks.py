"""How good the networks of the extra ``[torch]`` are on the real test sets, and how many known errors they find.

    python -m benchmarks.networks mnist FOLDER [--writers] [--seeds 0 1 2] [--folds 10]
    python -m benchmarks.networks texts FOLDER
    python -m benchmarks.networks cifar10 FOLDER --features FILE

FOLDER holds the release (``label-errors``), the test sets (``media``) and QMNIST's writers (``groups``). Each matrix is
out-of-sample by ten stratified folds, or as many as said. Known errors are the examples of which fewer than three of
five reviewers chose the given label; they are counted among those of lowest normalized margin, and only after the model
was chosen by its accuracy or log-loss. FILE has (10000, d) features of CIFAR-10's test pictures, from any network. Each
result is a line of JSON.
"""

import argparse
import gzip
import json
import tarfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

FOLDS = 10
DIGITS = "media/t10k-images-idx3-ubyte.gz"
WRITERS = "groups/qmnist-test-labels-idx2-int.gz"


def out_of_sample(make: Callable[[], Any], inputs: Any, labels: Any, groups: Any, folds: int, seed: int) -> Any:
    """(n, m) probabilities, each row by a model that did not learn from it."""
    deal = StratifiedKFold if groups is None else StratifiedGroupKFold
    probs = np.zeros((len(labels), labels.max() + 1))
    for learnt, held_out in deal(folds, shuffle=True, random_state=seed).split(labels, labels, groups):
        model = make().fit(inputs[learnt], labels[learnt])
        probs[np.ix_(held_out, model.classes_)] = model.predict_proba(inputs[held_out])
    return probs


def margins(probs: Any, labels: Any) -> Any:
    """(n,) normalized margins: low is suspect."""
    rows = np.arange(len(labels))
    others = probs.copy()
    others[rows, labels] = -1
    return probs[rows, labels] - others.max(axis=1)


def known_errors(folder: Path, name: str) -> set[int]:
    """Examples whose given label fewer than three of five reviewers chose; only for ids that are numbers of rows."""
    reviewed = json.loads((folder / f"label-errors/mturk/{name}_mturk.json").read_text(encoding="utf-8"))
    return {int(one["id"]) for one in reviewed if one["mturk"]["given"] < 3}


def result(probs: Any, labels: Any, errors: set[int], tops: Sequence[int]) -> dict[str, Any]:
    order = np.argsort(margins(probs, labels), kind="stable")
    found = {f"top {top}": len(errors.intersection(order[:top].tolist())) for top in tops}
    accuracy = float((probs.argmax(axis=1) == labels).mean())
    return {"accuracy": round(accuracy, 4), "known errors": len(errors), **(found if errors else {})}


def digits(folder: Path) -> tuple[Any, Any, Any]:
    """MNIST's test pictures, their labels, and who wrote each."""
    pixels = np.frombuffer(gzip.decompress((folder / DIGITS).read_bytes()), np.uint8, offset=16).reshape(-1, 28, 28)
    table = np.frombuffer(gzip.decompress((folder / WRITERS).read_bytes()), ">i4", offset=12).reshape(-1, 8)
    return pixels, table[: len(pixels), 0].astype(np.int64), table[: len(pixels), 2]


def mnist(folder: Path, seeds: Sequence[int], writers: bool, folds: int) -> None:
    from ingest.predicting.networks.small_images import SmallImageNetwork

    pixels, labels, groups = digits(folder)
    for seed in seeds:
        start, processor = time.perf_counter(), time.process_time()
        probs = out_of_sample(
            lambda seed=seed: SmallImageNetwork(seed=seed, threads=1),
            pixels,
            labels,
            groups if writers else None,
            folds,
            seed,
        )
        say(
            "mnist",
            result(probs, labels, known_errors(folder, "mnist"), (100,)),
            start,
            processor,
            seed=seed,
            writers=writers,
        )


def texts(folder: Path, every: int) -> None:
    from ingest.predicting.models import chosen_models
    from ingest.predicting.networks.sentences import SentenceModel

    (words_model,) = chosen_models(["words"], "texts")
    for name in ("20news", "imdb"):
        contents, labels = texts_of(folder, name, every)
        for words, model, make in (
            ("words", words_model.estimator(0, 1), lambda: words_model.estimator(0, 1)),
            ("minilm", SentenceModel(threads=1), SentenceModel),
            ("minilm in bfloat16", SentenceModel(threads=1, half=True), SentenceModel),
        ):
            start, processor = time.perf_counter(), time.process_time()
            probs = out_of_sample(make, model.prepare(contents), labels, None, FOLDS, 0)
            say(name, result(probs, labels, set(), ()), start, processor, texts=len(labels), model=words)


def texts_of(folder: Path, name: str, every: int) -> tuple[list[str], Any]:
    """Each ``every``-th text of a test set, and the number of the class that its folder is called after."""
    file, encoding = {"20news": ("20news-bydate-test", "latin-1"), "imdb": ("aclImdb-test", "utf-8")}[name]
    contents, classes = [], []
    with tarfile.open(folder / f"media/{file}.tar.gz") as archive:
        members = [
            one for one in archive if one.isfile() and (name == "20news" or one.name.split("/")[-2] in ("neg", "pos"))
        ]
        for member in members[::every]:
            if (stream := archive.extractfile(member)) is not None:
                contents.append(stream.read().decode(encoding))
                classes.append(member.name.split("/")[-2])
    return contents, np.unique(classes, return_inverse=True)[1].astype(np.int64)


def cifar10(folder: Path, features_file: Path) -> None:
    from ingest.predicting.estimators.feature_model import features

    with tarfile.open(folder / "media/cifar-10-batches-bin-test.tar.xz") as archive:
        (member,) = [one for one in archive if one.name.endswith("test_batch.bin")]
        stream = archive.extractfile(member)
        records = np.frombuffer(stream.read() if stream else b"", np.uint8).reshape(-1, 3073)
    labels = records[:, 0].astype(np.int64)
    start, processor = time.perf_counter(), time.process_time()
    probs = out_of_sample(lambda: features(0), np.load(features_file), labels, None, FOLDS, 0)
    found = result(probs, labels, set(), ())
    # How many people of CIFAR-10H reject the given label of what is most suspect, as of the published matrix.
    counts = np.load(folder / "opinions/cifar10/cifar10h-counts.npy")
    rejected = counts[np.arange(len(labels)), labels] < counts.sum(axis=1) / 2
    suspects = np.argsort(margins(probs, labels), kind="stable")[:275]
    more = {"rejected": int(rejected.sum()), "among 275": int(rejected[suspects].sum())}
    say("cifar10", found | more, start, processor)


def say(name: str, found: dict[str, Any], start: float, processor: float, **more: Any) -> None:
    spent = {"seconds": round(time.perf_counter() - start), "processor": round(time.process_time() - processor)}
    print(json.dumps({"dataset": name, **more, **found, **spent}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["mnist", "texts", "cifar10"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--writers", action="store_true")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--folds", type=int, default=FOLDS)
    parser.add_argument("--every", type=int, default=1, help="only each so-manieth text")
    parser.add_argument("--features", type=Path)
    options = parser.parse_args()
    if options.what == "mnist":
        mnist(options.folder, options.seeds, options.writers, options.folds)
    elif options.what == "texts":
        texts(options.folder, options.every)
    else:
        cifar10(options.folder, options.features)


if __name__ == "__main__":
    main()
