"""Draw the picture that chats and social networks show beside a link: 1200 x 630 pixels, PNG."""

import re
import unicodedata
from functools import lru_cache
from io import BytesIO
from typing import Final, NamedTuple

from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

SIZE: Final = (1200, 630)
_EDGE: Final = 64
_GROUND, _PAPER, _INK, _SOFT, _RED = "#f6f6f4", "#ffffff", "#1b1c1d", "#54585c", "#b3261e"
#: A picture smaller than this, in pixels, is enlarged with square pixels, as on the site.
_SMALL: Final = 128
_SIDE: Final = 430
_LINES: Final = 3
_PLAIN: Final = {"–": "-", "—": "-", "−": "-", "‘": "'", "’": "'", "ß": "ss"}


class Caption(NamedTuple):
    """The words of a picture."""

    title: str  # in large letters: "Labelled cat. Reviewers say frog."
    wrong: str | None  # a part of the title that gets a wavy underline
    below: str  # in small letters: "CIFAR-10, example 2405"


def picture(caption: Caption, example: bytes | None = None) -> bytes:
    """The picture as PNG, with an example's own picture on its right if there is one that can be decoded."""
    caption = Caption(_drawable(caption.title), caption.wrong and _drawable(caption.wrong), _drawable(caption.below))
    canvas = Image.new("RGB", SIZE, _GROUND)
    draw = ImageDraw.Draw(canvas)
    shown = _decoded(example) if example is not None else None
    width = SIZE[0] - 2 * _EDGE
    if shown is not None:
        place = (SIZE[0] - _EDGE - _SIDE, (SIZE[1] - _SIDE) // 2)
        draw.rectangle((place[0] - 16, place[1] - 16, place[0] + _SIDE + 16, place[1] + _SIDE + 16), _PAPER, "#d5d6d3")
        canvas.paste(shown, (place[0] + (_SIDE - shown.width) // 2, place[1] + (_SIDE - shown.height) // 2))
        width = place[0] - 2 * _EDGE
    _masthead(draw)
    _title(draw, caption, width)
    draw.text((_EDGE, SIZE[1] - _EDGE - 32), caption.below, _SOFT, _font(30))
    file = BytesIO()
    canvas.quantize(128).save(file, "PNG", optimize=True)
    return file.getvalue()


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _drawable(text: str) -> str:
    """A text in the letters that the font has, which would draw the others as boxes: without accents, else "…".

    >>> _drawable("Zoë – cat. مرحبا 🐸.")
    'Zoe - cat. ….'
    """
    return re.sub("\0(?:\\s*\0)*", "…", "".join(map(_letters, text)))


def _letters(character: str) -> str:
    if character.isspace() or _has_letter(character):
        return character
    plain = _PLAIN.get(character) or "".join(c for c in unicodedata.normalize("NFKD", character) if _has_letter(c))
    return plain or "\0"


@lru_cache(maxsize=4096)
def _has_letter(character: str) -> bool:
    font = _font(30)
    return bytes(font.getmask(character)) != bytes(font.getmask("\uffff"))


def _masthead(draw: ImageDraw.ImageDraw) -> None:
    font = _font(30)
    draw.text((_EDGE, _EDGE - 14), "Label errors", _INK, font)
    begin = _EDGE + draw.textlength("Label ", font)
    _wave(draw, begin, begin + draw.textlength("errors", font), _EDGE + 26, 3)


def _title(draw: ImageDraw.ImageDraw, caption: Caption, width: int) -> None:
    lines, size = [caption.title], 40
    for size in (76, 64, 54, 46, 40):
        lines = _wrapped(draw, caption.title, _font(size), width)
        if len(lines) <= _LINES and all(draw.textlength(line, _font(size)) <= width for line in lines):
            break
    font, height = _font(size), round(size * 1.3)
    top = (SIZE[1] - height * min(len(lines), _LINES + 1)) // 2
    for line in lines[: _LINES + 1]:
        draw.text((_EDGE, top), line, _INK, font)
        if caption.wrong and caption.wrong in line:
            before = draw.textlength(line[: line.index(caption.wrong)], font)
            begin = _EDGE + before
            _wave(draw, begin, begin + draw.textlength(caption.wrong, font), top + round(size * 1.12), 4)
        top += height


def _wrapped(
    draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int
) -> list[str]:
    """The words of a text in lines that are not wider, unless a word alone is."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and draw.textlength(longer, font) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _wave(draw: ImageDraw.ImageDraw, begin: float, end: float, y: float, height: int) -> None:
    step = 2 * height
    count = max(int((end - begin) / step), 1)
    points = [(begin + place * step, y + (height if place % 2 else -height) / 1.2) for place in range(count + 1)]
    draw.line(points, _RED, width=max(height - 1, 2), joint="curve")


def _decoded(example: bytes) -> Image.Image | None:
    """An example's picture, as large as its place; None if it is no picture."""
    try:
        with Image.open(BytesIO(example)) as file:
            found = file.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError):
        return None
    scale = _SIDE / max(found.size)
    size = (max(round(found.width * scale), 1), max(round(found.height * scale), 1))
    return found.resize(size, Image.Resampling.NEAREST if max(found.size) < _SMALL else Image.Resampling.LANCZOS)
