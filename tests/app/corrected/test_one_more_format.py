"""A file format is one value: one entry more in the list, and all that offers, serves and documents files has it."""

import csv
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.corrected.formats import FORMATS
from tests.app.corrected.tsv_format import FORMAT, MEDIA_TYPE
from tests.app.reading import Page

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tsv") / "labels.tsv"


@pytest.fixture(scope="module")
def asked(sample_catalogue: Path, exported: Path) -> dict[str, Any]:
    """What a program with the format answers."""
    command = [sys.executable, "-m", "tests.app.corrected.tsv_format", str(sample_catalogue), str(exported)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answers


def test_its_address_has_the_rows(asked: dict[str, Any]) -> None:
    file = asked["file"]
    assert file["status"] == 200
    assert file["headers"]["content-type"] == FORMAT.media_type
    assert file["headers"]["content-disposition"].endswith('-neither-given.tsv"')
    rows = list(csv.reader(io.StringIO(file["text"]), delimiter="\t"))
    assert rows == list(csv.reader(io.StringIO(asked["csv"]["text"])))
    assert len(rows) > 1_700
    assert asked["version"]["text"] == file["text"]
    assert (asked["part"]["status"], asked["part"]["text"]) == (206, file["text"][10:100])


def test_it_is_negotiated(asked: dict[str, Any]) -> None:
    assert asked["negotiated"]["text"] == asked["file"]["text"]
    assert asked["negotiated"]["headers"]["content-type"].startswith(MEDIA_TYPE)


def test_the_page_offers_it_where_it_fits(asked: dict[str, Any]) -> None:
    page = Page(asked["page"]["text"])
    links = [link.href for link in page.links]
    assert "/api/v1/datasets/sample-digits/corrected.tsv?neither=given" in links
    assert "the rows with tabs between" in page.words
    assert "in the first four." in page.words
    assert hashlib.sha256(asked["file"]["text"].encode()).hexdigest() in page.words
    assert ".tsv" not in asked["page of sets"]["text"]
    assert "in the first three." in asked["page of sets"]["text"]


def test_its_checksum_is_listed_where_it_fits(asked: dict[str, Any]) -> None:
    digest = hashlib.sha256(asked["file"]["text"].encode()).hexdigest()
    assert f"{digest}  sample-digits-corrected-3-of-5-neither-given.tsv\n" in asked["sums"]["text"]
    assert len(asked["sums"]["text"].splitlines()) == sum(not form.holds_media for form in FORMATS.values()) + 1
    assert ".tsv" not in asked["sums of sets"]["text"]


def test_what_does_not_fit_is_refused_in_its_words(asked: dict[str, Any]) -> None:
    assert asked["sets"]["status"] == 409
    assert json.loads(asked["sets"]["text"])["detail"] == "A .tsv file holds one label an example."


def test_the_documentation_has_it(asked: dict[str, Any]) -> None:
    paths = asked["openapi"]["paths"]
    for path in ("/api/v1/datasets/{name}", "/api/v1/versions/{version}/datasets/{name}"):
        operation = paths[f"{path}/corrected.tsv"]["get"]
        assert operation["summary"].startswith("Corrected test set as TSV")
        assert operation["description"] == "The rows with tabs between. As the CSV."
        assert list(operation["responses"]["200"]["content"]) == [MEDIA_TYPE]
        assert "removed" in {one["name"] for one in operation["parameters"]}
    negotiated = paths["/api/v1/datasets/{name}/corrected"]["get"]["responses"]["200"]["content"]
    assert MEDIA_TYPE in negotiated


def test_export_writes_it(asked: dict[str, Any], exported: Path) -> None:
    assert asked["export"] == 0
    assert exported.read_bytes() == asked["file"]["text"].encode()


@pytest.mark.parametrize("folder", ["app/site", "app/openapi", "app/corrected", "ingest/commands"])
def test_nobody_asks_for_a_suffix_by_name(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        for suffix in FORMATS:
            assert f'suffix == "{suffix}"' not in source, path
            assert f'suffix != "{suffix}"' not in source, path
