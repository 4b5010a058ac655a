"""``label-errors try``: a folder in, a site with its suspects out."""

import os
import signal
import socket
import subprocess
import sys

import httpx
import numpy as np
import pytest

from ingest.commands.main import main
from ingest.commands.try_folder import free_port
from tests.conftest import ROOT
from tests.ingest.predicting.conftest import WORDS
from tests.waiting import wait_until


@pytest.fixture
def folder(tmp_path):
    """Texts in a folder for each class; 3.txt of the first is in the wrong one."""
    rng = np.random.default_rng(0)
    for label, name in enumerate(("cars", "hockey", "bread")):
        (tmp_path / "things" / name).mkdir(parents=True)
        for place in range(20):
            words = WORDS[1] if (label, place) == (0, 3) else WORDS[label]
            text = f"{' '.join(rng.choice(words, 8))} {name}{place}"
            (tmp_path / "things" / name / f"{place}.txt").write_text(text)
    return tmp_path / "things"


def test_a_folder_becomes_a_site_that_opens_on_its_suspects(folder, tmp_path):
    port = free_port(0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        command = [sys.executable, "-m", "ingest", "try", str(folder), "--out", str(tmp_path / "out"), "--folds", "5"]
        command += ["--catalogue", str(tmp_path / "c.sqlite"), "--port", str(port), "--no-open"]
        log = tmp_path / "log"
        with log.open("w") as stream:
            running = subprocess.Popen(command, cwd=ROOT, stdout=stream, stderr=stream, env=os.environ)
        try:
            wait_until(lambda: "The suspects are at" in log.read_text() or running.poll() is not None, "the site")
            told = log.read_text()
            address = told.partition("The suspects are at ")[2].split()[0]
            assert f":{port}/" not in address
            page = httpx.get(address, timeout=60).text
            assert "cars" in page
            issues = httpx.get(address.replace("/things", "/api/v1/datasets/things/issues"), timeout=60).json()
            first = issues["items"][0]
            assert (first["given"]["name"], first["guessed"]["name"]) == ("cars", "hockey")
            assert first["key"].endswith("cars/3.txt")
        finally:
            running.send_signal(signal.SIGINT)
            assert running.wait(60) == 0
    assert not _listens(address)


def _listens(address: str) -> bool:
    port = int(address.split(":")[2].split("/")[0])
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_can_stop_before_the_site(folder, tmp_path, capsys):
    arguments = ["--out", str(tmp_path / "out"), "--catalogue", str(tmp_path / "c.sqlite"), "--folds", "5"]
    assert main(["try", str(folder), *arguments, "--no-serve"]) == 0
    printed = capsys.readouterr().out
    assert "words: accuracy" in printed
    assert (tmp_path / "c.sqlite").is_file()
    assert sorted(path.name for path in folder.iterdir()) == ["bread", "cars", "hockey"]


def test_it_can_be_called_again_until_the_manifest_is_changed_by_hand(folder, tmp_path, capsys):
    """What ``predict`` enters in the manifest is no change by hand; a file that came since is read."""
    arguments = ["try", str(folder), "--out", str(tmp_path / "out"), "--catalogue", str(tmp_path / "c.sqlite")]
    arguments += ["--folds", "5", "--no-serve", "--model", "words"]
    assert main(arguments) == 0
    (folder / "cars" / "new.txt").write_text("engine wheel brake motor")
    assert main(arguments) == 0
    assert np.load(tmp_path / "out" / "pred_probs.npy").shape == (61, 3)
    assert "pred_probs" in (tmp_path / "out" / "dataset.toml").read_text()
    assert main(["init", str(folder), "--out", str(tmp_path / "out")]) == 0
    assert "pred_probs" not in (tmp_path / "out" / "dataset.toml").read_text()
    assert main(arguments) == 0
    manifest = tmp_path / "out" / "dataset.toml"
    manifest.write_text(manifest.read_text().replace('"Not stated"', '"Ours"'))
    capsys.readouterr()
    assert main(arguments) == 1
    assert "which was changed since it was written" in capsys.readouterr().err
    assert main(["predict", str(manifest), "--media", str(folder), "--folds", "5", "--model", "words"]) == 0
    assert main(["init", str(folder), "--out", str(tmp_path / "out")]) == 1


def test_a_port_that_is_taken_gives_way_to_a_free_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = free_port(port)
        assert other != port
    assert free_port(other) == other
