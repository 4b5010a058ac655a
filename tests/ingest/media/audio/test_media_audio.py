"""Sounds: a snippet that still sounds the same, at an even loudness, and pictures of it for both themes.

Each snippet is decoded again. What holds with ffmpeg also holds where there is none, to the last bit of a WAV file.
"""

import base64
import io
import struct
import warnings
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from sounds import converted, decibels, heard, pitch, tone, wav

from ingest.media.archives.stores import MemberError
from ingest.media.audio import ffmpeg, libsndfile
from ingest.media.audio.downmix import mono
from ingest.media.audio.sniffing import format_of
from ingest.media.audio.snippets import PEAK, audio_items, clip_items
from ingest.media.items import MediaItem

with warnings.catch_warnings():
    # It leaves the standard library, and goes on as a package of its own.
    warnings.simplefilter("ignore")
    import audioop


pytestmark = pytest.mark.usefixtures("program")


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000, 96_000])
def test_a_tone_keeps_its_pitch_in_every_width_and_rate(width: int, rate: int) -> None:
    audio, waveform, spectrogram = audio_items(3, wav(tone(1_000, 1.0, rate), rate, width), "wav")
    assert [(item.index, item.kind) for item in (audio, waveform, spectrogram)] == [
        (3, "audio"),
        (3, "waveform"),
        (3, "spectrogram"),
    ]
    samples, stored_rate = heard(audio)
    assert audio.seconds == pytest.approx(1.0, abs=1e-3)
    assert len(samples) / stored_rate == pytest.approx(1.0, abs=0.08)
    assert decibels(samples) == pytest.approx(-20, abs=1)
    assert pitch(samples, stored_rate) == pytest.approx(1_000, abs=3)
    # Nothing but the tone: what is left without its neighbourhood is faint.
    spectrum = np.abs(np.fft.rfft(samples))
    near = np.abs(np.fft.rfftfreq(len(samples), 1 / stored_rate) - 1_000) < 150
    assert spectrum[~near].max() < spectrum.max() / 50


