"""Decode WAV, AIFF, FLAC and Ogg in this process with libsndfile, reading no more than requested.

MP3 is left to ffmpeg: if an MP3 does not declare its length, libsndfile guesses it and drops the rest; it decodes only
the first of several concatenated files, and prints warnings to the terminal.
"""

import io
import math
import os
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from ingest.media.archives.stores import MemberError
from ingest.media.audio import riff
from ingest.media.audio.truncation import is_chained

if TYPE_CHECKING:
    from soundfile import SoundFile

Samples = NDArray[np.float64]

#: Formats that are read here, as ``sniffing`` names them.
READ: Final = ("wav", "aiff", "flac", "ogg")
#: What is heard at once is a minute at most.
_MOST_SAMPLES: Final = 16 << 20
_MAX_RATE: Final = 768_000
#: Samples of each channel that Vorbis needs to be right again after a leap: two of its longest blocks.
_WARM_UP: Final = 16_384
#: How many samples there are where FLAC does not say.
_UNKNOWN: Final = 2**63 - 1


class OtherCodecError(MemberError):
    """A recording that libsndfile does not read; ffmpeg may."""


def decoded(file: BinaryIO, demuxer: str, start: float, seconds: float) -> tuple[Samples, int]:
    """At most ``seconds`` of a recording from ``start`` on, as samples in [-1, 1], (n, channels), and their rate in Hz.

    Raises OtherCodecError where ffmpeg may know better, MemberError for FLAC that is cut off, and for more samples at
    once than can be held.
    """
    library = _library()
    if library is None:
        raise _other("libsndfile is not there")
    if demuxer == "ogg" and is_chained(file):
        raise _other("several recordings stand in it, one after another")
    try:
        with library.SoundFile(_handed(file, demuxer), closefd=False) as recording:
            if demuxer == "flac":
                _require_all(recording, library.LibsndfileError)
            return _part(recording, demuxer, start, seconds), recording.samplerate
    except library.LibsndfileError as error:
        raise _other(error.error_string.rstrip(".")) from error


@lru_cache(maxsize=1)
def _library() -> ModuleType | None:
    """Where no wheel brings libsndfile along, the machine may have none."""
    try:
        import soundfile
    except OSError:
        return None
    found: ModuleType = soundfile
    return found


def _other(reason: str) -> OtherCodecError:
    return OtherCodecError(
        f"expected a whole recording, found one that cannot be decoded: {reason}; ffmpeg, which may know it, is not "
        "installed"
    )


def _handed(file: BinaryIO, demuxer: str) -> "BinaryIO | riff.Finished | int":
    """What the library reads from: the file of the system where there is one, since Python's would be asked often."""
    if demuxer == "wav":
        found = riff.samples(file)
        if found.unknown:
            file.seek(0)
            return riff.Finished(file, found.begin)
    file.seek(0)
    if isinstance(file, io.BytesIO):
        return _Memory(file.getvalue())
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    return file.fileno()


class _Memory(io.BytesIO):
    """A file in memory that stays where it is when damage leads to before its beginning: nobody would catch more."""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return super().seek(offset, whence)
        except ValueError:
            return self.tell()


def _require_all(recording: "SoundFile", error: type[Exception]) -> None:
    """Raises MemberError where the last sample that the header of FLAC promises cannot be read."""
    if recording.frames == _UNKNOWN:
        raise _other("it does not say how long it is")
    if recording.frames == 0:
        return
    try:
        recording.seek(recording.frames - 1)
        whole = len(recording.read(1)) == 1
    except error:
        whole = False
    if not whole:
        raise MemberError(f"expected {recording.frames:,} samples of sound, as its header says, found fewer: cut off")


def _part(recording: "SoundFile", demuxer: str, start: float, seconds: float) -> Samples:
    rate, channels = recording.samplerate, recording.channels
    if rate > _MAX_RATE:
        raise MemberError(f"expected a recording, found {channels} channels of {rate} Hz")
    first, last = (min(frame, recording.frames) for frame in (round(start * rate), math.ceil((start + seconds) * rate)))
    if (last - first) * channels > _MOST_SAMPLES:
        raise MemberError(f"expected at most {_MOST_SAMPLES:,} samples at once, found {(last - first) * channels:,}")
    if first == last:
        return np.zeros((0, channels))
    before = min(first, _WARM_UP) if demuxer == "ogg" else 0
    recording.seek(first - before)
    samples: Samples = recording.read(before + last - first, dtype="float64", always_2d=True)[before:]
    return np.clip(np.nan_to_num(samples), -1.0, 1.0)
