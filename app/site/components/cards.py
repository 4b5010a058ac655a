"""Cards of the gallery: the medium and caption of an issue as HTML, ready to be put into a template.

A page shows dozens of cards, so they are put together from plain strings of HTML. All text of a dataset goes through
``escape`` first. Nothing is read from a catalogue here.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from markupsafe import Markup, escape

from app.catalogue.media_gaps import why
from app.catalogue.records import Dataset, Issue
from app.site.components.captions import caption, label_name
from app.site.components.opinion_words import card_line
from app.site.components.question_cards import folded_text, question_caption, short_question
from app.site.components.row_values import short_row
from app.site.components.youtube import clip_of
from app.web.templates import issue_path, media_prefix

#: Pictures that a wide screen shows at once; the others are loaded when they come near.
_EAGER: Final = 12
#: Width of a card, by which browsers choose a picture size (see site.css).
_SIZES: Final = "(min-width: 62rem) 12rem, 45vw"
#: Shown in place of a text without any letter.
EMPTY: Final = Markup('<p class="aside">Empty text</p>')
_SILENT: Final = '<p class="aside">Silent from beginning to end</p>'
#: The shapes of cards, which also decide how wide the cards of a wall are, in this order.
_KINDS: Final = ("image", "text", "audio", "plain")


#: Examples to read: half as many of their cards stand side by side.
_READ: Final = frozenset({"text", "tabular", "question"})


class Card(NamedTuple):
    """An issue as a card, ready for a template."""

    idx: int
    href: str
    kind: str
    medium: Markup
    caption: Markup


def cards_on_a_page(dataset: Dataset, most: int) -> int:
    """How many cards a page of the gallery holds, where ``most`` with pictures are as tall as it should be."""
    return -(-2 * most // 3) if dataset.modality in _READ else most


def card(dataset: Dataset, issue: Issue) -> Card:
    """The card of one issue."""
    kind, medium = _medium(dataset, issue, media_prefix(dataset), lazy=False)
    said = _caption(issue, _raters_a_name(dataset))
    return Card(issue.idx, issue_path(dataset, issue.idx), kind, Markup(medium), said)  # noqa: S704


def card_wall(dataset: Dataset, issues: Iterable[Issue], query: str = "") -> Markup:
    """The cards of ``issues`` as a list; their links keep the filter of ``query``."""
    prefix, raters = media_prefix(dataset), _raters_a_name(dataset)
    page, tail = escape(issue_path(dataset)), f"?{escape(query)}" if query else ""
    kinds: set[str] = set()
    items = []
    for place, issue in enumerate(issues):
        kind, medium = _medium(dataset, issue, prefix, lazy=place >= _EAGER)
        kinds.add(kind)
        said = f"{_caption(issue, raters)}{card_line(dataset, issue.category, issue.opinions)}"
        items.append(_item(issue, kind, medium, f"{page}{issue.idx}{tail}", said))
    widest = next(kind for kind in _KINDS if kind in kinds or kind == _KINDS[-1])
    return Markup(f'<ol class="wall wall-{widest}">\n{"".join(items)}</ol>\n')  # noqa: S704 - escaped in its parts


def _item(issue: Issue, kind: str, medium: str, href: str, said: str) -> str:
    idx = issue.idx
    if kind == "image":
        return (
            f'<li class="card image" id="i{idx}"><a class="look" href="{href}">{medium}'
            f'<span class="no">{idx}</span></a>{said}</li>\n'
        )
    source = elsewhere(issue.url) if issue.url and kind == "plain" else ""
    return (
        f'<li class="card {kind}" id="i{idx}">{medium}<a class="look" href="{href}">'
        f'<span class="hidden">Example </span><span class="no">{idx}</span></a>{said}{source}</li>\n'
    )


def _raters_a_name(dataset: Dataset) -> int | None:
    return None if dataset.vote_options else dataset.raters


def _caption(issue: Issue, raters_a_name: int | None) -> Markup:
    if issue.question is not None:
        return question_caption(issue, issue.question)
    alternative, corrected, votes = issue.alternative, issue.corrected, issue.votes
    return caption(
        issue.category,
        label_name(issue.given),
        None if alternative is None else label_name(alternative),
        None if corrected is None else label_name(corrected),
        None if votes is None else tuple(votes.items()),
        issue.consensus,
        raters_a_name,
        label_name(issue.guessed) if issue.guessed is not None and issue.guess_not_shown else None,
    )


def _medium(dataset: Dataset, issue: Issue, prefix: str, *, lazy: bool) -> tuple[str, str]:
    media = issue.media
    if media:
        base = f"{prefix}{issue.idx}"
        if size := media.get("thumbnail") or media.get("image"):
            kind = "thumbnail" if "thumbnail" in media else "image"
            return "image", _image(f"{base}/{kind}", size, f"Example {issue.idx}", lazy, _larger(base, media))
        if "audio" in media:
            return "audio", sound(base, media, issue.idx, silent=issue.idx in dataset.silent)
    if issue.question is not None:
        return "text", short_question(issue.question)
    if issue.row is not None:
        return "text", short_row(issue.idx, issue.row)
    if issue.excerpt is not None:
        whole = f"{prefix}{issue.idx}/text" if media and "text" in media else None
        return "text", excerpt(issue.excerpt, whole)
    reason = why(dataset, issue.idx)
    return "plain", "" if reason is None else f'<p class="lacking">{reason}</p>'


def _larger(base: str, media: Mapping[str, list[int]]) -> tuple[str, int] | None:
    """Address and width of the full picture, if it is larger than the thumbnail."""
    small, full = media.get("thumbnail"), media.get("image")
    return (f"{base}/image", full[0]) if small and full and full[0] > small[0] else None


def picture(address: str, width: int, height: int, alt: str, *, lazy: bool) -> Markup:
    """An image element; ``lazy`` delays loading until it comes near the visible part."""
    return Markup(_image(address, (width, height), escape(alt), lazy))  # noqa: S704 - numbers, our own address


def _image(address: str, size: Sequence[int], alt: str, lazy: bool, larger: tuple[str, int] | None = None) -> str:
    """An image element; ``alt`` must be escaped already, ``larger`` is used by screens that show it larger."""
    loading = ' loading="lazy"' if lazy else ""
    sources = f' srcset="{address} {size[0]}w, {larger[0]} {larger[1]}w" sizes="{_SIZES}"' if larger else ""
    return f'<img src="{address}"{sources} width="{size[0]}" height="{size[1]}" alt="{alt}"{loading} decoding="async">'


def sound(
    base: str, media: Mapping[str, list[int]], idx: int, *, spectrum: bool = False, silent: bool = False
) -> Markup:
    """A player below its waveform and, if given, its spectrogram; a ``silent`` recording is described as such."""
    wave = ""
    if size := media.get("waveform"):
        wave = f'<img class="wave" src="{base}/waveform" width="{size[0]}" height="{size[1]}" alt="" loading="lazy">'
    if spectrum and (size := media.get("spectrogram")):
        described = f"Spectrogram of example {idx}: time to the right, frequency upwards"
        lines = f'src="{base}/spectrogram" width="{size[0]}" height="{size[1]}" alt="{described}"'
        wave += f'<img class="wave spectrum" {lines}>'
    said = _SILENT if silent else ""
    return Markup(  # noqa: S704 - numbers and our own address
        f'{wave}{said}<audio controls preload="none" src="{base}/audio" aria-label="Example {idx}"></audio>'
    )


def excerpt(text: str, whole: str | None) -> Markup:
    """The beginning of a text. A long one expands in place; ``whole`` is the address of the full text."""
    if not text.strip():
        return EMPTY
    shortened = text.endswith("…") and whole
    return folded_text(text, f'<p class="whole"><a href="{whole}">Whole text</a></p>' if shortened else "")


def elsewhere(url: str) -> Markup:
    """A plain link to where an example can be seen; empty for an address that no page may link to."""
    if not url.startswith(("https://", "http://")):
        return Markup("")
    clip = clip_of(url)
    words = _words_for(url.split("/", 3)[2].removeprefix("www."))
    url = url if clip is None else clip.link
    return Markup(  # noqa: S704 - both are escaped
        f'<p class="elsewhere"><a href="{escape(url)}" rel="noreferrer">{words}</a></p>'
    )


@lru_cache(maxsize=64)
def _words_for(host: str) -> Markup:
    return escape("Listen on YouTube" if host in ("youtu.be", "youtube.com") else f"See it at {host}")
