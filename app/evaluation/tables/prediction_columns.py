"""Find the row names, classes or scores among the columns of a table of predictions, by column name."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.evaluation.prediction_rows import HOW_CLASSES_ARE, MOST_RANKED, By, Target, UploadError, short
from app.evaluation.tables.class_spelling import AmbiguousClassError, whole_number
from app.evaluation.tables.column_meanings import is_measure, is_prediction, is_truth, names_rows, ranked_places
from app.evaluation.tables.row_names import NAMELESS


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
    names = ["" if column.strip() in NAMELESS else column.strip() for column in columns]
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
    id_column = ids[0] if ids else None
    # True labels may stand beside scores, and be the only ones called so among the classes.
    for some in (others, [place for place in others if not is_truth(names[place])]):
        ordered = _in_class_order([names[place] for place in some], target)
        if ordered is not None:
            return Layout(by, id_column, tuple(some[place] for place in ordered), scores=True)
    if not others:
        raise UploadError(f"expected predictions, found no column beside {names[ids[0]] if ids else 'none'}")
    if len(others) > MOST_RANKED:
        raise UploadError(
            f"expected 1 to {MOST_RANKED} columns of classes, or {target.n_classes} columns of scores named like the "
            f"classes of {target.title}; found {len(others):,} columns beside {names[ids[0]] if ids else 'no index'}"
        )
    twice = next((names[place] for place in others if names.count(names[place]) > 1), None)
    if twice is not None:
        raise UploadError(f"expected columns of different names, found {short(twice)} more than once")
    ranked = _ranked([names[place] for place in others], target)
    return Layout(by, id_column, tuple(others[place] for place in ranked), scores=False)


def _ranked(names: Sequence[str], target: Target) -> list[int]:
    """The places of the columns of ranked classes. Raises UploadError naming a column that is something else."""
    ranked = ranked_places(names)
    beside = [name for place, name in enumerate(names) if place not in (ranked or ())]
    counted = [str(number) for number in range(1, target.n_classes + 1)]
    if sorted(names) == sorted(counted) and len(names) > 1:
        raise UploadError(
            f"expected columns of scores named like the classes of {target.title}, or numbered from 0; found columns "
            "that look counted from 1"
        )
    how = (
        f"name the column of classes prediction, ranked ones top1, top2, ..., and scores like all {target.n_classes} "
        "classes"
    )
    if ranked is None:
        called = next((name for name in names if _is_class(name, target)), None)
        if called is not None:
            raise UploadError(
                f"the first line names the columns; found {short(called)}, which is a class, and not all others: {how}"
            )
        wrong = next((name for name in names if is_truth(name) or is_measure(name)), None)
        if wrong is None and len(names) == 1:
            return [0]
        raise UploadError(f"expected columns of predictions, found {short(wrong or names[0])}: {how}")
    if sum(map(is_prediction, names)) > 1:
        both = " and ".join(short(name) for name in names if is_prediction(name))
        raise UploadError(f"expected one column of predictions, found two columns or more, {both}: {how}")
    row_names = next((name for name in beside if names_rows(name)), None)
    if row_names is not None:
        raise UploadError(
            f"expected to be told whose each row is by a column index or key, found {short(row_names)} beside "
            "predictions; name it so, or leave it out where the rows stand in order"
        )
    return ranked


def _is_class(name: str, target: Target) -> bool:
    return target.spelling.named(name) is not None and whole_number(name) is None


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
