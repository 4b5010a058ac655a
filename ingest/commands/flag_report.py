"""Output of ``flag`` for single-label datasets: a table of examples and a summary for people."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from app.domain.confident_learning.flag_choice import in_words
from app.domain.confident_learning.joint import COUNTING_RULES
from ingest.commands.table_writer import Columns, write_table
from ingest.flagging.cautions import cautions
from ingest.flagging.engine import FlagResult
from ingest.flagging.issue_columns import issue_columns

_CELLS: Final = 10


def write_examples(
    path: Path, flagging: FlagResult, names: Sequence[str] | None, *, every: bool, advance: Callable[[int], None]
) -> None:
    """Write the flagged examples, lowest normalized margin first, or every example in order.

    Columns: index, given, guessed (class ids, and with ``names`` their names), self_confidence, normalized_margin, rank
    (by margin among those written, from 1), flagged. ``advance`` is called with the number of rows written.
    """
    n = len(flagging.labels)
    indices = np.arange(n) if every else flagging.flagged
    ranks = flagging.ranks if every else np.arange(1, len(indices) + 1)
    flagged = np.zeros(n, np.bool_)
    flagged[flagging.flagged] = True

    def columns(rows: slice) -> Columns:
        return issue_columns(flagging, indices[rows], ranks[rows], names) | {"flagged": flagged[indices[rows]]}

    write_table(path, len(indices), columns, advance)


def summary(flagging: FlagResult, names: Sequence[str] | None) -> str:
    """n, m, rho by rule, the number flagged, and the joint's largest off-diagonal cells."""
    n, m = len(flagging.labels), len(flagging.thresholds)
    facts: Any = flagging.facts()
    lines = [f"examples {n:,}, classes {m:,}" + (", softmax applied to logits" if flagging.softmax else "")]
    if flagging.models:
        lines.append(f"the mean of {len(flagging.models)} models: {', '.join(flagging.models)}")
    if flagging.tolerance is not None:
        lines.append(flagging.beyond_sentence())
    empty = int((flagging.label_counts == 0).sum())
    if empty:
        lines.append(f"classes without an example, which have no threshold: {empty:,}")
    lines += [
        f"rho {rule.value}: {facts['rho'][rule.value]:.6f} ({facts['number_flagged'][rule.value]:,} examples)"
        for rule in COUNTING_RULES
    ]
    lines.append(f"confident joint: {flagging.counted.total:,} counted, {facts['off_diagonal']:,} off the diagonal")
    lines.append(f"flagged by {in_words(flagging.rule)}: {flagging.n_flagged:,} ({100 * flagging.n_flagged / n:.2f} %)")
    cells = list(_largest_cells(flagging))
    if cells:
        lines.append("largest cells of the joint off the diagonal (given -> latent, share, counted):")
    for given, latent, share, count in cells:
        lines.append(f"  {_name(given, names)} -> {_name(latent, names)}  {100 * share:.4f} %  {count:,}")
    lines += [f"warning: {caution}" for caution in cautions(flagging, names)]
    return "\n".join(lines)


def _largest_cells(flagging: FlagResult) -> Iterator[tuple[int, int, float, int]]:
    joint = flagging.joint.off_diagonal
    counted = flagging.counted.off_diagonal  # the same cells
    for place in np.argsort(-joint.value, kind="stable")[:_CELLS]:
        share, count = joint.value[place], counted.value[place]
        yield int(joint.given[place]), int(joint.latent[place]), float(share), int(count)


def _name(class_id: int, names: Sequence[str] | None) -> str:
    return str(class_id) if names is None else names[class_id]
