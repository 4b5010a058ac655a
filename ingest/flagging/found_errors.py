"""What ``find_label_errors`` finds: the issues, and what confident learning counted."""

import html
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.domain.confident_learning import joint as cl
from app.domain.confident_learning.flag_choice import FlagChoice, in_words
from app.domain.confident_learning.joint_cells import JointCells, Value

_SHOWN: Final = 10

#: The cells of a joint given as a table at most: 1 GiB of them.
MOST_CELLS: Final = 1 << 27


class TooManyClassesError(ValueError):
    """A joint was asked for as a table that no memory holds."""


@dataclass(frozen=True, eq=False, repr=False)
class LabelErrors:
    """The result of confident learning; n examples, m classes, k flagged.

    ``issues`` has a row for each flagged example, lowest normalized margin first: ``index`` (its position, from 0),
    ``given``, ``guessed`` (class ids), with class names also ``given_name`` and ``guessed_name``, ``self_confidence``
    (the probability of the given class), ``normalized_margin`` (that minus the largest of the others), ``rank`` (from
    1).
    """

    issues: pd.DataFrame
    #: The share of examples whose label is wrong, as the rule estimates it: of the calibrated joint, but for
    #: "uncalibrated" of the confident joint itself.
    rho: float
    #: (m,) the mean probability of a class among the examples given it; NaN where there are none.
    thresholds: NDArray[np.float64]
    rule: FlagChoice
    classes: tuple[str, ...] | None
    _counted: cl.ConfidentJoint = field()
    _label_counts: NDArray[np.int64] = field()
    _remark: str = ""

    @cached_property
    def confident_joint(self) -> NDArray[np.int64]:
        """(m, m) how many examples given a class (rows) are confidently another (columns), or the same.

        Raises TooManyClassesError, a ValueError, for more than 11,585 classes: see ``joint_cells``.
        """
        return self._require_table(self._counted).dense()

    @cached_property
    def joint(self) -> NDArray[np.float64]:
        """(m, m) shares of given (rows) and latent labels (columns): ``confident_joint`` calibrated, summing to 1.

        Raises TooManyClassesError, a ValueError, for more than 11,585 classes: see ``joint_cells``.
        """
        return self._require_table(self._shares).dense()

    @cached_property
    def joint_cells(self) -> pd.DataFrame:
        """The cells of both joints that are not zero, by given and latent class id, for any number of classes.

        Columns: ``given``, ``latent``, ``count`` (of ``confident_joint``), ``share`` (of ``joint``).
        """
        shares = self._shares
        columns = {"count": self._counted.at(shares.cell), "share": shares.value}
        return pd.DataFrame({"given": shares.given, "latent": shares.latent, **columns})

    @cached_property
    def _shares(self) -> cl.Joint:
        return cl.joint(self._counted, self._label_counts)

    def _require_table(self, cells: JointCells[Value]) -> JointCells[Value]:
        if (m := cells.m) ** 2 <= MOST_CELLS:
            return cells
        raise TooManyClassesError(
            f"expected at most {math.isqrt(MOST_CELLS):,} classes for a joint as a table, found {m:,}, whose table "
            f"would take {8 * m * m / 1e9:.1f} GB; its {len(cells):,} cells that are not zero are in .joint_cells"
        )

    def __repr__(self) -> str:
        more = len(self.issues) - _SHOWN
        rows = self.issues.head(_SHOWN).to_string(index=False) if len(self.issues) else ""
        return "\n".join(filter(None, (self._summary(), rows, f"... and {more:,} more in .issues" if more > 0 else "")))

    def _repr_html_(self) -> str:
        more = len(self.issues) - _SHOWN
        rows = self.issues.head(_SHOWN).to_html(index=False) if len(self.issues) else ""
        return f"<p>{html.escape(self._summary())}</p>{rows}" + (f"<p>... and {more:,} more</p>" if more > 0 else "")

    def _summary(self) -> str:
        n, found = int(self._label_counts.sum()), len(self.issues)
        told = (
            f"{found:,} of {n:,} examples flagged by {in_words(self.rule)} ({100 * found / n:.2f} %); "
            f"{len(self.thresholds):,} classes"
        )
        return f"{told}, rho {self.rho:.4f}" + (f"\n{self._remark}" if self._remark else "")
