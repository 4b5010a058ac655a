"""Issues as JSON text.

A list has dozens of issues and is requested thousands of times a second. Much of an issue's JSON is stored in the
catalogue as JSON (votes) or is the same for many issues (labels, addresses). So the text is put together from pieces,
instead of making records, then objects, and serialising those.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import orjson
from fastapi import Request

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset, IssueRow
from app.catalogue.table_row import Question
from app.domain.opinions.stances import stances_of
from app.site.opinions.issue_opinions import SecondOpinion
from app.web.urls import base_url

#: Label id -> the label as JSON; None -> null.
LabelTexts = Mapping[int | None, str]


def label_texts(catalogue: Catalogue, dataset: Dataset) -> LabelTexts:
    """Label id -> ``{"id", "name"}`` of its class, or a list of these if examples have sets of labels."""

    def write() -> dict[int | None, str]:
        found: dict[int | None, str] = {None: "null"}
        for label in dataset.labels.values():
            parts = [{"id": c.id, "name": c.name} for c in label.classes]
            found[label.id] = _text(parts if dataset.multi_label else parts[0])
        return found

    texts: LabelTexts = catalogue.pages.get(("label texts", dataset.id), write)
    return texts


def issue_texts(request: Request, dataset: Dataset, rows: Sequence[IssueRow], labels: LabelTexts) -> list[str]:
    """Each issue as a JSON object, with the fields of ``response_models.IssueOut`` in order."""
    base = _text(base_url(request))[1:-1]
    # Neither a dataset's name nor its version contains a character that JSON has to escape.
    addresses = f"{base}/api/v1/datasets/{dataset.name}/issues/"
    pages = f"{base}/{dataset.name}/issues/"
    prefix = f"{base}/media/{dataset.name}/{dataset.version}/"
    names = tuple(dataset.opinions.places)
    # All numbers of a page are serialised at once.
    numbers = iter(_text([n for row in rows for n in (row.self_confidence, row.normalized_margin)])[1:-1].split(","))
    return [
        f'{{"index":{(n := str(row.idx))},"key":{"null" if row.key is None else _text(row.key)}'
        f',"given":{labels[row.given]},"guessed":{labels[row.guessed]},"reviewed_guess":{labels[row.shown]}'
        f',"corrected":{labels[row.corrected]}'
        f',"category":"{row.category or "unreviewed"}"'
        f',"consensus":{_word(row.consensus)},"votes":{row.votes or "null"}'
        f',"self_confidence":{next(numbers)},"normalized_margin":{next(numbers)}'
        f',"rank":{"null" if row.rank is None else row.rank},"flagged":{"true" if row.flagged else "false"}'
        f',"opinions":{"null" if row.opinions is None else _opinions(names, row.opinions)}'
        f"{_sure(row.confidence, row.probability_right)}"
        f',"links":{{"self":"{addresses}{n}","page":"{pages}{n}","media":{f"{prefix}{n}".join(_around(row.media))}'
        f',"source":{"null" if row.url is None else _text(row.url)}}}}}'
        for row in rows
    ]


def question_json(question: Question) -> dict[str, Any]:
    """A multiple-choice question as an object: its text, options, and what its judge wrote."""
    judge = None if question.judge is None else question.judge._asdict()
    return {"text": question.text, "options": question.options, "judge": judge}


def opinion_objects(found: Sequence[SecondOpinion]) -> list[dict[str, Any]]:
    """What second opinions say of one issue, as ``response_models.SecondOpinionOut``."""
    return [
        {
            "source": one.source.name,
            "title": one.source.title,
            "independent": one.source.independent,
            "stance": one.stance,
            "classes": [{"id": c.id, "name": c.name, "weight": weight} for c, weight in one.classes],
        }
        for one in found
    ]


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()


_word = lru_cache(maxsize=1024)(_text)


@lru_cache(maxsize=1024)
def _sure(confidence: float | None, right: float | None) -> str:
    """How sure a correction is; there are few different numbers, for they follow from counts of votes.

    >>> _sure(0.98, None)
    ',"confidence":0.98,"probability_right":null'
    """
    return f',"confidence":{_text(confidence)},"probability_right":{_text(right)}'


@lru_cache(maxsize=1024)
def _opinions(names: tuple[str, ...], signs: str) -> str:
    """What each second opinion says.

    >>> _opinions(("real",), "c")
    '{"real":"guessed"}'
    """
    return _text(dict(zip(names, stances_of(signs), strict=True)))


@lru_cache(maxsize=4096)
def _around(media: str | None) -> tuple[str, ...]:
    """The parts of an example's media JSON between which its address is inserted.

    >>> "/media/x/1/7".join(_around('{"image":[8,8],"thumbnail":[96,96]}'))
    '{"image":"/media/x/1/7/image","thumbnail":"/media/x/1/7/thumbnail"}'
    >>> "/media/x/1/7".join(_around(None))
    '{}'
    """
    kinds = list(orjson.loads(media)) if media else []
    if not kinds:
        return ("{}",)
    between = (f'/{kind}","{following}":"' for kind, following in pairwise(kinds))
    return (f'{{"{kinds[0]}":"', *between, f'/{kinds[-1]}"}}')
