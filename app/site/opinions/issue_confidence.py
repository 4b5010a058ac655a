"""How the confidence of one correction comes about, from its votes."""

from typing import Any, Final, NamedTuple

from app.catalogue.records import Dataset, IssueDetail
from app.domain.confidence.beta_binomial import Prior, expected_share
from app.domain.confidence.hundredths import rounded_down
from app.evaluation.opinions.correction_votes import Method

#: From here on a probability is said to be over 0.99, not 1.00.
_OVER: Final = 0.995


class IssueConfidence(NamedTuple):
    """Two numbers of a correction, and what the first one follows from.

    ``chosen`` of ``asked`` reviewers made the correction. ``prior`` and ``expected``, the share of unlimited raters who
    probably would, are None where the number comes from something else than counts of votes for one label.
    """

    value: float
    right: float | None
    method: Method
    chosen: int | None
    asked: int | None
    prior: Prior | None
    expected: float | None

    @property
    def shown(self) -> float:
        """As far as pages show it, and can be asked for it: its hundredths; all of it from 0.995 on."""
        return rounded_down(self.value, 2) if self.value < _OVER else self.value

    @property
    def in_full(self) -> float:
        """With four digits."""
        return rounded_down(self.value, 4)

    @property
    def posterior(self) -> Prior | None:
        """The distribution of that share by the votes."""
        if self.prior is None or self.chosen is None or self.asked is None:
            return None
        return Prior(self.prior.a + self.chosen, self.prior.b + self.asked - self.chosen)


def issue_confidence(dataset: Dataset, detail: IssueDetail) -> IssueConfidence | None:
    """The confidence of an issue's correction; None where it has none."""
    issue, report = detail.issue, dataset.confidence.report
    if issue.confidence is None or issue.corrected is None:
        return None
    method = Method(report["method"])
    if not dataset.vote_options:  # each class of a set was a question of its own
        return IssueConfidence(issue.confidence, issue.probability_right, method, None, None, None, None)
    chosen = sum(vote.n for vote in detail.votes if vote.classes == issue.corrected.classes)
    asked = sum(vote.n for vote in detail.votes)
    found = report["prior"]
    prior = None if found is None else Prior(found["a"], found["b"])
    expected = None if prior is None else expected_share(prior, chosen, asked)
    return IssueConfidence(issue.confidence, issue.probability_right, method, chosen, asked, prior, expected)


def confidence_json(found: IssueConfidence | None) -> dict[str, Any] | None:
    """What a confidence follows from, as ``ConfidenceOut`` of the API."""
    if found is None:
        return None
    return {
        "method": found.method,
        "chosen": found.chosen,
        "asked": found.asked,
        "prior": None if found.prior is None else {"a": found.prior.a, "b": found.prior.b},
        "expected_share": found.expected,
    }
