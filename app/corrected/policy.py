"""Read a policy from name and value pairs, and write it back in one canonical spelling."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from app.domain.review.corrections import TREATMENTS, Policy, Rule, Treatment

#: The names a policy is spelled with, in canonical order.
PARAMETERS: Final = ("agreement", *(category.value for category in TREATMENTS), "rule")
REMOVED: Final = ("omit", "include")


class PolicyError(ValueError):
    """A name or value that no policy has; the message says which, and what is allowed."""

    def __init__(self, parameter: str, value: str, allowed: Sequence[str], explanation: str = "") -> None:
        super().__init__(explanation or f"{parameter} is {value[:80]!r}; expected {', '.join(allowed)}.")
        self.parameter = parameter
        self.value = value
        self.allowed = tuple(allowed)


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """A policy, and whether the examples it removes are listed all the same."""

    policy: Policy
    removed: bool = False

    def query(self, default_agreement: int) -> str:
        """The canonical query string: defaults left out, always in the same order.

        >>> ExportOptions(Policy(4, neither=Treatment.GIVEN), removed=True).query(3)
        'agreement=4&neither=given&removed=include'
        >>> ExportOptions(Policy()).query(3)
        ''
        """
        return urlencode(
            [pair for pair in self.pairs() if pair not in ExportOptions(Policy(default_agreement)).pairs()]
        )

    def pairs(self) -> list[tuple[str, str]]:
        """Every name with its value, in canonical order; the rule where it is not that of votes, which has a threshold.

        >>> ExportOptions(Policy(rule=Rule.DAWID_SKENE)).pairs()[0]
        ('rule', 'dawid_skene')
        """
        policy = [(category.value, self.policy.treatment(category).value) for category in TREATMENTS]
        by_votes = self.policy.rule is Rule.VOTES
        first = ("agreement", str(self.policy.agreement)) if by_votes else ("rule", self.policy.rule.value)
        return [first, *policy, ("removed", REMOVED[self.removed])]

    def words(self) -> dict[str, str | int]:
        """As an object for JSON and for the metadata of files."""
        return {name: int(value) if name == "agreement" else value for name, value in self.pairs()}


def parse(
    pairs: Iterable[tuple[str, str]], agreements: Sequence[int], *, removed: bool = True, also: Sequence[str] = ()
) -> ExportOptions:
    """The policy that pairs of names and values ask for.

    Empty values count as absent, as a form sends them. ``removed`` says whether the parameter of that name exists here,
    and ``also`` names those that others read. Where the rule does not count votes, an agreement threshold says nothing
    and is left out. Raises PolicyError for anything else.

    >>> parse([("agreement", "4"), ("multi_label", "both")], (3, 4, 5)).policy.multi_label
    <Treatment.BOTH: 'both'>
    """
    offered = {**offers(agreements, removed=removed), "rule": [rule.value for rule in Rule]}
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in also:
            continue
        if name not in offered:
            allowed = [*offered, *also]
            words = ", ".join(allowed[:-1]) + f" or {allowed[-1]}"
            raise PolicyError(name[:40], value, allowed, f"{name[:40]!r} is no parameter; expected {words}.")
        if value == "":
            continue
        if name in found:
            raise PolicyError(name, value, offered[name], f"{name} is given twice; expected once.")
        if value not in offered[name]:
            raise PolicyError(name, value, offered[name])
        found[name] = value
    listed = found.pop("removed", REMOVED[0]) == REMOVED[1]
    agreement, rule = int(found.pop("agreement", agreements[0])), Rule(found.pop("rule", Rule.VOTES))
    if rule is not Rule.VOTES:
        agreement = agreements[0]
    treatments = {name: Treatment(value) for name, value in found.items()}
    return ExportOptions(Policy(agreement, **treatments, rule=rule), listed)


def offers(agreements: Sequence[int], *, removed: bool = True) -> Mapping[str, Sequence[str]]:
    """Every parameter with the values it can have, the default first, but for the rule: not all datasets offer it."""
    treatments = {category.value: [t.value for t in offered] for category, offered in TREATMENTS.items()}
    listing = {"removed": REMOVED} if removed else {}
    return {"agreement": [str(a) for a in agreements], **treatments, **listing}
