"""An issue as a card of the gallery: its medium and its caption, as markup that a template only has to set in place.

Pages show dozens of cards, so the parts that repeat (a caption is given by names, category and votes) are made once and
remembered. All text of a dataset goes through ``escape``. Nothing is read from a catalogue here.
"""

from collections.abc import Container, Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from markupsafe import Markup, escape

from app.charts import vote_bar
from app.domain.verdicts import Category
from app.records import Dataset, Issue, Label
from app.rendering import CATEGORY_TITLES, issue_path, media_prefix

#: How the label beside the given one is called (Figure 1 of the paper), by category.
SECOND_LABEL: Final = {
    Category.CORRECTABLE: "corrected",
    Category.MULTI_LABEL: "also",
    Category.NEITHER: "alternative",
    Category.NON_AGREEMENT: "alternative",
    Category.NON_ERROR: "guessed",
    Category.UNREVIEWED: "guessed",
}
#: Pictures that a wide screen shows at once; the others load when they come near.
_EAGER: Final = 12
#: How wide a card is, for browsers to choose a picture by (see site.css).
_SIZES: Final = "(min-width: 62rem) 12rem, 45vw"


#: Stands where a medium would, if it were not damaged in the dataset's own distribution.
BROKEN: Final = Markup('<p class="broken">Damaged in the distribution</p>')


class Card(NamedTuple):
    """What the gallery's template needs of an issue."""

    idx: int
    href: Markup
    kind: str  # "image", "text", "audio" or "plain": which shape of card
    medium: Markup
    caption: Markup
    after: Markup  # stands below the caption: a link to where the example can be seen


def cards(dataset: Dataset, issues: Iterable[Issue], query: str = "") -> list[Card]:
    """The cards of ``issues``; their links keep the filter of ``query``. All that stands in a card is escaped."""
    prefix = media_prefix(dataset)
    pages = f"{escape(issue_path(dataset))}"
    tail = f"?{escape(query)}" if query else ""
    per_name = None if dataset.vote_options else dataset.raters
    broken = dataset.broken
    return [
        _card(issue, f"{pages}{issue.idx}{tail}", prefix, place >= _EAGER, per_name, broken)
        for place, issue in enumerate(issues)
    ]


def _card(issue: Issue, href: str, prefix: str, lazy: bool, raters_a_name: int | None, broken: Container[int]) -> Card:
    kind, medium = _medium(issue, prefix, lazy)
    if kind == "plain" and issue.idx in broken:
        medium = BROKEN
    votes = tuple(issue.votes.items()) if issue.votes is not None else None
    guessed, corrected = issue.guessed, issue.corrected
    return Card(
        issue.idx,
        Markup(href),  # noqa: S704 - escaped in parts by the caller
        kind,
        medium,
        caption(
            issue.category,
            label_name(issue.given),
            None if guessed is None else label_name(guessed),
            None if corrected is None else label_name(corrected),
            votes,
            issue.consensus,
            raters_a_name,
        ),
        elsewhere(issue.url) if issue.url and kind == "plain" else Markup(""),
    )


def label_name(label: Label) -> str:
    """The name of a label; names of several classes are set apart by dots, because some have commas of their own."""
    members = label.classes
    return members[0].name if len(members) == 1 else " · ".join(c.name for c in members) or label.name


def _medium(issue: Issue, prefix: str, lazy: bool) -> tuple[str, Markup]:
    media = issue.media
    if media:
        base = f"{prefix}{issue.idx}"
        if size := media.get("thumbnail") or media.get("image"):
            kind = "thumbnail" if "thumbnail" in media else "image"
            larger = larger_picture(base, media)
            return "image", picture(f"{base}/{kind}", size[0], size[1], f"Example {issue.idx}", lazy, larger)
        if "audio" in media:
            return "audio", sound(base, media, issue.idx)
    if issue.excerpt is not None:
        whole = f"{prefix}{issue.idx}/text" if media and "text" in media else None
        return "text", excerpt(issue.excerpt, whole)
    return "plain", Markup("")


def larger_picture(base: str, media: Mapping[str, list[int]]) -> tuple[str, int] | None:
    """Address and width of the picture itself, where it has more to show than the thumbnail."""
    small, full = media.get("thumbnail"), media.get("image")
    return (f"{base}/image", full[0]) if small and full and full[0] > small[0] else None


def picture(
    address: str, width: int, height: int, alt: str, lazy: bool, larger: tuple[str, int] | None = None
) -> Markup:
    """An image element; ``lazy`` loads it when it comes near, ``larger`` is for screens that show it larger."""
    loading = ' loading="lazy"' if lazy else ""
    sources = f' srcset="{address} {width}w, {larger[0]} {larger[1]}w" sizes="{_SIZES}"' if larger else ""
    return Markup(  # noqa: S704 - numbers, our own address and an escaped text
        f'<img src="{address}"{sources} width="{width}" height="{height}" alt="{escape(alt)}"{loading}'
        ' decoding="async">'
    )


def sound(base: str, media: Mapping[str, list[int]], idx: int, *, spectrum: bool = False) -> Markup:
    """A player under its waveform and, if wanted, its spectrogram."""
    wave = ""
    if size := media.get("waveform"):
        wave = f'<img class="wave" src="{base}/waveform" width="{size[0]}" height="{size[1]}" alt="" loading="lazy">'
    if spectrum and (size := media.get("spectrogram")):
        described = f"Spectrogram of example {idx}: time to the right, frequency upwards"
        lines = f'src="{base}/spectrogram" width="{size[0]}" height="{size[1]}" alt="{described}"'
        wave += f'<img class="wave spectrum" {lines}>'
    return Markup(  # noqa: S704 - numbers and our own address
        f'{wave}<audio controls preload="none" src="{base}/audio" aria-label="Example {idx}"></audio>'
    )


