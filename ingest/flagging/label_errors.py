"""``find_label_errors``: confident learning on labels and probabilities, in memory or in files, in one call.

The engine and the rules for labels and rows are those of the command ``flag``. Arguments are never modified and nothing
is guessed: ambiguous input raises an error that says how to resolve it.
"""

import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from app.domain.confident_learning import joint as cl
from app.domain.confident_learning.flag_choice import FlagChoice
from app.domain.confident_learning.joint import FlagRule
from app.evaluation.tables.class_spelling import CLASSES_ARE, ClassesAre, ClassSpelling
from ingest.errors import ArgumentError, DataError, shown
from ingest.flagging.engine import FlagResult, flag
from ingest.flagging.found_errors import LabelErrors
from ingest.flagging.issue_columns import issue_columns
from ingest.flagging.options import rule_of, tolerance_of
from ingest.git_pointers import refuse_pointers
from ingest.labels.flag_input import read_class_names, read_given_labels, require_as_many
from ingest.labels.label_values import CLASSES, LABELS, column_of, ids_of_values, names_of_values
from ingest.matrices.array import open_values
from ingest.matrices.frame import open_frame
from ingest.matrices.matrix import Part, all_of, open_parts, require_each_once, shape_of
from ingest.matrices.mean import mean_of_parts
from ingest.matrices.top_classes import with_twins

# Strings, because pandas' own types cannot be parametrized at run time.
LabelsLike: TypeAlias = "ArrayLike | pd.DataFrame | pd.Series[Any] | pd.Index[Any] | pd.Categorical | PathLike[str]"
PredProbsLike: TypeAlias = "ArrayLike | pd.DataFrame | PathLike[str] | Sequence[str | PathLike[str]]"
ClassesLike: TypeAlias = "Sequence[Any] | NDArray[Any] | pd.Series[Any] | pd.Index[Any] | PathLike[str]"

_PRED_PROBS: Final = Path("pred_probs")


def find_label_errors(
    labels: LabelsLike,
    pred_probs: PredProbsLike,
    rule: str | float = FlagRule.CALIBRATED,
    classes: "ClassesLike | None" = None,
    *,
    others: Sequence[PredProbsLike] = (),
    tolerance: float | None = None,
    logits: bool = False,
    label_column: str | None = None,
    classes_are: ClassesAre | None = None,
) -> LabelErrors:
    """The examples whose given label is probably wrong, by confident learning (Northcutt, Jiang, Chuang 2021).

    Args:
        labels: (n,) the given labels: class ids from 0 to m - 1, or names of ``classes``. An array, list or Series, or
            the path of a file that the command ``flag`` reads.
        pred_probs: (n, m) out-of-sample predicted probabilities, whose rows sum to 1. An array of floating-point
            numbers, lists, a DataFrame (columns called by the classes are put in their order), or the path of a file,
            or of several that are parts, one below the other.
        rule: which examples are flagged: "calibrated", "uncalibrated", "prune_by_class", "prune_by_noise_rate", "both",
            "confident_joint", "argmax", or those of lowest normalized margin: how many (500, "top 500"), or which share
            of all examples (0.05, "0.05"), rounded down.
        classes: the m names of the classes, in the order of the columns, or the path of a file of them; for instance
            ``model.classes_``.
        others: the same as ``pred_probs`` of further models, in a list; the mean of all models is used.
        tolerance: how far rows may be from summing to 1; all are then divided by their sums in double precision.
        logits: whether ``pred_probs`` are logits, to which softmax is applied.
        label_column: the column of a file that holds the labels, where it is not called so.
        classes_are: "names" or "numbers": what labels and columns are, where class names are numbers and both fit.

    Returns:
        LabelErrors: ``issues`` (a DataFrame), ``rho``, ``thresholds``, ``confident_joint``, ``joint``, ``joint_cells``.

    Raises:
        ArgumentError: a ValueError that names the argument, or the file, and the row: what was expected and found.

    Rows are paired by position, and indexes of pandas must not say otherwise: two of them must be equal, and one alone
    must not hold the numbers of all rows in another order. Nothing that is passed is changed. Beside it a few megabytes
    are needed, and 40 bytes an example.

    >>> labels = ["cat", "cat", "dog", "cat", "dog"]
    >>> pred_probs = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.05, 0.95], [0.3, 0.7]]
    >>> found = find_label_errors(labels, pred_probs, classes=["cat", "dog"])
    >>> found
    1 of 5 examples flagged by calibrated (20.00 %); 2 classes, rho 0.2000
     index  given  guessed given_name guessed_name  self_confidence  normalized_margin  rank
         3      0        1        cat          dog             0.05               -0.9     1
    >>> found.confident_joint
    array([[2, 1],
           [0, 1]])
    """
    try:
        if not isinstance(logits, bool | np.bool_):
            raise DataError("logits", f"expected True or False, found {shown(logits)}")
        chosen = _rule(rule), _tolerance(tolerance, logits=logits), _said(classes_are)
        models = _models(pred_probs, others)
        return _found(labels, models, classes, chosen, logits=logits, label_column=label_column)
    except DataError as error:
        raise ArgumentError(error.file, error.finding, record=error.record) from None
    except OSError as error:
        raise ArgumentError(str(error.filename), f"could not be read: {error.strerror or error}") from error


