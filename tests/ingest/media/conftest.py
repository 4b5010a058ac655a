"""What tests of several kinds of media share."""

import pytest

from ingest.media.audio import ffmpeg


@pytest.fixture(params=["with-ffmpeg", "without"])
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether there is ffmpeg on the machine; a test that asks for it runs both ways."""
    if request.param == "without":
        monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/nowhere/ffmpeg")
        assert ffmpeg.found() is None
    return str(request.param)
