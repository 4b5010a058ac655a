"""Markup made in Python: charts that agree with their numbers, captions that say what the votes say, escaped."""

import re

import pytest
from markupsafe import Markup

from app.catalogue.records import ClassInfo, ConfusionCell
from app.domain.review.corrections import Sizes
from app.domain.review.verdicts import Category
from app.package_files import STATIC, TEMPLATES
from app.site.components.captions import caption, name_votes, vote_sentence
from app.site.components.cards import elsewhere, excerpt
from app.site.components.charts import heat_map, most_involved, sets_bar, share_bar, vote_bar
from app.web.templates import PrerenderedPage, decimal, number, percent, render, safe_url, size_of, static_url

NASTY = "<b>\"x\"</b> & 'y'"


def cell(given: int, other: int, count: int) -> ConfusionCell:
    return ConfusionCell(*(ClassInfo(c, f"class {c} <i>", None, None) for c in (given, other)), count)


def test_static_addresses_change_with_the_content():
    address = static_url("site.css")
    assert re.fullmatch(r"/static/site\.css\?v=[0-9a-f]{12}", address)
    assert address.rpartition("=")[2] != static_url("site.js").rpartition("=")[2]
    with pytest.raises(FileNotFoundError):
        static_url("nothing.css")


def test_every_static_file_is_used():
    templates = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES.glob("*.html"))
    # The file that a rater answers without a server has its scripts within it; a script starts its own worker.
    within = {"review_offline.js", "copy_reader.js"}
    for path in STATIC.iterdir():
        assert f"static_url('{path.name}')" in templates or path.name in within, path.name


