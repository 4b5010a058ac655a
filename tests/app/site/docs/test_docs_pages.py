"""The documentation on the site: all pages, their links, their order, and what is not there."""

import io
import re
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import httpx
import pytest
from PIL import Image, ImageStat

from app.site.docs.library import library, linked_files, pages_of
from app.web.middleware import program_version
from tests import doc_pictures
from tests.app.reading import Page, read
from tests.conftest import ROOT

NAMES = sorted(file.stem for file in (ROOT / "docs").glob("*.md"))
ADDRESSES = ["/docs" if name == "index" else f"/docs/{name}" for name in NAMES]


@pytest.fixture(scope="module")
def client(sample_site: str):
    with httpx.Client(base_url=sample_site, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def pages(client: httpx.Client) -> dict[str, Page]:
    return {address: read(client, address) for address in ADDRESSES}


def test_every_file_is_a_page_and_every_page_lists_all(pages: dict[str, Page]):
    assert len(pages) >= 9
    titles = {page.headings("h1")[0] for page in pages.values()}
    assert len(titles) == len(pages)
    for address, page in pages.items():
        listed = [link for link in page.links if link.href in pages and link.words in titles]
        assert {link.href for link in listed} == set(pages)
        assert [link.href for link in listed if link.attributes.get("aria-current")] == [address]
        assert len(page.ids) == len(set(page.ids))


def test_links_of_pages_resolve(client: httpx.Client, pages: dict[str, Page]):
    known = {address: page.ids for address, page in pages.items()}
    for address, page in pages.items():
        for link in page.links:
            target, anchor = urldefrag(urljoin(address, link.href))
            if not target.startswith("/"):
                continue
            if target.removeprefix("/docs/") in linked_files():
                assert client.get(target).status_code == 200
                continue
            if target not in known:
                known[target] = read(client, target).ids
            assert not anchor or anchor in known[target], f"{address} links {link.href}"


def test_sections_are_listed_on_their_page(pages: dict[str, Page]):
    page = pages["/docs/own-dataset"]
    on_this_page = [link.words for link in page.links if link.href.startswith("#") and link.href != "#main"]
    sections = [words for words in page.headings("h2") if words]
    assert on_this_page[: len(sections)] == sections


@pytest.mark.parametrize(
    ("page", "file", "kind"),
    [
        ("/docs/notebook", "notebook.ipynb", "application/x-ipynb+json"),
        ("/docs/operating", "operating/nginx.conf", "text/plain; charset=utf-8"),
        ("/docs/operating", "operating/label-errors.service", "text/plain; charset=utf-8"),
        ("/docs/operating", "operating/compose.yaml", "text/plain; charset=utf-8"),
    ],
)
def test_files_that_pages_name_can_be_had(client: httpx.Client, pages: dict[str, Page], page: str, file: str, kind):
    assert f"/docs/{file}" in [link.href for link in pages[page].links]
    answer = client.get(f"/docs/{file}")
    assert answer.content == (ROOT / "docs" / file).read_bytes()
    assert answer.headers["content-type"] == kind
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == f'inline; filename="{file.rpartition("/")[2]}"'


def test_pictures_are_small_light_and_shown(client: httpx.Client):
    """Each picture that is there is on a page, and the script that draws them knows it."""
    shown = dict(re.findall(r'src="/docs/(pictures/[^"]+)" width="(\d+)"', whole_library()))
    files = sorted((ROOT / "docs/pictures").iterdir())
    assert set(shown) == {f"pictures/{file.name}" for file in files}
    assert {file.stem for file in files} == set(doc_pictures.NAMES)
    for file in files:
        assert file.stat().st_size < 60_000, file.name
        answer = client.get(f"/docs/pictures/{file.name}")
        assert (answer.content, answer.headers["content-type"]) == (file.read_bytes(), "image/png")
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert str(picture.width) == shown[f"pictures/{file.name}"]
            assert ImageStat.Stat(picture.convert("L")).mean[0] > 160, "light"


def test_what_is_no_picture_stops_the_start(tmp_path: Path):
    (tmp_path / "index.md").write_text("# Start\n\n![x](pictures/x.png)\n")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/x.png").write_bytes(b"GIF89a" + bytes(30))
    with pytest.raises(ValueError, match=r"x\.png: expected a picture in PNG"):
        pages_of(tmp_path)


def whole_library() -> str:
    return "".join(str(page.html) for page in library().values())


@pytest.mark.parametrize(
    "path",
    [
        "gallery.png",
        "pictures/",
        "pictures/none.png",
        "operating/",
        "operating/none.conf",
        "../LICENSE",
        "%2e%2e/LICENSE",
        "api.md",
    ],
)
def test_nothing_else_of_the_source_can_be_had(client: httpx.Client, path: str):
    assert client.get(f"/docs/{path}").status_code in (404, 307)


def test_a_page_that_is_not_there_names_near_ones(client: httpx.Client):
    page = read(client, "/docs/own-datase", 404)
    assert "There is no page 'own-datase' in the documentation." in page.words
    assert next(link.href for link in page.links if link.href.startswith("/docs/")) == "/docs/own-dataset"
    assert [link.words for link in page.links].count("Documentation") == 1
    problem = client.get("/docs/apis", headers={"accept": "application/json"}).json()
    assert problem["near"][0] == {"label": "The API", "href": "/docs/api"}
    assert read(client, "/docs/index", 404)


def test_a_page_has_a_validator(client: httpx.Client):
    first = client.get("/docs/api")
    assert client.get("/docs/api", headers={"if-none-match": first.headers["etag"]}).status_code == 304
    assert client.get("/docs/", follow_redirects=True).url.path == "/docs"


@pytest.mark.parametrize(
    ("asks", "answers"),
    [
        ("/", "/docs/own-dataset"),
        ("/method", "/docs/confident-learning"),
        ("/api", "/docs/api"),
        ("/media-coverage", "/docs/ten-datasets"),
        ("/sample-digits/corrected", "/docs/corrected-test-sets"),
        ("/sample-digits/evaluate", "/docs/models"),
        ("/sample-digits/stability", "/docs/models#stability"),
    ],
)
def test_pages_that_raise_a_question_lead_to_its_answer(client: httpx.Client, asks: str, answers: str):
    assert answers in [link.href for link in read(client, asks).links]


def test_pages_stand_in_the_order_in_which_the_first_links_them(tmp_path: Path):
    (tmp_path / "index.md").write_text("# Start\n\n[z](z.md), [a](a.md), [z again](z.md)\n")
    for name in ("a", "b", "z"):
        (tmp_path / f"{name}.md").write_text(f"# {name}\n")
    assert list(pages_of(tmp_path)) == ["index", "z", "a", "b"]


def test_a_page_that_cannot_be_shown_is_named(tmp_path: Path):
    (tmp_path / "index.md").write_text("# Start\n\n[x](gone.md)\n")
    with pytest.raises(ValueError, match=r"index\.md: the link to gone\.md leads to no page"):
        pages_of(tmp_path)
    (tmp_path / "index.md").unlink()
    with pytest.raises(ValueError, match=r"has no index\.md"):
        pages_of(tmp_path)


def test_it_is_all_read_once():
    assert library() is library()


@pytest.mark.parametrize("name", ["api.md", *linked_files()])
def test_what_a_browser_has_is_outdated_by_a_new_text(tmp_path: Path, name: str):
    """Its validator is made of the program's version, which must tell every file that is served."""
    file = tmp_path / Path(name).name
    file.write_text("old")
    before = program_version(tmp_path)
    file.write_text("new")
    assert program_version(tmp_path) != before
