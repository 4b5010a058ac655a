"""Turn pixels or image files into what is stored: a picture, and a thumbnail for cards.

Small pictures are kept unchanged and enlarged by whole numbers without smoothing, so each of their pixels stays a crisp
square; large ones are reduced. Pictures of few colours (drawings, digits) become PNG, which is lossless; others become
WebP. Only the formats listed are decoded, and all metadata is dropped: no place, no camera.
"""

import io
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from ingest.media.archives.stores import MemberError
from ingest.media.images.bit_depth import greys
from ingest.media.items import Kind, MediaItem

#: Decoders that run in this process and have one purpose. (EPS would start a program.)
FORMATS: Final = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "JPEG2000", "AVIF")
SUFFIXES: Final = (
    *("png", "apng", "jpg", "jpeg", "jfif", "jpe", "jif", "jfi", "gif", "bmp", "dib", "webp", "tif", "tiff"),
    *("ppm", "pgm", "pbm", "pnm", "jp2", "j2k", "j2c", "jpf", "jpx", "avif"),
)
#: Beginnings of files that look like pictures but are not supported, in words.
_UNREAD: Final = (
    (rb".{4}ftyp(?:hei[cxms]|hev[cx]|mif1|msf1)", "HEIC, which is not read; convert it to JPEG"),
    (rb"(?:\xff\x0a|.{4}JXL )", "JPEG XL, which is not read; convert it to PNG"),
    (rb"%PDF", "PDF, which is not read; convert it to PNG"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "PostScript, which is not read; convert it to PNG"),
    (rb"8BPS", "Photoshop's format, which is not read; convert it to PNG"),
    (rb"\x89HDF", "HDF5, which is not read; convert it to PNG"),
    (rb".{128}DICM", "DICOM, which is not read; convert it to PNG"),
    (rb"\s*(?:<\?xml[^>]*>\s*)?<svg", "SVG, which is not read; convert it to PNG"),
    (rb"\s*<(?:!doctype|html)", "a web page"),
    (
        rb"II\*\x00|MM\x00\*|II\+\x00|MM\x00\+",
        "a TIFF of a kind that is not read, such as colours of 32 bits each",
    ),
    (rb"\Z", "an empty file"),
)

MAX_IMAGE_BYTES: Final = 64 << 20
MAX_PIXELS: Final = 50_000_000

#: The maximum side of thumbnails, in pixels: small pictures are enlarged and large ones reduced to it.
SMALL_SIDE: Final = 224
LARGE_SIDE: Final = 384
#: The maximum side of the picture itself.
FULL_SIDE: Final = 1280
#: A picture of no more colours than a palette holds is a drawing, and is stored losslessly.
_PALETTE: Final = 256

_SRGB: Final = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))

#: The colour behind transparent pixels: visually half-way between black and white.
GROUND: Final = (188, 188, 188)

Pixels = NDArray[np.uint8]


def pixel_items(index: int, pixels: Pixels) -> Iterator[MediaItem]:
    """The "image" and the "thumbnail" of (height, width) greys or (height, width, 3) colours, 0 to 255."""
    yield from _items(index, Image.fromarray(pixels))


def file_items(index: int, data: bytes) -> Iterator[MediaItem]:
    """The "image" and the "thumbnail" of an image file, turned upright as its EXIF orientation says.

    Palettes and CMYK become RGB, deeper pixels get 8 bits (``bit_depth``), transparency is put on a neutral ground, and
    of an animation the first picture is used. Raises MemberError if it is not an image of a known format, is damaged,
    or has too many pixels.
    """
    try:
        with warnings.catch_warnings():
            # Warnings about metadata that are dropped, and sizes that are checked more strictly here.
            warnings.simplefilter("ignore")
            image = _decoded(data)
    except MemberError:
        raise
    except UnidentifiedImageError as error:
        raise MemberError(f"expected an image ({', '.join(FORMATS)}), found {_found(data)}") from error
    except Image.DecompressionBombError as error:
        raise MemberError(f"expected at most {MAX_PIXELS:,} pixels, found many times as many: a bomb") from error
    except Exception as error:  # a damaged file can make a decoder raise nearly any error
        raise MemberError(f"expected a whole image, found one that cannot be decoded: {error}") from error
    yield from _items(index, image)


