"""The pages over the embedded sample and the real release: what they say, where they lead, that they are well made."""

import json
import re
from collections import deque
from urllib.parse import urldefrag, urljoin

import httpx
import numpy as np
import pytest

from tests.app.reading import Page, read
from tests.conftest import ingest
from tests.serving import serving

SAMPLES = ("sample-digits", "sample-texts", "sample-sounds")
OF_A_DATASET = (
    "",
    "/classes",
    "/confusions",
    "/confusions?kind=guessed&agreement=5",
    "/confusions?kind=joint",
    "/ranks",
    "/confidence",
    "/confidence?agreement=5",
    "/corrected",
    "/corrected?agreement=5",
    "/changes",
)
GENERAL = ("/", "/figures", "/method", "/about", "/about/errors", "/api", "/docs", "/docs/own-dataset")
NOTICE = "planted"


def sentence(page: Page) -> str:
    """The heading of a gallery that says what it shows."""
    return next(words for words in page.headings("h2") if words.endswith("."))


def total(page: Page) -> int:
    return int(sentence(page).split()[0].replace(",", ""))


def choices(page: Page, name: str) -> list[tuple[str, int]]:
    """(address, count promised) of every choice beside a gallery that is not taken yet."""
    return [
        (link.href, int(link.words.split()[-1].replace(",", "")))
        for link in page.links
        if (link.href == f"/{name}" or link.href.startswith(f"/{name}?"))
        and re.search(r"\s[\d,]+$", link.words)
        and " of " not in link.words
        and not link.attributes.get("aria-current")
    ]


def first_issue(client: httpx.Client, name: str, **params: str) -> int:
    return client.get(f"/api/v1/datasets/{name}/issues", params=params).json()["items"][0]["index"]


@pytest.fixture(scope="module")
def addresses(client) -> list[str]:
    """One page of every kind, for each sample."""
    found = list(GENERAL)
    for name in SAMPLES:
        found += [f"/{name}{tail}" for tail in OF_A_DATASET]
        found += [f"/{name}/issues/{first_issue(client, name, category=c)}" for c in ("correctable", "unreviewed")]
        found += [f"/{name}?category=error&sort=-margin", f"/{name}?q=nothing-has-this-word"]
    return found


def assert_well_made(page: Page, address: str) -> None:
    assert len(page.ids) == len(set(page.ids)), f"{address}: {[i for i in page.ids if page.ids.count(i) > 1]}"
    assert page.elements("html")[0].get("lang") == "en"
    for landmark in ("main", "header", "footer", "h1"):
        assert page.elements(landmark), f"{address} has no {landmark}"
    assert len(page.elements("main")) == len(page.elements("h1")) == 1
    assert page.links[0].href == "#main"
    assert "<Macro" not in page.html.replace("&lt;", "<"), f"{address} prints a part of its template"
    assert page.title.strip().endswith(("Label errors", "machine learning"))
    description = [m for m in page.elements("meta") if m.get("name") == "description"]
    assert len(description) == 1
    assert description[0]["content"]
    for tag, attributes in page.tags:
        assert tag != "style", f"{address} has a style element"
        assert "style" not in attributes, f"{address}: style on <{tag}>"
        assert not [a for a in attributes if a.startswith("on")], f"{address}: handler on <{tag}>"
        # A block of data is not run.
        if tag == "script" and attributes.get("type") != "application/ld+json":
            assert (attributes.get("src") or "").startswith("/static/"), f"{address} has an inline script"
        if tag == "img":
            assert attributes.get("alt") is not None, f"{address}: a picture without alternative"
            assert attributes["width"]
            assert attributes["height"]
    for labelled in (a.get("aria-labelledby") for _, a in page.tags):
        assert labelled is None or labelled in page.ids, f"{address}: nothing has the id {labelled}"
    for label in page.elements("label"):
        assert label.get("for") in page.ids


def test_every_page_is_well_made(client, addresses):
    for address in addresses:
        assert_well_made(read(client, address), address)


def test_titles_tell_pages_apart(client, addresses):
    plain = [a for a in addresses if "?" not in a]
    assert len({read(client, address).title for address in plain}) == len(plain)


def test_every_page_of_a_sample_says_so(client, addresses):
    of_samples = [a for a in addresses if a.startswith("/sample-")]
    assert len(of_samples) == len(SAMPLES) * 15
    for address in of_samples:
        words = read(client, address).words
        assert "A sample. Its label errors were added on purpose and its raters are simulated." in words, address


