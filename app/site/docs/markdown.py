"""Render one Markdown file of the documentation: its HTML, its headings and the pages it links to.

Raw HTML inside the Markdown is shown as text. Links between the files become links between the site's pages; links to
other files of the source are shown as plain text, because the site does not serve them.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

#: The file that is the first page, and the address that all pages begin with.
INDEX: Final = "index"
ROOT: Final = "/docs"
#: What blocks of code are called, by the word behind their backticks, where that word alone would not say it.
_BLOCKS: Final = {"sh": "Commands", "text": "Output", "tree": "Folder", "formula": "Formula", "python": "Python"}
_TO_COPY: Final = ("sh", "python", "toml", "json")
_ELSEWHERE: Final = re.compile(r"https?://|mailto:|#")


@dataclass(frozen=True)
class Heading:
    """A heading below the title: 2 for a section, 3 for a part of one."""

    level: int
    id: str
    words: str


@dataclass(frozen=True)
class Document:
    """A page of the documentation. ``summary`` is its first paragraph as text, ``leads_to`` other pages, in order."""

    title: str
    summary: str
    html: Markup
    headings: tuple[Heading, ...]
    leads_to: tuple[str, ...]


def address(name: str) -> str:
    """Where a page stands.

    >>> address("index"), address("api")
    ('/docs', '/docs/api')
    """
    return ROOT if name == INDEX else f"{ROOT}/{name}"


def anchor(words: str) -> str:
    """The id of a heading, as GitHub makes it, so that a link to it holds there too.

    >>> anchor("What `flag` writes: rows, columns")
    'what-flag-writes-rows-columns'
    """
    return re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")


def read(text: str, names: Collection[str]) -> Document:
    """A page made of Markdown, where ``names`` are all pages there are.

    Raises ValueError where it has not exactly one title, leads to a page that is not there, or shows a picture.
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
            token.children = list(_linked(token.children or [], names, leads_to))
    titles = [heading.words for heading in headings if heading.level == 1]
    if len(titles) != 1:
        raise ValueError(f"expected one title, a line that begins with #, found {len(titles)}")
    summary = next((_words(tokens[i + 1]) for i, token in enumerate(tokens) if token.type == "paragraph_open"), "")
    html = Markup(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {"tables": 0}))  # noqa: S704 - no HTML gets in
    below = tuple(heading for heading in headings if heading.level > 1)
    return Document(titles[0], summary, html, below, tuple(dict.fromkeys(leads_to)))


def _words(inline: Token) -> str:
    """The text of a heading or a paragraph, its lines joined."""
    parts = [" " if one.type == "softbreak" else one.content for one in inline.children or ()]
    return "".join(parts)


def _linked(tokens: Sequence[Token], names: Collection[str], leads_to: list[str]) -> Iterator[Token]:
    """The tokens of a paragraph with their links as the site needs them; ``leads_to`` gets pages that they name."""
    outside, words = "", ""
    for token in tokens:
        if token.type == "image":
            raise ValueError(f"the picture {token.attrs.get('src')} cannot be shown: the site serves Markdown alone")
        if token.type == "link_open":
            target = str(token.attrs.get("href", ""))
            page, mark, section = target.partition("#")
            if _ELSEWHERE.match(target):
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
            yield token


def _fence(_: Any, tokens: Sequence[Token], place: int, _options: Any, _env: Any) -> str:
    """A block of code, which scrolls by keys too; whoever listens is told what it is."""
    kind = (tokens[place].info.split() or ["text"])[0]
    copied = " data-copy" if kind in _TO_COPY else ""
    code = escape(tokens[place].content.rstrip("\n"))
    return f'<pre tabindex="0" aria-label="{escape(_BLOCKS.get(kind, kind))}"{copied}><code>{code}</code></pre>\n'


def _table(_: Any, _tokens: Sequence[Token], _place: int, _options: Any, env: Any) -> str:
    """A table in a frame in which it scrolls by itself where it is too wide."""
    env["tables"] += 1
    return f'<div class="scroll" role="region" aria-label="Table {env["tables"]}" tabindex="0"><table>\n'


def _end_of_table(*_: Any) -> str:
    return "</table></div>\n"


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("table_open", _table)
    parser.add_render_rule("table_close", _end_of_table)
    return parser


_MARKDOWN: Final = _parser()
