"""The embedded sample: three small datasets, one a modality, in the form that any user's own dataset has.

    sample-digits/
      dataset.toml    the manifest, word for word that of data/sample
      labels.npy      (n,) given labels, with errors planted among them
      pred_probs.npy  (n, m) out-of-sample probabilities from a real cross-validation
      weights.npz     words and the weights of linear models, for the texts
      votes.json      answers of simulated raters about most of the flagged examples
      planted.json    what each example truly is: for tests, read by nothing else
      media/          one file an example, the order of their names being that of the examples
      models/         predictions of other models, for the digits

The same bytes come out every time on one machine. Nothing here is ingested; that is done as for any other dataset.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from app.package_files import DATA
from ingest.flagging.engine import Flagging, flag
from ingest.manifest.parse import Manifest, read_manifest
from ingest.matrices.matrix import open_matrix
from ingest.sample import digits, sounds, texts
from ingest.sample.draft import Draft
from ingest.sample.learning import cross_validated, write_weights
from ingest.sample.models import write_models
from ingest.sample.planting import planted_labels
from ingest.sample.raters import reviewed, votes

TEMPLATES: Final = DATA / "sample"

Maker = Callable[[Manifest, np.random.Generator], Draft]

#: Manifest -> who makes its examples, and the seed of everything that is drawn for it.
_SAMPLES: Final[dict[str, tuple[Maker, int]]] = {
    "digits.toml": (lambda _, rng: digits.draft(rng), 1998),
    "texts.toml": (lambda manifest, rng: texts.draft(TEMPLATES / "texts.jsonl", manifest.classes.names, rng), 4),
    "sounds.toml": (lambda manifest, rng: sounds.draft(manifest.classes.names, rng), 2),
}


def write_sample(folder: Path) -> list[Path]:
    """Write the sample's datasets into ``folder``, each into one of its own, and return the paths of their manifests.

    A manifest's files lie beside it: what reads them is told the manifest and its parent folder. Takes a few seconds.
    Files of an earlier call are replaced.
    """
    manifests = []
    for template, (make, seed) in _SAMPLES.items():
        manifest = read_manifest(TEMPLATES / template)
        target = folder / manifest.name
        target.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(seed)
        _write_dataset(target, manifest, make(manifest, rng), seed, rng)
        manifests.append(target / "dataset.toml")
        manifests[-1].write_text(manifest.text, encoding="utf-8")
    return manifests


def _write_dataset(target: Path, manifest: Manifest, draft: Draft, seed: int, rng: np.random.Generator) -> None:
    given = planted_labels(draft, rng)
    np.save(target / "labels.npy", given)
    learnt = cross_validated(draft, given, seed)
    np.save(target / "pred_probs.npy", learnt.probabilities)
    write_weights(target / "weights.npz", draft, learnt)
    # Read back, so that raters are shown exactly what an ingest of these files will flag.
    matrix = open_matrix([target / "pred_probs.npy"], len(given), len(draft.confusable), logits=False)
    flagging = flag(given.astype(np.int64), matrix, manifest.flag, lambda _: None)
    _write_json(target / "votes.json", _records(manifest, draft, given.tolist(), flagging, rng))
    _write_json(target / "planted.json", [sorted(truth) for truth in draft.truth])
    write_models(target, manifest.name, draft, given.astype(np.int64), seed)
    media = target / "media"
    media.mkdir(exist_ok=True)
    for index, content in enumerate(draft.media):
        (media / f"{index:04}{draft.ending}").write_bytes(content)


def _records(
    manifest: Manifest, draft: Draft, given: list[int], flagging: Flagging, rng: np.random.Generator
) -> list[dict[str, object]]:
    """The votes, one record a reviewed example, in the form of the published votes files."""
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
        # Where the guess is the given label, there is nothing to ask.
        if (guessed := int(flagging.guesses[index])) != given[index]
    ]


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