def test_pages_have_a_twin_in_json(client, addresses):
    for address in [a for a in addresses if a.startswith("/sample-")]:
        twins = [
            link["href"] for link in read(client, address).elements("link") if link.get("type") == "application/json"
        ]
        assert len(twins) == 1, address
        assert client.get(twins[0]).headers["content-type"] == "application/json"


def test_every_link_leads_somewhere(client):
    """Follow links from the home page; each must answer, and each fragment must be there."""
    waiting, seen = deque(["/"]), {"/"}
    fetched = 0
    while waiting and fetched < 700:
        address = waiting.popleft()
        response = client.get(address)
        assert response.status_code == 200, f"{address}: {response.status_code}"
        fetched += 1
        if "text/html" not in response.headers["content-type"]:
            continue
        page = Page(response.text)
        targets = [link.href for link in page.links] + [e["src"] for e in page.elements("img") if e.get("src")]
        targets += [e["src"] for e in page.elements("audio") if e.get("src")]
        for href in targets:
            where, fragment = urldefrag(urljoin(f"http://here{address}", href))
            if not where.startswith("http://here"):
                assert where.startswith(("https://", "http://", "mailto:")), f"{address}: {href}"
                continue
            local = where.removeprefix("http://here")
            if fragment and local == address:
                assert fragment in page.ids, f"{address}: {href}"
            # Galleries can be combined without end; take each page of the sample's own kinds, and some combinations.
            if local not in seen and local.count("&") <= 1:
                seen.add(local)
                waiting.append(local)
    assert fetched > 300


@pytest.mark.parametrize("start", ["", "?category=error", "?agreement=5&category=non_agreement", "?q=the"])
@pytest.mark.parametrize("name", SAMPLES)
def test_the_count_beside_a_choice_is_what_the_click_gives(client, name, start):
    page = read(client, f"/{name}{start}")
    found = choices(page, name)
    assert found or total(page) == 0
    for href, promised in found:
        assert total(read(client, href)) == promised, href


@pytest.mark.parametrize(
    "address", ["/audioset", "/imagenet?category=correctable", "/20news?given=sci.space", "/mnist"]
)
def test_counts_hold_on_real_data(real, address):
    found = choices(read(real, address), re.match(r"/([a-z0-9]+)", address)[1])
    assert len(found) > 5
    for href, promised in found:
        assert total(read(real, href)) == promised, href


def test_the_sentence_says_what_is_shown(client):
    words = sentence(read(client, "/sample-digits?category=correctable&agreement=4&sort=-margin"))
    assert words.endswith(
        "correctable issues of Sample: handwritten digits, at 4 of 5 votes, highest normalized margin first."
    )
    every = client.get("/api/v1/datasets/sample-digits/issues").json()["total"]
    assert total(read(client, "/sample-digits?category=any")) == every


def test_chips_take_filters_away(client):
    page = read(client, "/sample-texts?category=non_error&given=cooking&q=a")
    chips = {
        link.words.replace("Remove the filter", "").strip(" \n×"): link.href
        for link in page.links
        if "Remove" in link.words
    }
    assert chips["given: cooking"] == "/sample-texts?category=non_error&q=a"
    assert chips["“a”"] == "/sample-texts?category=non_error&given=cooking"
    assert chips["Remove all"] == "/sample-texts"
    hidden = {e["name"]: e["value"] for e in page.elements("input") if e.get("type") == "hidden"}
    assert hidden == {"category": "non_error", "given": "cooking"}
    assert chips["non-error"] == "/sample-texts?given=cooking&q=a", "the errors, as without any filter"


def test_pages_of_a_gallery_hold_every_issue_once(client):
    address, found, pages = "/sample-digits?sort=index", [], []
    while address:
        pages.append(address)
        page = read(client, address)
        found += [int(i[1:]) for i in page.ids if re.fullmatch(r"i\d+", i)]
        address = next((link.href for link in page.links if link.attributes.get("rel") == "next"), None)
    assert len(pages) > 1
    assert found == sorted(set(found))
    assert len(found) == total(read(client, "/sample-digits"))
    back = next(link.href for link in read(client, pages[-1]).links if link.attributes.get("rel") == "prev")
    assert [i for i in read(client, back).ids if i[1:].isdigit()] == [
        i for i in read(client, pages[-2]).ids if i[1:].isdigit()
    ]


