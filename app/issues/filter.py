"""The filter of a gallery: parsed from a query string, and written as a query string, sentence or links.

A filter is read from the query string once and is then a plain value that HTML, JSON, CSV and counts share. The
facets it can use are listed in ``app.issues.facets``. Its WHERE clause is made in ``app.issues.where``, which this
module does not import.

An address that does not name a facet means everything in the API, and on a page what the facet shows first, such as
errors: hence two ways of reading and two of writing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from app.catalogue.possible_categories import votes_words
from app.catalogue.records import Dataset
from app.errors import FilterError
from app.issues.facet import NOTHING, Chip, Facet, Value
from app.issues.facets import FACETS
from app.issues.filter_parameters import CONFIDENCE, SUSPICION, order_words, read_agreement, read_search, read_sort


@dataclass(frozen=True, slots=True, init=False)
class IssueFilter:
    """Which issues of one dataset, at which agreement threshold, in which order.

    Made of names and values of facets: ``IssueFilter(given=3, category=("error",))``. A value of None or () sets no
    condition. A facet's value is read as an attribute: ``f.given`` is a class id, and an issue matches if its given
    label has that class.
    """

    agreement: int
    chosen: tuple[tuple[str, Value], ...]  # name and value of each active facet, in the order of the list
    q: str | None
    sort: str

    def __init__(self, *, agreement: int = 3, q: str | None = None, sort: str = SUSPICION, **chosen: Value) -> None:
        if unknown := chosen.keys() - FACETS.keys():
            raise TypeError(f"expected facets among {', '.join(FACETS)}, found {', '.join(sorted(unknown))}")
        pairs = tuple((name, chosen[name]) for name in FACETS if chosen.get(name) not in NOTHING) if chosen else ()
        for name, value in (("agreement", agreement), ("chosen", pairs), ("q", q), ("sort", sort)):
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Value:
        """The chosen value of a facet; without a choice None, or () for a facet with ``many``."""
        if name not in FACETS:
            raise AttributeError(name)
        return next((value for found, value in self.chosen if found == name), FACETS[name].put(()))

    @classmethod
    def parse(cls, dataset: Dataset, params: Iterable[tuple[str, str]], others: Sequence[str] | None = None) -> Self:
        """The filter that a query string describes.

        Empty values count as absent, because forms send them; only facets with ``many`` may be given more than once.
        Other parameters are ignored; if ``others`` names the ones that are read elsewhere, all the rest are refused.
        Raises FilterError naming the parameter, its value and what is allowed.
        """
        known = readers()
        own = {facet.parameter(dataset): name for name, facet in FACETS.items()}
        found: dict[str, Any] = {"agreement": dataset.default_agreement}
        given: set[str] = set()
        for said, value in params:
            name = own.get(said, said)
            if name not in known:
                if others is not None:
                    allowed = (*_offered(dataset), *others)
                    explanation = f"{name[:40]!r} is no parameter; expected {', '.join(allowed)}."
                    raise FilterError(name, value, allowed, explanation)
                continue
            if value == "":
                continue
            parsed = known[name](dataset, said, value)
            if name in FACETS and FACETS[name].many:
                parsed = tuple(dict.fromkeys((*found.get(name, ()), parsed)))
            elif name in given:
                raise FilterError(said, value, [], f"{said} is given twice; expected once.")
            given.add(name)
            found[name] = parsed
        for name in found.keys() & FACETS.keys():
            if FACETS[name].everything in FACETS[name].taken(found[name]):
                found[name] = FACETS[name].put(())
        return cls(**found)

    @classmethod
    def parse_page(cls, dataset: Dataset, params: Iterable[tuple[str, str]]) -> Self:
        """The filter of a page: of facets that its address does not name, it shows what pages show first."""
        pairs = list(params)
        named = {name for name, value in pairs if value}
        first = {
            name: value for name, value in _shown_first(dataset).items() if FACETS[name].parameter(dataset) not in named
        }
        return cls.parse(dataset, pairs).but(**first)

    def but(self, **changes: Any) -> Self:
        """This filter with changes applied."""
        own = {"agreement": self.agreement, "q": self.q, "sort": self.sort, **dict(self.chosen)}
        return type(self)(**{**own, **changes})

    def unordered(self) -> Self:
        """The issues of this filter, whatever their order.

        The order by confidence is one of corrections: it sets a condition as well.
        """
        only = {CONFIDENCE: 0.0} if self.sort.removeprefix("-") == CONFIDENCE and self.confidence is None else {}
        return self.but(sort=SUSPICION, **only) if self.sort != SUSPICION else self

    def taken(self) -> Iterator[tuple[Facet, Sequence[Value]]]:
        """The active facets, each with the chosen values."""
        return ((FACETS[name], FACETS[name].taken(value)) for name, value in self.chosen)

    def query(self, dataset: Dataset, **changes: Any) -> str:
        """The query string of a page with this filter and ``changes``, without defaults, always in the same order."""
        f = self.but(**changes) if changes else self
        first = _shown_first(dataset)
        pairs = [(name, FACETS[name].everything or "") for name in first if getattr(f, name) in NOTHING]
        as_first = {name: FACETS[name].put(()) for name, value in first.items() if getattr(f, name) == value}
        return urlencode([*pairs, *f.but(**as_first)._pairs(dataset)], safe="/")

    def api_query(self, dataset: Dataset, **changes: Any) -> str:
        """The query string of the API with this filter and ``changes``, likewise; without a category it means all."""
        return urlencode((self.but(**changes) if changes else self)._pairs(dataset), safe="/")

    def _pairs(self, dataset: Dataset) -> list[tuple[str, str]]:
        pairs = [
            (facet.parameter(dataset), facet.spell(dataset, value))
            for facet, values in self.taken()
            for value in values
        ]
        if self.q is not None:
            pairs.append(("q", self.q))
        if self.agreement != dataset.default_agreement:
            pairs.append(("agreement", str(self.agreement)))
        if self.sort != SUSPICION:
            pairs.append(("sort", self.sort))
        return pairs

    def chips(self, dataset: Dataset) -> tuple[Chip, ...]:
        """The filters that a visitor chose, each with the query string that remains without it."""
        first = _shown_first(dataset)
        chips = []
        for facet, values in self.taken():
            if facet.put(values) == first.get(facet.name):
                continue
            for value in values:
                others = [other for other in values if other != value]
                rest = facet.put(others) if others else first.get(facet.name, facet.put(()))
                chips.append(Chip(facet.chip(dataset, value), self.query(dataset, **{facet.name: rest})))
        if self.q is not None:
            chips.append(Chip(f"“{self.q}”", self.query(dataset, q=None)))
        return tuple(chips)

    def sentence(self, dataset: Dataset, total: int) -> str:
        """The filter as an English sentence with its number of issues.

        "18 correctable issues of CIFAR-10 at 3 of 5 votes, most suspicious first."
        """
        noun = next((facet.noun(values) for facet, values in self.taken() if facet.noun), "issue")
        clauses = self.unordered()._clauses(dataset)
        if self.q is not None:
            clauses.append(f"that match “{self.q}”")
        middle = (" " + ", ".join(clauses)) if clauses else ""
        if dataset.n_checked:
            middle += f", {votes_words(dataset, self.agreement)}"
        nouns = noun if total == 1 else f"{noun}s"
        return f"{total:,} {nouns} of {dataset.title}{middle}, {order_words(dataset, self.sort)}."

    def _clauses(self, dataset: Dataset) -> list[str]:
        """The clauses of the facets; facets that share a clause are described together."""
        shared: dict[Callable[[Dataset, Mapping[str, Value]], str], dict[str, Value]] = {}
        for name, value in self.chosen:
            clause = FACETS[name].clause
            if clause is not None:
                shared.setdefault(clause, {})[name] = value
        return [clause(dataset, chosen) for clause, chosen in shared.items()]


def readers() -> dict[str, Callable[[Dataset, str, str], Any]]:
    """Parameter -> function that parses its value. Each raises FilterError naming the parameter and what is allowed."""
    facets = {name: facet.read for name, facet in FACETS.items()}
    return {"agreement": read_agreement, **facets, "q": read_search, "sort": read_sort}


def _shown_first(dataset: Dataset) -> dict[str, Value]:
    """Facet -> what a page shows whose address does not name it, for facets of which that is not everything."""
    first = {name: facet.put(facet.shown_first(dataset)) for name, facet in FACETS.items()}
    return {name: value for name, value in first.items() if value not in NOTHING}


def _offered(dataset: Dataset) -> Iterator[str]:
    """The parameters that mean something for a dataset, as it calls them."""
    for name in readers():
        if name not in FACETS:
            yield name
        elif FACETS[name].exists(dataset):
            yield FACETS[name].parameter(dataset)
