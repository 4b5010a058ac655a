"""A format that the project does not have, and a program that has it: tab-separated values.

``FORMAT`` is all that somebody would write who wants it, in the list of ``app.corrected.formats``. Run with a catalogue
and a file to write, this asks the site and the command line for it and prints what they answered, as JSON.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from app.corrected.blocks import CorrectedTestSet
from app.corrected.formats import FORMATS, Format
from app.corrected.text_files import columns_of, ending_values

MEDIA_TYPE = "text/tab-separated-values"


def _pieces(connection: Connection, corrected: CorrectedTestSet) -> Iterator[bytes]:
    yield _line(columns_of(corrected))
    for block in corrected.blocks(connection):
        for place in block.listed(corrected.wanted.removed).tolist():
            columns = (block.given, block.corrected, block.action, block.category, block.said)
            ending = ending_values(corrected, *(int(column[place]) for column in columns))
            key = None if block.keys is None else block.keys[place]
            yield _line((block.start + place, key, *ending.values()))


def _line(values: Any) -> bytes:
    return ("\t".join("" if value is None else str(value) for value in values) + "\n").encode()


def _refusal(corrected: CorrectedTestSet) -> str | None:
    return "A .tsv file holds one label an example." if corrected.sets else None


FORMAT = Format(
    suffix="tsv",
    media_type=f"{MEDIA_TYPE}; charset=utf-8",
    title="TSV",
    says="the rows with tabs between",
    about="As the CSV.",
    pieces=_pieces,
    lists_rows=True,
    binary=False,
    refusal=_refusal,
)


def main(catalogue: Path, out: Path) -> None:
    """Add the format and ask everything that knows formats."""
    FORMATS["tsv"] = FORMAT
    from starlette.testclient import TestClient

    from app.main import create_app
    from app.settings import Settings
    from ingest.commands.main import main as ingest

    api = "/api/v1/datasets/sample-digits"
    app = create_app(Settings(catalogue=catalogue, public=False))
    with TestClient(app) as site:

        def ask(address: str, **headers: str) -> dict[str, Any]:
            answer = site.get(address, headers=headers)
            return {"status": answer.status_code, "headers": dict(answer.headers), "text": answer.text}

        asked = {
            "page": ask("/sample-digits/corrected?neither=given"),
            "page of sets": ask("/sample-digits/corrected?multi_label=both"),
            "file": ask(f"{api}/corrected.tsv?neither=given"),
            "csv": ask(f"{api}/corrected.csv?neither=given"),
            "part": ask(f"{api}/corrected.tsv?neither=given", range="bytes=10-99"),
            "negotiated": ask(f"{api}/corrected?neither=given", accept=f"{MEDIA_TYPE}, text/csv;q=0.5"),
            "sums": ask(f"{api}/corrected.sha256?neither=given"),
            "sets": ask(f"{api}/corrected.tsv?multi_label=both"),
            "sums of sets": ask(f"{api}/corrected.sha256?multi_label=both"),
        }
    fixed = asked["file"]["headers"]["content-location"]
    with TestClient(app) as site:
        asked["version"] = ask(fixed)
    policy = ["--policy", "neither=given", "--catalogue", str(catalogue)]
    print(
        json.dumps(
            {
                **asked,
                "openapi": app.openapi(),
                "export": ingest(["export", "sample-digits", "--out", str(out), *policy]),
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