def test_neighbours_stay_within_the_filter(client):
    query = "category=correctable&sort=-index"
    items = client.get(f"/api/v1/datasets/sample-sounds/issues?{query}").json()["items"]
    order = [item["index"] for item in items]
    page = read(client, f"/sample-sounds/issues/{order[1]}?{query}")
    steps = {link.attributes["rel"]: link.href for link in page.links if link.attributes.get("rel") in ("prev", "next")}
    assert steps == {
        "prev": f"/sample-sounds/issues/{order[0]}?{query}",
        "next": f"/sample-sounds/issues/{order[2]}?{query}",
    }


def test_a_text_card_opens_and_the_issue_shows_all_of_it(real):
    index = first_issue(real, "20news", category="correctable")
    whole = real.get(f"/api/v1/datasets/20news/issues/{index}").json()["text"]
    page = read(real, f"/20news/issues/{index}")
    assert " ".join(whole.split())[:2000] in " ".join(page.words.split())
    assert 'class="excerpt"' not in page.html
    assert read(real, "/20news").elements("details")


def test_the_green_frog(real):
    page = read(real, "/cifar10/issues/2405")
    assert re.search(r"Labelled\s*cat\s*\. Reviewers say\s*frog", page.words)
    assert re.search(r"guessed label\s*frog\s*5\s", page.words)
    picture = page.elements("img")[0]
    assert picture["width"] == picture["height"] == str(32 * 17)
    assert real.get(picture["src"]).headers["content-type"] == "image/png"


def test_the_home_page_of_the_release(real):
    page = read(real, "/")
    assert "the paper finds 3.42" in page.words
    assert "paper: 2.46" in page.words
    assert "Load the real release" not in page.words
    assert NOTICE not in page.words
    assert page.headings("h3")[:3] == ["MNIST", "CIFAR-10", "CIFAR-100"]
    assert "5,105,386" in read(real, "/figures").words


def test_every_door_of_the_home_page_opens(real):
    page = read(real, "/")
    doors = page.html[page.html.index('class="doors"') : page.html.index('id="datasets"')]
    addresses = re.findall(r'href="(/[^"]+)"', doors)
    assert {"/imagenet", "/imagenet/corrected", "/imagenet/evaluate", "/docs/own-dataset"} <= set(addresses)
    # Of QuickDraw's examples the labels are not here, and AudioSet's have several.
    assert "/quickdraw/corrected" not in addresses
    assert "/audioset/evaluate" not in addresses
    for address in addresses:
        assert real.get(address).status_code == 200, address


def test_an_entry_of_the_home_page_names_the_most_frequent_corrections(real):
    page = " ".join(read(real, "/").words.split())
    assert re.search("ram →\\s?is bighorn sheep 23", page)
    link = next(link for link in read(real, "/").links if "bighorn" in link.words)
    assert "23 issues of ImageNet" in read(real, link.href).words.replace("errors", "issues")


def test_the_top_of_the_home_page_shows_confirmed_errors(real):
    page = " ".join(read(real, "/").words.split())
    assert "Labelled cat. Five of five people say frog. CIFAR-10, example 2405" in page


def test_a_dataset_opens_with_its_confirmed_errors(real):
    page = read(real, "/cifar10")
    words = " ".join(page.words.split())
    assert "Errors 54 Cleared 221 All 275" in words
    assert "54 errors of CIFAR-10" in words
    shares = {link.words.strip(): link for link in page.links if link.words.strip().startswith(("Cleared", "All 275"))}
    assert "221 non-errors of CIFAR-10" in read(real, shares["Cleared 221"].href).words
    assert "275 issues of CIFAR-10" in read(real, shares["All 275"].href).words
    json_url = next(link.href for link in page.links if link.words == "JSON")
    assert real.get(json_url).json()["total"] == 54
    assert real.get("/api/v1/datasets/cifar10/issues?category=any").json()["total"] == 275


def test_an_empty_result_says_where_the_others_are(real):
    page = read(real, "/cifar10?given=truck&corrected=frog&category=neither")
    assert "No issue matches these filters." in page.words
    page = read(real, "/cifar10?given=frog&category=neither")
    assert "No issue matches these filters." in page.words
    link = next(link for link in page.links if "other categories" in link.words)
    assert total(read(real, link.href)) == int(link.words.split()[0])


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/cifar10/issues/2405", "Labelled cat. Reviewers say frog."),
        ("/cifar10/issues/1969", "Labelled automobile. Reviewers say neither that nor truck."),
        ("/cifar10/issues/3977", "Labelled cat. Reviewers disagree about what it is."),
    ],
)
def test_an_issue_says_first_what_was_found(real, address, said):
    page = read(real, address)
    assert said in " ".join(page.headings("h1")[0].split())
    assert page.title.startswith(said.rstrip("."))