def _decoded(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
        if opened.width * opened.height > MAX_PIXELS:
            raise MemberError(f"expected at most {MAX_PIXELS:,} pixels, found {opened.width:,} x {opened.height:,}")
        # A JPEG far larger than the stored picture need not be decoded at full size.
        opened.draft(None, (FULL_SIDE, FULL_SIDE))
        opened.load()
        profile = opened.info.get("icc_profile")
        image = _shown(ImageOps.exif_transpose(opened), profile)
    if max(image.size) > FULL_SIDE:
        image = _reduced(image, FULL_SIDE)
    return image


def _found(data: bytes) -> str:
    """What a file that is not an image of a known format is, judging by its beginning."""
    start = data[:512]
    return next(
        (words for said, words in _UNREAD if re.match(said, start, re.DOTALL | re.IGNORECASE)), "something else"
    )


def _reduced(image: Image.Image, side: int) -> Image.Image:
    longest = max(image.size)
    width, height = (max(1, round(length * side / longest)) for length in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)


def _shown(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert the image to 8-bit grey or RGB, opaque, in sRGB."""
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(greys(np.asarray(image)))
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, (*GROUND, 255))
        # The ground is neutral in sRGB, so colours are converted first.
        colours = image.convert("RGBA")
        colours = Image.merge("RGBA", (*_in_srgb(colours.convert("RGB"), profile).split(), colours.getchannel("A")))
        return Image.alpha_composite(ground, colours).convert("RGB")
    if image.mode in ("1", "L"):
        return image.convert("L")
    if image.mode not in ("RGB", "CMYK"):
        image = image.convert("RGB")
    return _in_srgb(image, profile).convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """An RGB or CMYK image with its colour profile applied; unchanged without a usable one."""
    transform = None if not profile else _transform(profile, image.mode)
    if transform is None:
        return image
    applied = transform.apply(image)
    applied.info.pop("icc_profile", None)
    return applied


@lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform from a profile to sRGB; None for a damaged profile, or one for other kinds of colours."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.ImageCmsTransform(source, _SRGB, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _items(index: int, image: Image.Image) -> Iterator[MediaItem]:
    longest = max(image.size)
    if longest <= SMALL_SIDE:
        yield _item(index, "image", image, _png(image))
        factor = SMALL_SIDE // longest
        enlarged = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
        yield _item(index, "thumbnail", enlarged, _png(enlarged, effort=1))
        return
    full = _encoded(image)
    yield _item(index, "image", image, full)
    if longest <= LARGE_SIDE:
        yield _item(index, "thumbnail", image, full)
    else:
        small = _reduced(image, LARGE_SIDE)
        yield _item(index, "thumbnail", small, _webp(small))


def _encoded(image: Image.Image) -> tuple[str, bytes]:
    return _webp(image) if image.getcolors(_PALETTE) is None else _png(image)


def _png(image: Image.Image, effort: int = 6) -> tuple[str, bytes]:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=effort, icc_profile=None)
    return "image/png", file.getvalue()


def _webp(image: Image.Image) -> tuple[str, bytes]:
    file = io.BytesIO()
    # An effort above 1 takes three times as long and saves hardly anything.
    image.save(file, "WEBP", quality=84, method=1, icc_profile=None)
    return "image/webp", file.getvalue()


def _item(index: int, kind: Kind, image: Image.Image, encoded: tuple[str, bytes]) -> MediaItem:
    return MediaItem(index, kind, encoded[0], image.width, image.height, None, encoded[1])
