"""Write the embedded sample: three small datasets, one per modality, in the form of a user's own dataset.

    sample-digits/
      dataset.toml    the manifest, word for word that of data/sample
      labels.npy      (n,) given labels, with errors planted among them
      pred_probs.npy  (n, m) out-of-sample probabilities from a real cross-validation, kept in data/sample
      weights.npz     words and the weights of linear models, for the texts
      votes.json      answers of simulated raters about most of the flagged examples
      planted.json    the true label of each example: for tests, read by nothing else
      media/          one file per example, sorted by name in the order of the examples
      models/         predictions of other models, for the digits

The same bytes come out every time. Nothing is ingested here; that is done as for any other dataset.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.package_files import DATA
from ingest.errors import DataError
from ingest.flagging.engine import FlagResult, flag
from ingest.manifest.model import Manifest
from ingest.manifest.parse import read_manifest
from ingest.matrices.matrix import open_matrix
from ingest.sample import digits, sounds, texts
from ingest.sample.draft import Draft
from ingest.sample.learnt import Learnt
from ingest.sample.models import write_models
from ingest.sample.planted_errors import planted_labels
from ingest.sample.raters import reviewed, votes

TEMPLATES: Final = DATA / "sample"
#: The learnt results of each dataset, NAME.npz.
LEARNT: Final = TEMPLATES / "learnt"


class Sample(NamedTuple):
    """A dataset of the sample: the function that makes its examples, and its random seed."""

    make: Callable[[Manifest, np.random.Generator], Draft]
    seed: int


#: Name of its manifest -> a dataset.
SAMPLES: Final[dict[str, Sample]] = {
    "digits": Sample(lambda _, rng: digits.draft(TEMPLATES / "digits.npz", rng), 1998),
    "texts": Sample(lambda it, rng: texts.draft(TEMPLATES / "texts.jsonl", it.classes.names, rng), 4),
    "sounds": Sample(lambda it, rng: sounds.draft(it.classes.names, rng), 2),
}


def write_sample(folder: Path) -> list[Path]:
    """Write each sample dataset into a subfolder of ``folder``, and return the paths of their manifests.

    A manifest's files are in its own folder: readers are given the manifest and its parent folder. Files of an earlier
    call are replaced. Raises DataError if the examples differ from those that were learnt from.
    """
    manifests = []
    for name in SAMPLES:
        manifest, draft, given, rng = drawn(name)
        learnt = Learnt.read(LEARNT / f"{name}.npz")
        if not np.array_equal(given, learnt.given):
            # A future numpy may draw others from the same seed.
            finding = f"expected what was learnt from the labels that numpy {np.__version__} draws, found other labels"
            raise DataError(LEARNT / f"{name}.npz", f"{finding}; python -m ingest.sample.train learns anew")
        target = folder / manifest.name
        target.mkdir(parents=True, exist_ok=True)
        _write_dataset(target, manifest, draft, learnt, rng)
        manifests.append(target / "dataset.toml")
        manifests[-1].write_text(manifest.text, encoding="utf-8")
    return manifests


def drawn(name: str) -> tuple[Manifest, Draft, NDArray[np.uint16], np.random.Generator]:
    """The examples of a dataset, a key of ``SAMPLES``, their (n,) given labels, and the random generator."""
    manifest = read_manifest(TEMPLATES / f"{name}.toml")
    rng = np.random.default_rng(SAMPLES[name].seed)
    draft = SAMPLES[name].make(manifest, rng)
    return manifest, draft, planted_labels(draft, rng), rng


def _write_dataset(target: Path, manifest: Manifest, draft: Draft, learnt: Learnt, rng: np.random.Generator) -> None:
    given = learnt.given
    np.save(target / "labels.npy", given)
    np.save(target / "pred_probs.npy", learnt.probabilities)
    if learnt.words:
        np.savez_compressed(target / "weights.npz", **learnt.words)  # type: ignore[arg-type]
    # Read back, so that raters are shown exactly what an ingest of these files will flag.
    matrix = open_matrix([target / "pred_probs.npy"], len(given), len(draft.confusable), logits=False)
    flagging = flag(given.astype(np.int64), matrix, manifest.flag, lambda _: None)
    _write_json(target / "votes.json", _records(manifest, draft, given.tolist(), flagging, rng))
    _write_json(target / "planted.json", [sorted(truth) for truth in draft.truth])
    write_models(target, manifest.name, learnt.rivals)
    media = target / "media"
    media.mkdir(exist_ok=True)
    for index, content in enumerate(draft.media):
        (media / f"{index:04}{draft.ending}").write_bytes(content)


def _records(
    manifest: Manifest, draft: Draft, given: list[int], flagging: FlagResult, rng: np.random.Generator
) -> list[dict[str, object]]:
    """The votes, one record per reviewed example, in the form of the published votes files."""
    names = manifest.classes.names
    return [
        {
            "id": index,
            "given_original_label": given[index],
            "given_original_label_name": names[given[index]],
            "our_guessed_label": guessed,
            "our_guessed_label_name": names[guessed],
            "mturk": votes(draft, index, given[index], guessed, manifest.raters, rng),
        }
        for index in reviewed(flagging.flagged, rng)
        # If the guess is the given label, there is nothing to ask.
        if (guessed := int(flagging.guesses[index])) != given[index]
    ]


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
