"""Read a policy from name and value pairs, and write it back in one canonical spelling."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from app.domain.review.corrections import OPPOSED, TREATMENTS, Policy, Rule, Treatment

#: The names a policy is spelled with, in canonical order.
PARAMETERS: Final = ("agreement", *(category.value for category in TREATMENTS), "rule", "confirmed_by", "opposed")
REMOVED: Final = ("omit", "include")
_OF_OPINIONS: Final = ("confirmed_by", "opposed")
#: Whether rows say what each second opinion holds.
_COLUMNS: Final = "opinions"


class PolicyError(ValueError):
    """A name or value that no policy has; the message says which, and what is allowed."""

    def __init__(self, parameter: str, value: str, allowed: Sequence[str], explanation: str = "") -> None:
        super().__init__(explanation or f"{parameter} is {value[:80]!r}; expected {', '.join(allowed)}.")
        self.parameter = parameter
        self.value = value
        self.allowed = tuple(allowed)


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """A policy, whether the examples it removes are listed all the same, and whether rows say what opinions hold."""

    policy: Policy
    removed: bool = False
    opinions: bool = False

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

        Of second opinions there is only what is asked of them.

        >>> ExportOptions(Policy(rule=Rule.DAWID_SKENE)).pairs()[0]
        ('rule', 'dawid_skene')
        """
        policy = [(category.value, self.policy.treatment(category).value) for category in TREATMENTS]
        asked = [("confirmed_by", self.policy.confirmed_by), ("opposed", self.policy.opposed)]
        policy += [(name, str(value)) for name, value in asked if value is not None]
        by_votes = self.policy.rule is Rule.VOTES
        first = ("agreement", str(self.policy.agreement)) if by_votes else ("rule", self.policy.rule.value)
        columns = [(_COLUMNS, REMOVED[1])] if self.opinions else []
        return [first, *policy, ("removed", REMOVED[self.removed]), *columns]

    def words(self) -> dict[str, str | int]:
        """As an object for JSON and for the metadata of files."""
        return {name: int(value) if name == "agreement" else value for name, value in self.pairs()}


def parse(
    pairs: Iterable[tuple[str, str]],
    agreements: Sequence[int],
    *,
    removed: bool = True,
    also: Sequence[str] = (),
    opinions: Sequence[str] = (),
) -> ExportOptions:
    """The policy that pairs of names and values ask for.

    Empty values count as absent, as a form sends them. ``removed`` says whether rows are listed here, so that the
    parameters ``removed`` and ``opinions`` exist, and ``also`` names those that others read. ``opinions`` are the names
    of the dataset's second opinions. Where the rule does not count votes, an agreement threshold says nothing and is
    left out.

    Raises PolicyError for anything else.

    >>> parse([("agreement", "4"), ("multi_label", "both")], (3, 4, 5)).policy.multi_label
    <Treatment.BOTH: 'both'>
    """
    offered = {**offers(agreements, removed=removed, opinions=opinions), "rule": [rule.value for rule in Rule]}
    asking = (*_OF_OPINIONS, _COLUMNS) if removed else _OF_OPINIONS
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in also:
            continue
        if name in asking and not opinions and value:
            raise PolicyError(name, value, [], f"{name}: there is no second opinion on this dataset in this catalogue.")
        if name not in (*offered, *asking):
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
    listed, columns = (found.pop(name, REMOVED[0]) == REMOVED[1] for name in ("removed", _COLUMNS))
    agreement, rule = int(found.pop("agreement", agreements[0])), Rule(found.pop("rule", Rule.VOTES))
    if rule is not Rule.VOTES:
        agreement = agreements[0]
        asked = {name: found[name] for name in _OF_OPINIONS if name in found} | (
            {_COLUMNS: REMOVED[1]} if columns else {}
        )
        for name, value in asked.items():
            why = f"{name} goes with rule=votes: second opinions are compared with verdicts by votes."
            raise PolicyError(name, value, [], why)
    source = found.pop("confirmed_by", None)
    treatments = {name: Treatment(value) for name, value in found.items()}
    return ExportOptions(Policy(agreement, **treatments, rule=rule, confirmed_by=source), listed, columns)


def offers(
    agreements: Sequence[int], *, removed: bool = True, opinions: Sequence[str] = ()
) -> Mapping[str, Sequence[str]]:
    """Every parameter with the values it can have, the default first, but for the rule: not all datasets offer it.

    Those of second opinions, where there are any, have no default.
    """
    treatments = {category.value: [t.value for t in offered] for category, offered in TREATMENTS.items()}
    listing = {"removed": REMOVED} if removed else {}
    if removed and opinions:
        listing |= {_COLUMNS: REMOVED}
    of_opinions = {"confirmed_by": list(opinions), "opposed": [t.value for t in OPPOSED]} if opinions else {}
    return {"agreement": [str(a) for a in agreements], **treatments, **of_opinions, **listing}
