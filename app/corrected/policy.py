"""Read a policy from name and value pairs, and write it back in one canonical spelling."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from app.domain.confidence.hundredths import EXPECTED, read_hundredths, spell_hundredths
from app.domain.review.corrections import OPPOSED, TREATMENTS, Policy, Rule, Treatment

#: The names a policy is spelled with, in canonical order.
PARAMETERS: Final = (
    "agreement",
    *(category.value for category in TREATMENTS),
    "rule",
    "confirmed_by",
    "opposed",
    "confidence",
)
REMOVED: Final = ("omit", "include")
#: Whether rows say what each second opinion holds, and how sure corrections are.
_OPINIONS: Final = "opinions"
_CONFIDENCES: Final = "confidences"
_OF_OPINIONS: Final = ("confirmed_by", "opposed", _OPINIONS)
_LEAST: Final = "confidence"
_OF_CONFIDENCE: Final = (_LEAST, _CONFIDENCES)
_COLUMNS: Final = (_OPINIONS, _CONFIDENCES)
_NUMBERS: Final[Mapping[str, Callable[[str], int | float]]] = {"agreement": int, _LEAST: float}


class PolicyError(ValueError):
    """A name or value that no policy has; the message says which, and what is allowed."""

    def __init__(self, parameter: str, value: str, allowed: Sequence[str], explanation: str = "") -> None:
        super().__init__(explanation or f"{parameter} is {value[:80]!r}; expected {', '.join(allowed)}.")
        self.parameter = parameter
        self.value = value
        self.allowed = tuple(allowed)


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """A policy, whether the examples it removes are listed all the same, and what else rows say.

    That is what opinions hold, and how sure corrections are.
    """

    policy: Policy
    removed: bool = False
    opinions: bool = False
    confidences: bool = False

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

        Of second opinions, and of confidence, there is only what is asked of them.

        >>> ExportOptions(Policy(rule=Rule.DAWID_SKENE)).pairs()[0]
        ('rule', 'dawid_skene')
        """
        policy = [(category.value, self.policy.treatment(category).value) for category in TREATMENTS]
        asked = [("confirmed_by", self.policy.confirmed_by), ("opposed", self.policy.opposed)]
        policy += [(name, str(value)) for name, value in asked if value is not None]
        least = self.policy.confidence
        policy += [] if least is None else [(_LEAST, spell_hundredths(least))]
        by_votes = self.policy.rule is Rule.VOTES
        first = ("agreement", str(self.policy.agreement)) if by_votes else ("rule", self.policy.rule.value)
        columns = [(name, REMOVED[1]) for name in _COLUMNS if getattr(self, name)]
        return [first, *policy, ("removed", REMOVED[self.removed]), *columns]

    def words(self) -> dict[str, str | int | float]:
        """As an object for JSON and for the metadata of files."""
        return {name: _NUMBERS.get(name, str)(value) for name, value in self.pairs()}


def parse(
    pairs: Iterable[tuple[str, str]],
    agreements: Sequence[int],
    *,
    removed: bool = True,
    also: Sequence[str] = (),
    opinions: Sequence[str] = (),
    no_confidence: str | None = None,
) -> ExportOptions:
    """The policy that pairs of names and values ask for.

    Empty values count as absent, as a form sends them. ``removed`` says whether rows are listed here, so that the
    parameters ``removed``, ``opinions`` and ``confidences`` exist, and ``also`` names those that others read.
    ``opinions`` are the names of the dataset's second opinions, and ``no_confidence`` says in words why its corrections
    have no confidence, where they have none. Where the rule does not count votes, an agreement threshold says nothing
    and is left out.

    Raises PolicyError for anything else.

    >>> parse([("agreement", "4"), ("multi_label", "both")], (3, 4, 5)).policy.multi_label
    <Treatment.BOTH: 'both'>
    """
    confident = no_confidence is None
    known = offers(agreements, removed=removed, opinions=opinions, confidence=confident)
    offered = {**known, "rule": [rule.value for rule in Rule]}
    none = "there is no second opinion on this dataset in this catalogue"
    lacking = {} if opinions else dict.fromkeys(_OF_OPINIONS, none)
    lacking |= {} if confident else dict.fromkeys(_OF_CONFIDENCE, no_confidence or "")
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in also:
            continue
        listed_here = removed or name not in _COLUMNS
        if name in lacking and value and listed_here:
            raise PolicyError(name, value, [], f"{name}: {lacking[name]}.")
        if name not in offered and not (name in lacking and listed_here):
            allowed = [*offered, *also]
            words = ", ".join(allowed[:-1]) + f" or {allowed[-1]}"
            raise PolicyError(name[:40], value, allowed, f"{name[:40]!r} is no parameter; expected {words}.")
        if value == "":
            continue
        if name in found:
            raise PolicyError(name, value, offered[name], f"{name} is given twice; expected once.")
        if (read_hundredths(value) is None) if name == _LEAST else (value not in offered[name]):
            raise PolicyError(name, value, offered[name])
        found[name] = value
    return _options(found, agreements)


def _options(found: dict[str, str], agreements: Sequence[int]) -> ExportOptions:
    """The policy of values that are allowed, by name."""
    asked = {
        name: found[name] for name in (*_OF_OPINIONS, *_OF_CONFIDENCE) if found.get(name, REMOVED[0]) != REMOVED[0]
    }
    listed, *columns = (found.pop(name, REMOVED[0]) == REMOVED[1] for name in ("removed", *_COLUMNS))
    agreement, rule = int(found.pop("agreement", agreements[0])), Rule(found.pop("rule", Rule.VOTES))
    if rule is not Rule.VOTES:
        agreement = agreements[0]
        for name, value in asked.items():
            of = "second opinions are" if name in _OF_OPINIONS else "the confidence of a correction is"
            raise PolicyError(name, value, [], f"{name} goes with rule=votes: {of} about verdicts by votes.")
    source, least = found.pop("confirmed_by", None), read_hundredths(found.pop(_LEAST, ""))
    treatments = {name: Treatment(value) for name, value in found.items()}
    policy = Policy(agreement, **treatments, rule=rule, confirmed_by=source, confidence=least)
    return ExportOptions(policy, listed, *columns)


def offers(
    agreements: Sequence[int], *, removed: bool = True, opinions: Sequence[str] = (), confidence: bool = False
) -> Mapping[str, Sequence[str]]:
    """Every parameter with the values it can have, the default first, but for the rule: not all datasets offer it.

    Those of second opinions and of confidence, where there are any, have no default. What a confidence can be is said
    in words.
    """
    treatments = {category.value: [t.value for t in offered] for category, offered in TREATMENTS.items()}
    listing = {"removed": REMOVED} if removed else {}
    listing |= {
        name: REMOVED for name, there in zip(_COLUMNS, (opinions, confidence), strict=True) if removed and there
    }
    of_confidence = {_LEAST: [EXPECTED]} if confidence else {}
    of_opinions = {"confirmed_by": list(opinions), "opposed": [t.value for t in OPPOSED]} if opinions else {}
    return {"agreement": [str(a) for a in agreements], **treatments, **of_opinions, **of_confidence, **listing}
