"""Recordings that are cut off are told from short ones, in every format, with ffmpeg on the machine and without.

What is cut here was written by an encoder and really cut; what is not cut passes, be it as long, silent, short or
tagged as it may.
"""

import io
import struct
from contextlib import suppress
from functools import lru_cache

import numpy as np
import pytest
from sounds import converted, wav

from ingest.media.archives.stores import MemberError
from ingest.media.audio import libsndfile
from ingest.media.audio.frame_headers import mp3_promise
from ingest.media.audio.snippets import audio_items
from ingest.media.audio.truncation import require_end

#: How it is called -> what ffmpeg is told to write, and what it calls that when it reads it.
FORMATS = {
    "flac": ("flac", [], "flac"),
    "24-bit.flac": ("flac", ["-sample_fmt", "s32", "-ar", "96000"], "flac"),
    "mp3": ("mp3", [], "mp3"),
    "vbr.mp3": ("mp3", ["-q:a", "5"], "mp3"),
    "slow.mp3": ("mp3", ["-ar", "16000", "-ac", "1"], "mp3"),
    "m4a": ("m4a", ["-c:a", "aac"], "mov"),
    "fast.m4a": ("m4a", ["-c:a", "aac", "-movflags", "+faststart"], "mov"),
    "parts.m4a": ("m4a", ["-c:a", "aac", "-movflags", "+frag_keyframe+empty_moov", "-frag_duration", "500000"], "mov"),
    "ogg": ("ogg", ["-c:a", "libvorbis"], "ogg"),
    "flac.oga": ("oga", ["-c:a", "flac"], "ogg"),
    "opus": ("opus", ["-c:a", "libopus"], "ogg"),
    "webm": ("webm", ["-c:a", "libopus"], "matroska"),
    "live.webm": ("webm", ["-c:a", "libopus", "-live", "1"], "matroska"),
    "aiff": ("aiff", [], "aiff"),
}


@lru_cache
def encoded(kind: str, sound: str = "noise", seconds: float = 4.0) -> bytes:
    shape = (round(44_100 * seconds), 2)
    samples = np.random.default_rng(0).uniform(-0.3, 0.3, shape) if sound == "noise" else np.zeros(shape)
    suffix, words, _ = FORMATS[kind]
    return converted(wav(samples, 44_100), suffix, words)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.77, 0.95])
def test_a_recording_that_breaks_off_is_said_to(program: str, kind: str, share: float) -> None:
    """That ffmpeg is lacking is not said: it would not help."""
    data = encoded(kind)
    with pytest.raises(MemberError, match=r"expected .*found .*: cut off$"):
        list(audio_items(1, data[: round(share * len(data))], FORMATS[kind][0]))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("sound", ["noise", "silence"])
@pytest.mark.parametrize("seconds", [0.05, 1.0, 4.0])
def test_a_whole_recording_is_none_that_breaks_off(kind: str, sound: str, seconds: float) -> None:
    data = encoded(kind, sound, seconds)
    require_end(io.BytesIO(data), FORMATS[kind][2])
    audio, *_ = audio_items(1, data, FORMATS[kind][0])
    assert audio.seconds == pytest.approx(seconds, abs=0.09)


TAGS = [b"TAG" + b"A title".ljust(125), b"APETAGEX" + bytes(24), bytes(4_096), b"not a sound" * 99]


@pytest.mark.parametrize(
    "kind", [kind for kind, (_, _, demuxer) in FORMATS.items() if demuxer in ("flac", "mp3", "ogg")]
)
@pytest.mark.parametrize("tag", TAGS, ids=["id3v1", "ape", "zeros", "rubbish"])
def test_what_follows_a_recording_does_not_matter(kind: str, tag: bytes) -> None:
    audio, *_ = audio_items(1, encoded(kind) + tag, FORMATS[kind][0])
    assert audio.seconds == pytest.approx(4, abs=0.09)


@pytest.mark.parametrize("kind", ["flac", "mp3", "vbr.mp3"])
def test_a_tag_and_room_for_more_before_a_recording_do_not_matter(kind: str) -> None:
    tag = b"ID3\x04\0\0\0\0\x10\0" + bytes(2_048)
    audio, *_ = audio_items(1, tag + encoded(kind), FORMATS[kind][0])
    assert audio.seconds == pytest.approx(4, abs=0.09)
    with pytest.raises(MemberError, match="cut off"):
        list(audio_items(1, (tag + encoded(kind))[:-9_000], FORMATS[kind][0]))


