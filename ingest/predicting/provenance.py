"""How a matrix of probabilities came about, as a JSON file beside it: enough to judge it and to make it again.

Nothing in it depends on when or how fast it was made, so the same run writes the same bytes.
"""

import hashlib
import importlib.metadata
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from app import __version__
from app.domain.confident_learning.probability_quality import Quality
from app.schema.prediction_report import MOST_PAIRS
from ingest.datasets.suspects import averaged_models
from ingest.errors import DataError, writing
from ingest.predicting.cross_validation import OutOfSample
from ingest.predicting.groups import Groups
from ingest.predicting.near_duplicates import Pair

FILE: Final = "pred_probs.json"


@dataclass(frozen=True)
class Result:
    """All that is told of a finished cross-validation."""

    inputs: Mapping[str, str]  # the name of each file that was learnt from, and its SHA-256
    seed: int
    threads: int
    versions: Mapping[str, str]
    n_train: int
    tried: Sequence[OutOfSample]
    chosen: Sequence[OutOfSample]
    quality: Quality  # of what was written, and that in each fold
    by_fold: Sequence[Quality]
    temperatures: Sequence[float] | None
    groups: Groups
    ungrouped_accuracy: float | None
    pairs: Sequence[Pair]
    different: Sequence[Pair]  # near-duplicates with different labels
    few: Mapping[str, int]  # classes with fewer examples than folds, by name
    warnings: Sequence[str]
    remarks: Sequence[str]

    @property
    def listed(self) -> Sequence[Pair]:
        """Those of the pairs with different labels that are written, and so become issues."""
        return self.different[:MOST_PAIRS]


def versions() -> dict[str, str]:
    """Those of Python and of the packages that learning depends on."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("numpy", "scipy", "scikit-learn", "torch"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def write_provenance(path: Path, result: Result, matrix: Path, shape: tuple[int, int]) -> None:
    """Write the file, replacing it in one step."""
    about = {"file": matrix.name, "sha256": _sha256(matrix), "rows": shape[0], "classes": shape[1]}
    told = _told(result) | {"matrix": about}
    if len(result.chosen) > 1:
        told[averaged_models.KEY] = {
            "file": averaged_models.FILE,
            "sha256": _sha256(matrix.with_name(averaged_models.FILE)),
        }
    part = path.with_name(f".{path.name}.part")
    with writing(path):
        part.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(path)


def require_own(matrix: Path, *told: Path) -> None:
    """Raises DataError if there is a matrix that was not made as one of these files tells: it would be lost."""
    if not matrix.exists():
        return
    found = _sha256(matrix)
    if found not in map(_sha256_told, told):
        finding = "was not made by label-errors predict, which would replace it; move it away, or say --replace"
        raise DataError(matrix, finding)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sha256_told(path: Path) -> str | None:
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["matrix"]["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _told(result: Result) -> dict[str, Any]:
    chosen = {one.model.name for one in result.chosen}
    groups = result.groups
    return {
        "made_by": f"label-errors predict {__version__}",
        "versions": dict(result.versions),
        "seed": result.seed,
        "threads": result.threads,
        "inputs": dict(result.inputs),
        "train_examples": result.n_train,
        "quality": asdict(result.quality),
        "by_fold": [
            asdict(one) | ({} if result.temperatures is None else {"temperature": result.temperatures[fold]})
            for fold, one in enumerate(result.by_fold)
        ],
        "models": [
            {
                "name": one.model.name,
                "says": one.model.says,
                "chosen": one.model.name in chosen,
                "deals": len(one.deals),
            }
            | asdict(one.quality)
            for one in result.tried
        ],
        "groups": {
            "by": groups.said,
            "examples_in_groups": groups.shared,
            "accuracy_without": result.ungrouped_accuracy,
        },
        "near_duplicates": {
            "pairs": len(result.pairs),
            "n_different": len(result.different),
            "different_labels": [[one.first, one.second, one.similarity] for one in result.listed],
        },
        "few_examples": dict(result.few),
        "warnings": list(result.warnings),
        "remarks": list(result.remarks),
    }
