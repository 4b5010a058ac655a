"""``check`` opens every file of a dataset of one's own, so that it and ``predict`` agree on what can be read."""

import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ingest.commands import dataset_preview
from ingest.commands.main import main

N = 6


def picture(path: Path) -> None:
    pixels = np.random.default_rng(len(path.name)).integers(0, 255, (16, 16, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def sound(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.random.default_rng(0).integers(-9999, 9999, 4000, np.int16).tobytes())


@pytest.fixture(params=[(picture, "png"), (sound, "wav")], ids=["pictures", "sounds"])
def described(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, list[str]]:
    """A folder of files in two classes, one of which was cut after init looked; and arguments that name it."""
    make, ending = request.param
    for name in ("left", "right"):
        (tmp_path / "things" / name).mkdir(parents=True)
        for place in range(N):
            make(tmp_path / "things" / name / f"{place}.{ending}")
    cut = tmp_path / "things" / "right" / f"4.{ending}"
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    out = tmp_path / "out"
    assert main(["init", str(tmp_path / "things"), "--out", str(out)]) == 0
    return cut, [str(out / "dataset.toml"), str(out), "--media", str(tmp_path / "things")]


def test_a_file_that_is_cut_is_named_by_check_and_predict(
    described: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    cut, arguments = described
    assert main(["check", *arguments]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "things: all 12 media were opened, and 1 cannot be read" in lines
    (wrong,) = [line for line in lines if line.startswith("things: wrong: ") and "example 10: " in line]
    assert f"right/{cut.name}" in wrong
    assert not any(line.startswith("next: ") for line in lines)
    assert main(["predict", *arguments]) == 1
    told = capsys.readouterr().err
    assert f"right/{cut.name}: example 10: " in told
    assert "Mend these, or take them away and let label-errors init describe the folder again" in told
    cut.write_bytes(cut.with_name(f"0{cut.suffix}").read_bytes())
    assert main(["check", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "things: all 12 media were opened, and each can be read" in lines
    assert lines[-1] == "next: label-errors predict " + " ".join(arguments)
    assert "things: missing: There are no predicted probabilities yet, so nothing is flagged" in lines[1]


def test_of_very_many_files_some_are_opened_and_check_says_how_many(
    described: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dataset_preview, "_MOST_OPENED", 5)  # each third: 0, 3, 6 and 9, and the first three
    assert main(["check", *described[1]]) == 0
    assert "things: 6 of 12 media were opened, and each can be read" in capsys.readouterr().out.splitlines()


def test_as_many_files_as_are_opened_at_most_are_all_opened(
    described: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dataset_preview, "_MOST_OPENED", 12)
    assert main(["check", *described[1]]) == 1
    assert "things: all 12 media were opened, and 1 cannot be read" in capsys.readouterr().out.splitlines()
