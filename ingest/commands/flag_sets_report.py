"""Output of ``flag`` for multi-label datasets: a table of examples and a summary for people."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ingest.commands.table_writer import Columns, Lists, write_table
from ingest.flagging.multi_label import SetFlagResult
from ingest.labels.files import LabelSet


def write_sets(
    path: Path,
    labels: Sequence[LabelSet],
    flagging: SetFlagResult,
    names: Sequence[str] | None,
    *,
    every: bool,
    advance: Callable[[int], None],
) -> None:
    """Write the flagged examples, lowest self-confidence first, or every example in order.

    Columns: index, given, guessed (lists of class ids, and with ``names`` of their names), self_confidence (pooled over
    the labels given or guessed), rank (by it among those written, from 1), flagged. ``advance`` is called with the
    number of rows written.
    """
    n = len(labels)
    indices = np.arange(n) if every else flagging.flagged
    ranks = flagging.ranks if every else np.arange(1, len(indices) + 1)
    flagged = np.zeros(n, np.bool_)
    flagged[flagging.flagged] = True

    def columns(rows: slice) -> Columns:
        here = indices[rows]
        sets = {
            "given": [labels[index] for index in here.tolist()],
            "guessed": [flagging.guesses[index] for index in here.tolist()],
        }
        found: Columns = {"index": here.astype(np.int64)}
        found |= {name: Lists(map(list, values)) for name, values in sets.items()}
        if names is not None:
            for name, values in sets.items():
                found[f"{name}_names"] = Lists([names[label] for label in value] for value in values)
        return found | {
            "self_confidence": flagging.self_confidence[here],
            "rank": ranks[rows].astype(np.int64),
            "flagged": flagged[here],
        }

    write_table(path, len(indices), columns, advance)


def summary_of_sets(labels: Sequence[LabelSet], flagging: SetFlagResult, m: int) -> str:
    """n, m, the number of candidates, the number flagged and the rule."""
    n, n_given = len(labels), sum(map(len, labels))
    return "\n".join(
        [
            f"examples {n:,}, classes {m:,}, labels given {n_given:,} ({n_given / n:.2f} an example)",
            f"flagged: {flagging.n_flagged:,} ({100 * flagging.n_flagged / n:.2f} %)",
            flagging.sentence(),
        ]
    )
