"""Find the program ffmpeg, on the machine or in a Python wheel, and call it to decode a recording.

It is called directly: pydub's ``from_file`` also wants ffprobe, which the wheel lacks. A file is only read as the
format detected by ``sniffing``: ffmpeg itself might take it for a playlist.
"""

import os
import shutil
import subprocess
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.media.archives.stores import MemberError
from ingest.media.audio import libsndfile
from ingest.media.audio.source import Sound, on_disk

#: Formats for which ffmpeg plays the last seconds if told to start after the end; decoded from the beginning.
_NOT_SKIPPED: Final = ("ogg",)
_SECONDS: Final = 60  # longer than any honest recording takes to decode


def found() -> Path | None:
    """The path of ffmpeg: on the machine, else in the wheel imageio-ffmpeg, else None.

    The wheel's own variable ``IMAGEIO_FFMPEG_EXE`` selects another program, or, if there is none of that name, none.
    """
    return _found(shutil.which("ffmpeg"), os.environ.get("IMAGEIO_FFMPEG_EXE"))


@lru_cache(maxsize=4)
def _found(installed: str | None, named: str | None) -> Path | None:
    if named:
        return Path(named) if Path(named).is_file() else None
    if installed is not None:
        return Path(installed)
    try:
        import imageio_ffmpeg

        return Path(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError, OSError):
        return None


def decoded(program: Path, sound: Sound, demuxer: str, start: float, seconds: float) -> tuple[NDArray[np.float64], int]:
    """At most ``seconds`` of a recording from ``start`` on, as samples in [-1, 1], (n, channels), and their rate in Hz.

    What comes before ``start`` is skipped, in most formats without reading it. Raises MemberError if ffmpeg cannot read
    it as the format ``demuxer``.
    """
    with on_disk(sound) as path:
        # A name that begins with "-" or contains ":" would mean something else.
        name = f"file:{path.absolute()}"
        command = [str(program), "-nostdin", "-v", "error", "-protocol_whitelist", "file", "-f", demuxer]
        skip = ["-ss", f"{start:.3f}"] if start > 0 else []
        command += ["-i", name, *skip] if demuxer in _NOT_SKIPPED else [*skip, "-i", name]
        # A WAV file states its channels and its rate.
        command += ["-vn", "-t", f"{seconds:.3f}"]
        command += ["-f", "wav", "-c:a", "pcm_f32le", "pipe:1"]
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS)  # noqa: S603 - our own words
        except (OSError, subprocess.TimeoutExpired) as error:
            finding = f"found one that cannot be decoded: {type(error).__name__}"
            raise MemberError(f"expected a whole recording, {finding}") from error
    if done.returncode != 0:
        said = _reason(done.stderr, name)
        raise MemberError(f"expected a whole recording, found one that cannot be decoded: {said}")
    return libsndfile.decoded(BytesIO(done.stdout), "wav", 0.0, seconds)


def _reason(errors: bytes, name: str) -> str:
    """The last message of ffmpeg, without the name of a temporary file."""
    lines = errors.decode("utf-8", "replace").replace(name, "it").strip().splitlines()
    return lines[-1][:160] if lines else "no reason given"
