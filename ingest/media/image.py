"""Images: pixels or image files -> what is stored, a lossless PNG of native size and a thumbnail.

Small pictures are enlarged by whole numbers without smoothing, so that each of their pixels stays a crisp square;
large ones are reduced. Only the formats listed are decoded, and nothing of a file but its pixels is kept: no place, no
camera.
"""

import io
import warnings
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ingest.media.archives import MemberError
from ingest.media.items import Kind, MediaItem

#: Decoders that run in this process and have one purpose. (EPS would start a program.)
FORMATS: Final = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
SUFFIXES: Final = ("png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "ppm", "pgm")

MAX_IMAGE_BYTES: Final = 64 << 20
MAX_PIXELS: Final = 50_000_000

#: The side, in pixels, that small pictures are enlarged to at most, and large ones reduced to.
SMALL_SIDE: Final = 224
LARGE_SIDE: Final = 448

#: What shows through transparent pixels: as far from black as from white, to the eye.
GROUND: Final = (188, 188, 188)

Pixels = NDArray[np.uint8]


def pixel_items(index: int, pixels: Pixels) -> Iterator[MediaItem]:
    """The "image" and the "thumbnail" of (height, width) greys or (height, width, 3) colours, 0 to 255."""
    yield from _items(index, Image.fromarray(pixels))


def file_items(index: int, data: bytes) -> Iterator[MediaItem]:
    """The "image" and the "thumbnail" of an image file, turned upright as its EXIF orientation says.

    Palettes and CMYK become RGB, 16 bits become 8, transparency lies on a neutral ground, and of an animation the first
    picture is taken. Raises MemberError when it is no image of a known format, is damaged, or has too many pixels.
    """
    try:
        with warnings.catch_warnings():
            # About metadata that are not kept, and sizes that are checked here more strictly.
            warnings.simplefilter("ignore")
            image = _decoded(data)
    except MemberError:
        raise
    except UnidentifiedImageError as error:
        raise MemberError(f"expected an image ({', '.join(FORMATS)}), found something else") from error
    except Image.DecompressionBombError as error:
        raise MemberError(f"expected at most {MAX_PIXELS:,} pixels, found a decompression bomb ({error})") from error
    except Exception as error:  # a damaged file can make a decoder raise nearly anything
        raise MemberError(f"expected a whole image, found it damaged ({error})") from error
    yield from _items(index, image)


def _decoded(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
        if opened.width * opened.height > MAX_PIXELS:
            raise MemberError(f"expected at most {MAX_PIXELS:,} pixels, found {opened.width:,} x {opened.height:,}")
        opened.load()
        return _shown(ImageOps.exif_transpose(opened))


def _shown(image: Image.Image) -> Image.Image:
    """The image as 8-bit grey or RGB, opaque."""
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).astype(np.int64).clip(0, 65_535) // 257).astype(np.uint8))
    if image.mode == "F":
        raise MemberError("expected whole numbers as pixels, found floating-point ones, whose white is unknown")
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, (*GROUND, 255))
        return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
    if image.mode in ("1", "L"):
        return image.convert("L")
    return image.convert("RGB")


def _items(index: int, image: Image.Image) -> Iterator[MediaItem]:
    yield _item(index, "image", image, "PNG")
    longest = max(image.size)
    if longest <= SMALL_SIDE:
        factor = SMALL_SIDE // longest
        enlarged = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
        yield _item(index, "thumbnail", enlarged, "PNG")
    elif longest <= LARGE_SIDE:
        yield _item(index, "thumbnail", image, "WEBP")
    else:
        size = tuple(max(1, round(side * LARGE_SIDE / longest)) for side in image.size)
        yield _item(index, "thumbnail", image.resize((size[0], size[1]), Image.Resampling.LANCZOS), "WEBP")


def _item(index: int, kind: Kind, image: Image.Image, encoding: str) -> MediaItem:
    file = io.BytesIO()
    if encoding == "PNG":
        image.save(file, "PNG")
    else:
        image.save(file, "WEBP", quality=82, method=4)
    return MediaItem(index, kind, f"image/{encoding.lower()}", image.width, image.height, None, file.getvalue())