def test_what_is_too_high_is_lost_and_does_not_come_back_lower() -> None:
    samples, rate = heard(
        next(audio_items(1, wav(tone(440, 1, 44_100, 0.1) + tone(15_000, 1, 44_100, 0.1), 44_100), "wav"))
    )
    spectrum = np.abs(np.fft.rfft(samples))
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
    assert spectrum[frequencies > 1_000].max() < spectrum.max() / 100


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("hertz", [11_500, 12_000, 15_000, 21_000])
def test_a_tone_above_half_of_the_new_rate_is_silence(program: str, rate: int, hertz: int) -> None:
    """Beside a tone that stays, for a snippet of nothing else would be brought up."""
    recording = wav(tone(440, 1, rate, 0.1) + tone(hertz, 1, rate, 0.1), rate, 4)
    if program == "without":
        samples, stored = heard(next(audio_items(1, recording, "wav")))
        inner = samples[stored // 10 : -stored // 10] * np.hanning(len(samples[stored // 10 : -stored // 10]))
        spectrum = np.abs(np.fft.rfft(inner))
        frequencies = np.fft.rfftfreq(len(inner), 1 / stored)
        heard_else = (np.abs(frequencies - 440) > 20) & (frequencies > 30)  # below: the last bit, cut off
        assert spectrum[heard_else].max() < spectrum.max() / 10_000


def test_the_end_of_a_recording_is_not_heard_at_its_beginning(program: str) -> None:
    """As it is where a resampler takes what it gets for one turn of something that goes round."""
    recording = np.zeros(2 * 44_100)
    recording[-8_820:] = tone(10_900, 0.2, 44_100, 0.5)
    if program == "without":
        samples, rate = heard(next(audio_items(1, wav(recording, 44_100, 4), "wav")))
        assert np.abs(samples[: rate // 2]).max() < 1e-4


@pytest.mark.parametrize("n_samples", [1, 2, 5])
def test_a_recording_of_a_moment_is_one(n_samples: int) -> None:
    assert len(list(audio_items(1, wav(np.full(n_samples, 0.5), 192_000), "wav"))) == 3


def test_a_recording_too_short_to_be_heard_is_named() -> None:
    with pytest.raises(MemberError, match="less than a thousandth of a second"):
        list(audio_items(1, wav(np.full(1, 0.5), 50), "wav"))


def test_both_channels_are_heard() -> None:
    stereo = np.stack([tone(500, 1, 8_000), tone(1_500, 1, 8_000)], axis=1)
    samples, rate = heard(next(audio_items(1, wav(stereo, 8_000), "wav")))
    spectrum = np.abs(np.fft.rfft(samples))
    top = np.sort(spectrum.argsort()[-2:] * rate / len(samples))
    assert top == pytest.approx([500, 1_500], abs=2)


def test_a_long_recording_is_cut_to_its_beginning() -> None:
    recording = np.concatenate([tone(500, 1, 8_000), tone(1_500, 5, 8_000)])
    audio, waveform, _ = audio_items(1, wav(recording, 8_000), "wav", seconds=0.5)
    assert audio.seconds == waveform.seconds == 0.5
    assert pitch(*heard(audio)) == pytest.approx(500, abs=2)


@pytest.mark.parametrize("level", [0.001, 0.05, 0.9])
def test_loud_and_quiet_recordings_come_out_alike(level: float) -> None:
    samples, _ = heard(next(audio_items(1, wav(tone(500, 2, 8_000, level), 8_000), "wav")))
    assert decibels(samples) == pytest.approx(-20, abs=0.6)


def test_a_click_is_not_clipped() -> None:
    recording = tone(500, 2, 8_000, 0.001)
    recording[8_000] = 0.9
    samples, _ = heard(next(audio_items(1, wav(recording, 8_000), "wav")))
    # MP3 blurs a click, so its peak may come out lower, never higher.
    assert PEAK - 3 < 20 * np.log10(np.abs(samples).max()) < PEAK + 0.5


def test_the_edges_are_faded() -> None:
    samples, rate = heard(next(audio_items(1, wav(tone(500, 1, 8_000), 8_000), "wav")))
    moment = rate // 250
    middle = np.sqrt(np.mean(samples[rate // 4 : rate // 2] ** 2))
    for edge in (samples[:moment], samples[-moment:]):
        assert np.sqrt(np.mean(edge**2)) < middle / 2


def test_silence_stays_silent_and_has_a_waveform() -> None:
    audio, waveform, _ = audio_items(1, wav(np.zeros(800), 8_000), "wav")
    assert np.abs(heard(audio)[0]).max() < 1e-4
    assert alpha(waveform.data).any(), "a line"


def alpha(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "RGBA"
        return np.asarray(image)[..., 3]


def test_the_waveform_shows_where_it_is_loud() -> None:
    recording = np.concatenate([tone(500, 1, 8_000, 0.05), tone(500, 1, 8_000, 0.5)])
    _, waveform, _ = audio_items(1, wav(recording, 8_000), "wav")
    opaque = alpha(waveform.data)
    assert opaque.shape == (waveform.height, waveform.width)
    left, right = np.hsplit(opaque > 0, 2)
    assert right.sum() > 4 * left.sum()
    assert right.any(axis=1).mean() > 0.9


def test_the_waveform_is_seen_on_white_and_on_black() -> None:
    _, waveform, _ = audio_items(1, wav(tone(500, 1, 8_000), 8_000), "wav")
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
        (b"", "expected a recording, found an empty file"),
        (b"<!doctype html>", "expected a recording .*, found something else"),
        (GOOD[:30], "expected a whole WAV file, found one that ends within its header"),
        (GOOD[:-2], "expected 1,600 bytes of sound, as its header says, found 1,598: cut off"),
        (GOOD[:60], "expected 1,600 bytes of sound, as its header says, found 16: cut off"),
        (GOOD[:12] + GOOD[36:], "expected a WAV file, found samples before it says what they are"),
        (GOOD[:36], "expected a whole WAV file, found one that ends before its samples"),
        (wav(np.zeros(0), 8_000), "expected a recording, found no samples"),
        (GOOD[:22] + struct.pack("<H", 0) + GOOD[24:], "expected a whole recording, found one that cannot be decoded"),
        (GOOD[:24] + struct.pack("<I", 0) + GOOD[28:], "expected a whole recording, found one that cannot be decoded"),
    ],
    ids=["nothing", "html", "header", "short", "shorter", "no-format", "no-samples", "empty", "no-channels", "no-rate"],
)
def test_what_is_no_whole_recording_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(MemberError, match=message):
        list(audio_items(1, data, "wav"))


def test_a_wav_of_another_codec_needs_ffmpeg_and_must_then_be_one(program: str) -> None:
    found = "cannot be decoded" + (
        ".*" if program == "with-ffmpeg" else ".*; ffmpeg, which may know it, is not installed"
    )
    with pytest.raises(MemberError, match=found):
        list(audio_items(1, GOOD[:20] + struct.pack("<H", 85) + GOOD[22:], "wav"))


def test_other_formats_say_what_they_need(program: str) -> None:
    expected = (
        "cannot be decoded"
        if program == "with-ffmpeg"
        else r"expected WAV, AIFF, FLAC or Ogg, found mp3, which only ffmpeg"
    )
    with pytest.raises(MemberError, match=expected):
        list(audio_items(1, b"ID3", "mp3"))


def with_size(recording: bytes, size: int) -> bytes:
    return recording[:40] + struct.pack("<I", size) + recording[44:]


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF000, 0])
@pytest.mark.parametrize("whole", [0xFFFFFFFF, 0, 36, len(GOOD) - 8])
def test_what_was_written_to_a_pipe_goes_on_to_its_end(size: int, whole: int) -> None:
    """Also where a writer that crashed had said 0 bytes, whatever it had said of the whole."""
    streamed = with_size(GOOD, size)
    audio, *_ = audio_items(1, streamed[:4] + struct.pack("<I", whole) + streamed[8:], "wav")
    assert audio.seconds == pytest.approx(0.1)


@pytest.mark.parametrize(
    "after", [b"", b"LIST" + struct.pack("<I", 4) + b"INFO", b"id3 " + struct.pack("<I", 3) + b"abc"]
)
def test_a_recording_of_nothing_has_no_samples_whatever_follows_it(after: bytes) -> None:
    with pytest.raises(MemberError, match="found no samples in it"):
        list(audio_items(1, with_size(GOOD[:44], 0) + after, "wav"))


def test_a_stream_of_silence_is_heard_as_silence() -> None:
    audio, *_ = audio_items(1, with_size(GOOD[:44], 0) + bytes(1_600), "wav")
    assert audio.silent


def test_what_follows_the_samples_is_not_heard() -> None:
    audio, *_ = audio_items(1, GOOD + b"LIST" + struct.pack("<I", 400) + bytes(400), "wav")
    assert audio.seconds == pytest.approx(0.1)


@pytest.fixture(scope="module")
def recordings() -> dict[str, bytes]:
    recording = wav(tone(700, 3, 44_100), 44_100)
    ffmpeg.found()
    return {suffix: converted(recording, suffix) for suffix in ("mp3", "flac", "ogg", "m4a")}


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "m4a"])
def test_mp3_and_m4a_alone_need_ffmpeg(program: str, recordings: dict[str, bytes], suffix: str) -> None:
    if program == "without" and suffix in ("mp3", "m4a"):
        with pytest.raises(MemberError, match="ffmpeg is not installed"):
            list(audio_items(1, recordings[suffix], suffix))
        return
    audio, *_ = audio_items(1, recordings[suffix], suffix, seconds=2)
    assert audio.seconds == pytest.approx(2.0, abs=0.01)
    samples, rate = heard(audio)
    assert pitch(samples, rate) == pytest.approx(700, abs=2)
    assert decibels(samples) == pytest.approx(-20, abs=1)


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "m4a"])
def test_no_file_is_read_as_another_format_than_its_name_says(suffix: str) -> None:
    """A playlist would make ffmpeg open what it names."""
    with pytest.raises(MemberError):
        list(audio_items(1, b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", suffix))


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "m4a"])
@pytest.mark.parametrize("called", ["wav", "mp3", "flac", "ogg"])
def test_the_content_decides_and_not_the_name(
    program: str, recordings: dict[str, bytes], suffix: str, called: str
) -> None:
    if program == "without" and suffix in ("mp3", "m4a"):
        with pytest.raises(MemberError, match=r"expected WAV, AIFF, FLAC or Ogg, found \w+, which only ffmpeg reads"):
            list(audio_items(1, recordings[suffix], called))
        return
    audio, *_ = audio_items(1, recordings[suffix], called, seconds=2)
    assert pitch(*heard(audio)) == pytest.approx(700, abs=2)


