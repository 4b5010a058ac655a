"""The list of all facets of issues.

To add a facet, add an entry to ``FACETS``; no other module has to change. Those about models, opinions
and scores are defined in ``app.issues.facet_kinds``.

A facet that ingest counts also has a column in the table ``facets``; any other is counted when it is first needed.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, func

from app.catalogue.records import Dataset
from app.catalogue.table_row import QUESTION
from app.domain.review.verdicts import ERROR_CATEGORIES, Category
from app.errors import FilterError
from app.issues.category_words import ANY, ANY_ERROR, CATEGORY_WORDS, categories_of, category_noun, category_word
from app.issues.facet import Facet, Others
from app.issues.facet_kinds.confidence_facet import CONFIDENCE
from app.issues.facet_kinds.model_facets import DOUBTING, MODEL, MODELS
from app.issues.facet_kinds.opinion_facet import OPINION
from app.issues.facet_kinds.range_facets import MARGIN, SELF_CONFIDENCE
from app.issues.filter_parameters import class_value, find_class
from app.issues.slices import SLICE
from app.schema import tables
from app.schema.facet_tables import facets

_FLAGGED: Final = {"yes": True, "no": False}
_YES_NO: Final = {flag: word for word, flag in _FLAGGED.items()}
_SPELLED: Final = "by name or number; ``name:2`` or ``id:2`` where 2 is one class's name and another's number."

_i, _v, _p, _stored = tables.issues.c, tables.verdicts.c, tables.predictions.c, facets.c


# Categories


def _read_category(_: Dataset, name: str, value: str) -> str:
    word = value.replace("-", "_")
    if word not in CATEGORY_WORDS and word != ANY:
        raise FilterError(name, value, [*CATEGORY_WORDS, ANY])
    return word


def _in_category(_: Dataset, words: Sequence[str], verdicts_lead: bool) -> list[ColumnElement[bool]]:
    categories = categories_of(words)
    if verdicts_lead:
        found = sorted(c.value for c in categories)
        return [_v.category == found[0] if len(found) == 1 else _v.category.in_(found)]
    found = sorted(c.value for c in categories if c is not Category.UNREVIEWED)
    unreviewed = _v.category.is_(None)
    return [unreviewed | _v.category.in_(found) if found else unreviewed]


def _category_means(_: Dataset, word: str) -> tuple[str, ...]:
    return (word, ANY_ERROR) if Category(word).is_error else (word,)


# Labels


def _label(name: str, column: ColumnElement[Any], stored: ColumnElement[Any], *, reviewed: bool = False) -> Facet:
    """A facet for the classes of a label."""

    def where(dataset: Dataset, class_ids: Sequence[int], _: bool) -> list[ColumnElement[bool]]:
        ids = sorted({label_id for class_id in class_ids for label_id in dataset.labels_with[class_id]})
        has = column == ids[0] if len(ids) == 1 else column.in_(ids)
        # The index of a label in issues begins with the dataset.
        return [has] if reviewed else [_i.dataset_id == dataset.id, has]

    return Facet(
        name=name,
        title=f"{name.capitalize()} label",
        read=lambda dataset, parameter, value: find_class(dataset, parameter, value).id,
        spell=class_value,
        says=f"A class of the {name} label, {_SPELLED}",
        schema={"type": "string"},
        label=_class_name,
        chip=lambda dataset, class_id: f"{name}: {_class_name(dataset, class_id)}",
        clause=_with_labels,
        reviewed=lambda _: reviewed,
        where=where,
        stored=stored,
        columns=(column,),
        means=lambda dataset, label_id: [c.id for c in dataset.labels[label_id].classes],
        exists=lambda dataset: dataset.modality != QUESTION,  # the third option of two questions is not one class
        others=Others(lambda _, n: f"Another class, of {n:,} more"),
    )


def _class_name(dataset: Dataset, class_id: int) -> str:
    return dataset.classes[class_id].name


def _with_labels(dataset: Dataset, chosen: Mapping[str, int]) -> str:
    return "with " + " and ".join(f"{name} label {_class_name(dataset, class_id)}" for name, class_id in chosen.items())


# Votes


def _read_votes(dataset: Dataset, name: str, value: str) -> str:
    options = len(dataset.vote_options)
    if options == 0:
        raise FilterError(
            name, value, [], f"{dataset.title} has no vote pattern to filter by: votes went to class names."
        )
    if not re.fullmatch(r"\d{1,3}(-\d{1,3})*", value, re.ASCII) or value.count("-") != options - 1:
        example = "-".join(["0"] * options)
        raise FilterError(
            name,
            value,
            [example],
            f"{name} is {value[:40]!r}; expected counts of {', '.join(dataset.vote_options)} like {example}.",
        )
    return "-".join(str(int(n)) for n in value.split("-"))


def _vote_words(dataset: Dataset, pattern: str) -> str:
    """A vote pattern as text: ``"1-3-0-1"`` -> ``"1 given, 3 guessed, 1 neither"``."""
    pairs = zip(pattern.split("-"), dataset.vote_options, strict=True)
    if dataset.raters == 1:
        return next((option for n, option in pairs if n != "0"), "none")
    return ", ".join(f"{n} {option}" for n, option in pairs if n != "0") or "none"


# Flags


def _read_flagged(_: Dataset, name: str, value: str) -> bool:
    if value not in _FLAGGED:
        raise FilterError(name, value, list(_FLAGGED))
    return _FLAGGED[value]


def _flagged_words(_: Dataset, flagged: bool) -> str:
    return f"{'' if flagged else 'not '}flagged by confident learning"


def _is_flagged(dataset: Dataset, flags: Sequence[bool], _: bool) -> list[ColumnElement[bool]]:
    (flagged,) = flags
    # Few issues are not flagged, and their index begins with the dataset.
    return [_i.flagged == flagged] if flagged else [_i.flagged == flagged, _i.dataset_id == dataset.id]


#: Parameter -> facet, in the order of query strings, sentences and the side column.
FACETS: Final = {
    facet.name: facet
    for facet in (
        Facet(
            name="category",
            title="Category",
            read=_read_category,
            says="Categories to show; may be given several times. ``any``, the default here, means all issues.",
            schema={"type": "array", "items": {"type": "string", "enum": [*CATEGORY_WORDS, ANY]}},
            many=True,
            everything=ANY,
            shown_first=lambda dataset: (ANY_ERROR,) if dataset.n_errors else (),
            label=category_word,
            chip=category_word,
            noun=category_noun,
            reviewed=lambda words: Category.UNREVIEWED not in categories_of(words),
            where=_in_category,
            stored=_stored.category,
            columns=(func.coalesce(_v.category, Category.UNREVIEWED.value),),
            means=_category_means,
            order=lambda *_: (ANY_ERROR, *(c.value for c in Category)),
            indented=frozenset(c.value for c in ERROR_CATEGORIES),
        ),
        SLICE,
        _label("given", _i.given, _stored.given),
        _label("guessed", _i.guessed, _stored.guessed),
        _label("corrected", _v.corrected, _stored.corrected, reviewed=True),
        Facet(
            name="votes",
            title="Votes",
            heading=lambda dataset: "The expert said" if dataset.raters == 1 else None,
            read=_read_votes,
            says="A vote pattern: counts in the order of the dataset's options, joined by minus signs.",
            schema={"type": "string"},
            label=_vote_words,
            chip=lambda dataset, pattern: f"vote{'s' * (dataset.raters > 1)}: {_vote_words(dataset, pattern)}",
            clause=lambda dataset, chosen: (
                f"with the vote{'s' * (dataset.raters > 1)} {_vote_words(dataset, chosen['votes'])}"
            ),
            where=lambda dataset, patterns, _: [_i.dataset_id == dataset.id, _i.vote_pattern == patterns[0]],
            stored=_stored.vote_pattern,
            columns=(_i.vote_pattern,),
            exists=lambda dataset: bool(dataset.vote_options),
            folded=True,
        ),
        Facet(
            name="flagged",
            title="Flagged by confident learning",
            read=_read_flagged,
            spell=lambda _, flagged: _YES_NO[flagged],
            says="Whether confident learning flagged it.",
            schema={"type": "string", "enum": list(_FLAGGED)},
            label=lambda _, flagged: _YES_NO[flagged],
            chip=_flagged_words,
            clause=lambda dataset, chosen: _flagged_words(dataset, chosen["flagged"]),
            where=_is_flagged,
            stored=_stored.flagged,
            columns=(_i.flagged,),
        ),
        SELF_CONFIDENCE,
        MARGIN,
        DOUBTING,
        MODELS,
        MODEL,
        OPINION,
        CONFIDENCE,
    )
}
#: The facets for classes, by the role in which an issue has the class.
ROLES: Final = ("given", "guessed", "corrected")
