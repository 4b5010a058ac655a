"""The six datasets whose media are not at hand, made up in their true layouts and ingested by the real command."""

import io
import json
import sqlite3
import struct
import subprocess
import tarfile
import wave
from collections.abc import Callable
from pathlib import Path

import httpx
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from ingest.commands.main import main
from ingest.media.audio import ffmpeg
from tests.ingest.conftest import Query, Tiny
from tests.serving import serving

Ingested = Callable[[str], Query]


@pytest.fixture
def ingested(shared: Path, tmp_path: Path, query_of: Callable[[Path], Query]) -> Ingested:
    """Ingest one dataset of the release with the media that a test has put into ``tmp_path / "media"``."""

    def run(name: str) -> Query:
        catalogue = tmp_path / "catalogue.sqlite"
        command = ["release", str(shared / "label-errors"), "--dataset", name, "--catalogue", str(catalogue)]
        assert main([*command, "--media", str(tmp_path / "media")]) == 0
        return query_of(catalogue)

    return run


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    return folder


def jpeg(shade: int, size: tuple[int, int] = (500, 375), mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    pixels = np.stack([(x + shade) % 256, y % 256, (x * y) % 256], axis=-1).astype(np.uint8)
    Image.fromarray(pixels).convert(mode).save(file, "JPEG")
    return file.getvalue()


def wav(seconds: float, hertz: float) -> bytes:
    samples = (9_000 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * 16_000)) / 16_000)).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(samples.tobytes())
    return file.getvalue()


