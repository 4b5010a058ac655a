"""Media on pages: exemplars beside issues, a player for those who ask, what is damaged, and coverage."""

import gzip
import io
import sqlite3
import tarfile
import wave
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from app.site.components.cards import EMPTY, excerpt
from app.site.components.youtube import Clip, clip_of
from tests.app.reading import read
from tests.conftest import ingest
from tests.serving import serving

WITH_MEDIA = {"mnist": 100, "cifar10": 275, "20news": 93, "imdb": 1_310}


def test_every_issue_of_the_four_datasets_at_hand_has_its_medium_and_exemplars(real_catalogue: Path) -> None:
    connection = sqlite3.connect(f"file:{real_catalogue}?mode=ro", uri=True)
    for name, n in WITH_MEDIA.items():
        (dataset,) = connection.execute("SELECT id FROM datasets WHERE name = ?", (name,)).fetchone()
        shown = connection.execute("SELECT count(*) FROM issues WHERE dataset_id = ? AND media NOT NULL", (dataset,))
        assert shown.fetchone() == (n,), name
        bare = connection.execute(
            "SELECT count(*) FROM issues i WHERE dataset_id = ? AND NOT EXISTS (SELECT * FROM exemplars e WHERE"
            " e.dataset_id = i.dataset_id AND class_id IN (i.given, i.guessed))",
            (dataset,),
        )
        assert bare.fetchone() == (0,), name
        among = connection.execute(
            "SELECT count(*) FROM exemplars JOIN issues USING (dataset_id, idx) WHERE dataset_id = ?", (dataset,)
        )
        assert among.fetchone() == (0,), f"{name}: an issue stands for nothing"
    connection.close()


def test_exemplars_of_both_classes_stand_beside_an_issue(real: httpx.Client) -> None:
    page = read(real, "/cifar10/issues/2405")
    assert "Typical examples of both classes" in page.headings("h2")
    assert "given label, cat" in page.words
    assert "guessed label, frog" in page.words
    pictures = [img["src"] for img in page.elements("img") if "/thumbnail" in (img["src"] or "")]
    assert len(set(pictures)) == 8
    assert not [src for src in pictures if "/2405/" in (src or "")]
    for src in pictures:
        assert real.get(src or "").headers["content-type"] == "image/png"


def test_texts_stand_beside_texts(real: httpx.Client) -> None:
    page = read(
        real, "/imdb/issues/" + str(real.get("/api/v1/datasets/imdb/issues?limit=1").json()["items"][0]["index"])
    )
    assert len([p for p in page.elements("p") if p.get("class") == "quote"]) == 8


def test_the_player_is_loaded_only_on_the_page_of_who_asked_for_it(real: httpx.Client) -> None:
    before = real.get("/audioset/issues/2")
    assert "youtube-nocookie.com" not in before.headers["content-security-policy"]
    page = read(real, "/audioset/issues/2")
    assert not page.elements("iframe")
    assert any(link.href == "/audioset/issues/2/play" for link in page.links)
    assert any(link.href == "https://www.youtube.com/watch?v=lL5jq1TDiXQ&t=30s" for link in page.links)
    after = real.get("/audioset/issues/2/play")
    policy = after.headers["content-security-policy"]
    assert "frame-src https://www.youtube-nocookie.com" in policy
    assert "default-src 'none'" in policy
    (player,) = read(real, "/audioset/issues/2/play").elements("iframe")
    assert player["src"] == "https://www.youtube-nocookie.com/embed/lL5jq1TDiXQ?start=30&end=40&autoplay=1&rel=0"
    assert player["title"]


def test_what_is_no_clip_has_no_player(real: httpx.Client) -> None:
    read(real, "/cifar10/issues/2405/play", status=404)
    read(real, "/audioset/issues/999999/play", status=404)


@pytest.mark.parametrize(
    ("url", "clip"),
    [
        ("http://youtu.be/lL5jq1TDiXQ?start=30&end=40", Clip("lL5jq1TDiXQ", 30, 40)),
        ("https://www.youtube.com/watch?v=lL5jq1TDiXQ&start=5.5", Clip("lL5jq1TDiXQ", 5, None)),
        ("https://youtu.be/lL5jq1TDiXQ?start=-1&end=x", Clip("lL5jq1TDiXQ", None, None)),
        ("https://youtu.be/lL5jq1TDi%22", None),
        ("https://youtu.be/../../evil12", None),
        ("https://evil.example/lL5jq1TDiXQ", None),
        ("javascript://youtu.be/lL5jq1TDiXQ", None),
        ("http://[youtu.be/lL5jq1TDiXQ", None),
        (None, None),
    ],
)
def test_only_addresses_of_clips_are_clips(url: str | None, clip: Clip | None) -> None:
    assert clip_of(url) == clip


