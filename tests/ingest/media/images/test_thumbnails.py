"""Images: what is stored, decoded again, is what was read."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from ingest.media.archives.stores import MemberError
from ingest.media.images.thumbnails import FULL_SIDE, GROUND, LARGE_SIDE, SMALL_SIDE, file_items, pixel_items
from ingest.media.items import MediaItem

Size = tuple[int, int]


def pixels_of(item: MediaItem) -> np.ndarray:
    with Image.open(io.BytesIO(item.data)) as image:
        assert item.type == Image.MIME[str(image.format)]
        assert (item.width, item.height) == image.size
        return np.asarray(image)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def saved(image: Image.Image, encoding: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, encoding, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("shape", "factor"),
    [((28, 28), 8), ((32, 32, 3), 7), ((8, 8), 28), ((1, 1), 224), ((30, 90, 3), 2), ((224, 200), 1)],
)
def test_small_pictures_are_enlarged_pixel_by_pixel(shape: tuple[int, ...], factor: int) -> None:
    pixels = noise(*shape)
    image, thumbnail = pixel_items(7, pixels)
    assert [(item.index, item.kind, item.type) for item in (image, thumbnail)] == [
        (7, "image", "image/png"),
        (7, "thumbnail", "image/png"),
    ]
    assert np.array_equal(pixels_of(image), pixels)
    assert np.array_equal(pixels_of(thumbnail), pixels.repeat(factor, axis=0).repeat(factor, axis=1))
    assert max(pixels_of(thumbnail).shape) <= SMALL_SIDE


def test_large_pictures_are_reduced_and_keep_their_shape() -> None:
    y, x = np.mgrid[0:600, 0:900]
    pixels = np.stack([x * 255 // 900, y * 255 // 600, np.full_like(x, 90)], axis=-1).astype(np.uint8)
    image, thumbnail = file_items(1, saved(Image.fromarray(pixels), "PNG"))
    assert (image.type, image.width, image.height) == ("image/webp", 900, 600)
    assert np.abs(pixels_of(image).astype(int) - pixels).mean() < 3
    small = pixels_of(thumbnail).astype(int)
    assert (thumbnail.type, thumbnail.width, thumbnail.height) == ("image/webp", LARGE_SIDE, 256)
    assert len(thumbnail.data) < len(image.data)
    expected = np.stack([np.tile(np.linspace(0, 255, 384), (256, 1)), np.tile(np.linspace(0, 255, 256)[:, None], 384)])
    assert np.abs(small[..., 0] - expected[0]).mean() < 4
    assert np.abs(small[..., 1] - expected[1]).mean() < 4


def test_huge_pictures_are_reduced_to_what_a_screen_shows() -> None:
    y, x = np.mgrid[0:2000, 0:3000]
    gradient = np.stack([x * 255 // 3000, y * 255 // 2000, (x + y) % 256], axis=-1).astype(np.uint8)
    for encoding in ("JPEG", "PNG"):
        image, thumbnail = file_items(1, saved(Image.fromarray(gradient), encoding))
        assert max(pixels_of(image).shape) <= FULL_SIDE, encoding
        assert image.width * 2 == pytest.approx(image.height * 3, abs=3)
        assert max(pixels_of(thumbnail).shape) == LARGE_SIDE


def test_a_large_drawing_of_few_colours_is_kept_exactly() -> None:
    pixels = np.full((400, 300), 255, np.uint8)
    pixels[100:110] = 0
    image, thumbnail = file_items(1, saved(Image.fromarray(pixels), "PNG"))
    assert image.type == "image/png"
    assert np.array_equal(pixels_of(image), pixels)
    assert thumbnail.type == "image/webp"


def test_a_picture_that_is_small_enough_for_a_card_is_encoded_once() -> None:
    image, thumbnail = file_items(1, saved(Image.fromarray(noise(300, 250, 3)), "PNG"))
    assert image.data == thumbnail.data


def profile_with_red_and_blue_exchanged() -> bytes:
    """sRGB's profile, in which the primaries red and blue have each other's place."""
    raw = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return raw.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_colour_profile_is_applied_and_not_kept(mode: str) -> None:
    picture = Image.new("RGB", (8, 8), (250, 20, 20)).convert(mode)
    image, _ = file_items(1, saved(picture, "PNG", icc_profile=profile_with_red_and_blue_exchanged()))
    red, green, blue = pixels_of(image).reshape(-1, 3).mean(axis=0)
    assert blue > 200, "what the file calls red is blue"
    assert max(red, green) < 90
    with Image.open(io.BytesIO(image.data)) as stored:
        assert "icc_profile" not in stored.info


def test_a_damaged_colour_profile_changes_nothing() -> None:
    picture = Image.new("RGB", (8, 8), (250, 20, 20))
    image, _ = file_items(1, saved(picture, "PNG", icc_profile=b"no profile at all" * 20))
    assert pixels_of(image)[0, 0].tolist() == [250, 20, 20]


def test_of_an_animation_the_first_picture_is_taken() -> None:
    first, second = Image.new("RGB", (6, 6), (200, 0, 0)), Image.new("RGB", (6, 6), (0, 0, 200))
    for encoding in ("GIF", "WEBP", "PNG"):
        data = saved(first, encoding, save_all=True, append_images=[second], duration=100)
        image, _ = file_items(1, data)
        assert pixels_of(image)[0, 0, 0] > 180, encoding


def test_a_photograph_is_turned_upright() -> None:
    pixels = noise(20, 10, 3)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    image, _ = file_items(1, saved(Image.fromarray(pixels), "PNG", exif=exif))
    assert np.array_equal(pixels_of(image), np.rot90(pixels, -1))
    with Image.open(io.BytesIO(image.data)) as stored:
        assert not stored.getexif(), "nothing but pixels is kept"


def test_a_palette_becomes_its_colours() -> None:
    pixels = np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)
    image, _ = file_items(1, saved(Image.fromarray(pixels).quantize(2), "GIF"))
    assert np.array_equal(pixels_of(image), pixels)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_lies_on_the_neutral_ground(mode: str) -> None:
    picture = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    picture.putpixel((1, 0), (9, 9, 9, 255))
    image, _ = file_items(1, saved(picture.convert(mode), "PNG"))
    assert pixels_of(image)[0].tolist() == [list(GROUND), [9, 9, 9]]


def test_sixteen_bits_become_eight() -> None:
    pixels = np.array([[0, 257, 32_896, 65_535]], np.uint16)
    for encoding in ("PNG", "TIFF", "PPM"):
        image, _ = file_items(1, saved(Image.fromarray(pixels), encoding))
        assert pixels_of(image).tolist() == [[0, 1, 128, 255]], encoding


RAMP = np.linspace(0, 1, 256).reshape(16, 16)


@pytest.mark.parametrize(
    "values",
    [
        (RAMP * 65_535).astype(np.uint16),
        (RAMP * 4_095).astype(np.uint16),
        (RAMP * 255).astype(np.uint16),
        (RAMP * 255).astype(np.int32),
        (RAMP * 65_535).astype(np.int32),
        (RAMP * 2_000_000_000).astype(np.int32),
        (RAMP * 2_000 - 1_000).astype(np.int32),
        RAMP.astype(np.float32),
        (RAMP * 255).astype(np.float32),
        (RAMP * 80 - 40).astype(np.float32),
        (RAMP * 1e38).astype(np.float32),
    ],
    ids=lambda values: f"{values.dtype} {values.min():g} to {values.max():g}",
)
def test_a_ramp_is_a_ramp_whatever_its_numbers(values: np.ndarray) -> None:
    """From black to white in steps of one, as near as the numbers of the file are."""
    for encoding in ("TIFF", "JPEG2000", "PNG") if values.dtype == np.uint16 else ("TIFF",):
        image, _ = file_items(0, saved(Image.fromarray(values), encoding))
        assert np.abs(pixels_of(image).astype(int) - np.arange(256).reshape(16, 16)).max() <= 1, encoding


def test_what_is_no_number_is_black_and_of_one_number_all_is_grey() -> None:
    partly = np.where(RAMP > 0.5, RAMP, np.nan).astype(np.float32)
    image, _ = file_items(0, saved(Image.fromarray(partly), "TIFF"))
    assert (pixels_of(image)[np.isnan(partly)] == 0).all()
    assert pixels_of(image).max() == 255
    image, _ = file_items(0, saved(Image.fromarray(np.full((3, 3), -7, np.float32)), "TIFF"))
    assert np.unique(pixels_of(image)).tolist() == [128]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
@pytest.mark.parametrize(("encoding", "options"), [("JPEG2000", {}), ("JPEG2000", {"no_jp2": True}), ("AVIF", {})])
def test_newer_formats_are_read(mode: str, encoding: str, options: dict[str, object]) -> None:
    plain = Image.new(mode, (40, 30), {1: 200, 2: (200, 255), 3: (200, 90, 10), 4: (200, 90, 10, 255)}[len(mode)])
    image, _ = file_items(0, saved(plain, encoding, **options))
    found = np.asarray(Image.fromarray(pixels_of(image)).convert("RGB")).astype(int)
    assert np.abs(found - np.asarray(plain.convert("RGB"))).max() <= 3


@pytest.mark.parametrize(
    ("size", "full", "card"),
    [((1, 1), (1, 1), (224, 224)), ((30_000, 1), (1_280, 1), (384, 1)), ((1, 60_000), (1, 1_280), (1, 384))],
)
def test_the_most_extreme_shapes_are_pictures_too(size: Size, full: Size, card: Size) -> None:
    image, thumbnail = file_items(0, saved(Image.new("RGB", size, (9, 90, 200)), "PNG"))
    assert (image.width, image.height, thumbnail.width, thumbnail.height) == (*full, *card)
    assert np.abs(pixels_of(image).reshape(-1, 3).astype(int) - (9, 90, 200)).max() <= 1


def test_cmyk_becomes_rgb() -> None:
    image, _ = file_items(1, saved(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "JPEG", quality=100))
    red, green, blue = pixels_of(image).reshape(-1, 3).mean(axis=0)
    assert red > 230
    assert max(green, blue) < 30


def test_black_and_white_becomes_grey() -> None:
    picture = Image.new("1", (2, 1))
    picture.putpixel((1, 0), 1)
    image, _ = file_items(1, saved(picture, "PNG"))
    assert pixels_of(image).tolist() == [[0, 255]]


def bomb() -> bytes:
    """A PNG of a few bytes that says it is 20,000 pixels a side."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