def promises_nothing(kind: str) -> bytes:
    noise = wav(np.random.default_rng(0).uniform(-0.3, 0.3, (88_200, 2)), 44_100)
    match kind:
        case "flac":
            data = bytearray(encoded("flac"))
            data[21] &= 0xF0
            data[22:26] = bytes(4)
            return bytes(data)
        case "mp3":
            return converted(noise, "mp3", ["-write_xing", "0", "-q:a", "5"])
        case "aac":
            return converted(noise, "aac")
        case _:
            # Someone who listened in from the middle on, and hung up between two pages.
            data, pages = encoded("ogg", "noise", 30.0), [0]
            while (page := data.find(b"OggS", pages[-1] + 1)) > 0:
                pages.append(page)
            return data[: pages[2]] + data[pages[-9] : pages[-2]]


@pytest.mark.parametrize("kind", ["flac", "mp3", "aac", "ogg"])
def test_what_promises_nothing_cannot_break_off(kind: str) -> None:
    data = promises_nothing(kind)
    for share in (1.0, 0.6) if kind != "ogg" else (1.0,):
        require_end(io.BytesIO(data[: round(share * len(data))]), kind)
        assert list(audio_items(1, data[: round(share * len(data))], kind))


def test_an_ogg_file_that_breaks_off_between_two_pages_lacks_its_end() -> None:
    data = encoded("ogg")
    with pytest.raises(MemberError, match="expected a recording up to its end, found one in which none is marked"):
        require_end(io.BytesIO(data[: data.rfind(b"OggS")]), "ogg")


@pytest.mark.parametrize("n_bytes", [1, 2, 500])
def test_not_even_the_end_of_the_last_frame_of_flac_may_be_missing(n_bytes: int) -> None:
    with pytest.raises(
        MemberError, match="expected 176,400 samples of sound, as its header says, found fewer: cut off"
    ):
        list(audio_items(1, encoded("flac")[:-n_bytes], "flac"))


def test_frames_are_counted_right() -> None:
    data = encoded("mp3")
    promised, found = mp3_promise(io.BytesIO(data), len(data)) or (0, 0)
    # A frame has 1,152 samples; an encoder begins late and fills up its last one.
    assert promised == found
    assert 0 <= promised - 176_400 / 1_152 < 3


def test_frames_are_counted_where_no_bytes_are_promised() -> None:
    data = bytearray(encoded("mp3"))
    flags = data.find(b"Info") + 4
    assert struct.unpack_from(">I", data, flags)[0] & 3 == 3
    data[flags + 3] &= ~2 & 0xFF
    promised, found = mp3_promise(io.BytesIO(bytes(data)), len(data)) or (0, 0)
    assert found - promised in (0, 1), "the one that holds the count"
    with pytest.raises(MemberError, match="cut off"):
        require_end(io.BytesIO(bytes(data[:-3_000])), "mp3")


def test_a_promise_of_too_many_bytes_is_held_against_the_frames() -> None:
    """Some encoders count a tag that stands before the sound."""
    data = bytearray(encoded("mp3"))
    place = data.find(b"Info") + 12
    struct.pack_into(">I", data, place, len(data) + 10_000)
    require_end(io.BytesIO(bytes(data)), "mp3")


@pytest.mark.parametrize("kind", FORMATS)
def test_no_cut_and_no_damage_leads_to_any_other_error(kind: str) -> None:
    data = encoded(kind, "noise", 1.0)
    rng = np.random.default_rng(1)
    for _ in range(60):
        damaged = bytearray(data[: rng.integers(0, len(data))] if rng.integers(2) else data)
        for place in rng.integers(0, max(1, min(len(damaged), 300)), 4):
            damaged[place : place + 1] = rng.bytes(1)
        with suppress(MemberError):
            require_end(io.BytesIO(bytes(damaged)), FORMATS[kind][2])
            if FORMATS[kind][2] in libsndfile.READ:
                libsndfile.decoded(io.BytesIO(bytes(damaged)), FORMATS[kind][2], 0, 10)


@pytest.mark.parametrize(
    ("head", "demuxer"), [(b"RIFF\0\0\0\0WAVE", "wav"), (b"FORM\0\0\0\0AIFF", "aiff"), (b"", "mov")]
)
def test_a_file_of_nothing_but_parts_is_given_up(head: bytes, demuxer: str) -> None:
    """Gigabytes of them take no room on a disk, and would take hours to walk through."""
    part = struct.pack(">I4s", 8, b"free") if demuxer == "mov" else bytes(8)
    with pytest.raises(MemberError, match="expected at most 100,000 parts, found more"):
        require_end(io.BytesIO(head + part * 150_000), demuxer)