def records(shared: Path, name: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((shared / f"label-errors/mturk/{name}_mturk.json").read_text())
    return found


def picture(query: Query, idx: int) -> np.ndarray:
    ((data,),) = query("SELECT bytes FROM media WHERE idx = ? AND kind = 'image'", idx)
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def report(query: Query) -> dict[str, object]:
    found: dict[str, object] = json.loads(query("SELECT media_report FROM datasets")[0][0])
    return found


def test_cifar100(ingested: Ingested, media: Path, shared: Path) -> None:
    """Every example's first pixels spell its index, so that no two can be taken for each other."""
    labels = np.load(shared / "label-errors/original_test_labels/cifar100_test_set_original_labels.npy")
    rows = np.zeros((10_000, 3_074), np.uint8)
    rows[:, 1] = labels
    rows[:, 2] = np.arange(10_000) % 256
    rows[:, 3] = np.arange(10_000) // 256
    (media / "cifar-100-binary").mkdir()
    (media / "cifar-100-binary/test.bin").write_bytes(rows.tobytes())
    query = ingested("cifar100")
    indices = [idx for (idx,) in query("SELECT idx FROM issues")]
    assert report(query)["issues"] == len(indices) == 2_235
    for idx in indices[::97]:
        first, second = picture(query, idx)[0, :2, 0]
        assert int(second) * 256 + int(first) == idx


def test_caltech256(ingested: Ingested, media: Path, shared: Path) -> None:
    wanted = records(shared, "caltech256")[:3]
    with tarfile.open(media / "256_ObjectCategories.tar", "w") as tar:
        for shade, record in enumerate(wanted):
            path = str(record["url"]).partition("/caltech256/")[2]
            data = jpeg(shade) if shade < 2 else jpeg(shade)[:5_000]
            info = tarfile.TarInfo(f"256_ObjectCategories/{path}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    query = ingested("caltech256")
    found = {idx for (idx,) in query("SELECT idx FROM media WHERE kind = 'thumbnail'")}
    assert found == {wanted[0]["id"], wanted[1]["id"]}
    told = report(query)
    assert told["absent"] == 2_357
    ((broken, why),) = told["problems"]  # type: ignore[misc,has-type]
    assert broken == wanted[2]["id"]
    assert why.startswith("expected a whole image, found one that cannot be decoded")
    sizes = query("SELECT kind, type, width, height FROM media WHERE idx = ? ORDER BY kind", wanted[0]["id"])
    assert sizes == [("image", "image/webp", 500, 375), ("thumbnail", "image/webp", 384, 288)]


@pytest.mark.parametrize("layout", ["flat", "folders"])
def test_imagenet(ingested: Ingested, media: Path, shared: Path, layout: str) -> None:
    names = [str(record["url"]).partition("/val/")[2] for record in records(shared, "imagenet")[:3]]
    files = dict(zip(names, [jpeg(1), jpeg(2, mode="CMYK"), jpeg(3)], strict=True))
    other = io.BytesIO()
    Image.new("RGB", (300, 300), (1, 2, 3)).save(other, "PNG")
    files[names[2]] = other.getvalue()
    if layout == "flat":
        with tarfile.open(media / "ILSVRC2012_img_val.tar", "w") as tar:
            for name, data in files.items():
                info = tarfile.TarInfo(name.partition("/")[2])
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    else:
        for name, data in files.items():
            target = media / "val" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    query = ingested("imagenet")
    keys = query("SELECT key, i.media FROM issues i WHERE media NOT NULL ORDER BY key")
    assert [key for key, _ in keys] == sorted(name.partition("/")[2].removesuffix(".JPEG") for name in names)
    types = dict(query("SELECT i.key, m.type FROM media m JOIN issues i USING (idx) WHERE m.kind = 'image'"))
    assert types[names[2].partition("/")[2].removesuffix(".JPEG")] == "image/png", "few colours are kept exactly"


def test_quickdraw_by_a_manifest_of_ones_own(
    tiny: Tiny, media: Path, tmp_path: Path, query_of: Callable[[Path], Query]
) -> None:
    drawings = np.zeros((40, 784), np.uint8)
    drawings[np.arange(40), np.arange(40)] = 255
    (media / "numpy_bitmap").mkdir()
    # Classes sort by file name, capitals first.
    np.save(media / "numpy_bitmap/cat.npy", drawings[25:])
    np.save(media / "numpy_bitmap/The Eiffel Tower.npy", drawings[:10])
    np.save(media / "numpy_bitmap/ant.npy", drawings[10:25])
    manifest = tiny.write()
    text = manifest.read_text().replace('media = "none"', 'media = "host"')
    manifest.write_text(text + '\n[media]\nlayout = "quickdraw-bitmaps"\ncount = 40\n')
    catalogue = tmp_path / "catalogue.sqlite"
    assert main(["add", str(manifest), str(tiny.folder), "--media", str(media), "--catalogue", str(catalogue)]) == 0
    query = query_of(catalogue)
    indices = [idx for (idx,) in query("SELECT idx FROM issues")]
    assert len(indices) >= 8
    for idx in indices:
        drawn = picture(query, idx)
        assert np.flatnonzero(drawn.ravel() == 0).tolist() == [idx]
        assert (drawn == 255).sum() == 783


def test_exemplars_are_the_surest_that_are_no_issues(
    tiny: Tiny, media: Path, tmp_path: Path, query_of: Callable[[Path], Query]
) -> None:
    test_quickdraw_by_a_manifest_of_ones_own(tiny, media, tmp_path, query_of)
    query = query_of(tmp_path / "catalogue.sqlite")
    issues = {idx for (idx,) in query("SELECT idx FROM issues")}
    for label in range(3):
        candidates = [i for i in range(40) if tiny.labels[i] == label and i not in issues]
        expected = sorted(candidates, key=lambda i: -tiny.probs[i, label])[:4]
        found = query("SELECT idx, self_confidence, media FROM exemplars WHERE class_id = ? ORDER BY position", label)
        assert [idx for idx, _, _ in found] == expected
        assert [p for _, p, _ in found] == pytest.approx([tiny.probs[i, label] for i in expected])
        assert all(json.loads(sizes)["image"] == [28, 28] for _, _, sizes in found)
    kept = query("SELECT count(*), count(DISTINCT idx) FROM media WHERE kind = 'image'")
    assert kept == [(len(issues) + 12, len(issues) + 12)], "once a class, not once an issue"
    assert report(query)["exemplars"] == 12


def test_amazon(ingested: Ingested, media: Path, shared: Path, tmp_path: Path) -> None:
    """All ten million lines, each its own number: the whole index, in true size."""
    lines = media / "amazon5core.preprocessed.txt"
    with lines.open("wb") as file:
        for start in range(0, 9_996_437, 100_000):
            some = range(start, min(start + 100_000, 9_996_437))
            file.write(b"".join(b"__label__5 n%d\n" % n for n in some))
    query = ingested("amazon")
    found = dict(query("SELECT idx, excerpt FROM issues"))
    assert len(found) == 1_000
    assert found == {int(str(record["id"])): f"n{record['id']}" for record in records(shared, "amazon")}
    (index,) = (tmp_path / "media-cache").iterdir()
    assert index.stat().st_size < 400_000


def test_audioset(ingested: Ingested, media: Path, shared: Path) -> None:
    wanted = records(shared, "audioset")[:5]
    videos = [str(record["url"]).partition("youtu.be/")[2].partition("?")[0] for record in wanted]
    (media / "audioset").mkdir()
    (media / f"audioset/{videos[0]}_30_40.wav").write_bytes(wav(12, 440))
    (media / f"audioset/{videos[1]}.wav").write_bytes(wav(3, 880))
    flac = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "wav", "-i", "pipe:0", "-f", "flac", "pipe:1"]
    encoded = subprocess.run(flac, input=wav(2, 660), capture_output=True, check=True).stdout
    assert str(wanted[2]["url"]).endswith("start=30&end=40")
    (media / f"audioset/{videos[2]}_30000_40000.flac").write_bytes(encoded)
    (media / f"audioset/{videos[3]}.mp3").write_bytes(b"ID3 and nothing else")
    (media / f"audioset/{videos[4]}_130_140.wav").write_bytes(wav(10, 440))
    query = ingested("audioset")
    found = query("SELECT idx, seconds, type FROM media WHERE kind = 'audio' ORDER BY idx")
    assert [idx for idx, _, _ in found] == [record["id"] for record in wanted[:3]]
    assert [seconds for _, seconds, _ in found] == pytest.approx([10, 3, 2], abs=0.02)
    assert {kind for _, _, kind in found} == {"audio/mpeg"}
    kinds = query("SELECT kind FROM media WHERE idx = ? ORDER BY kind", wanted[0]["id"])
    assert [kind for (kind,) in kinds] == ["audio", "spectrogram", "waveform"]
    problems = dict(report(query)["problems"])  # type: ignore[call-overload]
    assert set(problems) == {wanted[3]["id"], wanted[4]["id"]}
    assert "cannot be decoded" in problems[wanted[3]["id"]]
    assert problems[wanted[4]["id"]].endswith(" s, found a file of 130 to 140"), "another part of the same video"


def test_files_that_are_left_aside_are_counted(
    ingested: Ingested, media: Path, shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are no failure: the best of them is heard, and the report and the site say how many others there are."""
    for n, record in enumerate(records(shared, "audioset")[:2]):
        video = str(record["url"]).partition("youtu.be/")[2].partition("?")[0]
        for name in (f"{video}.wav", f"Y{video}_30_40.wav", f"Dog/{video}_30000_40000.wav")[n:]:
            path = media / "audioset" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wav(3, 440))
    query = ingested("audioset")
    assert "audioset: 3 files left aside, of examples that have a better one\n" in capsys.readouterr().out
    found = report(query)
    assert (found["spare"], found["n_problems"], found["issues"]) == (3, 0, 2)
    with serving(tmp_path / "catalogue.sqlite") as site, httpx.Client(base_url=site, timeout=60) as client:
        assert (
            "3 files were not used because a better one exists for the same example"
            in client.get("/media-coverage").text
        )


def test_of_a_whole_video_the_clip_is_cut_out(ingested: Ingested, media: Path, shared: Path) -> None:
    """Both clips begin at 30 s, as their records' addresses say; the second video is over before its clip is."""
    wanted = records(shared, "audioset")[:2]
    (media / "audioset").mkdir()
    for record, seconds in zip(wanted, (45, 33), strict=True):
        assert str(record["url"]).endswith("start=30&end=40")
        video = str(record["url"]).partition("youtu.be/")[2].partition("?")[0]
        whole = wav(30, 440)[44:] + wav(seconds - 30, 1_000)[44:]
        (media / f"audioset/{video}.wav").write_bytes(wav(seconds, 440)[:44] + whole)
    query = ingested("audioset")
    ((idx, seconds, data),) = query("SELECT idx, seconds, bytes FROM media WHERE kind = 'audio'")
    assert (idx, seconds) == (wanted[0]["id"], pytest.approx(10, abs=0.01))
    samples, rate = ffmpeg.decoded(Path(imageio_ffmpeg.get_ffmpeg_exe()), data, "mp3", 0, 60)
    assert np.abs(np.fft.rfft(samples[:, 0])).argmax() * rate / len(samples) == pytest.approx(1_000, abs=2)
    ((index, why),) = report(query)["problems"]  # type: ignore[misc,has-type]
    assert index == wanted[1]["id"]
    assert why == "expected the clip alone, 10 s, or the recording from 30 s to 40 s, found one that ends at 33.0 s"


def test_a_silent_clip_is_said_to_be_silent(ingested: Ingested, media: Path, shared: Path, tmp_path: Path) -> None:
    silent, loud = records(shared, "audioset")[:2]
    (media / "audioset").mkdir()
    for record, sound in ((silent, bytes(len(wav(3, 440)) - 44)), (loud, wav(3, 440)[44:])):
        video = str(record["url"]).partition("youtu.be/")[2].partition("?")[0]
        (media / f"audioset/{video}.wav").write_bytes(wav(3, 440)[:44] + sound)
    assert report(ingested("audioset"))["silent"] == [silent["id"]]
    with serving(tmp_path / "catalogue.sqlite") as site, httpx.Client(base_url=site, timeout=60) as client:
        words = "Silent from beginning to end"
        assert words in client.get(f"/audioset/issues/{silent['id']}").text
        assert words not in client.get(f"/audioset/issues/{loud['id']}").text
        assert client.get("/audioset?sort=index").text.count(words) == 1


def test_whole_texts_are_stored_compressed(shared: Path, tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue.sqlite"
    command = ["release", str(shared / "label-errors"), "--dataset", "20news", "--catalogue", str(catalogue)]
    assert main([*command, "--media", str(shared / "media")]) == 0
    connection = sqlite3.connect(catalogue)
    rows = connection.execute("SELECT encoding, bytes FROM media WHERE kind = 'text'").fetchall()
    connection.close()
    assert len(rows) > 93, "exemplars too"
    assert {encoding for encoding, _ in rows} == {"gzip"}
    assert all(data[:2] == struct.pack("BB", 0x1F, 0x8B) for _, data in rows)