def test_who_has_the_clip_needs_no_player(shared: Path, tmp_path: Path) -> None:
    """Only a link to the source is left, and no page of the example may load anything of another host."""
    (tmp_path / "audioset").mkdir()
    with wave.open(str(tmp_path / "audioset/lL5jq1TDiXQ.wav"), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(np.sin(np.arange(32_000) / 9).astype("<f4").__mul__(9_000).astype("<i2").tobytes())
    catalogue = tmp_path / "catalogue.sqlite"
    ingest("release", shared / "label-errors", "--dataset", "audioset", "--media", tmp_path, "--catalogue", catalogue)
    with serving(catalogue) as address, httpx.Client(base_url=address, timeout=30) as client:
        page = read(client, "/audioset/issues/2?category=error")
        assert page.elements("audio")
        assert "https://www.youtube.com/watch?v=lL5jq1TDiXQ&t=30s" in [link.href for link in page.links]
        assert "youtube-nocookie" not in page.html
        play = client.get("/audioset/issues/2/play?category=correctable")
        assert (play.status_code, play.headers["location"]) == (307, "/audioset/issues/2?category=correctable")
        assert "youtube-nocookie" not in play.headers["content-security-policy"]
        # Of another example there is no clip, and of this one none may be played to everyone.
        assert "youtube-nocookie" in read(client, "/audioset/issues/349").html
        with serving(catalogue, public=True) as open_, httpx.Client(base_url=open_, timeout=30) as everyone:
            assert everyone.get("/audioset/issues/2/play").status_code == 200


def test_links_to_clips_begin_where_the_clip_does(real: httpx.Client) -> None:
    assert "https://www.youtube.com/watch?v=lL5jq1TDiXQ&t=30s" in {
        link.href for link in read(real, "/audioset?sort=index").links
    }


def test_coverage_counts_what_can_be_seen(real: httpx.Client) -> None:
    page = read(real, "/media-coverage")
    assert page.headings("h1") == ["Media coverage"]
    rows = [" ".join(row.split()) for row in page.words.split("\n\n")]
    for title, n in {"MNIST": 100, "CIFAR-10": 275, "20 Newsgroups": 93, "IMDB": "1,310"}.items():
        assert any(title in row for row in rows)
        assert f"{n} 100 %" in " ".join(page.words.split()), title
    for path in ("/about", "/", "/mnist", "/imagenet/issues/0"):
        assert any(link.href == "/media-coverage" for link in read(real, path).links), path
    # Six datasets are shown by their labels: what is missing of them is not known, which is not the same as nothing.
    assert len([cell for cell in page.elements("td") if "unread" in (cell.get("class") or "")]) == 6
    assert "Of 6 datasets no distribution was given or could be used" in page.words
    assert {dataset["name"] for dataset in real.get("/api/v1/datasets").json()["items"]} <= set(page.ids)


@pytest.fixture(scope="module")
def caltech(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A site over Caltech-256 with two photographs: a whole one, and one cut off."""
    folder = tmp_path_factory.mktemp("caltech")
    y, x = np.mgrid[0:375, 0:500]
    file = io.BytesIO()
    Image.fromarray(np.stack([x % 256, y % 256, x * y % 256], axis=-1).astype(np.uint8)).save(file, "JPEG")
    with tarfile.open(folder / "256_ObjectCategories.tar", "w") as tar:
        tall = io.BytesIO()
        Image.open(file).resize((200, 1_800)).save(tall, "JPEG")
        whole = file.getvalue()
        for name, data in (("001_0004.jpg", whole), ("001_0008.jpg", whole[:4_000]), ("001_0015.jpg", tall.getvalue())):
            info = tarfile.TarInfo(f"256_ObjectCategories/001.ak47/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    catalogue = folder / "catalogue.sqlite"
    ingest("release", shared / "label-errors", "--dataset", "caltech256", "--media", folder, "--catalogue", catalogue)
    with serving(catalogue) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def test_a_photograph_comes_in_two_sizes_and_pages_do_not_jump(caltech: httpx.Client) -> None:
    page = read(caltech, "/caltech256/issues/3")
    (full,) = [img for img in page.elements("img") if "/media/" in (img["src"] or "")]
    assert (full["width"], full["height"]) == ("500", "375")
    assert widths_of_files(caltech, full["srcset"]) == [384, 500]
    assert any(link.href == full["src"] for link in page.links), "the picture leads to itself in full"
    assert "pixels" not in caltech.get("/caltech256/issues/3").text.partition('class="exhibit')[2][:20]
    gallery = read(caltech, "/caltech256?category=any&sort=index")
    cards = [img for img in gallery.elements("img") if "/media/" in (img["src"] or "")]
    (card,) = [img for img in cards if "/3/" in (img["src"] or "")]
    assert (card["width"], card["height"]) == ("384", "288")
    assert widths_of_files(caltech, card["srcset"]) == [384, 500]


def widths_of_files(client: httpx.Client, sources: str | None) -> list[int]:
    """The widths that a srcset promises, each of which must be that of the picture at its address."""
    promised = []
    for address, width in (source.split() for source in (sources or "").split(",")):
        answer = client.get(address)
        assert answer.headers["content-type"] == "image/webp"
        assert "immutable" in answer.headers["cache-control"]
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert f"{picture.width}w" == width
            promised.append(picture.width)
    return promised


def test_a_very_tall_picture_is_bounded_and_keeps_its_shape(caltech: httpx.Client) -> None:
    (tall,) = [img for img in read(caltech, "/caltech256/issues/14").elements("img") if "/media/" in (img["src"] or "")]
    assert (tall["width"], tall["height"]) == ("80", "720")
    assert widths_of_files(caltech, tall["srcset"]) == [43, 142]


def test_what_is_damaged_is_shown_as_broken_and_named_in_the_report(caltech: httpx.Client) -> None:
    coverage = read(caltech, "/media-coverage").words
    assert "Example 7: expected a whole image, found one that cannot be decoded" in coverage
    assert (
        "distribution cannot be shown: expected a whole image, found one that"
        in read(caltech, "/caltech256/issues/7").words
    )
    assert "Unreadable in the distribution" in caltech.get("/caltech256?category=any&sort=index").text


def test_what_is_not_there_is_counted_and_gives_its_reason(caltech: httpx.Client, real: httpx.Client) -> None:
    reasons = "2,357 not in the distribution that was given, 1 unreadable in it."
    told = f"The pictures of 2,358 of 2,360 issues are not here: {reasons}"
    page = read(caltech, "/caltech256?category=any&sort=index")
    assert "What is not here" in page.words
    assert told in page.words
    assert "/media-coverage#caltech256" in [link.href for link in page.links]
    assert [words for words in caltech.get("/api/v1/datasets/caltech256").json()["missing"] if words.startswith(told)]
    cards = caltech.get("/caltech256?category=any&sort=index").text
    assert cards.count("Not in the distribution given") == 36 - 3
    assert "The picture is not in the distribution given." in read(caltech, "/caltech256/issues/26").words
    # Where nothing was given at all, the dataset's page says it once.
    assert "Not in the distribution given" not in real.get("/caltech256").text
    assert "The picture itself is not in this catalogue." in read(real, "/caltech256/issues/26").words


def test_media_have_validators_and_come_in_parts(caltech: httpx.Client) -> None:
    address = caltech.get("/api/v1/datasets/caltech256/issues/3").json()["links"]["media"]["image"]
    whole = caltech.get(address)
    tag = whole.headers["etag"]
    assert caltech.get(address, headers={"If-None-Match": tag}).status_code == 304
    part = caltech.get(address, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
    assert caltech.get(address, headers={"Range": "bytes=9999999-"}).status_code == 416
    current = caltech.get(address, headers={"Range": "bytes=0-3", "If-Range": tag})
    assert current.status_code == 206
    stale = caltech.get(address, headers={"Range": "bytes=0-3", "If-Range": '"another"'})
    assert (stale.status_code, stale.content) == (200, whole.content)


def test_whole_texts_are_served_as_text(real: httpx.Client) -> None:
    address = real.get("/api/v1/datasets/20news/issues/38").json()["links"]["media"]["text"]
    answer = real.get(address)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "Mac LCII 4/80 for sale" in answer.text
    part = real.get(address, headers={"Range": "bytes=0-9"})
    assert part.content == answer.content[:10]
    assert not answer.content.startswith(gzip.compress(b"")[:2])


@pytest.mark.parametrize(("name", "who"), [("mnist", "public"), ("cifar10", "private")])
def test_no_cache_keeps_for_others_what_not_everyone_may_see(real: httpx.Client, name: str, who: str) -> None:
    issue = real.get(f"/api/v1/datasets/{name}/issues", params={"limit": 1}).json()["items"][0]
    answer = real.get(issue["links"]["media"]["image"])
    assert answer.headers["cache-control"] == f"{who}, max-age=31536000, immutable"


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_a_text_without_a_letter_is_said_to_be_so(text: str) -> None:
    assert excerpt(text, None) == EMPTY == excerpt(text, "/media/somewhere")
    assert "Empty text" in EMPTY
