"""Addresses of the pages about models: query parameters, parsed strictly, and links."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self
from urllib.parse import urlencode

from app.catalogue.records import Dataset
from app.errors import FilterError, near_names
from app.issues.filter_parameters import read_agreement
from app.site.opinions.stored_results import source_named
from app.site.stability.predictions import Corrected

#: Most crossings are at low prevalence, where a linear axis has no room for them.
SCALES: Final = ("log", "linear")
TOPS: Final = ("1", "5")
#: The end of the axis, in per cent: rarely is more than one label in ten wrong.
REACHES: Final = ("100", "30", "10")
#: The most lines of a chart that can still be told apart.
MOST_CHOSEN: Final = 8
_LONGEST_SEARCH: Final = 200

#: The last part of a page's address -> its title.
PAGES: Final = {
    "": "Ranking",
    "prevalence": "If errors were commoner",
    "pair": "Two models",
    "repeated": "Repeated mistakes",
}
#: Parameters that one page alone reads -> that page. All were once on the first.
MOVED: Final = {
    "first": "pair",
    "second": "pair",
    "prevalence": "prevalence",
    "scale": "prevalence",
    "reach": "prevalence",
}

#: All that the pages read. Choices of one page are let be on the others.
PARAMETERS: Final = ("agreement", "confirmed_by", "top", "model", "find", *MOVED)

_WORDS: Final = {"top": TOPS, "scale": SCALES, "reach": REACHES}


@dataclass(frozen=True, slots=True)
class Choice:
    """The choices of a visitor; ``models`` are keys, () to let the page choose."""

    agreement: int
    top: str = "1"
    models: tuple[str, ...] = ()
    prevalence: float | None = None
    scale: str = SCALES[0]
    reach: str = REACHES[0]
    first: str | None = None
    second: str | None = None
    find: str = ""  # part of the names of models to choose from
    confirmed_by: str | None = None  # the second opinion that confirms what counts as corrected

    @classmethod
    def parse(cls, dataset: Dataset, keys: Sequence[str], params: Iterable[tuple[str, str]]) -> Self:
        """Parse a query string. Raises FilterError naming the parameter and what is allowed."""
        found: dict[str, Any] = {"agreement": dataset.default_agreement}
        models: list[str] = []
        for name, value in params:
            if value == "":
                continue
            if name == "agreement":
                found[name] = agreement_of(dataset, value)
            elif name in _WORDS:
                found[name] = _one_of(name, value, _WORDS[name])
            elif name == "model":
                models.append(model_named(keys, name, value))
            elif name in ("first", "second"):
                found[name] = model_named(keys, name, value)
            elif name == "prevalence":
                found[name] = _prevalence(value)
            elif name == "confirmed_by":
                found[name] = source_named(dataset, name, value)
            elif name == "find":
                found[name] = " ".join(value[:_LONGEST_SEARCH].split())
        chosen = tuple(dict.fromkeys(models))
        if len(chosen) > MOST_CHOSEN:
            raise FilterError(
                "model",
                chosen[-1],
                [],
                f"A chart can show at most {MOST_CHOSEN} models; {len(chosen)} given.",
            )
        return cls(**found, models=chosen)

    def query(self, dataset: Dataset, **changes: Any) -> str:
        """The query string of this choice with ``changes`` applied, without defaults."""
        chosen = replace(self, **changes)
        pairs: list[tuple[str, str]] = []
        if chosen.agreement != dataset.default_agreement:
            pairs.append(("agreement", str(chosen.agreement)))
        if chosen.confirmed_by is not None:
            pairs.append(("confirmed_by", chosen.confirmed_by))
        if chosen.top != "1":
            pairs.append(("top", chosen.top))
        pairs += [("model", key) for key in chosen.models]
        if chosen.prevalence is not None:
            pairs.append(("prevalence", f"{100 * chosen.prevalence:g}"))
        if chosen.scale != SCALES[0]:
            pairs.append(("scale", chosen.scale))
        if chosen.reach != REACHES[0]:
            pairs.append(("reach", chosen.reach))
        pairs += [(n, v) for n, v in (("first", chosen.first), ("second", chosen.second)) if v is not None]
        if chosen.find:
            pairs.append(("find", chosen.find))
        return urlencode(pairs, safe="/")

    @property
    def corrected(self) -> Corrected:
        """The examples that count as corrected."""
        return Corrected(self.agreement, self.confirmed_by)

    @property
    def api_query(self) -> str:
        """The query string of the API for the same examples."""
        source = [] if self.confirmed_by is None else [("confirmed_by", self.confirmed_by)]
        return urlencode([("agreement", str(self.agreement)), *source])

    def path(self, dataset: Dataset, page: str, **changes: Any) -> str:
        """The address of a page with this choice and ``changes``; what that page does not read is left out."""
        others = {name: _DEFAULTS[name] for name, of in MOVED.items() if of != page}
        query = self.query(dataset, **(others | {"find": ""} | changes))
        return "/".join(["", dataset.name, "stability", *filter(None, [page])]) + (f"?{query}" if query else "")


#: What sets no condition, of the parameters that one page alone reads.
_DEFAULTS: Final = {name: Choice.__dataclass_fields__[name].default for name in MOVED}


def agreement_of(dataset: Dataset, value: str) -> int:
    """Parse an agreement threshold of a dataset. Raises FilterError for any other."""
    return read_agreement(dataset, "agreement", value)


def model_named(keys: Sequence[str], parameter: str, value: str) -> str:
    """The key of a model, "platform/name". Raises FilterError with similar keys."""
    if value in keys:
        return value
    near = near_names(value, keys) or list(keys)
    raise FilterError(parameter, value, near)


def _one_of(name: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise FilterError(name, value, allowed)
    return value


def _prevalence(value: str) -> float:
    try:
        found = float(value) / 100
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise FilterError("prevalence", value, ["a per cent figure from 0 to 100"])
    return found
