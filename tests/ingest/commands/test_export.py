"""``python -m ingest export``: the site's bytes offline, and files that are whole or not there."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT
from tests.serving import serving


def export(*arguments: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ingest", "export", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done


def test_the_bytes_are_the_sites(sample_catalogue: Path, tmp_path: Path):
    wanted = [
        ("csv", {}),
        ("jsonl", {"agreement": "4", "removed": "include"}),
        ("parquet", {"multi_label": "both", "unreviewed": "drop"}),
        ("npy", {"neither": "given", "non_agreement": "given"}),
        ("npz", {"multi_label": "both"}),
    ]
    with serving(sample_catalogue) as site:
        for suffix, query in wanted:
            out = tmp_path / f"labels.{suffix}"
            policy = [f"--policy={k}={v}" for k, v in query.items() if k != "removed"]
            listed = ["--removed", query["removed"]] if "removed" in query else []
            done = export("sample-digits", "--catalogue", sample_catalogue, "--out", out, *policy, *listed)
            address = f"{site}/api/v1/datasets/sample-digits/corrected.{suffix}"
            assert out.read_bytes() == httpx.get(address, params=query, timeout=60).content
            sums = httpx.get(address.replace(suffix, "sha256"), params=query, timeout=60).text
            assert done.stdout.split()[-1] in sums
    assert {p.name for p in tmp_path.iterdir()} == {f"labels.{suffix}" for suffix, _ in wanted}


def test_a_format_may_be_named_whatever_the_file_is_called(sample_catalogue: Path, tmp_path: Path):
    out = tmp_path / "labels"
    export("sample-texts", "--catalogue", sample_catalogue, "--format", "csv", "--out", out)
    assert out.read_bytes().startswith(b"index,key,")


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["nothing", "--out", "x.csv"], 1, "there is no dataset 'nothing'"),
        (["sample-digits", "--out", "x.txt"], 1, "ends in .csv"),
        (["sample-digits", "--out", "x.csv", "--policy", "agreement=9"], 1, "agreement is '9'; expected"),
        (["sample-digits", "--out", "x.csv", "--policy", "neither=both"], 1, "expected drop, given"),
        (["sample-digits", "--out", "x.npy", "--policy", "multi_label=both"], 1, ".npz"),
        (["sample-digits", "--out", "x.npy", "--removed", "include"], 1, "every example"),
        (["sample-digits", "--out", "x.csv", "--policy", "colour=red"], 2, "expected one of agreement"),
        (
            ["sample-digits", "--out", "nowhere/x.csv"],
            1,
            "nowhere/x.csv: expected a folder {tmp_path}/nowhere to write",
        ),
        (["sample-digits", "--out", "", "--format", "csv"], 1, ".: expected a file to write, found a folder"),
        (["sample-digits"], 2, "--out"),
    ],
)
def test_refusals_leave_nothing(sample_catalogue: Path, tmp_path: Path, arguments, status, told):
    placed = [str(tmp_path / a) if a.startswith(("x.", "nowhere")) else a for a in arguments]
    done = export(*placed, "--catalogue", sample_catalogue, status=status)
    assert told.format(tmp_path=tmp_path) in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_catalogue_is_named(tmp_path: Path):
    for content in (None, b"no catalogue"):
        file = tmp_path / "c.sqlite"
        if content is not None:
            file.write_bytes(content)
        done = export("mnist", "--catalogue", file, "--out", tmp_path / "x.csv", status=1)
        assert "c.sqlite: expected a catalogue" in done.stderr
        assert not (tmp_path / "x.csv").exists()
