"""Sounds of hours: of a file on the disk no more is read than is heard, whatever its format.

What is heard is decoded again: it is the part that was meant, in whole files of every format, read from the disk and
from memory. Files of more bytes than may be held are made of holes.
"""

import struct
import tarfile
import tracemalloc
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from sounds import converted, decibels, heard, pitch, tone, wav

from ingest.media import MediaItem, MediaProblem, open_media
from ingest.media.archives.stores import MemberError
from ingest.media.audio.snippets import MAX_AUDIO_BYTES, audio_items, clip_items

VIDEO = "lL5jq1TDiXQ"
SUFFIXES = ["wav", "aiff", "flac", "mp3", "m4a", "ogg", "opus", "webm", "aac"]
RATE = 48_000


@lru_cache
def whole(suffix: str) -> bytes:
    """A minute, a tone of its own for each ten seconds of it, louder in its second half."""
    recording = np.concatenate([tone(400 + 100 * n, 10, RATE, 0.05 if n < 3 else 0.2) for n in range(6)])
    return wav(recording, RATE) if suffix == "wav" else converted(wav(recording, RATE), suffix)


def check_part(found: Iterator[MediaItem], hertz: float) -> None:
    audio, waveform, _ = found
    assert audio.seconds == waveform.seconds == pytest.approx(10, abs=0.03)
    samples, rate = heard(audio)
    assert decibels(samples) == pytest.approx(-20, abs=1)
    for some in (samples[rate // 10 : rate], samples[rate : 9 * rate], samples[9 * rate : -rate // 10]):
        assert pitch(some, rate) == pytest.approx(hertz, abs=3)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("begin", "hertz"), [(0, 400), (30, 700), (50, 900)])
def test_the_part_that_is_meant_is_heard(tmp_path: Path, program: str, suffix: str, begin: int, hertz: int) -> None:
    path = tmp_path / f"-{VIDEO}: 50%d.{suffix}"
    path.write_bytes(whole(suffix))
    for sound in (path, whole(suffix)):
        if suffix in ("mp3", "m4a", "webm", "aac") and program == "without":
            with pytest.raises(MemberError, match="ffmpeg is not installed"):
                list(clip_items(0, sound, suffix, 10, (begin, begin + 10)))
        else:
            check_part(clip_items(0, sound, suffix, 10, (begin, begin + 10)), hertz)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("begin", "found"), [(55, r"ends at (59\.9|60\.\d) s"), (100, "ends before")])