def test_back_leads_to_the_page_with_the_card(real):
    for index in (2405, *(issue["index"] for issue in listed(real, "imagenet", limit=200)[60:62])):
        name = "cifar10" if index == 2405 else "imagenet"
        link = next(link for link in read(real, f"/{name}/issues/{index}").links if link.words == "Back to results")
        path, _, anchor = link.href.partition("#")
        assert anchor == f"i{index}"
        assert ("after=" in path) is (index != 2405)
        assert anchor in read(real, path).ids


def listed(client, name, **params):
    return client.get(f"/api/v1/datasets/{name}/issues", params={"category": "error", **params}).json()["items"]


def test_a_card_of_the_home_page_shows_what_its_link_shows(real):
    """AudioSet's most telling example has another corrected set where five of five must agree."""
    shown = re.findall(
        r'<a class="look" href="/(\w+)/issues/(\d+)">.*?</a>\s*(?=</div>)', real.get("/").text, re.DOTALL
    )
    assert ("audioset", "2350") in shown
    home = " ".join(read(real, "/").words.split())
    issue = real.get("/api/v1/datasets/audioset/issues/2350").json()
    assert len(issue["corrected"]) > 1
    given, corrected = (" · ".join(c["name"] for c in issue[name]) for name in ("given", "corrected"))
    assert f"given{given}corrected{corrected}" in home


def test_the_home_page_with_samples_alone_tells_how_to_load_the_release(client):
    page = read(client, "/")
    assert "label-errors release label-errors" in page.words
    assert "These are samples. Their label errors were added on purpose and their raters are simulated." in page.words


def rows(page: Page, table: int) -> list[str]:
    """The names in the first column of a table of the figures page."""
    parts = page.html.split("<tbody>")[table].split("</tbody>")[0]
    return re.findall(r'<th scope="row"><a href="/([a-z0-9-]+)">', parts)


def test_tables_sort_without_a_script(real):
    page = read(real, "/figures?table1=-size&table2=correctable")
    assert rows(page, 1)[:3] == ["quickdraw", "amazon", "imagenet"]
    assert rows(page, 2)[:2] == ["mnist", "cifar10"]
    sorted_by = [(th["aria-sort"]) for th in page.elements("th") if th.get("aria-sort")]
    assert sorted_by == ["descending", "ascending"]
    # Figures that reviewers could not give come last, whichever way the table is sorted.
    for sign in ("", "-"):
        page = read(real, f"/figures?table2={sign}multi_label")
        assert set(rows(page, 2)[-4:]) == {"mnist", "imdb", "amazon", "audioset"}
    # A click on one table keeps the other as it is.
    page = read(real, "/figures?table1=-size&table2=correctable")
    link = next(link.href for link in page.links if link.words.strip() == "Neither")
    assert "table1=-size" in link


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("/figures?table1=colour", ("table1", "percent")),
        ("/sample-digits?category=wrong", ("category", "correctable")),
        ("/sample-digits?agreement=9", ("agreement", "3")),
        ("/sample-texts?given=cokking", ("cokking", "cooking")),
        ("/sample-texts?sort=random", ("sort", "suspicion")),
        ("/sample-texts/confusions?kind=x", ("kind", "guessed")),
        ("/sample-texts/classes?sort=x", ("sort", "threshold")),
        ("/sample-texts/classes?page=2", ("page", "expected 1")),
        ("/sample-texts?after=%00", ("after", "cursor")),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(client, address, names):
    page = read(client, address, status=400)
    assert_well_made(page, address)
    for name in names:
        assert name in page.words


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("/sample-digit", "/sample-digits"),
        ("/sample-texts/issues/99999999999999999999", "/sample-texts"),
        ("/sample-texts/issues/-1", "/sample-texts"),
        ("/sample-texts/issues/x", "/sample-texts"),
    ],
)
def test_what_is_not_there_says_what_is_near(client, address, near):
    page = read(client, address, status=404)
    assert_well_made(page, address)
    assert near in [link.href for link in page.links]