def _found(
    labels: Any,
    models: Mapping[Path, Any],
    classes: Any,
    chosen: tuple[FlagChoice, float | None, ClassesAre | None],
    *,
    logits: bool,
    label_column: str | None,
) -> LabelErrors:
    rule, tolerance, said = chosen
    named = _path(classes)
    names, by_value = _names(classes, named)
    parts = {str(name): _parts(name, values, names, said) for name, values in models.items()}
    n, m = shape_of(parts[str(_PRED_PROBS)], names, CLASSES if named is None else str(named))
    matrix = mean_of_parts(parts, n, m, logits=logits, names=names, tolerance=tolerance, classes_are=said)
    if (path := _path(labels)) is not None:
        refuse_pointers([path])
        given = read_given_labels(path, m, names, said, column=label_column, n=n)
    elif label_column is not None:
        raise DataError("label_column", f"expected labels in a file, which has columns, found {type(labels).__name__}")
    else:
        spelling = ClassSpelling(m, tuple(names or ()), said)
        given = ids_of_values(labels, spelling, by_value=by_value or said == "names")
    require_as_many(LABELS if path is None else path, len(given), n, all_of(matrix.paths))
    _require_clear_order({LABELS: column_of(labels), **{str(name): values for name, values in models.items()}})
    return _told(flag(given, matrix, rule, lambda _: None), names, logits=logits)


def _told(flagging: FlagResult, names: Sequence[str] | None, *, logits: bool) -> LabelErrors:
    remark = flagging.beyond_sentence()
    if logits and not flagging.softmax:
        remark = "logits=True: no softmax applied, for these are probabilities already"
        warnings.warn(remark, stacklevel=4)
    ranks = np.arange(1, flagging.n_flagged + 1)
    counted = FlagRule.UNCALIBRATED if flagging.rule is FlagRule.UNCALIBRATED else FlagRule.CALIBRATED
    return LabelErrors(
        issues=pd.DataFrame(issue_columns(flagging, flagging.flagged, ranks, names)),
        rho=cl.noise_rate(flagging.counted, flagging.label_counts, counted),
        thresholds=flagging.thresholds,
        rule=flagging.rule,
        classes=None if names is None else tuple(names),
        _counted=flagging.counted,
        _label_counts=flagging.label_counts,
        _remark=remark,
    )


def _path(value: object) -> Path | None:
    """A path passed in place of values; None for values."""
    return Path(value) if isinstance(value, str | PathLike) else None


