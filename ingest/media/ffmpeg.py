"""The program ffmpeg: found on the machine or in a Python wheel, and called to decode a recording.

It is called directly: pydub's ``from_file`` also wants ffprobe, which the wheel lacks. A file is only ever read as the
format that its name says, because a "recording" that ffmpeg takes for a playlist may name other files and addresses.
"""

import os
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.media.archives import MemberError

#: Ending of a file -> what ffmpeg calls its format.
DEMUXERS: Final = {
    "mp3": "mp3",
    "flac": "flac",
    "m4a": "mov",
    "ogg": "ogg",
    "oga": "ogg",
    "opus": "ogg",
    "webm": "matroska",
    "aac": "aac",
    "aiff": "aiff",
}
_RATE: Final = 44_100
_SECONDS: Final = 60  # longer than any recording takes to decode; one that takes longer means harm


def found() -> Path | None:
    """Where ffmpeg is: on the machine, else in the wheel imageio-ffmpeg, else nowhere.

    The wheel's own variable ``IMAGEIO_FFMPEG_EXE`` names another program, or, if there is none of that name, none.
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


def decoded(program: Path, data: bytes, suffix: str, seconds: float) -> tuple[NDArray[np.float64], int]:
    """The first ``seconds`` of a recording as mono samples in [-1, 1], and their rate in Hz.

    Raises MemberError when ffmpeg cannot read it as what its ``suffix`` says.
    """
    demuxer = {"wav": "wav", **DEMUXERS}[suffix]
    # Some formats are read from their end, which a pipe does not have before all is read.
    with tempfile.NamedTemporaryFile(suffix=".media") as file:
        file.write(data)
        file.flush()
        command = [str(program), "-nostdin", "-v", "error", "-protocol_whitelist", "file", "-f", demuxer]
        command += ["-i", file.name, "-vn", "-t", f"{seconds:.3f}", "-ac", "1", "-ar", str(_RATE)]
        command += ["-f", "f32le", "-c:a", "pcm_f32le", "pipe:1"]
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS)  # noqa: S603 - our own words
        except (OSError, subprocess.TimeoutExpired) as error:
            raise MemberError(f"expected a whole recording, found it damaged ({type(error).__name__})") from error
    if done.returncode != 0:
        raise MemberError(f"expected a whole recording, found it damaged ({_reason(done.stderr, file.name)})")
    samples = np.frombuffer(done.stdout[: len(done.stdout) // 4 * 4], "<f4").astype(np.float64)
    return np.nan_to_num(np.clip(samples, -1.0, 1.0)), _RATE


def _reason(errors: bytes, name: str) -> str:
    """The last thing that ffmpeg said, without the name of a file that nobody else knows."""
    lines = errors.decode("utf-8", "replace").replace(name, "it").strip().splitlines()
    return lines[-1][:160] if lines else "no reason given"