def test_a_recording_that_ends_before_the_part_is_refused(tmp_path: Path, suffix: str, begin: int, found: str) -> None:
    path = tmp_path / f"{VIDEO}.{suffix}"
    path.write_bytes(whole(suffix))
    with pytest.raises(MemberError, match=f"from {begin} s to {begin + 10} s, found one that {found}"):
        list(clip_items(0, path, suffix, 10, (begin, begin + 10)))


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "m4a", "ogg"])
def test_a_file_on_the_disk_that_breaks_off_is_said_to(tmp_path: Path, program: str, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(whole(suffix)[: len(whole(suffix)) // 2])
    with pytest.raises(MemberError, match="cut off"):
        list(audio_items(0, path, suffix))


def long_wav(path: Path, seconds: int, begin: int) -> None:
    """Silence of two channels, with a tone for ten seconds from ``begin`` on."""
    sound = np.stack([tone(650, 10, RATE)] * 2, axis=1)
    head, frames = wav(sound, RATE)[:44], wav(sound, RATE)[44:]
    size = seconds * RATE * 4
    with path.open("wb") as file:
        file.write(head[:4] + struct.pack("<I", size + 36) + head[8:40] + struct.pack("<I", size))
        file.seek(44 + begin * RATE * 4)
        file.write(frames)
        file.truncate(44 + size)


def long_aiff(path: Path, seconds: int, begin: int) -> None:
    long_wav(path, seconds, begin)
    frames = np.round(tone(650, 10, RATE) * 32_767).astype(">i2").repeat(2).tobytes()
    size = seconds * RATE * 4
    form = struct.pack(">HIH", 2, seconds * RATE, 16) + bytes.fromhex("400EBB80000000000000")
    with path.open("wb") as file:
        file.write(b"FORM" + struct.pack(">I", size + 46) + b"AIFFCOMM" + struct.pack(">I", 18) + form)
        file.write(b"SSND" + struct.pack(">III", size + 8, 0, 0))
        at = file.tell()
        file.seek(at + begin * RATE * 4)
        file.write(frames)
        file.truncate(at + size)


@pytest.mark.parametrize("suffix", ["wav", "aiff"])
@pytest.mark.parametrize("workers", [1, 2])
def test_of_hours_ten_seconds_are_read(tmp_path: Path, suffix: str, workers: int) -> None:
    """Two hours and a half of 1.7 GB, which is mostly a hole."""
    (tmp_path / "audioset").mkdir()
    path = tmp_path / f"audioset/{VIDEO}.{suffix}"
    {"wav": long_wav, "aiff": long_aiff}[suffix](path, 9_000, 8_000)
    assert path.stat().st_size > 10 * MAX_AUDIO_BYTES
    source = open_media("audioset", tmp_path, {"clips": {VIDEO: [8_000, 8_010]}})
    assert source is not None
    tracemalloc.start()
    try:
        found = list(source.items({7: VIDEO}, workers))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    check_part(iter(one for one in found if isinstance(one, MediaItem)), 650)
    assert peak < 100 << 20


def test_the_size_of_a_wav_of_more_than_four_gigabytes_stands_elsewhere(tmp_path: Path) -> None:
    path, frames = tmp_path / "a.wav", wav(tone(650, 2, RATE), RATE)
    fmt, samples = frames[12:36], frames[44:]

    def written(size: int) -> Path:
        long_sizes = b"ds64" + struct.pack("<IQQQI", 28, size + 80, size, size // 2, 0)
        head = b"RF64\xff\xff\xff\xffWAVE" + long_sizes + fmt + b"data\xff\xff\xff\xff"
        path.write_bytes(head + samples + b"LIST" + struct.pack("<I", 40_000) + bytes(40_000))
        return path

    audio, *_ = audio_items(0, written(len(samples)), "wav")
    assert audio.seconds == pytest.approx(2, abs=0.01)
    with pytest.raises(MemberError, match=r"expected 6,000,000,000 bytes of sound, as its header says.*cut off"):
        list(audio_items(0, written(6_000_000_000), "wav"))


def test_a_part_of_more_than_can_be_held_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    long_wav(path, 1_000, 0)
    with pytest.raises(MemberError, match=r"expected at most 16,777,216 samples at once, found 96,000,000"):
        list(audio_items(0, path, "wav", seconds=1_000))


def test_a_long_sound_in_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    size = MAX_AUDIO_BYTES + 1
    with (tmp_path / "audioset.tar").open("wb") as file:
        for name, n_bytes in ((f"audioset/{VIDEO}.wav", size), ("audioset/-0_abcdefgh.wav", 96_044)):
            info = tarfile.TarInfo(name)
            info.size = n_bytes
            file.write(info.tobuf())
            at = file.tell()
            file.write(wav(tone(650, 1, RATE), RATE)[:n_bytes])
            file.truncate(at + -(-n_bytes // 512) * 512)
            file.seek(0, 2)
        file.write(bytes(10_240))
    source = open_media("audioset", tmp_path, {"clips": {VIDEO: [30, 40]}})
    assert source is not None
    problem, *items = source.items({0: VIDEO, 1: "-0_abcdefgh"})
    assert isinstance(problem, MediaProblem)
    assert problem.message == (
        "expected at most 134,217,728 bytes of a sound in an archive, found 134,217,729: unpack it, since of a file in "
        "a folder no more is read than is heard"
    )
    assert [item.kind for item in items if isinstance(item, MediaItem)] == ["audio", "waveform", "spectrogram"]


def test_a_sound_that_cannot_be_opened_is_one_problem(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s/a.wav").symlink_to(tmp_path / "s/nothing")
    (tmp_path / "s/b.wav").write_bytes(whole("wav"))
    source = open_media("audio-folder", tmp_path, {"path": "s"})
    assert source is not None
    problem, *items = source.items({0: "a", 1: "b"})
    assert isinstance(problem, MediaProblem)
    assert "expected a file" in problem.message
    assert len(items) == 3
