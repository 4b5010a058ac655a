"""Who is named for verdicts, and on what terms, is what the manifest says; the paper's authors for theirs alone."""

import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx
import mlcroissant
import pytest

from ingest.commands.main import main
from ingest.manifest.parse import read_manifests
from ingest.pipeline import DATASETS
from tests.app.reading import read
from tests.ingest.conftest import Tiny
from tests.serving import serving

AUTHORS = ["Curtis G. Northcutt", "Anish Athalye", "Jonas Mueller"]
NOT_OURS = ("Northcutt", "Athalye", "Mueller", "cleanlab/label-errors", "Apache", "Mechanical Turk", "authors'")
OWN = """
[verdicts]
reviewers = "Ann and Bob, who keep ants."
authors = ["Ann A.", "Bob B."]
licence = "CC0"
licence_url = "https://licences.example/cc0"
source = "https://ants.example/verdicts"
bibtex = "@misc{ants}"
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A site over four datasets of one's own: reviewed or not, each with and without word of who reviewed it."""
    folder = tmp_path_factory.mktemp("own")
    catalogue = folder / "catalogue.sqlite"
    for name, told, reviewed in (
        ("silent", "", True),
        ("nobody", "", False),
        ("told", OWN, True),
        ("planned", OWN, False),
    ):
        tiny = Tiny(folder / name)
        tiny.examples = told
        manifest = tiny.write()
        text = manifest.read_text().replace('"tiny"', f'"{name}"')
        manifest.write_text(text if reviewed else text.replace('votes = "votes.json"\n', ""))
        assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(catalogue)]) == 0
    with serving(catalogue) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def said_of(client: httpx.Client, name: str) -> dict[str, str]:
    """All that is said of a dataset, by address; the line about the method that ends each page is not about it."""
    index = client.get(f"/api/v1/datasets/{name}/issues?limit=1").json()["items"][0]["index"]
    pages = ("", "/classes", "/confusions", "/corrected", "/changes", "/evaluate", f"/issues/{index}")
    found = {f"/{name}{page}": re.sub(r"(?s)<footer.*", "", client.get(f"/{name}{page}").text) for page in pages}
    [found["/about"]] = re.findall(rf'(?s)<section class="source" id="{name}".*?</section>', client.get("/about").text)
    for path in ("", "/croissant.json", "/corrected.parquet", "/corrected.jsonl"):
        found[f"/api{path}"] = client.get(f"/api/v1/datasets/{name}{path}").content.decode("latin-1")
    found["/atom"] = client.get(f"/{name}/changes.atom").text
    return found


@pytest.mark.parametrize("name", ["silent", "nobody", "told", "planned"])
def test_the_papers_authors_are_not_named_for_the_work_of_others(own, name):
    for address, text in said_of(own, name).items():
        assert not [word for word in NOT_OURS if word in text], address


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("silent", "The manifest does not say who reviewed these labels or under which licence."),
        ("nobody", "Nobody has reviewed these labels yet."),
        ("planned", "Nobody has reviewed these labels yet."),
        (
            "told",
            "Ann and Bob, who keep ants. The verdicts are those of Ann A. and Bob B., from their release, under CC0.",
        ),
    ],
)
def test_pages_say_who_reviewed_or_that_nobody_did(own, name, said):
    found = said_of(own, name)
    for address in (f"/{name}/corrected", "/about"):
        words = " ".join(re.sub(r"<[^>]+>", "", found[address]).split())
        assert said in words, address
        assert ("@misc{ants}" in words) == (name == "told" and address != "/about")


def test_a_dataset_that_nobody_reviewed_says_so_openly_and_what_to_do(own):
    page = re.sub(r"(?s)<details.*?</details>", "", own.get("/nobody").text)
    words = " ".join(re.sub(r"<[^>]+>", "", page).split())
    assert "Nobody has reviewed these issues yet. They are suspects: none is confirmed" in words
    assert "label-errors review open nobody" in words
    assert 'href="/docs/reviews"' in page
    folded = re.findall(r"(?s)<details.*?</details>", own.get("/nobody").text)
    assert not [one for one in folded if "Nobody has reviewed" in one]
    assert "Nobody has reviewed" not in own.get("/told").text


def test_the_api_gives_the_terms_of_verdicts(own):
    terms = {name: own.get(f"/api/v1/datasets/{name}").json()["terms"] for name in ("silent", "nobody", "told")}
    assert terms["silent"]["verdicts"] is terms["nobody"]["verdicts"] is None
    assert terms["told"]["verdicts"] == {
        "reviewers": "Ann and Bob, who keep ants.",
        "authors": ["Ann A.", "Bob B."],
        "licence": "CC0",
        "licence_url": "https://licences.example/cc0",
        "source": "https://ants.example/verdicts",
        "citation": None,
        "bibtex": "@misc{ants}",
    }