@pytest.mark.parametrize("called", ["mp3", "flac", "ogg", "m4a", "aac"])
def test_a_wav_by_another_name_needs_no_help(called: str) -> None:
    audio, *_ = audio_items(1, GOOD, called)
    assert audio.seconds == pytest.approx(0.1)


def riff(codec: int, bits: int, raw: bytes, channels: int = 1, extra: bytes = b"") -> bytes:
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", codec, channels, 8_000, 8_000 * block, block, bits) + extra
    parts = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(raw)) + raw
    return b"RIFF" + struct.pack("<I", 4 + len(parts)) + b"WAVE" + parts


@pytest.mark.parametrize(("bits", "kind"), [(32, "<f4"), (64, "<f8")])
def test_floating_point_wav_is_read_without_help(bits: int, kind: str) -> None:
    audio, *_ = audio_items(1, riff(3, bits, tone(600, 1, 8_000).astype(kind).tobytes()), "wav")
    assert pitch(*heard(audio)) == pytest.approx(600, abs=3)


def test_floats_that_are_no_numbers_or_too_large_are_heard_as_far_as_can_be() -> None:
    samples = tone(600, 1, 8_000)
    samples[:3] = [np.nan, np.inf, -7]
    audio, *_ = audio_items(1, riff(3, 32, samples.astype("<f4").tobytes()), "wav")
    assert np.isfinite(heard(audio)[0]).all()


