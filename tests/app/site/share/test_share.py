"""What other sites show of this one: pictures for links, badges, site maps, and the tags that name them."""

import html
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from io import BytesIO
from urllib.robotparser import RobotFileParser

import httpx
import pytest
from PIL import Image

from app.site.share.badges import badge
from app.site.share.pictures import Caption, picture

_MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"


@pytest.fixture(scope="module")
def real(real_site: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=real_site, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def sample(sample_site: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sample_site, timeout=60) as client:
        yield client


def drawn(client: httpx.Client, path: str) -> Image.Image:
    answer = client.get(path)
    assert answer.status_code == 200, path
    assert answer.headers["content-type"] == "image/png"
    return Image.open(BytesIO(answer.content))


def tags(client: httpx.Client, path: str) -> dict[str, str]:
    page = client.get(path).text
    found = dict(re.findall(r'<meta (?:property|name)="((?:og|twitter):[^"]+)" content="([^"]*)">', page))
    return found | {"canonical": re.findall(r'<link rel="canonical" href="([^"]*)">', page)[0]}


@pytest.mark.parametrize("path", ["/", "/cifar10", "/cifar10/issues/2405", "/imdb", "/audioset"])
def test_a_page_names_its_address_and_a_picture_that_is_there(real, path):
    site = str(real.base_url).rstrip("/")
    found = tags(real, path)
    assert found["canonical"] == found["og:url"] == f"{site}{path}"
    assert found["og:image"].startswith(f"{site}/share/")
    assert drawn(real, found["og:image"].removeprefix(site)).size == (1200, 630)


def test_a_link_to_an_issue_says_what_was_found(real):
    assert tags(real, "/cifar10/issues/2405")["og:title"] == "Labelled cat. Reviewers say frog."


def test_a_shared_view_is_shown_and_opened_as_what_was_seen(real):
    """A gallery's filter and a quiz's draw: sites that resolve a link by og:url must not lose them."""
    site = str(real.base_url).rstrip("/")
    found = tags(real, "/imagenet?given=ram&corrected=bighorn+sheep&page=1")
    assert found["og:title"] == "ImageNet, given: ram, corrected: bighorn sheep"
    assert found["og:description"].startswith("23 errors of ImageNet with given label ram and corrected label bighorn")
    assert html.unescape(found["og:url"]) == f"{site}/imagenet?given=ram&corrected=bighorn+sheep"
    assert found["canonical"] == f"{site}/imagenet"
    title = re.findall("<title>(.*)</title>", real.get("/cifar10?q=cat+%3Cb%3E").text)
    assert title == ["“cat &lt;b&gt;” · CIFAR-10 · Label errors"]
    assert tags(real, "/quiz/cifar10?seed=7")["og:url"] == f"{site}/quiz/cifar10?seed=7"


def test_a_preview_of_a_shared_filter_may_be_made_and_crawling_all_filters_may_not(real):
    rules = RobotFileParser()
    rules.parse(real.get("/robots.txt").text.splitlines())
    for address in ("/cifar10", "/cifar10?given=cat", "/share/cifar10.png"):
        assert rules.can_fetch("Twitterbot", address)
    assert not rules.can_fetch("Twitterbot", "/api/v1/datasets")
    assert not rules.can_fetch("Googlebot", "/api/v1/datasets")
    assert "Disallow: /*?" in real.get("/robots.txt").text.split("\n\n")[0]


def test_the_picture_of_an_issue_shows_its_example(real):
    """The green frog, at the right; words are black, gray and red."""
    shown = drawn(real, "/share/cifar10/2405.png").convert("RGB")
    greens = sum(n for n, (r, g, b) in shown.getcolors(1 << 20) if g > r + 20 and g > b + 40)
    assert greens > 20_000


def test_what_is_not_there_has_no_picture(real):
    for path in ("/share/nothing.png", "/share/cifar10/1.png", "/share/cifar10/x.png", "/sitemap/cifar10/1.xml"):
        assert real.get(path).status_code == 404, path


def test_any_words_and_any_bytes_can_be_drawn():
    for title in ("", "x" * 400, "一二三 " * 40, "\x00\n\t‮rtl", "a " * 300):
        assert Image.open(BytesIO(picture(Caption(title, "x", title), b"no picture"))).size == (1200, 630)


def test_letters_that_the_font_lacks_are_left_out_and_no_boxes_drawn():
    """Arabic, emoji, Chinese."""
    for foreign in ("مرحبا بالعالم", "\U0001f438", "\U0001f438 一二三"):
        found = picture(Caption(f"Labelled Zoë. The model says {foreign}.", foreign, foreign))
        assert found == picture(Caption("Labelled Zoe. The model says ….", "…", "…"))


def test_badges_say_what_the_dataset_page_says(real, sample):
    answer = real.get("/badge/cifar10.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "<title>CIFAR-10 test set: 54 label errors</title>" in answer.text
    assert "<title>QuickDraw test set: about 5,105,386 label errors</title>" in real.get("/badge/quickdraw.svg").text
    assert ET.fromstring(answer.text).attrib["role"] == "img"
    accuracy = real.get("/badge/cifar10.svg?original=76.1&corrected=78.5").text
    assert "<title>CIFAR-10 accuracy: 76.1 → 78.5 corrected</title>" in accuracy


def test_the_badge_is_offered_where_its_number_is_seen(real):
    site = str(real.base_url).rstrip("/")
    [markdown] = re.findall(
        r'aria-label="Markdown of the badge" data-copy><code>(.*?)</code>', real.get("/cifar10/corrected").text
    )
    assert markdown == f"[![CIFAR-10 test set: label errors]({site}/badge/cifar10.svg)]({site}/cifar10)"


@pytest.mark.parametrize(
    "query", ["original=76.1", "original=101&corrected=2", "original=<b>&corrected=2", "corrected=5"]
)
def test_a_badge_of_no_accuracy_is_refused(real, query):
    assert real.get(f"/badge/cifar10.svg?{query}").status_code == 400


def test_a_badge_escapes_names():
    assert "<script>" not in badge("<script>", '"&')
    ET.fromstring(badge("<script>", '"&'))


def test_the_site_map_lists_every_page_once(real):
    site = str(real.base_url).rstrip("/")
    index = [loc.text for loc in ET.fromstring(real.get("/sitemap.xml").text).iter(_MAP)]
    assert f"Sitemap: {site}/sitemap.xml" in real.get("/robots.txt").text
    listed = []
    for address in index:
        listed += [loc.text for loc in ET.fromstring(real.get(address).text).iter(_MAP)]
    assert len(listed) == len(set(listed))
    assert {f"{site}{path}" for path in ("/cifar10/issues/2405", "/quiz", "/quiz/cifar10", "/docs/api")} <= set(listed)
    names = [one["name"] for one in real.get("/api/v1/datasets").json()["items"]]
    n_issues = sum(real.get(f"/api/v1/datasets/{name}/issues?limit=1").json()["total"] for name in names)
    assert sum("/issues/" in address for address in listed) == n_issues
    for address in [a for a in listed if "/issues/" not in a]:
        answer = real.get(address)
        assert answer.status_code == 200, address
        tabs = re.findall(r'(?s)<nav class="tabs".*?</nav>', answer.text)
        assert {f"{site}{path}" for path in re.findall(r'href="([^"?]*)"', "".join(tabs))} <= set(listed), address
