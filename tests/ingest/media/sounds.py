"""Recordings for tests: tones, as the formats that encoders write, and what is heard of a snippet."""

import io
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from ingest.media.audio import ffmpeg
from ingest.media.items import MediaItem

#: As it is before a test takes it away.
_PROGRAM = imageio_ffmpeg.get_ffmpeg_exe()
_CODECS = {"ogg": ["-c:a", "libvorbis"], "webm": ["-c:a", "libopus"], "opus": ["-c:a", "libopus"]}


def wav(samples: np.ndarray, rate: int, width: int = 2) -> bytes:
    """Samples in [-1, 1], (n,) or (n, channels)."""
    scaled = np.round(samples * (2 ** (8 * width - 1) - 1)).astype(np.int64)
    if width == 1:
        scaled += 128
    raw = scaled.astype("<i8")[..., None].view("u1").reshape(*scaled.shape, 8)[..., :width].tobytes()
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(raw)
    return file.getvalue()


def tone(hertz: float, seconds: float, rate: int, level: float = 0.2) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def heard(item: MediaItem) -> tuple[np.ndarray, int]:
    """The samples of a stored snippet and their rate."""
    data = item.data
    if item.type == "audio/mpeg":
        program = shutil.which("ffmpeg") or _PROGRAM
        samples, rate = ffmpeg.decoded(Path(program), data, "mp3", 0, 60)
        assert samples.shape[1] == 1
        return samples[:, 0], rate
    assert item.type == "audio/wav"
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32_768, file.getframerate()


def pitch(samples: np.ndarray, rate: int) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples))


def decibels(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples**2)))


def converted(recording: bytes, suffix: str, words: Sequence[str] = ()) -> bytes:
    """A WAV file in another format, written to a file, so that the encoder can go back and say how much it became."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"x.{suffix}"
        command = [_PROGRAM, "-v", "error", "-f", "wav", "-i", "pipe:0"]
        command += [*(words or _CODECS.get(suffix, ())), str(target)]
        subprocess.run(command, input=recording, check=True)
        return target.read_bytes()