def test_search_engines_and_browsers_find_what_they_ask_every_site_for(client):
    rules = client.get("/robots.txt").text.splitlines()
    assert rules[0] == "User-agent: *"
    assert "Disallow: /*?" in rules
    icon = client.get("/favicon.ico", follow_redirects=True)
    assert (icon.status_code, icon.headers["content-type"]) == (200, "image/svg+xml")


def test_classes_are_found_and_sorted(real):
    page = read(real, "/imagenet/classes?q=Crane&sort=-given")
    assert "2 of 1,000 classes" in page.words
    links = []
    for number in range(1, 11):
        links += read(real, f"/imagenet/classes?sort=-given&page={number}").links
    counts = [int(link.words.replace(",", "")) for link in links if "with given label" in str(link.attributes)]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == real.get("/api/v1/datasets/imagenet/issues").json()["total"]
    cranes = [link for link in page.links if " label crane" in (link.attributes.get("aria-label") or "")]
    assert len({link.href for link in cranes}) == len(cranes) >= 2
    for link in cranes:
        assert total(read(real, link.href)) == int(link.words)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("agreement", [3, 5])
def test_confusions_add_up_and_lead_to_their_issues(client, name, agreement):
    page = read(client, f"/{name}/confusions?agreement={agreement}")
    cells = [link for link in page.links if re.search("issues?, given", link.attributes.get("aria-label") or "")]
    correctable = client.get(f"/api/v1/datasets/{name}").json()["categories"][str(agreement)]["correctable"]
    assert sum(int(cell.words) for cell in cells) == correctable
    for cell in cells[:8]:
        assert total(read(client, cell.href)) == int(cell.words)
    drawn = [link for link in page.links if "given" in (link.attributes.get("aria-label") or "") and link not in cells]
    assert sorted(link.href for link in drawn) == sorted(cell.href for cell in cells)


def test_large_confusions_draw_the_most_involved_classes(real):
    page = read(real, "/imagenet/confusions")
    assert "The map shows the 30 most confused classes" in page.words
    more = next(link.href for link in page.links if link.words.startswith("Show all"))
    everything = read(real, more).links
    cells = [link for link in everything if re.search("issues?, given", link.attributes.get("aria-label") or "")]
    assert sum(int(cell.words) for cell in cells) == 1428


def test_the_confident_joint_is_shown_where_there_is_one(real):
    page = read(real, "/cifar10/confusions?kind=joint")
    words = " ".join(page.words.split())
    assert "244 are off the diagonal" in words
    assert "2.83 %, or 283 of 10,000 examples" in words
    assert "2.76 %, or 275 examples" in words
    table = re.sub(r'<a href="/cifar10/classes/\d">([a-z]+)</a>', r"\1", page.html)
    cells = re.findall(r'<td>([a-z]+)</td><td>([a-z]+)</td><td class="num">([\d,]+)</td>', table)
    assert sum(int(n) for given, latent, n in cells if given != latent) == 244
    drawn = [int(n) for n in re.findall(r'class="n\d"[^>]*>(\d+)<', page.html)]
    assert sum(drawn) == 244
    assert "kind=joint" not in real.get("/imagenet/confusions").text
    assert "kind" in read(real, "/imagenet/confusions?kind=joint", status=400).words


def test_the_sizes_of_a_corrected_set(real):
    page = read(real, "/imagenet/corrected")
    words = " ".join(page.words.split())
    assert re.search(r"Pruned set P, the remaining examples\s*48,512", words)
    assert "2.94 %" in words
    assert "/api/v1/datasets/imagenet/corrected.csv" in [link.href for link in page.links]
    sampled = read(real, "/quickdraw/corrected").words
    assert "cannot be written" in sampled
    assert "Reviewers saw 2,500 of the 6,825,383 flagged examples" in sampled
    assert re.search(r"\|P\|\s*< 0\.01\s%", sampled)


def test_the_api_page_is_made_from_the_description(client):
    page = read(client, "/api")
    for path in client.get("/api/openapi.json").json()["paths"]:
        assert path in page.words
    tried = [link.href for link in page.links if link.href.startswith("/api/v1/")]
    assert len(tried) >= 6
    for address in tried:
        assert client.get(address).status_code == 200, address


