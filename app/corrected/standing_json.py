"""The state of an example in one version as compact JSON, for the change log.

Fields with their default value are left out.
"""

from typing import Any

import orjson

from app.domain.review.changes import Standing
from app.domain.review.verdicts import Category


def spelled(standing: Standing) -> str:
    """A standing as text.

    >>> spelled(Standing((3,)))
    '{"given":[3]}'
    >>> spelled(Standing((3,), True, {3: (Category.CORRECTABLE, (6,)), 4: (Category.NEITHER, None)}))
    '{"given":[3],"issue":true,"verdicts":{"3":["correctable",[6]],"4":["neither"]}}'
    """
    found: dict[str, Any] = {"given": standing.given}
    if standing.issue:
        found["issue"] = True
    if standing.verdicts:
        found["verdicts"] = {
            str(agreement): [category] if label is None else [category, label]
            for agreement, (category, label) in standing.verdicts.items()
        }
    return orjson.dumps(found).decode()


def read(text: str) -> Standing:
    """The standing that ``spelled`` wrote.

    >>> read('{"given":[3],"issue":true,"verdicts":{"4":["neither"]}}').verdicts
    {4: (<Category.NEITHER: 'neither'>, None)}
    """
    found = orjson.loads(text)
    return Standing(
        given=tuple(found["given"]),
        issue=found.get("issue", False),
        verdicts={
            int(agreement): (Category(category), tuple(label[0]) if label else None)
            for agreement, (category, *label) in found.get("verdicts", {}).items()
        },
    )
