"""Render one Markdown file of the documentation: its HTML, its headings and the pages it links to.

Raw HTML inside the Markdown is shown as text. Links between the files become links between the site's pages; links to
files of the source that the site does not serve are shown as plain text. Pictures are those of the documentation, with
words for who does not see them.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from app.web.templates import unbroken

#: The file of the first page, and the address that all pages begin with.
INDEX: Final = "index"
ROOT: Final = "/docs"
#: Titles of code blocks, by the language after their backticks, if that alone is not clear.
_BLOCKS: Final = {"sh": "Commands", "text": "Output", "tree": "Folder", "formula": "Formula", "python": "Python"}
_TO_COPY: Final = ("sh", "python", "toml", "json")
_ELSEWHERE: Final = re.compile(r"https?://|mailto:|#")

#: Width and height of a picture in pixels.
Size = tuple[int, int]


@dataclass(frozen=True)
class Heading:
    """A heading below the title: level 2 for a section, 3 for a subsection."""

    level: int
    id: str
    words: str


@dataclass(frozen=True)
class Document:
    """A documentation page. ``summary`` is the first paragraph as text and ``leads_to`` the linked pages, in order."""

    title: str
    summary: str
    html: Markup
    headings: tuple[Heading, ...]
    leads_to: tuple[str, ...]


def address(name: str) -> str:
    """The address of a page.

    >>> address("index"), address("api")
    ('/docs', '/docs/api')
    """
    return ROOT if name == INDEX else f"{ROOT}/{name}"


def anchor(words: str) -> str:
    """The id of a heading as GitHub makes it, so that links to it work there too.

    >>> anchor("What `flag` writes: rows, columns")
    'what-flag-writes-rows-columns'
    """
    return re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")


def read(
    text: str, names: Collection[str], files: Collection[str] = (), pictures: Mapping[str, Size] | None = None
) -> Document:
    """Convert Markdown to a page; ``names`` are the names of all pages, ``files`` the paths of other files served.

    ``pictures`` are those of them that can be shown, with their sizes. Raises ValueError if it does not have exactly
    one title, links to a missing page, or shows a picture that is not there or that has no words beside it.
    """
    tokens = _MARKDOWN.parse(text)
    headings: list[Heading] = []
    taken: Counter[str] = Counter()
    leads_to: list[str] = []
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            words = _words(tokens[place + 1])
            name = anchor(words)
            taken[name] += 1
            token.attrSet("id", name if taken[name] == 1 else f"{name}-{taken[name] - 1}")
            headings.append(Heading(int(token.tag[1:]), str(token.attrs["id"]), words))
        elif token.type == "inline":
            _set_pictures(token.children or [], pictures or {})
            token.children = list(_linked(token.children or [], names, files, leads_to))
    titles = [heading.words for heading in headings if heading.level == 1]
    if len(titles) != 1:
        raise ValueError(f"expected one title, a line that begins with #, found {len(titles)}")
    summary = next((_words(tokens[i + 1]) for i, token in enumerate(tokens) if token.type == "paragraph_open"), "")
    html = Markup(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {"tables": 0}))  # noqa: S704 - no HTML gets in
    below = tuple(heading for heading in headings if heading.level > 1)
    return Document(titles[0], summary, html, below, tuple(dict.fromkeys(leads_to)))


def _words(inline: Token) -> str:
    """The text of a heading or a paragraph, with its lines joined."""
    parts = [" " if one.type == "softbreak" else one.content for one in inline.children or ()]
    return "".join(parts)


def _linked(
    tokens: Sequence[Token], names: Collection[str], files: Collection[str], leads_to: list[str]
) -> Iterator[Token]:
    """The tokens of a paragraph with links changed for the site; linked pages are appended to ``leads_to``."""
    outside, words = "", ""
    for token in tokens:
        if token.type == "link_open":
            target = str(token.attrs.get("href", ""))
            page, mark, section = target.partition("#")
            if _ELSEWHERE.match(target):
                yield token
            elif page in files:
                token.attrSet("href", f"{ROOT}/{page}")
                yield token
            elif "/" in page or not page.endswith(".md"):
                outside, words = page.removeprefix("../"), ""
            elif (name := page.removesuffix(".md")) in names:
                leads_to.append(name)
                token.attrSet("href", f"{address(name)}{mark}{section}")
                yield token
            else:
                raise ValueError(f"the link to {target} leads to no page")
        elif token.type == "link_close" and outside:
            if words != outside:
                yield Token("text", "", 0, content=" (")
                yield Token("code_inline", "code", 0, markup="`", content=outside)
                yield Token("text", "", 0, content=" in the source)")
            outside = ""
        else:
            words += token.content
            if token.type == "text":
                token.content = unbroken(token.content)
            yield token


def _set_pictures(tokens: Sequence[Token], pictures: Mapping[str, Size]) -> None:
    """Give pictures their addresses on the site, and their sizes, so that nothing moves when they come."""
    for token in tokens:
        if token.type != "image":
            continue
        name = str(token.attrs.get("src"))
        if name not in pictures:
            raise ValueError(f"expected a picture of the documentation, found {name}")
        if not token.content.strip():
            raise ValueError(f"expected words for who does not see the picture {name}, found none")
        width, height = pictures[name]
        token.attrs |= {"src": f"{ROOT}/{name}", "width": width, "height": height}


def _picture(_: Any, tokens: Sequence[Token], place: int, _options: Any, _env: Any) -> str:
    """A picture of the documentation; a click shows it in full."""
    a = tokens[place].attrs
    size = f'width="{a["width"]}" height="{a["height"]}"'
    words = escape(tokens[place].content)
    return f'<a class="picture" href="{a["src"]}"><img src="{a["src"]}" {size} alt="{words}" loading="lazy"></a>'


def _fence(_: Any, tokens: Sequence[Token], place: int, _options: Any, _env: Any) -> str:
    """A code block that can be scrolled with the keyboard and has a label for screen readers."""
    kind = (tokens[place].info.split() or ["text"])[0]
    copied = " data-copy" if kind in _TO_COPY else ""
    code = escape(tokens[place].content.rstrip("\n"))
    return f'<pre tabindex="0" aria-label="{escape(_BLOCKS.get(kind, kind))}"{copied}><code>{code}</code></pre>\n'


def _table(_: Any, _tokens: Sequence[Token], _place: int, _options: Any, env: Any) -> str:
    """A table in a frame that scrolls by itself if the table is too wide."""
    env["tables"] += 1
    return f'<div class="scroll" role="region" aria-label="Table {env["tables"]}" tabindex="0"><table>\n'


def _end_of_table(*_: Any) -> str:
    return "</table></div>\n"


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("image", _picture)
    parser.add_render_rule("table_open", _table)
    parser.add_render_rule("table_close", _end_of_table)
    return parser


_MARKDOWN: Final = _parser()
