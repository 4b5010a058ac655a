"""Folders of labelled files, and ``init`` run on them."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ingest.commands.main import main
from ingest.manifest.model import Manifest
from ingest.manifest.parse import read_manifest


def picture(shade: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("L", (4, 4), shade).save(file, kind)
    return file.getvalue()


def put(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write files by their paths below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def snapshot(folder: Path) -> dict[str, Any]:
    """Everything in a folder: names, contents, and times of change."""
    return {
        path.relative_to(folder).as_posix(): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in sorted(folder.rglob("*"))
    }


@dataclass(frozen=True)
class Found:
    """What ``init`` wrote and said."""

    out: Path
    place: Path
    status: int
    said: str
    error: str

    @property
    def manifest(self) -> Manifest:
        return read_manifest(self.out / "dataset.toml")

    @property
    def classes(self) -> list[str]:
        return list(self.json("classes.json"))

    @property
    def labels(self) -> list[str]:
        """The label of each example, by name."""
        return [self.classes[class_id] for class_id in np.load(self.out / "labels.npy").tolist()]

    @property
    def media(self) -> dict[str, Any]:
        assert self.manifest.media is not None
        return dict(self.manifest.media.options)

    def json(self, name: str) -> Any:
        return json.loads((self.out / name).read_text())

    def command(self, name: str, *more: str) -> list[str]:
        """``check`` or ``add`` as ``init`` says it."""
        media = self.place.parent if self.place.is_file() else self.place
        return [name, str(self.out / "dataset.toml"), str(self.out), "--media", str(media), *more]


Init = Callable[..., Found]


@pytest.fixture
def init(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Init:
    """Run ``init`` on a place, and look whether it left that place as it was."""

    def run(place: Path, *options: str) -> Found:
        folder = place if place.is_dir() else place.parent
        before = snapshot(folder)
        out = tmp_path / "out"
        capsys.readouterr()
        status = main(["init", str(place), "--out", str(out), *options])
        captured = capsys.readouterr()
        assert snapshot(folder) == before
        return Found(out, place, status, captured.out, captured.err)

    return run


@pytest.fixture
def checked(capsys: pytest.CaptureFixture[str]) -> Callable[[Found], str]:
    """What ``check`` says of a dataset that must be good."""

    def check(found: Found) -> str:
        status = main(found.command("check"))
        said = capsys.readouterr().out
        assert status == 0, said
        assert ": good: " in said
        return said

    return check