@pytest.mark.parametrize(("codec", "decode"), [(6, audioop.alaw2lin), (7, audioop.ulaw2lin)])
def test_telephone_codes_are_those_of_the_standard(codec: int, decode: Callable[[bytes, int], bytes]) -> None:
    """Every byte, against the standard library's own table."""
    raw = bytes(range(256))
    samples, rate = libsndfile.decoded(io.BytesIO(riff(codec, 8, raw)), "wav", 0, 1)
    assert rate == 8_000
    assert np.array_equal(samples[:, 0] * 32_768, np.frombuffer(decode(raw, 2), "<i2"))


def test_eight_channels_of_an_extensible_wav_are_read() -> None:
    channels = np.stack([tone(300 + 200 * channel, 1, 8_000) for channel in range(8)], axis=1)
    extra = struct.pack("<HHIH", 22, 16, 0x63F, 1) + bytes.fromhex("000000001000800000aa00389b71")
    raw = np.round(channels * 32_767).astype("<i2").tobytes()
    samples, _ = libsndfile.decoded(io.BytesIO(riff(0xFFFE, 16, raw, 8, extra)), "wav", 0, 1)
    assert samples == pytest.approx(channels, abs=1e-4)


def test_a_part_of_a_wav_is_that_part() -> None:
    recording = np.linspace(-0.5, 0.5, 8_000)
    samples, _ = libsndfile.decoded(io.BytesIO(wav(recording, 8_000)), "wav", 0.25, 0.5)
    assert samples[:, 0] == pytest.approx(recording[2_000:6_000], abs=1e-4)


@pytest.mark.parametrize("suffix", ["ogg", "opus"])
def test_of_joined_recordings_all_are_heard(program: str, suffix: str) -> None:
    """One after another in one file, as radio stations send them: libsndfile ends with the first."""
    joined = b"".join(converted(wav(tone(hertz, 2, 44_100), 44_100), suffix) for hertz in (500, 900))
    if program == "without":
        with pytest.raises(MemberError, match="several recordings stand in it, one after another; ffmpeg"):
            list(audio_items(1, joined, suffix))
        return
    audio, *_ = audio_items(1, joined, suffix)
    assert audio.seconds == pytest.approx(4, abs=0.05)
    samples, rate = heard(audio)
    assert pitch(samples[3 * rate :], rate) == pytest.approx(900, abs=3)