def test_croissant_names_the_maker_of_the_file_where_no_one_is_named(own):
    for name in ("silent", "nobody", "planned"):
        body = own.get(f"/api/v1/datasets/{name}/croissant.json").json()
        site = str(own.base_url).rstrip("/")
        assert body["creator"] == body["publisher"] == {"@type": "sc:Organization", "name": "Label errors", "url": site}
        assert "citeAs" not in body
        assert body["prov:wasDerivedFrom"] == [{"@type": "prov:Entity", "prov:label": "Tiny"}]
        assert body["license"] == ["CC0"]
        assert ("Nobody has reviewed its labels." in body["description"]) == (name != "silent")
        assert ("reviewers found" in body["description"]) == (name == "silent")


def test_croissant_names_whom_the_manifest_names(own):
    body = own.get("/api/v1/datasets/told/croissant.json").json()
    assert body["creator"] == [{"@type": "sc:Person", "name": name} for name in ("Ann A.", "Bob B.")]
    assert body["citeAs"] == "@misc{ants}"
    assert body["license"] == ["CC0", "https://licences.example/cc0"]
    assert body["prov:wasDerivedFrom"][1]["@id"] == "https://ants.example/verdicts"


@pytest.mark.parametrize("name", ["silent", "told"])
def test_the_reference_library_accepts_them(own, name):
    body = own.get(f"/api/v1/datasets/{name}/croissant.json").json()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        issues = mlcroissant.Dataset(jsonld=body).metadata.ctx.issues
    assert not issues.errors
    assert not [said for said in issues.warnings if "citeAs" not in said]


def test_three_people_are_three(real):
    body = real.get("/api/v1/datasets/imagenet/croissant.json").json()
    assert body["creator"] == [{"@type": "sc:Person", "name": name} for name in AUTHORS]
    assert body["license"][1] == "https://www.apache.org/licenses/LICENSE-2.0"
    assert body["citeAs"].startswith("@inproceedings{northcutt2021pervasive")
    assert "@inproceedings{deng2009imagenet" in body["citeAs"]
    assert [origin.get("@id") for origin in body["prov:wasDerivedFrom"]] == [
        "https://www.image-net.org/",
        "https://github.com/cleanlab/label-errors",
    ]
    words = " ".join(read(real, "/imagenet/corrected").words.split())
    assert "of Curtis G. Northcutt, Anish Athalye and Jonas Mueller, from their release, under Apache Lic" in words
    assert "northcutt2021pervasive" in words


def test_a_sample_names_no_one(client):
    for name in ("sample-digits", "sample-texts", "sample-sounds"):
        body = client.get(f"/api/v1/datasets/{name}/croissant.json").json()
        assert body["creator"] == body["publisher"]
        assert not any(name in json.dumps(body) for name in ("Northcutt", "label-errors.git", "cleanlab"))
        words = " ".join(read(client, f"/{name}/corrected").words.split("In code")[1].split())
        assert "Nobody: the votes of five raters an example were drawn by a computer." in words
        assert "northcutt2021pervasive" not in words


def test_the_ten_datasets_say_the_same_of_their_verdicts():
    [one] = {manifest.verdicts for manifest in read_manifests(DATASETS) if manifest.paper is not None}
    assert one is not None
    assert list(one.authors) == AUTHORS


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[verdicts]\nauthors = []", "verdicts.reviewers: missing; expected a text"),
        ('[verdicts]\nreviewers = "Ann"\nauthors = [""]', "verdicts.authors: expected names, found an empty one"),
        ('[verdicts]\nreviewers = "Ann"\nauthor = "Ann"', "verdicts.author: unknown key"),
        (
            '[verdicts]\nreviewers = "Ann"\nlicence_url = "https://a.example"',
            "verdicts.licence: expected the name of the licence at licence_url, found none",
        ),
        ('[loader]\nname = "x"\ncode = "test_set ="', "loader.code: expected Python: "),
        ('[loader]\nname = "x"\ncode = "tests = 1"', "loader.code: expected it to make test_set, found tests made"),
        (
            '[loader]\nname = "x"\njoin = "key"\ncode = "test_set = 1"',
            "loader.code: expected it to make keys, found test_set made",
        ),
        (
            '[loader]\nname = "x"\npartial = true\ncode = "test_set = 1"',
            'loader.partial: goes with join = "key"',
        ),
    ],
)
def test_what_a_manifest_says_of_them_is_read_strictly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str, said: str
) -> None:
    tiny = Tiny(tmp_path / "tiny")
    tiny.examples = table
    assert tiny.add(tmp_path / "catalogue.sqlite") == 1
    assert f"tiny.toml: {said}" in capsys.readouterr().err
    assert not (tmp_path / "catalogue.sqlite").exists()
