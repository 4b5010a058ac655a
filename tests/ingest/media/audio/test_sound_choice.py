"""Which file of a folder is an example's: by the names that scripts give to AudioSet's clips, the best of several.

What is heard is decoded again: each file has a tone of its own.
"""

import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from packing import WAYS
from sounds import converted, heard, pitch, tone, wav

from ingest.media import MediaItem, MediaProblem, open_media
from ingest.media.layouts.audioset_names import clip_rank, sound_rank

RATE = 8_000


@cache
def sound(hertz: float, seconds: float = 1.0, suffix: str = "wav") -> bytes:
    recording = wav(tone(hertz, seconds, RATE), RATE)
    return recording if suffix == "wav" else converted(recording, suffix)


Found = tuple[dict[int, float], dict[int, int], dict[int, str]]


def found(folder: Path, wanted: Mapping[int, str | None], layout: str = "audioset", **options: object) -> Found:
    """The pitch of each example, how many files were left aside for it, and what is wrong with it."""
    source = open_media(layout, folder, options)
    assert source is not None
    pitches, spare, wrong = {}, {}, {}
    for one in source.items(wanted):
        if isinstance(one, MediaProblem):
            assert one.index not in wrong
            wrong[one.index] = one.message
        elif isinstance(one, MediaItem) and one.kind == "audio":
            assert one.index not in pitches
            pitches[one.index] = round(pitch(*heard(one)))
            spare[one.index] = one.spare
        else:
            assert one.spare == 0
    return pitches, spare, wrong


IDS = ["lL5jq1TDiXQ", "-0_abcdefgh", "_0_10_20_30", "Yabcdefghij", "a_30_40_50_"]
FORMS = ["{}", "{}_30_40", "{}_30.0_40.0", "{}_30.000_40.000", "{}_30000_40000", "{}_30-40", "{}_30", "{}_30000"]


