"""The colour and the dash of each model, the same in every chart and on every page, and the form that chooses models.

A model's place decides, so neither changes with what a visitor chooses: models that a page shows unasked come first,
the others follow in the order of the catalogue. Six colours and six dashes make 36 looks: neighbours differ in both,
and what has the same colour has another dash. From the 37th model on looks repeat, and only names tell those apart;
names stand at the ends of all lines.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from app.site.stability.results import Results, keys_of, telling_models

#: The style sheet has a colour c0, c1, ... and a dash d0, d1, ... of each.
COLOURS: Final = 6
DASHES: Final = 6
#: The line of a visitor's own model.
OWN: Final = "own"
#: From so many models on there is a field to search their names.
MANY: Final = 13


class LegendEntry(NamedTuple):
    """A model that a page shows: its name and a piece of its line."""

    key: str
    swatch: Markup


class ModelFilter(NamedTuple):
    """The form that chooses models: those shown, those to choose from, and the words searched for."""

    shown: Sequence[LegendEntry]
    offered: Sequence[tuple[LegendEntry, bool]]  # and whether it is shown
    n_models: int
    find: str
    searchable: bool


def look(place: int) -> str:
    """The classes of the model at a place.

    >>> look(0), look(1), look(6)
    ('c0 d0', 'c1 d1', 'c0 d1')
    """
    return f"c{place % COLOURS} d{(place + place // COLOURS) % DASHES}"


def looks_of(results: Results) -> dict[str, str]:
    """The classes of each model, given the results at the dataset's default agreement threshold."""
    keys = dict.fromkeys([*telling_models(results), *keys_of(results)])
    return {key: look(place) for place, key in enumerate(keys)}


def swatch(classes: str) -> Markup:
    """A piece of a model's line, to stand beside its name."""
    return Markup('<svg class="swatch %s" width="32" height="8" aria-hidden="true"><path d="M0 4H32"/></svg>') % classes


def swatches(looks: Mapping[str, str]) -> dict[str, Markup]:
    """A piece of the line of each model."""
    return {key: swatch(classes) for key, classes in looks.items()}


def shown_models(results: Results, chosen: Sequence[str]) -> tuple[str, ...]:
    """The models to show: those chosen, in the order of the catalogue, or those that tell most."""
    wanted = chosen or telling_models(results)
    return tuple(key for key in keys_of(results) if key in wanted)


def model_filter(keys: Sequence[str], shown: Sequence[str], find: str, pieces: Mapping[str, Markup]) -> ModelFilter:
    """The form for some models; with words to find, it offers those whose names have them, and those shown.

    ``pieces`` are those of all models' lines.
    """
    wanted = find.casefold()
    offered = [key for key in keys if wanted in key.casefold() or key in shown]
    return ModelFilter(
        shown=[LegendEntry(key, pieces[key]) for key in shown],
        offered=[(LegendEntry(key, pieces[key]), key in shown) for key in offered],
        n_models=len(keys),
        find=find,
        searchable=len(keys) >= MANY,
    )
