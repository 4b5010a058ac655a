"""What the columns of a table of predictions hold, by their names: whose a row is, classes, or a score a class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.measuring.alignment import HOW_CLASSES_ARE, MOST_RANKED, By, Target, UploadError, short
from app.measuring.class_spelling import AmbiguousClassError

#: What pandas calls the index of a table that has no name, in CSV, once read again, and in Parquet.
_NAMELESS: Final = ("", "Unnamed: 0", "__index_level_0__")


@dataclass(frozen=True, slots=True)
class Layout:
    """What the columns of a table hold."""

    by: By | None
    id_column: int | None
    values: tuple[int, ...]  # the columns of predictions; of scores, in the order of the classes
    scores: bool


def layout(columns: Sequence[str], target: Target) -> Layout:
    """What named columns hold: ``index`` or ``key`` where there is one, and else a class, ranked classes, or scores.

    Scores have one column a class, named like the classes or numbered from 0. A column without a name, as R and pandas
    write, holds row names. Raises UploadError for anything else.
    """
    names = ["" if column.strip() in _NAMELESS else column.strip() for column in columns]
    nameless = [place for place, name in enumerate(names) if name == ""]
    # What is called index or key goes before row names, which pandas and R write unasked.
    ids = [place for place, name in enumerate(names) if name.casefold() in ("index", "key")] or nameless
    if len(ids) > 1:
        raise UploadError("expected one column index or one column key, found both, or one of them twice")
    by: By | None = None
    if ids:
        word = names[ids[0]].casefold()
        by = "key" if word == "key" else "index" if word else "row names"
        if by == "key" and target.keys is None:
            raise UploadError(f"the examples of {target.title} have no keys; name them by index, or keep their order")
    others = [place for place in range(len(names)) if place not in {*ids, *nameless}]
    ordered = _in_class_order([names[place] for place in others], target)
    if ordered is not None:
        return Layout(by, ids[0] if ids else None, tuple(others[place] for place in ordered), scores=True)
    if not 1 <= len(others) <= MOST_RANKED:
        raise UploadError(
            f"expected 1 to {MOST_RANKED} columns of classes, or {target.n_classes} columns of scores named like the "
            f"classes of {target.title}; found {len(others):,} columns beside {names[ids[0]] if ids else 'no index'}"
        )
    twice = next((names[place] for place in others if names.count(names[place]) > 1), None)
    if twice is not None:
        raise UploadError(f"expected columns of different names, found {short(twice)} more than once")
    return Layout(by, ids[0] if ids else None, tuple(others), scores=False)


def _in_class_order(names: Sequence[str], target: Target) -> list[int] | None:
    """The places of the columns of all classes, by class; None where they are not called by the classes."""
    if not 1 < target.n_classes == len(names):
        return None
    if list(names) == list(target.class_names) and len(set(names)) < len(names):
        return list(range(len(names)))  # of two classes of one name, each is where it is among all
    try:
        ids = target.spelling.ids(names) if all(map(target.spelling.known, names)) else {}
    except AmbiguousClassError as error:
        raise UploadError(f"the names of the columns: {error}: {HOW_CLASSES_ARE}") from error
    places = {class_id: names.index(name) for name, class_id in ids.items()}
    return [places[class_id] for class_id in range(len(names))] if len(places) == len(names) else None
