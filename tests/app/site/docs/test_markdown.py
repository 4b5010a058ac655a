"""Markdown of the documentation: what is let in, where links lead, what headings are called."""

import pytest

from app.site.docs.markdown import read

NAMES = {"index", "api", "own-dataset"}


def html(text: str) -> str:
    return str(read(f"# Title\n\n{text}", NAMES).html)


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("[x](api.md)", '<a href="/docs/api">x</a>'),
        ("[x](api.md#a-b)", '<a href="/docs/api#a-b">x</a>'),
        ("[x](index.md)", '<a href="/docs">x</a>'),
        ("[x](#a-b)", '<a href="#a-b">x</a>'),
        ("[x](https://example.org/api.md)", '<a href="https://example.org/api.md">x</a>'),
        # What the site does not serve is named and not linked; once, where the words are the name.
        ("[manifests](../data/datasets)", "<p>manifests (<code>data/datasets</code> in the source)</p>"),
        ("[`data/datasets`](../data/datasets) and", "<p><code>data/datasets</code> and</p>"),
        ("[CONTRIBUTING.md](../CONTRIBUTING.md).", "<p>CONTRIBUTING.md.</p>"),
    ],
)
def test_links_lead_to_pages(written: str, made: str):
    assert made in html(written)
    assert html(written).count("<a ") == made.count("<a ")


@pytest.mark.parametrize(
    "written", ["[x](nothing.md)", "![x](gallery.png)", "![](pictures/a.png)", "![x](https://example.org/a.png)"]
)
def test_what_cannot_be_shown_stops_the_page(written: str):
    with pytest.raises(ValueError, match=r"nothing\.md|gallery\.png|pictures/a\.png|example\.org"):
        read(f"# Title\n\n{written}", NAMES, (), {"pictures/a.png": (4, 3)})


def test_a_picture_has_words_and_a_size():
    made = read('# Title\n\n![A "b" & <c>](pictures/a.png)\n', NAMES, (), {"pictures/a.png": (400, 300)}).html
    assert (
        '<img src="/docs/pictures/a.png" width="400" height="300" alt="A &#34;b&#34; &amp; &lt;c&gt;" loading="lazy">'
        in made
    )


@pytest.mark.parametrize("text", ["no title", "# One\n\n# Two"])
def test_a_page_has_one_title(text: str):
    with pytest.raises(ValueError, match="expected one title"):
        read(text, NAMES)


@pytest.mark.parametrize(
    "written",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "[x](javascript:alert(1))",
        "```<b>\n</code><script>\n```",
        "`<b>`",
        "| <b> |\n|---|\n| <i> |",
    ],
)
def test_no_markup_gets_in(written: str):
    made = html(written)
    for tag in ("<script", "<img", "<b>", "<i>", 'href="javascript'):
        assert tag not in made


def test_headings_have_the_ids_that_github_gives():
    page = read("# Title\n\nFirst *words*.\n\n## Names of AudioSet's `clips`\n\n### Twice\n\n## Twice\n", NAMES)
    assert [(one.level, one.id, one.words) for one in page.headings] == [
        (2, "names-of-audiosets-clips", "Names of AudioSet's clips"),
        (3, "twice", "Twice"),
        (2, "twice-1", "Twice"),
    ]
    assert '<h2 id="names-of-audiosets-clips">Names of AudioSet\'s <code>clips</code></h2>' in page.html
    assert (page.title, page.summary) == ("Title", "First words.")


def test_code_and_tables_scroll_by_themselves():
    made = html("```sh\nls <x>\n```\n\n| a |\n|---|\n| b |\n\n| c |\n|---|\n| d |")
    assert '<pre tabindex="0" aria-label="Commands" data-copy><code>ls &lt;x&gt;</code></pre>' in made
    for number in (1, 2):
        assert f'<div class="scroll" role="region" aria-label="Table {number}" tabindex="0"><table>' in made
    assert made.count("</table></div>") == 2