@pytest.mark.parametrize("prefix", ["", "Y"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("way", ["unpacked", "tar.gz"])
def test_clips_are_found_by_every_name_that_scripts_give_them(tmp_path: Path, way: str, form: str, prefix: str) -> None:
    hertz = {key: 300 + 100 * n for n, key in enumerate(IDS)}
    files = {f"audioset/eval/{prefix}{form.format(key)}.wav": sound(hertz[key]) for key in IDS}
    WAYS[way](tmp_path, "audioset", files)
    clips = {key: [30, 40] for key in IDS}
    pitches, spare, wrong = found(tmp_path, dict(enumerate(IDS)), clips=clips)
    assert wrong == {}
    assert pitches == {n: pytest.approx(hertz[key], abs=2) for n, key in enumerate(IDS)}
    assert set(spare.values()) == {0}
    # A key may name the part as well, whatever the file is called.
    keys = {n: f"{key}_30_40" for n, key in enumerate(IDS)}
    assert found(tmp_path, keys, clips={f"{key}_30_40": [30, 40] for key in IDS})[0] == pitches


@pytest.mark.parametrize("folder", ["eval_segments", "audioset_eval_segments", "audios/eval_segments", "x/audioset"])
def test_clips_are_found_where_scripts_put_them(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder / "Dog").mkdir(parents=True)
    (tmp_path / folder / "Dog/Y-0_abcdefgh.wav").write_bytes(sound(500))
    assert found(tmp_path, {0: "-0_abcdefgh"})[0] == {0: pytest.approx(500, abs=2)}


@pytest.mark.parametrize("name", ["{}_130_140", "Y{}_130000_140000", "{}_130-140", "{}_130"])
def test_another_part_of_the_video_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "audioset").mkdir()
    (tmp_path / "audioset" / (name.format(IDS[0]) + ".wav")).write_bytes(sound(500))
    pitches, _, wrong = found(tmp_path, {0: IDS[0]}, clips={IDS[0]: [30, 40]})
    assert pitches == {}
    assert wrong[0].startswith("expected the part from 30 to 40 s, found a file of 130")


@pytest.mark.parametrize("name", ["{}_30_40_10", "x{}", "{}x", "Y{}_a_b", "Z{}_30_40", "{}_30_40.wav"])
def test_other_names_are_no_clips(tmp_path: Path, name: str) -> None:
    (tmp_path / "audioset").mkdir()
    (tmp_path / "audioset" / (name.format(IDS[0]) + ".wav")).write_bytes(sound(500))
    assert found(tmp_path, {0: IDS[0]})[2] == {0: f"expected a file named '{IDS[0]}', found none"}


#: From the best to the worst.
RANKED = ["{}_30_40.wav", "{}_30_40.flac", "Y{}_30_40.m4a", "{}_30000_40000.mp3", "{}.wav", "Y{}.flac", "{}.mp3"]


def test_the_clip_comes_before_the_whole_and_what_lost_nothing_before_the_rest() -> None:
    names = [name.format(IDS[0]) for name in RANKED]
    for seed in range(10):
        mixed = random.Random(seed).sample(names, len(names))
        assert sorted(mixed, key=lambda name: clip_rank(name, (30, 40))) == names
    assert clip_rank(f"{IDS[0]}.mp3", (30, 40)) < clip_rank(f"{IDS[0]}_130_140.wav", (30, 40))
    assert sound_rank("b/a.wav") > sound_rank("a/a.wav"), "by name, where nothing else tells"


@pytest.mark.parametrize("way", WAYS)
def test_of_several_files_the_best_is_heard(tmp_path: Path, way: str, program: str) -> None:
    """Which that is does not depend on their order. Without ffmpeg, it is the best that can be read."""
    names = [name.format(IDS[0]) for name in RANKED[2:5]]
    for seed in range(2):
        files = {f"audioset/{name}": sound(300 + 100 * n, 1.0, name[-4:].strip(".")) for n, name in enumerate(names)}
        order = random.Random(seed).sample(sorted(files), len(files))
        folder = tmp_path / str(seed)
        folder.mkdir()
        WAYS[way](folder, "audioset", {name: files[name] for name in order})
        pitches, spare, wrong = found(folder, {0: IDS[0]}, clips={IDS[0]: [30, 40]})
        assert wrong == {}
        assert pitches == {0: pytest.approx(300 if program == "with-ffmpeg" else 500, abs=2)}
        assert spare == {0: 2}


def test_where_the_best_file_is_damaged_the_next_one_is_heard(tmp_path: Path) -> None:
    (tmp_path / "audioset").mkdir()
    for name, data in {"_30_40.flac": b"fLaC", "_30_40.wav": sound(500)[:-2], ".mp3": sound(700, 1.0, "mp3")}.items():
        (tmp_path / f"audioset/{IDS[0]}{name}").write_bytes(data)
    pitches, spare, wrong = found(tmp_path, {0: IDS[0]}, clips={IDS[0]: [30, 40]})
    assert (pitches, spare, wrong) == ({0: pytest.approx(700, abs=2)}, {0: 2}, {})
    (tmp_path / f"audioset/{IDS[0]}.mp3").unlink()
    assert found(tmp_path, {0: IDS[0]})[2] == {
        0: "expected 16,000 bytes of sound, as its header says, found 15,998: cut off"
    }, "what is wrong with the best"


def test_files_of_other_parts_are_left_out_of_account(tmp_path: Path) -> None:
    (tmp_path / "audioset").mkdir()
    for name, hertz in {"_30_40.mp3": 500, "_130_140.wav": 900, "_230_240.wav": 900}.items():
        (tmp_path / f"audioset/{IDS[0]}{name}").write_bytes(sound(hertz, 1.0, name[-3:]))
    pitches, spare, _ = found(tmp_path, {0: IDS[0]}, clips={IDS[0]: [30, 40]})
    assert (pitches, spare) == ({0: pytest.approx(500, abs=2)}, {0: 0})


def test_two_clips_of_one_video_are_two_examples(tmp_path: Path) -> None:
    (tmp_path / "audioset").mkdir()
    whole = wav(np.concatenate([tone(hertz, 10, RATE) for hertz in (400, 500, 600)]), RATE)
    (tmp_path / f"audioset/{IDS[0]}.wav").write_bytes(whole)
    keys = {0: f"{IDS[0]}_0_10", 1: f"{IDS[0]}_20_30"}
    clips = {keys[0]: [0, 10], keys[1]: [20, 30]}
    assert found(tmp_path, keys, clips=clips)[0] == {0: pytest.approx(400, abs=2), 1: pytest.approx(600, abs=2)}


@pytest.mark.parametrize("way", ["unpacked", "zip"])
def test_a_folder_of_ones_own_may_hold_a_sound_twice(tmp_path: Path, way: str) -> None:
    files = {"s/a.mp3": sound(700, 1.0, "mp3"), "s/a.wav": sound(500), "s/b.mp3": sound(900, 1.0, "mp3")}
    path = WAYS[way](tmp_path, "s", files)
    pitches, spare, wrong = found(tmp_path, {0: "a", 1: "b", 2: "c"}, "audio-folder", path=path.name)
    assert pitches == {0: pytest.approx(500, abs=2), 1: pytest.approx(900, abs=2)}
    assert spare == {0: 1, 1: 0}
    assert set(wrong) == {2}
    # In an order, each file is an example.
    pitches, _, _ = found(tmp_path, dict.fromkeys(range(3)), "audio-folder", path=path.name, order="sorted")
    assert pitches == {n: pytest.approx(hertz, abs=2) for n, hertz in enumerate((700, 500, 900))}