def excerpt(text: str, whole: str | None) -> Markup:
    """The beginning of a text. One that was cut opens in place; ``whole`` is the address of all of it."""
    if not text.endswith("…"):
        return Markup(f'<p class="quote">{escape(text)}</p>')  # noqa: S704 - the text is escaped
    link = f'<p class="whole"><a href="{whole}">Whole text</a></p>' if whole else ""
    return Markup(  # noqa: S704 - the text is escaped
        f'<details class="excerpt"><summary><span class="clamp">{escape(text)}</span></summary>{link}</details>'
    )


def elsewhere(url: str) -> Markup:
    """A plain link to where an example can be seen; nothing for an address that no page may lead to."""
    if not url.startswith(("https://", "http://")):
        return Markup("")
    words = _words_for(url.split("/", 3)[2].removeprefix("www."))
    return Markup(  # noqa: S704 - both are escaped
        f'<p class="elsewhere"><a href="{escape(url)}" rel="noreferrer">{words}</a></p>'
    )


@lru_cache(maxsize=64)
def _words_for(host: str) -> Markup:
    return escape("Listen on YouTube" if host in ("youtu.be", "youtube.com") else f"See it at {host}")


@lru_cache(maxsize=32_768)
def caption(
    category: Category,
    given: str,
    guessed: str | None,
    corrected: str | None,
    votes: tuple[tuple[str, int], ...] | None,
    consensus: str | None,
    raters_a_name: int | None = None,
) -> Markup:
    """Labels, category and votes, as under the pictures of the paper's Figure 1.

    A given label that reviewers agree is wrong carries the wavy line of a spelling checker. ``raters_a_name`` is
    how many raters voted on every name of ``votes``, None where each of them chose one option.
    """
    wrong = category in (Category.CORRECTABLE, Category.NEITHER)
    second = corrected if corrected is not None else guessed
    lines = Markup('<div><dt>given</dt><dd class="%s">%s</dd></div>') % ("given wrong" if wrong else "given", given)
    if second is not None:
        word = SECOND_LABEL[category]
        lines += Markup('<div><dt>%s</dt><dd class="%s">%s</dd></div>') % (word, word, second)
    return Markup('<dl class="labels">%s</dl>%s%s') % (
        lines,
        badge(category, consensus),
        Markup("") if votes is None else ballot(votes, given, guessed, raters_a_name),
    )


@lru_cache(maxsize=512)
def badge(category: Category, consensus: str | None = None) -> Markup:
    """The category as a sign and a word; a majority that supports no category is named behind it."""
    aside = ""
    if category is Category.NON_AGREEMENT and consensus not in (None, "given", "guessed", "both", "neither"):
        aside = Markup(' <span class="aside">(most said %s)</span>') % consensus
    return Markup(
        '<p class="badge is-%s"><svg class="sign" width="14" height="14" aria-hidden="true">'
        '<use href="#sign-%s"/></svg>%s%s</p>'
    ) % (category.value, category.value, CATEGORY_TITLES[category], aside)


def ballot(
    votes: tuple[tuple[str, int], ...], given: str, guessed: str | None, raters_a_name: int | None = None
) -> Markup:
    """Votes as a small bar with words; as words alone where the raters voted on every name."""
    if raters_a_name is not None:
        return Markup('<p class="votes"><span>%s</span></p>') % name_votes(votes, raters_a_name)
    return Markup('<p class="votes">%s<span>%s</span></p>') % (vote_bar(votes), vote_sentence(votes, given, guessed))


def name_votes(votes: tuple[tuple[str, int], ...], raters: int) -> str:
    """Votes on each of several names in words, most first.

    >>> name_votes((("Speech", 1), ("Cheering", 4)), 5)
    '4 of 5 heard Cheering, 1 Speech'
    """
    heard = sorted(((n, name) for name, n in votes if n), key=lambda vote: -vote[0])
    if not heard:
        return f"none of {raters} heard any of the labels"
    (most, first), rest = heard[0], heard[1:]
    return ", ".join([f"{most} of {raters} heard {first}", *(f"{n} {name}" for n, name in rest)])


@lru_cache(maxsize=32_768)
def vote_sentence(votes: tuple[tuple[str, int], ...], given: str, guessed: str | None) -> str:
    """Votes in words, most first.

    >>> vote_sentence((("given", 1), ("guessed", 3), ("neither", 1)), "cat", "frog")
    '3 of 5 said frog, 1 cat, 1 neither'
    """
    total = sum(n for _, n in votes)
    cast = sorted(((n, option) for option, n in votes if n), key=lambda vote: -vote[0])
    if not cast:
        return "no votes"
    names = {"given": given, "guessed": guessed or "the guess"}
    said = [(n, names.get(option, option)) for n, option in cast]
    (most, first), rest = said[0], said[1:]
    # Of digits, "2 5" would be read as one number.
    others = (f"{n} said {name}" if name[:1].isdigit() else f"{n} {name}" for n, name in rest)
    return ", ".join([f"{most} of {total} said {first}", *others])