def test_every_class_of_the_style_sheet_is_used():
    """A rule for a class that no page has is a rule nobody dares to delete."""
    used = "".join(p.read_text(encoding="utf-8") for p in [*TEMPLATES.glob("*.html"), *STATIC.glob("*.js")])
    used += "".join(p.read_text(encoding="utf-8") for p in STATIC.parent.glob("app/**/*.py"))
    made = {f"is-{c.value}" for c in Category} | {f"h{i}" for i in range(1, 7)} | {f"n{i}" for i in range(1, 7)}
    made |= {f"wall-{kind}" for kind in ("image", "text", "audio", "plain")}
    style = re.sub(r"/\*.*?\*/|\{[^{}]*\}", " ", (STATIC / "site.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    for name in set(re.findall(r"\.([a-zA-Z][\w-]*)", style)) - made:
        assert re.search(rf"\b{re.escape(name)}\b", used), f".{name} is used nowhere"


def test_numbers_as_text():
    assert [number(50426266), number(0), number(None)] == ["50,426,266", "0", "–"]
    assert [percent(10.1249), percent(None)] == ["10.12", "–"]
    assert [decimal(-0.5), decimal(0.0), decimal(1e-9), decimal(None)] == ["−0.5000", "0.0000", "< 0.0001", "–"]
    assert [size_of(999), size_of(8_312_000), size_of(33_000_000_000)] == ["999 bytes", "8.3 MB", "33.0 GB"]


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//elsewhere", "JAVASCRIPT:x", ""])
def test_only_web_addresses_become_links(address):
    assert safe_url(address) == "#"
    assert elsewhere(address) == ""


def test_a_link_elsewhere_says_where():
    assert "Listen on YouTube" in elsewhere("http://youtu.be/abc?start=30&end=40")
    assert "start=30&amp;end=40" in elsewhere("http://youtu.be/abc?start=30&end=40")
    assert "See it at &lt;b&gt;" in elsewhere("https://<b>/x")


@pytest.mark.parametrize("votes", [(5, 0, 0, 0), (1, 2, 1, 1), (0, 0, 0, 0), (0, 1, 3, 1)])
def test_the_bar_has_one_shape_a_vote(votes):
    bar = vote_bar(tuple(zip(("given", "guessed", "both", "neither"), votes, strict=True)))
    given, guessed, both, neither = votes
    assert bar.count("<rect") == given + guessed + both
    assert bar.count("<path") == both + neither
    assert f'width="{max(15 * sum(votes) - 3, 0)}"' in bar


def test_answers_look_different_without_colour():
    shapes = {str(vote_bar(((option, 1),))) for option in ("given", "guessed", "both", "neither", "off-topic")}
    assert len(shapes) == 5


def test_votes_in_words():
    votes = (("given", 1), ("guessed", 1), ("both", 3), ("neither", 0))
    assert vote_sentence(votes, "cat", "frog") == "3 of 5 said both, 1 cat, 1 frog"
    assert vote_sentence((("given", 2), ("guessed", 3)), "5", "6") == "3 of 5 said 6, 2 said 5"
    assert vote_sentence((("given", 0), ("guessed", 0)), "5", "6") == "no votes"
    assert name_votes((("Speech", 0), ("Music", 0)), 5) == "none of 5 heard any of the labels"


@pytest.mark.parametrize(
    ("category", "word"),
    [
        (Category.CORRECTABLE, "corrected"),
        (Category.MULTI_LABEL, "also"),
        (Category.NEITHER, "alternative"),
        (Category.NON_AGREEMENT, "alternative"),
        (Category.NON_ERROR, "guessed"),
        (Category.UNREVIEWED, "guessed"),
    ],
)
def test_captions_name_the_second_label_as_figure_1_does(category, word):
    corrected = "frog" if category is Category.CORRECTABLE else None
    markup = caption(category, "cat", "frog", corrected, None, None)
    assert f'<dt>{word}</dt><dd class="{word}">frog</dd>' in markup
    assert ("wrong" in markup) is (category in (Category.CORRECTABLE, Category.NEITHER))
    assert f"#sign-{category.value}" in markup


def test_a_majority_without_a_category_is_named():
    votes = (("given", 1), ("guessed", 0), ("neutral", 4), ("off-topic", 0))
    assert "most said neutral" in caption(Category.NON_AGREEMENT, "Negative", "Positive", None, votes, "neutral")
    assert "most said" not in caption(Category.NON_AGREEMENT, "Negative", "Positive", None, votes, None)


def test_names_and_texts_are_escaped():
    votes = ((NASTY, 3),)
    pieces = [
        caption(Category.CORRECTABLE, NASTY, NASTY, NASTY, votes, NASTY, 5),
        caption(Category.NON_AGREEMENT, NASTY, NASTY, None, votes, NASTY),
        excerpt(NASTY, None),
        excerpt(NASTY + "…", "/media/x"),
        heat_map([cell(0, 1, 2)], lambda _: "/x?a=1&b=" + NASTY, "corrected"),
    ]
    for markup in pieces:
        assert isinstance(markup, Markup)
        assert "<b>" not in markup
        assert "<i>" not in markup
        assert '"x"' not in markup


def test_a_filled_frame_is_the_page_rendered_whole():
    context = {"code": 404, "title": "Nothing here", "near": [("a", "/a")], "parameter": "q", "allowed": ["b"]}
    frame = PrerenderedPage(
        "error.html", ["detail", "title"], **{key: value for key, value in context.items() if key != "title"}
    )
    for title, detail in [("Nothing", NASTY), ("detail", Markup("<i>title</i>")), ("", "")]:
        whole = render(None, "error.html", **context | {"title": title, "detail": detail})
        assert frame.filled({"title": title, "detail": detail}).body == whole.body


def test_the_heat_map_has_a_link_a_pair_and_shows_its_count():
    cells = [cell(0, 1, 9), cell(1, 0, 1), cell(2, 0, 1234)]
    drawn = heat_map(cells, lambda c: f"/{c.given.id}-{c.other.id}", "corrected")
    assert re.findall(r'href="/(\d-\d)"', drawn) == ["0-1", "1-0", "2-0"]
    assert re.findall(r'class="n\d"[^>]*>([^<]+)<', drawn) == ["9", "1", "1k"]
    assert "1,234 given class 2" in drawn
    shades = [int(shade) for shade in re.findall(r'<rect class="h(\d)"', drawn)]
    assert shades == [1, 1, 6]


def test_the_heat_map_keeps_the_most_involved_classes():
    cells = [cell(i, i + 1, 100 - i) for i in range(0, 80, 2)]
    kept = most_involved(cells)
    assert [c.id for c in kept] == list(range(30))
    assert heat_map(cells, lambda _: "/x", "guessed").count("<a ") == 15
    assert heat_map([], lambda _: "/x", "guessed").count("<a ") == 0


def test_the_bar_of_sets_fills_its_width():
    for sizes in (Sizes(10_000, 9_946, 18, 36, 9_964), Sizes(4, 0, 2, 2, 2), Sizes(9, 9, 0, 0, 9)):
        widths = [float(w) for w in re.findall(r'<rect [^>]*?width="([\d.]+)"', sets_bar(sizes))]
        assert sum(widths) == pytest.approx(1000, abs=0.2)
        assert (widths[1] >= 3) is bool(sizes.correctable)


def test_a_share_never_leaves_its_bar():
    assert 'width="1000" height="10"/></svg>' in share_bar(1200)
    assert 'width="0"' in share_bar(-3)