def _names(classes: Any, path: Path | None) -> tuple[list[str] | None, bool]:
    """The class names, if any, and whether they were given as numbers rather than texts."""
    if classes is None:
        return None, False
    if path is None:
        return names_of_values(classes)
    refuse_pointers([path])
    return read_class_names(path), False


def _models(pred_probs: Any, others: Any) -> dict[Path, Any]:
    """The probabilities of each model, by their names in messages."""
    if not isinstance(others, list | tuple):
        expected = "expected a list of the probabilities of further models"
        raise DataError("others", f"{expected}, found {shown(others)} of type {type(others).__name__}")
    return {_PRED_PROBS: pred_probs} | {Path(f"others[{place}]"): values for place, values in enumerate(others)}


def _parts(name: Path, values: Any, names: Sequence[str] | None, said: ClassesAre | None) -> list[Part]:
    if isinstance(values, pd.DataFrame):
        return [open_frame(name, values, names, said)]
    several = values if isinstance(values, list | tuple) else [values]
    paths = [path for value in several if (path := _path(value)) is not None]
    if not paths or len(paths) < len(several):
        return [open_values(name, values)]
    refuse_pointers(map(Path, with_twins([str(path) for path in paths])))
    require_each_once(paths)
    return open_parts(paths, names, said)


def _require_clear_order(values: Mapping[str, object]) -> None:
    """Refuse labels and rows whose pandas indexes differ, and an index that could be the order of the others' rows.

    ``values`` are by their names in messages. Raises DataError naming the first row.
    """
    indexed = {name: value.index for name, value in values.items() if isinstance(value, pd.Series | pd.DataFrame)}
    for one, other in pairwise(indexed):
        _require_equal(one, indexed[one], other, indexed[other])
    bare = next((name for name in values if name not in indexed), None)
    if bare is None or not indexed:
        return
    name, index = next(iter(indexed.items()))
    row = _first_moved(index)
    if row is not None:
        finding = f"expected rows in the order of their index, because {bare} has none, found {index[row]} there: "
        finding += f"{name}.sort_index() if {bare} is in the order of the index, {name}.to_numpy() if it is in "
        raise DataError(name, f"{finding}the order of {name}", record=f"row {row}")


def _first_moved(index: "pd.Index[Any]") -> int | None:
    """The first row of an index that holds the numbers of all rows, but not in their order; else None."""
    if not pd.api.types.is_integer_dtype(index.dtype):
        return None
    rows, numbers = np.arange(len(index)), index.to_numpy()
    if np.array_equal(numbers, rows) or not np.array_equal(np.sort(numbers), rows):
        return None
    return int(np.argmax(numbers != rows))


def _require_equal(name: str, ours: "pd.Index[Any]", other: str, theirs: "pd.Index[Any]") -> None:
    if not ours.equals(theirs):
        pairs = list(zip(ours.tolist(), theirs.tolist(), strict=True))
        row = next((row for row, (one, two) in enumerate(pairs) if one != two), 0)
        finding = f"expected the index of {other}, which has {pairs[row][1]!r} there, found {pairs[row][0]!r}: "
        finding += f"{name}.loc[{other}.index] puts them in its order, {name}.to_numpy() says that they stand in it"
        raise DataError(name, finding, record=f"row {row}")


def _rule(value: object) -> FlagChoice:
    try:
        return rule_of(value)
    except ValueError as error:
        raise DataError("rule", str(error)) from None


def _tolerance(value: object, *, logits: bool) -> float | None:
    if value is None:
        return None
    if logits:
        raise DataError("tolerance", "goes with probabilities: a softmax, which logits=True asks for, sums to 1")
    try:
        return tolerance_of(value)
    except ValueError as error:
        raise DataError("tolerance", str(error)) from None


def _said(classes_are: object) -> ClassesAre | None:
    if classes_are is not None and not (isinstance(classes_are, str) and classes_are in CLASSES_ARE):
        raise DataError("classes_are", f'expected "names" or "numbers", found {shown(classes_are)}')
    return cast("ClassesAre | None", classes_are)