@pytest.mark.parametrize("words", [["-q:a", "4"], ["-q:a", "4", "-write_xing", "0"]], ids=["told", "untold"])
def test_mp3_of_any_rate_is_heard_up_to_its_end(program: str, words: list[str]) -> None:
    """Where nothing tells how long it is, its first frame does not: noise after a silence takes more bits."""
    sound = np.concatenate([np.zeros(44_100), np.random.default_rng(0).uniform(-0.3, 0.3, 3 * 44_100)])
    if program == "with-ffmpeg":
        audio, *_ = audio_items(1, converted(wav(sound, 44_100), "mp3", words), "mp3")
        assert audio.seconds == pytest.approx(4, abs=0.08)


@pytest.mark.parametrize("suffix", ["ogg", "opus", "flac", "aiff"])
def test_a_part_is_what_it_is_in_the_whole(suffix: str) -> None:
    """Vorbis is not right at once after a leap."""
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 3 * 44_100)
    data = converted(wav(noise, 44_100), suffix)
    whole, rate = libsndfile.decoded(io.BytesIO(data), suffix.replace("opus", "ogg"), 0, 3)
    part, _ = libsndfile.decoded(io.BytesIO(data), suffix.replace("opus", "ogg"), 1.5, 1)
    assert len(part) == rate
    assert np.abs(part - whole[round(1.5 * rate) : round(2.5 * rate)]).max() < 1e-9


def test_six_channels_are_all_heard() -> None:
    channels = np.stack([tone(300 + 200 * channel, 1, 8_000) for channel in range(6)], axis=1)
    samples, rate = heard(next(audio_items(1, wav(channels, 8_000), "wav")))
    spectrum = np.abs(np.fft.rfft(samples))
    for channel in range(6):
        near = round((300 + 200 * channel) * len(samples) / rate)
        assert spectrum[near - 5 : near + 6].max() > spectrum.max() / 4


@pytest.mark.parametrize("level", [1.0, 0.95, 0.7])
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_channels_that_cancel_each_other_are_heard(suffix: str, level: float) -> None:
    """Their mean is silence, or as good as that."""
    left = tone(700, 2, 44_100)
    stereo = wav(np.stack([left, -level * left], axis=1), 44_100)
    audio, *_ = audio_items(1, stereo if suffix == "wav" else converted(stereo, suffix), suffix)
    assert not audio.silent
    samples, rate = heard(audio)
    assert pitch(samples, rate) == pytest.approx(700, abs=1)
    assert decibels(samples) == pytest.approx(-20, abs=1)


def test_of_channels_that_cancel_each_other_the_loudest_is_heard() -> None:
    """Six of which two are silent, two cancel each other, and so do two that are louder."""
    quiet, loud, none = tone(500, 1, 8_000, 0.1), tone(1_500, 1, 8_000, 0.3), np.zeros(8_000)
    channels = np.stack([none, quiet, -quiet, loud, none, -loud], axis=1)
    samples, rate = heard(next(audio_items(1, wav(channels, 8_000), "wav")))
    assert pitch(samples, rate) == pytest.approx(1_500, abs=1)
    spectrum = np.abs(np.fft.rfft(samples))
    assert spectrum[round(500 * len(samples) / rate)] < spectrum.max() / 50


@pytest.mark.parametrize("n_silent", [1, 5])
def test_a_channel_among_silent_ones_is_heard_as_it_is(n_silent: int) -> None:
    channels = np.stack([tone(500, 1, 8_000), *[np.zeros(8_000)] * n_silent], axis=1)
    assert mono(channels) == pytest.approx(channels[:, 0] / (n_silent + 1), abs=1e-6)