PNG = saved(Image.fromarray(noise(40, 40, 3)), "PNG")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (bomb(), "expected at most 50,000,000 pixels, found"),
        (saved(Image.new("L", (8000, 7000)), "PNG"), "expected at most 50,000,000 pixels, found 8,000 x 7,000"),
        (PNG[: len(PNG) // 2], "expected a whole image, found one that cannot be decoded"),
        (
            saved(Image.fromarray(noise(40, 40, 3)), "JPEG")[:300],
            "expected a whole image, found one that cannot be decoded",
        ),
        (b"<!doctype html>", "expected an image .*, found a web page"),
        (b"", "expected an image .*, found an empty file"),
        (b"\0" * 99, "expected an image .*, found something else"),
        (saved(Image.new("RGB", (9, 9)), "EPS"), "expected an image .*, found PostScript, which is not read"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "found HEIC, which is not read; convert it to JPEG"),
        (b"<?xml version='1.0'?>\n<svg/>", "found SVG, which is not read; convert it to PNG"),
        (b"II*\0", "found a TIFF of a kind that is not read"),
        (saved(Image.fromarray(np.full((3, 3), np.nan, np.float32)), "TIFF"), "expected numbers as pixels, found none"),
    ],
    ids=["bomb", "large", "half-a-png", "half-a-jpeg", "html", "nothing", "zeros", "eps", "heic", "svg", "tiff", "nan"],
)
def test_what_is_no_whole_image_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(MemberError, match=message):
        list(file_items(1, data))
