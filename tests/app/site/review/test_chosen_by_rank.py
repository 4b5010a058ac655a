"""After a round over the most suspicious examples nothing is said of the other flagged ones."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.app.site.review.replay import Texts
from tests.app.site.review.rounds import open_round, review

API = "/api/v1/datasets/sample-texts"


def test_errors_of_the_most_suspicious_examples_are_not_extrapolated(
    texts: Texts, quick_folder: Path, tmp_path: Path
) -> None:
    known = {record["id"] for record in texts.records}
    with closing(sqlite3.connect(texts.bare)) as connection:
        by_rank = [idx for (idx,) in connection.execute("SELECT idx FROM issues WHERE flagged ORDER BY rank")]
    chosen = [idx for idx in by_rank if idx in known][:12]
    (tmp_path / "chosen.txt").write_text("\n".join(map(str, chosen)))
    with open_round(texts.bare, quick_folder, "sample-texts", "--examples", str(tmp_path / "chosen.txt")) as found:
        sum(texts.replayed(found))
        review(found.catalogue, "close", found.name)
        review(found.catalogue, "publish", found.name)
        told = found.http.get(API).json()
        page = found.http.get("/sample-texts").text
    assert told["checked"] == 12 < told["flagged"] == len(by_rank)
    assert 0 < told["errors"] < round(told["flagged"] * told["errors"] / 12)
    assert (told["basis"], told["estimated_errors"]) == ("at least", told["errors"])
    assert "at least" in page
    assert '<a href="/method#estimates">estimate</a>' not in page