def test_channels_that_are_alike_are_their_mean() -> None:
    rng = np.random.default_rng(0)
    for n_channels in (1, 2, 6):
        channels = rng.normal(0, 0.1, (8_000, n_channels))
        channels -= channels.mean(axis=0)
        assert mono(channels) == pytest.approx(channels.mean(axis=1), abs=1e-9)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("offset", [-0.9, 0.01, 0.5])
def test_a_constant_is_silence(width: int, offset: float) -> None:
    audio, _, spectrogram = audio_items(1, wav(np.full(8_000, offset), 8_000, width), "wav")
    assert audio.silent
    assert np.abs(heard(audio)[0]).max() < 1e-4
    assert not drawn(spectrogram).any()


def test_constants_of_two_channels_are_silence_too() -> None:
    channels = np.stack([np.full(8_000, 0.4), np.full(8_000, -0.1)], axis=1)
    assert next(audio_items(1, wav(channels, 8_000), "wav")).silent


@pytest.mark.parametrize("suffix", ["wav", "flac"])
@pytest.mark.parametrize("offset", [-0.6, 0.3])
def test_an_offset_does_not_keep_a_quiet_recording_from_being_levelled(suffix: str, offset: float) -> None:
    """With it, the peak would be reached long before the tone is as loud as others are."""
    recording = wav(tone(700, 2, 44_100, 0.01) + offset, 44_100)
    audio, waveform, _ = audio_items(1, recording if suffix == "wav" else converted(recording, suffix), suffix)
    samples, rate = heard(audio)
    inner = samples[rate // 4 : -rate // 4]
    assert decibels(inner) == pytest.approx(-20, abs=1)
    assert abs(inner.mean()) < 0.002
    assert pitch(inner, rate) == pytest.approx(700, abs=1)
    opaque = alpha(waveform.data)[:-10]
    assert np.flatnonzero(opaque[:, 240:243].any(axis=1)).mean() == pytest.approx(59.5, abs=6), "as high as low"


SVG = "{http://www.w3.org/2000/svg}"


def drawn(spectrogram: MediaItem) -> np.ndarray:
    """How opaque what is heard is drawn, within the scales."""
    (image,) = ElementTree.fromstring(spectrogram.data).findall(f"{SVG}image")
    return alpha(base64.b64decode(image.attrib["href"].removeprefix("data:image/png;base64,"))).astype(float)


def labels(spectrogram: MediaItem) -> dict[str, float]:
    """What is written on the scales, and how far below the upper edge."""
    texts = ElementTree.fromstring(spectrogram.data).iter(f"{SVG}text")
    return {text.text or "": float(text.attrib["y"]) for text in texts}


def test_the_spectrogram_shows_a_rising_tone_rising() -> None:
    rate = 16_000
    seconds = np.arange(2 * rate) / rate
    rising = 0.3 * np.sin(2 * np.pi * (200 * seconds + 1_500 * seconds**2))
    *_, spectrogram = audio_items(1, wav(rising, rate), "wav")
    opaque = drawn(spectrogram)
    assert opaque.shape == (160, spectrogram.width)
    brightest = opaque.argmax(axis=0)
    assert brightest[40] > brightest[240] > brightest[440], "rows are counted from the top"


def test_the_spectrogram_of_silence_is_empty() -> None:
    audio, waveform, spectrogram = audio_items(1, wav(np.zeros(800), 8_000), "wav")
    assert not drawn(spectrogram).any()
    assert audio.silent
    assert not waveform.silent


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_one_sample_that_is_heard_is_no_silence(width: int) -> None:
    recording = np.zeros(800)
    assert next(audio_items(1, wav(recording, 8_000, width), "wav")).silent
    recording[300] = 0.01
    assert not next(audio_items(1, wav(recording, 8_000, width), "wav")).silent


@pytest.mark.parametrize(
    ("seconds", "rate", "expected"),
    [
        (10, 22_050, ["0", "2", "4", "6", "8", "10 s", "0.1 kHz", "1 kHz", "10 kHz"]),
        (0.5, 8_000, ["0", "0.1", "0.2", "0.3", "0.4", "0.5 s", "0.1 kHz", "1 kHz"]),
        (7.3, 8_000, ["0", "2", "4", "6 s", "0.1 kHz", "1 kHz"]),
    ],
)
def test_the_scales_name_seconds_and_kilohertz(seconds: float, rate: int, expected: list[str]) -> None:
    *_, spectrogram = audio_items(1, wav(tone(440, seconds, rate), rate), "wav")
    assert list(labels(spectrogram)) == expected


@pytest.mark.parametrize("hertz", [100, 1_000])
def test_a_tone_is_drawn_beside_its_number(hertz: int) -> None:
    *_, spectrogram = audio_items(1, wav(tone(hertz, 4, 8_000), 8_000), "wav")
    middle = labels(spectrogram)[f"{hertz / 1_000:g} kHz"] - 5
    assert drawn(spectrogram)[:, 240].argmax() == pytest.approx(middle, abs=8)


def test_a_tag_before_a_recording_does_not_hide_what_it_is(recordings: dict[str, bytes]) -> None:
    tag = b"ID3\x04\0\0" + bytes([0, 0, 1, 0]) + bytes(128)
    assert format_of(io.BytesIO(tag + recordings["flac"]), "mp3") == "flac"
    assert format_of(io.BytesIO(tag + recordings["mp3"][-3_000:]), "wav") == "mp3"
    assert format_of(io.BytesIO(b"\xff\xf1" + bytes(40)), "wav") == "aac"


# A whole recording of sixty seconds, a tone of its own for each ten of them.
WHOLE = np.concatenate([tone(400 + 100 * n, 10, 8_000) for n in range(6)])


@pytest.mark.parametrize(("begin", "hertz"), [(0, 400), (30, 700), (50, 900)])
def test_a_clip_is_cut_out_of_the_whole_recording(begin: int, hertz: int) -> None:
    audio, *_ = clip_items(0, wav(WHOLE, 8_000), "wav", 10, (begin, begin + 10))
    assert audio.seconds == pytest.approx(10, abs=0.01)
    assert pitch(*heard(audio)) == pytest.approx(hertz, abs=1)


def test_a_clip_is_cut_out_of_a_packed_recording(program: str) -> None:
    if program == "with-ffmpeg":
        audio, *_ = clip_items(0, converted(wav(WHOLE, 8_000), "mp3"), "mp3", 10, (30, 40))
        assert audio.seconds == pytest.approx(10, abs=0.01)
        samples, rate = heard(audio)
        for some in (samples[: 2 * rate], samples[rate : 9 * rate], samples[-2 * rate :]):
            assert pitch(some, rate) == pytest.approx(700, abs=2)


@pytest.mark.parametrize("seconds", [4, 10, 10.9])
def test_a_file_about_as_long_as_the_clip_is_the_clip(seconds: float) -> None:
    audio, *_ = clip_items(0, wav(tone(440, seconds, 8_000), 8_000), "wav", 10, (30, 40))
    assert audio.seconds == pytest.approx(min(seconds, 10), abs=0.01)


@pytest.mark.parametrize("part", [None, (30, 40)])
def test_a_snippet_is_no_longer_than_it_should_be(part: tuple[float, float] | None) -> None:
    audio, *_ = clip_items(0, wav(tone(440, 2.5, 8_000), 8_000), "wav", 2, part)
    assert audio.seconds == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize(
    ("part", "found"),
    [
        (None, "found a longer recording, and nothing says which part is meant"),
        ((55, 65), "from 55 s to 65 s, found one that ends at 60.0 s"),
        ((100, 110), "from 100 s to 110 s, found one that ends before"),
    ],
)
def test_a_recording_without_the_clip_is_refused(part: tuple[float, float] | None, found: str) -> None:
    """Its beginning would be heard beside a label that may be about its end."""
    with pytest.raises(MemberError, match=f"expected the clip alone, 10 s, .*{found}"):
        list(clip_items(0, wav(WHOLE, 8_000), "wav", 10, part))


def test_a_video_may_end_a_moment_before_its_last_clip() -> None:
    audio, *_ = clip_items(0, wav(WHOLE, 8_000), "wav", 10, (50.5, 60.5))
    assert audio.seconds == pytest.approx(9.5, abs=0.01)
