"""``label-errors predict``: cross-validated probabilities of a dataset, from its files and labels alone."""

import argparse
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ingest.commands.arguments import whole_number
from ingest.errors import IngestError
from ingest.progress import progress_for_terminal

if TYPE_CHECKING:
    from ingest.predicting.material import Options
    from ingest.predicting.out_of_sample import Prediction

EXAMPLES: Final = """\
examples:
  %(prog)s mine/dataset.toml
  %(prog)s mine/dataset.toml --features embeddings.npy
  %(prog)s mine/dataset.toml --groups thread --calibrate
  %(prog)s mine/dataset.toml --model mymodels:forest --folds 5

Each example is judged by a model that has not seen it. DIR is where the files of the manifest are (default: beside it).
Written there, and entered in the manifest: pred_probs.npy, a row an example and a column a class; pred_probs.json, how
it came about and how good it is; and folds.parquet, which fold each example was in. A run that was stopped goes on with
its finished folds. The same files, seed and versions give the same bytes, in whatever order the examples are.

Models: auto tries those that suit and takes the one of highest accuracy. For texts: words and
phrases+characters (TF-IDF and a linear model); for tables: boosting and linear; for features: features (logistic
regression). A name module:factory is an estimator of your own with the interface of scikit-learn. Given several times,
--model averages the probabilities of all. /docs/predicting of the site, docs/predicting.md, says more, and how features
of pictures are made.

Groups are never torn apart by folds: --groups thread (mails by subject), a column of a table, a file of a JSON
list, or a pattern that finds the group in each example's name or text; by default those of the manifest.
Near-duplicates are kept together too, unless --no-near-duplicates is said; equal examples even then.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("manifest", metavar="MANIFEST.toml", type=Path, help="what the dataset is")
    parser.add_argument("folder", metavar="DIR", type=Path, nargs="?", help="where its files are (default: beside it)")
    parser.add_argument("--media", metavar="DIR", type=Path, help="where pictures, texts or sounds are (default: DIR)")
    add_choices(parser)
    parser.add_argument("--replace", action="store_true", help="replace a pred_probs.npy that something else made")


def add_choices(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how to learn."""
    says = "a model, or module:factory; given again, the mean of all (default: auto, the best that suits)"
    parser.add_argument("--model", metavar="NAME", action="append", help=says)
    parser.add_argument("--features", metavar="FILE", type=Path, help="features from any model, n rows in a .npy file")
    says = "the same of the examples of [train], in the order of their labels"
    parser.add_argument("--train-features", metavar="FILE", type=Path, help=says)
    parser.add_argument("--groups", metavar="WHICH", help="examples to keep together: thread, a column, a pattern")
    says = "let near-duplicates be in different folds, unless they are equal, and list none but these"
    parser.add_argument("--no-near-duplicates", action="store_true", help=says)
    parser.add_argument(
        "--folds",
        metavar="N",
        type=whole_number("a number of folds", 2, 1000),
        default=10,
        help="number of folds (default 10)",
    )
    parser.add_argument(
        "--deals",
        metavar="N",
        type=whole_number("a number of deals", 1, 100),
        help="deal the folds N times, and take the mean (default: 3 for models of words, else 1)",
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        type=whole_number("a whole number", 0, 2**32 - 1),
        default=0,
        help="of everything drawn (default 0)",
    )
    parser.add_argument(
        "--threads",
        metavar="N",
        type=whole_number("a number of threads", 1, 1024),
        help="threads to work in (default: one a core)",
    )
    says = "bring confidence and accuracy together by temperatures, found on the other folds"
    parser.add_argument("--calibrate", action="store_true", help=says)


def run(arguments: argparse.Namespace) -> int:
    """Predict, and say what came out of it."""
    folder = arguments.manifest.parent if arguments.folder is None else arguments.folder
    require_scikit_learn()
    from ingest.predicting.out_of_sample import predict

    media = folder if arguments.media is None else arguments.media
    found = predict(arguments.manifest, folder, media, options_of(arguments), progress_for_terminal())
    print("\n".join(report(found)))
    print(f"wrote {found.matrix}, and entered it in {arguments.manifest}")
    print(f"next: label-errors add {shlex.join(map(str, (arguments.manifest, folder, '--media', media)))}")
    return 0


def require_scikit_learn() -> None:
    """Raises IngestError that says how to install what learning needs."""
    missing = [name for name in ("sklearn", "scipy", "threadpoolctl") if find_spec(name) is None]
    if missing:
        from ingest.predicting.models import EXTRA

        needs = "learning needs scikit-learn, which a plain install lacks"
        raise IngestError(f"{needs}; install it with: pip install '{EXTRA.format(extra='train')}'")


def options_of(arguments: argparse.Namespace) -> "Options":
    """The options of ``predict`` that arguments state."""
    from ingest.predicting.material import Options

    return Options(
        models=tuple(arguments.model or ("auto",)),
        n_folds=arguments.folds,
        deals=arguments.deals,
        seed=arguments.seed,
        threads=arguments.threads,
        groups=arguments.groups,
        near_duplicates=not arguments.no_near_duplicates,
        features=arguments.features,
        train_features=arguments.train_features,
        calibrate=arguments.calibrate,
        replace=getattr(arguments, "replace", False),
    )


def report(found: "Prediction") -> list[str]:
    """What was learnt, how well, and what should be known before it is believed."""
    from ingest.commands.nouns import counted

    result = found.result
    lines = []
    for one in result.tried:
        told = one.quality
        mark = "  (chosen)" if one in result.chosen and len(result.tried) > 1 else ""
        lines.append(
            f"{one.model.name}: accuracy {told.accuracy:.3f}, log-loss {told.log_loss:.3f}, ECE {told.ece:.3f}{mark}"
        )
    if len(result.chosen) > 1 or result.temperatures is not None:
        told = result.quality
        how = "the mean of all" if len(result.chosen) > 1 else "after temperature scaling"
        lines.append(f"{how}: accuracy {told.accuracy:.3f}, log-loss {told.log_loss:.3f}, ECE {told.ece:.3f}")
    deals = max(len(one.deals) for one in result.chosen)
    dealt = f", dealt {deals} times" if deals > 1 else ""
    lines.append(f"{_flagged(found)}; {len(result.by_fold)} folds{dealt}")
    if result.groups.said is not None:
        lines.append(f"kept together by {result.groups.said}: {result.groups.shared:,} examples share a group")
    if result.pairs:
        lines.append(f"near-duplicates kept together: {counted(len(result.pairs), 'pair')}")
    if result.different:
        first = result.different[0]
        such = f"such as examples {first.first} and {first.second}"
        lines.append(f"near-duplicates with different labels, {such}: {counted(len(result.different), 'pair')}")
    if result.few:
        some = ", ".join(f"{name} ({n:,})" for name, n in list(result.few.items())[:5])
        lines.append(f"classes with fewer examples than folds: {len(result.few):,}, such as {some}")
    lines += [f"note: {remark}" for remark in result.remarks]
    return [*lines, *(f"warning: {warning}" for warning in result.warnings)]


def _flagged(found: "Prediction") -> str:
    """How many examples are flagged, as `add` counts them: by the probabilities, and as near-duplicates besides."""
    n, by_learning = len(found.flagging.labels), found.flagging.n_flagged
    if not (more := found.n_flagged_as_twins):
        return f"{by_learning:,} of {n:,} examples are flagged"
    others = "near-duplicate of an example" if more == 1 else "near-duplicates of examples"
    parts = f"{by_learning:,} by the probabilities and {more:,} more as {others} with another label"
    return f"{by_learning + more:,} of {n:,} examples are flagged, {parts}"
