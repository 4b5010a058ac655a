"""Slices of datasets that are no questions: a column of a table of texts, or a file of their own."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingest.commands.main import main
from tests.app.reading import body, read
from tests.ingest.conftest import Tiny
from tests.serving import serving

#: Two hospitals in turn, and a third that has the last four examples.
SITES = [("north", "south")[n % 2] if n < 36 else "R&D #2" for n in range(40)]


def _table(tiny: Tiny) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(["text", "label", "hospital"])
    for n, label in enumerate(tiny.labels.tolist()):
        writer.writerow([f"Report {n}, <b>made up</b>", tiny.classes[label], SITES[n]])
    return stream.getvalue().encode()


def _write(tiny: Tiny, name: str, changes: dict[str, str]) -> Path:
    manifest = tiny.write()
    text = manifest.read_text()
    for before, after in {'"tiny"': f'"{name}"', "flag = 8": 'flag = 8\nslice = "hospital"', **changes}.items():
        assert before in text
        text = text.replace(before, after, 1)
    manifest.write_text(text)
    return manifest


def of_texts(folder: Path) -> Path:
    tiny = Tiny(folder)
    tiny.extra = {"reports.csv": _table(tiny)}
    media = '[media]\nlayout = "text-table"\npath = "reports.csv"\ncolumn = "text"\n\n[examples]'
    changes = {'"image"': '"text"', '"labels.npy"': '"reports.csv"', 'media = "none"': 'media = "host"'}
    return _write(tiny, "of-texts", changes | {"[examples]": media})


def of_a_list(folder: Path) -> Path:
    tiny = Tiny(folder, files='slices = "sites.json"', extra={"sites.json": SITES})
    return _write(tiny, "of-a-list", {})


def of_a_table(folder: Path) -> Path:
    table = "scanner,hospital\n" + "".join(f"x,{site}\n" for site in SITES)
    tiny = Tiny(folder, files='slices = "sites.csv"', extra={"sites.csv": table.encode()})
    return _write(tiny, "of-a-table", {})


WAYS = {"of-texts": of_texts, "of-a-list": of_a_list, "of-a-table": of_a_table}


@pytest.fixture(scope="module")
def hospitals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("hospitals")
    catalogue = folder / "catalogue.sqlite"
    for name, way in WAYS.items():
        assert main(["add", str(way(folder / name)), str(folder / name), "--catalogue", str(catalogue)]) == 0
    with serving(catalogue) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def _expected(tiny: Tiny) -> dict[str, tuple[int, int]]:
    """Slice -> examples, and errors, by hand: three of five votes decide."""
    wrong = [n for n, record in enumerate(tiny.records) if record["mturk"]["given"] < 3]
    return {site: (SITES.count(site), sum(SITES[n] == site for n in wrong)) for site in set(SITES)}


@pytest.mark.parametrize("name", WAYS)
def test_errors_by_slice(hospitals: httpx.Client, name: str, tmp_path: Path) -> None:
    found: Any = body(hospitals, f"/api/v1/datasets/{name}/slices")
    assert found["column"] == "hospital"
    counts = {one["name"]: (one["examples"], one["errors"]) for one in found["items"]}
    assert counts == _expected(Tiny(tmp_path)) == {"north": (18, 3), "south": (18, 2), "R&D #2": (4, 0)}
    assert [one["name"] for one in found["items"]] == ["north", "south", "R&D #2"]
    words = " ".join(read(hospitals, f"/{name}/slices").words.split())
    assert "Hospital" in words
    assert "R&D #2" in words


@pytest.mark.parametrize("name", WAYS)
def test_a_slice_is_a_filter_of_its_own_name(hospitals: httpx.Client, name: str) -> None:
    api = f"/api/v1/datasets/{name}/issues"
    errors = body(hospitals, api, hospital="north", category="error")
    assert errors["total"] == 3
    assert {SITES[item["index"]] for item in errors["items"]} == {"north"}
    assert body(hospitals, api, 400, hospital="nort")["allowed"][0] == "north"
    assert body(hospitals, api, 400, subject="north")["parameter"] == "subject"
    page = read(hospitals, f"/{name}?hospital=north")
    assert "of the hospital north" in " ".join(page.words.split())
    here = [link.href for link in read(hospitals, f"/{name}/slices").links if "slices?hospital=R" in link.href]
    assert here == [f"/{name}/slices?hospital=R%26D+%232#one"]
    assert "R&D #2" in read(hospitals, here[0]).words


def test_the_threshold_that_is_asked_for_is_kept(hospitals: httpx.Client) -> None:
    """In every link of the page, and in the address of the same as JSON."""
    page = read(hospitals, "/of-texts/slices?agreement=5")
    kept = [link.href for link in page.links if "sort=" in link.href]
    kept += [link.href for link in page.links if link.href.endswith("#one")]
    kept += [link.href for link in page.links if "/api/v1/datasets/of-texts/slices" in link.href]
    assert len(kept) == 4 + len(set(SITES)) + 1
    assert [href for href in kept if "agreement=5" not in href] == []
    assert body(hospitals, "/api/v1/datasets/of-texts/slices?agreement=5")["agreement"] == 5


@pytest.mark.parametrize(
    ("sites", "finding"),
    [
        (SITES[:-1], "expected the hospital of 40 examples, found 39"),
        ([*SITES[:-1], " "], "example 39: expected a hospital in one line"),
        (None, "labels in .npy have no column hospital; slices in [files] names a JSON list"),
    ],
)
def test_slices_that_do_not_fit_are_refused(
    tmp_path: Path, sites: list[str] | None, finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = Tiny(tmp_path / "t")
    if sites is not None:
        tiny.files, tiny.extra = 'slices = "sites.json"', {"sites.json": sites}
    manifest = _write(tiny, "refused", {})
    assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(tmp_path / "c.sqlite")]) == 1
    assert finding in capsys.readouterr().err
    assert not (tmp_path / "c.sqlite").exists()