def test_problem_types_are_explained_where_they_point(client):
    problem = client.get("/api/v1/datasets/nothing").json()
    where, fragment = urldefrag(problem["type"])
    assert fragment in read(client, where).ids


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "a & b < c",
    "{{ 7 * 7 }}{% raw %}",
    "100 %s %d",
    "javascript:alert(1)",
    "naïve ‮ 日本語 " + "long" * 40,
)

MANIFEST = """\
name = "hostile"
title = {title}
modality = "text"
summary = {title}
citation = {title}
bibtex = {title}
flag = 20
notes = [{title}]

[licence]
name = {title}
source = {title}
media = "host"

[classes]
names = {names}

[files]
labels = "labels.npy"
pred_probs = "probs.npy"
votes = "votes.json"

[votes]
dialect = "options"
options = ["given", "guessed", "both", "neither"]

[media]
layout = "text-folder"
path = "media"
order = "sorted"
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A site over a dataset whose every text tries to be markup."""
    folder = tmp_path_factory.mktemp("hostile")
    n, m = 40, len(HOSTILE)
    rng = np.random.default_rng(3)
    labels = np.arange(n) % m
    scores = rng.random((n, m)) + np.eye(m)[(labels + (np.arange(n) % 2)) % m]
    np.save(folder / "labels.npy", labels.astype(np.uint16))
    np.save(folder / "probs.npy", scores / scores.sum(axis=1, keepdims=True))
    answers = ("guessed", "both", "neither", "given")
    votes = [
        {
            "id": i,
            "given_original_label": int(labels[i]),
            "our_guessed_label": int(scores[i].argmax()),
            "mturk": {**dict.fromkeys(("given", "guessed", "both", "neither"), 0), answers[i % 4]: 5},
        }
        for i in range(n)
        if scores[i].argmax() != labels[i]
    ]
    (folder / "votes.json").write_text(json.dumps(votes))
    (folder / "media").mkdir()
    for i in range(n):
        (folder / "media" / f"{i:03}.txt").write_text((HOSTILE[i % m] + "\n") * 40, encoding="utf-8")
    text = json.dumps(HOSTILE[0] + HOSTILE[1])
    (folder / "hostile.toml").write_text(
        MANIFEST.format(title=text, names=json.dumps(HOSTILE, ensure_ascii=False)), encoding="utf-8"
    )
    catalogue = folder / "catalogue.sqlite"
    ingest("add", folder / "hostile.toml", folder, "--catalogue", catalogue)
    with serving(catalogue) as site, httpx.Client(base_url=site, timeout=60) as client:
        yield client


def test_texts_of_a_dataset_stay_text(hostile):
    pages = ["/", "/about", "/api", "/hostile", "/hostile/classes", "/hostile/confusions", "/hostile/corrected"]
    issues = hostile.get("/api/v1/datasets/hostile/issues?limit=40").json()["items"]
    assert len(issues) >= 20
    pages += [f"/hostile/issues/{issue['index']}" for issue in issues]
    pages += ["/hostile?q=%3Cscript%3Ealert(1)%3C/script%3E", "/hostile?given=" + HOSTILE[1].replace('"', "%22")]
    seen = ""
    for address in pages:
        page = read(hostile, address)
        assert_well_made(page, address)
        assert not [e for e in page.elements("img") if e.get("src") == "x"], address
        assert not [link for link in page.links if "javascript:" in link.href.split("?")[0]], address
        assert "49{%" not in page.words
        seen += page.words
    for text in HOSTILE[:7]:
        assert text in seen


def test_hostile_addresses_are_refused_politely(client):
    for address in ("/%3Cscript%3Ealert(1)%3C/script%3E", "/..%2f..%2fetc%2fpasswd", "/sample-texts/issues/%3Cb%3E"):
        page = read(client, address, status=404)
        assert_well_made(page, address)


def test_words_that_speak_for_a_label_are_marked_and_explained(client):
    issues = client.get("/api/v1/datasets/sample-texts/issues?category=correctable&limit=5").json()["items"]
    assert len(issues) == 5
    for issue in issues:
        page = read(client, f"/sample-texts/issues/{issue['index']}")
        assert_well_made(page, str(issue["index"]))
        assert '<mark class="guessed strong">' in page.html
        assert f"suggest {issue['guessed']['name']} and these words suggest {issue['given']['name']}" in page.words
    digit = client.get("/api/v1/datasets/sample-digits/issues?limit=1").json()["items"][0]
    assert "<mark" not in read(client, f"/sample-digits/issues/{digit['index']}").html
