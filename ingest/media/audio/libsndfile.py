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

#: The formats read here, as named by ``sniffing``.
READ: Final = ("wav", "aiff", "flac", "ogg")
#: A snippet is a minute at most.
_MOST_SAMPLES: Final = 16 << 20
_MAX_RATE: Final = 768_000
#: Samples per channel that Vorbis needs to be correct again after a seek: two of its longest blocks.
_WARM_UP: Final = 16_384
#: The number of samples if FLAC does not declare it.
_UNKNOWN: Final = 2**63 - 1


class OtherCodecError(MemberError):
    """A recording that libsndfile cannot read, but ffmpeg may."""


def decoded(file: BinaryIO, demuxer: str, start: float, seconds: float) -> tuple[Samples, int]:
    """At most ``seconds`` of a recording from ``start`` on, as samples in [-1, 1], (n, channels), and their rate in Hz.

    Raises OtherCodecError if ffmpeg may be able to read it, MemberError for truncated FLAC, and for more samples than
    can be held at once.
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
    """Import the library, which a machine may lack if no wheel includes it."""
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
    """The object the library reads from: a system file if there is one, because it would call a Python file often."""
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
    """A file in memory that ignores seeks before its beginning, caused by damage: exceptions in callbacks are not
    caught.
    """

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return super().seek(offset, whence)
        except ValueError:
            return self.tell()


def _require_all(recording: "SoundFile", error: type[Exception]) -> None:
    """Raises MemberError if the last sample declared in a FLAC header cannot be read."""
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
