"""Sounds: a snippet that still sounds the same, at an even loudness, and a waveform for both themes."""

import io
import struct
import wave

import numpy as np
import pytest
from PIL import Image

from ingest.media.archives import MemberError
from ingest.media.audio import MAX_RATE, PEAK, audio_items


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


def heard(data: bytes) -> tuple[np.ndarray, int]:
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32_768, file.getframerate()


def pitch(samples: np.ndarray, rate: int) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples))


def decibels(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples**2)))


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_a_tone_keeps_its_pitch_in_every_width_and_rate(width: int, rate: int) -> None:
    audio, waveform = audio_items(3, wav(tone(1_000, 1.0, rate), rate, width), "wav")
    assert [(item.index, item.kind, item.type) for item in (audio, waveform)] == [
        (3, "audio", "audio/wav"),
        (3, "waveform", "image/png"),
    ]
    samples, stored_rate = heard(audio.data)
    assert stored_rate == min(rate, MAX_RATE)
    assert audio.seconds == pytest.approx(1.0, abs=1e-3)
    assert pitch(samples, stored_rate) == pytest.approx(1_000, abs=2)
    # Nothing but the tone: what is left without its neighbourhood is faint.
    spectrum = np.abs(np.fft.rfft(samples))
    near = np.abs(np.fft.rfftfreq(len(samples), 1 / stored_rate) - 1_000) < 100
    assert spectrum[~near].max() < spectrum.max() / 100


def test_what_is_too_high_is_lost_and_does_not_come_back_lower() -> None:
    samples, _ = heard(
        next(audio_items(1, wav(tone(440, 1, 44_100, 0.1) + tone(15_000, 1, 44_100, 0.1), 44_100), "wav")).data
    )
    spectrum = np.abs(np.fft.rfft(samples))
    frequencies = np.fft.rfftfreq(len(samples), 1 / MAX_RATE)
    assert spectrum[frequencies > 1_000].max() < spectrum.max() / 100


def test_both_channels_are_heard() -> None:
    stereo = np.stack([tone(500, 1, 8_000), tone(1_500, 1, 8_000)], axis=1)
    samples, rate = heard(next(audio_items(1, wav(stereo, 8_000), "wav")).data)
    spectrum = np.abs(np.fft.rfft(samples))
    top = np.sort(spectrum.argsort()[-2:] * rate / len(samples))
    assert top == pytest.approx([500, 1_500], abs=2)


def test_a_long_recording_is_cut_to_its_beginning() -> None:
    recording = np.concatenate([tone(500, 1, 8_000), tone(1_500, 5, 8_000)])
    audio, waveform = audio_items(1, wav(recording, 8_000), "wav", seconds=0.5)
    assert audio.seconds == waveform.seconds == 0.5
    assert pitch(*heard(audio.data)) == pytest.approx(500, abs=2)


@pytest.mark.parametrize("level", [0.001, 0.05, 0.9])
def test_loud_and_quiet_recordings_come_out_alike(level: float) -> None:
    samples, _ = heard(next(audio_items(1, wav(tone(500, 2, 8_000, level), 8_000), "wav")).data)
    assert decibels(samples) == pytest.approx(-20, abs=0.3)


def test_a_click_is_not_clipped() -> None:
    recording = tone(500, 2, 8_000, 0.001)
    recording[8_000] = 0.9
    samples, _ = heard(next(audio_items(1, wav(recording, 8_000), "wav")).data)
    assert 20 * np.log10(np.abs(samples).max()) == pytest.approx(PEAK, abs=0.05)


def test_the_edges_are_faded() -> None:
    samples, rate = heard(next(audio_items(1, wav(np.full(8_000, 0.5), 8_000), "wav")).data)
    assert abs(samples[0]) < 0.01
    assert abs(samples[-1]) < 0.01
    assert np.ptp(samples[rate // 10 : -rate // 10]) < 0.001


def test_silence_stays_silent_and_has_a_waveform() -> None:
    audio, waveform = audio_items(1, wav(np.zeros(800), 8_000), "wav")
    assert not heard(audio.data)[0].any()
    assert alpha(waveform.data).any(), "a line"


def alpha(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "RGBA"
        return np.asarray(image)[..., 3]


def test_the_waveform_shows_where_it_is_loud() -> None:
    recording = np.concatenate([tone(500, 1, 8_000, 0.05), tone(500, 1, 8_000, 0.5)])
    _, waveform = audio_items(1, wav(recording, 8_000), "wav")
    opaque = alpha(waveform.data)
    assert opaque.shape == (waveform.height, waveform.width)
    left, right = np.hsplit(opaque > 0, 2)
    assert right.sum() > 4 * left.sum()
    assert right.any(axis=1).mean() > 0.9


def test_the_waveform_is_seen_on_white_and_on_black() -> None:
    _, waveform = audio_items(1, wav(tone(500, 1, 8_000), 8_000), "wav")
    with Image.open(io.BytesIO(waveform.data)) as image:
        pixels = np.asarray(image).reshape(-1, 4)
    (colour,) = {tuple(int(c) for c in pixel[:3]) for pixel in pixels if pixel[3] == 255}
    parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    luminance = 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    assert 1.05 / (luminance + 0.05) >= 3
    assert (luminance + 0.05) / 0.05 >= 3


GOOD = wav(tone(500, 0.1, 8_000), 8_000)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected a whole recording, found it damaged"),
        (b"<!doctype html>", "expected a whole recording, found it damaged"),
        (GOOD[:30], "expected a whole recording, found it damaged"),
        (wav(np.zeros(0), 8_000), "expected a recording, found no samples"),
        (GOOD[:22] + struct.pack("<H", 0) + GOOD[24:], "expected a .*recording"),
        (GOOD[:24] + struct.pack("<I", 0) + GOOD[28:], "expected a recording, found 1 channels of 0 Hz"),
        (GOOD[:20] + struct.pack("<H", 85) + GOOD[22:], "expected a whole recording, found it damaged"),
    ],
    ids=["nothing", "html", "half", "empty", "no-channels", "no-rate", "mp3-in-wav"],
)
def test_what_is_no_whole_recording_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(MemberError, match=message):
        list(audio_items(1, data, "wav"))


def test_other_formats_say_what_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MemberError, match=r"expected a WAV file, found \.mp3, which only ffmpeg reads"):
        list(audio_items(1, b"ID3", "mp3"))
