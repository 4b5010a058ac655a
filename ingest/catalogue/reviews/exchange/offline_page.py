"""One HTML file with which a rater answers without a server: tasks, media, style and scripts of the task page in it."""

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from sqlalchemy import Connection, Row, select

from app.package_files import STATIC, TEMPLATES
from app.reviews.lending import Task
from app.reviews.questions import SIDES
from app.reviews.rounds import Round
from app.reviews.task_exemplars import exemplars_of
from app.schema import tables
from ingest.errors import CatalogueError

_STYLES: Final = ("site.css", "review.css")
_SCRIPTS: Final = ("review_server.js", "review_offline.js", "review_view.js", "review.js")


def offline_page(
    connection: Connection,
    dataset_id: int,
    found: Round,
    rater: str,
    tasks: Sequence[Task],
    classes: Mapping[int, Row[Any]],
) -> str:
    """The page. ``rater`` is the opaque code, ``classes`` the rows of the round's classes by id.

    Raises CatalogueError for an example whose medium is no longer in the catalogue.
    """
    sheet = _Sheet(connection, dataset_id, classes)
    spelled = {
        "round": found.name,
        "rater": rater,
        "tasks": [sheet.task(one) for one in tasks],
        "media": sheet.media,
    }
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True)
    environment.filters["number"] = "{:,}".format
    until = max((one.until for one in tasks), default=0.0)
    return environment.get_template("review_offline.html").render(
        n=len(tasks),
        instructions=found.settings.instructions,
        until=datetime.fromtimestamp(until, UTC).date().isoformat(),
        # Neither can end its element: "<" is spelled otherwise in JSON, and our own files do not have an end tag.
        tasks=Markup(json.dumps(spelled, ensure_ascii=False).replace("<", "\\u003c")),  # noqa: S704
        styles=[Markup((STATIC / name).read_text(encoding="utf-8")) for name in _STYLES],  # noqa: S704
        scripts=[Markup((STATIC / name).read_text(encoding="utf-8")) for name in _SCRIPTS],  # noqa: S704
    )


class _Sheet:
    """Tasks as the API sends them, with names in place of the addresses of media; each medium is held once."""

    def __init__(self, connection: Connection, dataset_id: int, classes: Mapping[int, Row[Any]]) -> None:
        self._connection = connection
        self._dataset_id = dataset_id
        self._classes = classes
        self._names: dict[tuple[int, str], str] = {}
        self.media: dict[str, str] = {}

    def task(self, task: Task) -> dict[str, Any]:
        names = {class_id: self._classes[class_id].name for class_id in task.sides}
        shown = [
            {
                "name": names[class_id],
                "exemplars": [self._name(idx, kind) for idx, kind in exemplars_of(task, place, self._classes)],
            }
            for place, class_id in enumerate(task.sides)
        ]
        body: dict[str, Any] = {"task": task.code, "kind": task.question.kind}
        body |= dict(zip(SIDES, shown, strict=True)) if task.question.kind == "pair" else {"choices": shown}
        kinds = {"excerpt": "text"}
        media = [{"kind": kinds.get(kind, kind), "address": self._name(task.idx, kind)} for kind in task.media]
        if not media and task.url is not None:
            media = [{"kind": "link", "address": task.url}]
        return body | {"media": media, "answers": task.question.answers(task.sides, names)}

    def _name(self, idx: int, kind: str) -> str:
        """The name of a medium in the file; it tells nothing, as names are given in the order of first use."""
        if (idx, kind) not in self._names:
            name = f"m{len(self._names)}"
            self._names[(idx, kind)] = name
            media_type, data = self._content(idx, kind)
            self.media[name] = f"data:{media_type.replace(' ', '')};base64,{base64.b64encode(data).decode()}"
        return self._names[(idx, kind)]

    def _content(self, idx: int, kind: str) -> tuple[str, bytes]:
        if kind == "excerpt":
            for table in (tables.issues, tables.exemplars):
                here = (table.c.dataset_id == self._dataset_id, table.c.idx == idx)
                text = self._connection.scalar(select(table.c.excerpt).where(*here).limit(1))
                if text is not None:
                    return "text/plain;charset=utf-8", str(text).encode()
        m = tables.media.c
        stored = (m.dataset_id == self._dataset_id, m.idx == idx, m.kind == kind)
        row = self._connection.execute(select(m.type, m.encoding, m.bytes).where(*stored)).one_or_none()
        if row is None:
            raise CatalogueError(f"expected the {kind} of example {idx} in the catalogue, found none")
        data = gzip.decompress(row.bytes) if row.encoding == "gzip" else row.bytes
        if kind == "row":
            data = json.dumps([cell[:2] for cell in json.loads(data)], ensure_ascii=False).encode()
        return row.type, data
