"""The page of a corrected test set: its numbers and hashes are those of the files."""

import hashlib
import io
import re

import pandas as pd
import pytest

from tests.app.reading import read

POLICIES = [
    "",
    "agreement=4",
    "multi_label=both&neither=given",
    "non_agreement=given&removed=include&agreement=5",
    "unreviewed=drop&multi_label=given",
]


def numbers(page) -> dict[str, int]:
    """The sizes that stand below the bar, by their words."""
    words = " ".join(page.words.split())
    found = re.findall(r"(All examples|Benign set|Keep their label|Correctable set|Get another label|"
                       r"Remaining examples|Pruned set|"
                       r"Unknown-label set|Left out)[^0-9]*?(\d[\d,]*)", words)  # fmt: skip
    return {name: int(n.replace(",", "")) for name, n in found}


@pytest.mark.parametrize("query", POLICIES)
@pytest.mark.parametrize("name", ["cifar10", "imagenet", "imdb", "caltech256"])
def test_every_number_is_the_files(real, name, query):
    page = read(real, f"/{name}/corrected?{query}")
    sizes = numbers(page)
    policy = "&".join(part for part in query.split("&") if not part.startswith("removed"))
    raw = real.get(f"/api/v1/datasets/{name}/corrected.csv?{policy}&removed=include").content
    rows = pd.read_csv(io.BytesIO(raw), keep_default_na=False)
    counts = rows.action.value_counts()
    assert sizes["All examples"] == len(rows)
    kept, changed, removed, left = (
        ("Benign set", "Correctable set", "Unknown-label set", "Pruned set")
        if query == ""
        else ("Keep their label", "Get another label", "Left out", "Remaining examples")
    )
    assert sizes[kept] == counts["kept"]
    assert sizes[changed] == counts["corrected"]
    assert sizes[removed] == counts.get("removed", 0)
    assert sizes[left] == counts["kept"] + counts["corrected"]
    words = " ".join(page.words.split())
    for category, n in rows[rows.category != "unreviewed"].category.value_counts().items():
        assert re.search(rf"{category.replace('_', '-')}\s*{n:,}\D", words), category


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("cifar10", {"multi_label", "neither", "non_agreement", "unreviewed"}),
        ("mnist", {"neither", "non_agreement", "unreviewed"}),
        ("imdb", {"non_agreement", "unreviewed"}),
        ("audioset", {"non_agreement", "unreviewed"}),
    ],
)
def test_a_policy_is_offered_for_what_reviewers_could_answer(real, name, offered):
    choices = {select.get("name") for select in read(real, f"/{name}/corrected").elements("select")}
    assert choices - {"agreement", "removed"} == offered | {"confidence", "confidences"}


@pytest.mark.parametrize("query", POLICIES)
def test_hashes_are_those_of_the_files_behind_the_links(real, query):
    page = read(real, f"/cifar10/corrected?{query}")
    links = [link.href for link in page.links if re.search(r"/corrected\.(csv|jsonl|parquet|npy|npz)", link.href)]
    hashes = re.findall(r"\b[0-9a-f]{64}\b", page.words)
    assert len(links) == len(hashes) == (4 if "both" in query else 5)
    for link, digest in zip(links, hashes, strict=True):
        assert hashlib.sha256(real.get(link).content).hexdigest() == digest, link


def test_what_was_chosen_is_chosen(real):
    text = real.get("/imagenet/corrected?agreement=4&multi_label=both&removed=include").text
    chosen = re.findall(r'<option value="([^"]*)" selected>', text)
    assert chosen == ["both", "drop", "drop", "given", "4", "include"]
    assert 'href="/imagenet/corrected"' in text


@pytest.mark.parametrize(
    ("query", "parameter"), [("neither=both", "neither"), ("agreement=2", "agreement"), ("sort=index", "sort")]
)
def test_what_is_no_policy_is_refused(real, query, parameter):
    page = read(real, f"/cifar10/corrected?{query}", status=400)
    assert parameter in page.words


def test_without_labels_the_page_says_why_and_still_counts(real):
    page = read(real, "/quickdraw/corrected?neither=given")
    assert "cannot be written" in page.words
    assert numbers(page)["Get another label"] == 1047


def test_what_cannot_be_dropped_one_by_one_is_said(real):
    assert "one by one" in read(real, "/quickdraw/corrected?unreviewed=drop").words
    assert "one by one" not in read(real, "/quickdraw/corrected").words


@pytest.mark.parametrize(
    ("name", "unchecked", "others"),
    [("quickdraw", 6_825_383 - 2_500, 50_426_266 - 6_825_383), ("amazon", 533_249 - 1_000, 9_996_437 - 533_249)],
)
@pytest.mark.parametrize("query", ["", "unreviewed=drop"])
def test_what_was_flagged_and_not_checked_is_counted_though_it_is_not_here(real, name, unchecked, others, query):
    words = " ".join(read(real, f"/{name}/corrected?{query}").words.split())
    assert re.search(rf"not checked; this catalogue does not know which\s*{unchecked:,}\s*keep the given label", words)
    assert re.search(rf"neither flagged nor checked\s*{others:,}\s*keep the given label", words)
    assert real.get(f"/api/v1/datasets/{name}").json()["unreviewed"] == unchecked


def test_what_changes_is_shown(real):
    page = read(real, "/cifar10/corrected")
    assert any(link.href.startswith("/cifar10/issues/2405") for link in page.links)
    assert "/cifar10?category=correctable" in [link.href for link in page.links]


def test_the_code_is_one_jump_from_the_top_and_stands_before_examples(real):
    text = real.get("/imagenet/corrected").text
    [jumps] = re.findall(r'<nav class="twins" aria-label="On this page">(.*?)</nav>', text)
    links = dict(re.findall(r'<a href="#(\w+)">([^<]*)</a>', jumps))
    assert links["loader"] == "PyTorch"
    ids = re.findall(r' id="(\w+)"', text)
    assert sorted(links, key=ids.index) == list(links)
    assert '<h3 id="loader">PyTorch, with torchvision</h3>' in text
    assert '<a href="#loader">scikit-learn</a>' in real.get("/imdb/corrected").text
