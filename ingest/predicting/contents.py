"""Read the contents of all examples of a dataset, in the form that models take.

Texts are whole, pictures are brought to one size, sounds become spectra, rows of tables stay rows. Every example needs
a content: one without would be judged by nothing.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ingest.datasets.load import Inputs
from ingest.datasets.media import find_media, workers_for
from ingest.errors import DataError, MissingFileError
from ingest.matrices.npy import open_array
from ingest.media import MediaItem, MediaProblem, MediaSource
from ingest.predicting.estimators.spectra import spectrum
from ingest.predicting.examples import Examples, Kind, digest
from ingest.progress import Progress

#: Pictures with a longer side are reduced to squares of this many pixels, as are pictures of different sizes.
SIDE: Final = 64
_MOST_SHOWN: Final = 5
_KINDS: Final[Mapping[str, Kind]] = {"text": "texts", "image": "images", "audio": "features", "tabular": "table"}
_SHOWN: Final[Mapping[str, str]] = {"text": "text", "image": "image", "audio": "audio"}


def read_media(inputs: Inputs, folder: Path, progress: Progress) -> tuple[Examples, MediaSource]:
    """The examples of a dataset by their media in a folder, and the media. Raises DataError if one has none."""
    missing: list[str] = []
    # Terms say what a site may show; who has the files may let a model look at them.
    terms = inputs.manifest.licence.model_copy(update={"media": "local"})
    own = replace(inputs, manifest=inputs.manifest.model_copy(update={"licence": terms}))
    source = find_media(own, folder, missing, None)
    if source is None:
        raise MissingFileError(folder, " ".join(missing) or "expected the examples' files, found none")
    labels = _labels(inputs)
    if inputs.manifest.modality == "tabular":
        table = source.frame  # type: ignore[attr-defined]
        contents = [_row_digest(row) for row in table.itertuples(index=False)]
        return Examples("table", table, labels, contents, inputs.keys), source
    found, digests = _read(inputs, source, progress)
    modality = inputs.manifest.modality
    stacked = found if modality == "text" else _stacked(found) if modality == "image" else np.stack(found)
    return Examples(_KINDS[modality], stacked, labels, digests, inputs.keys), source


def read_features(path: Path, inputs: Inputs) -> Examples:
    """The examples by features that were made elsewhere: n rows of finite numbers in a .npy file."""
    if not path.is_file():
        raise MissingFileError(path, "expected features of the examples, n rows in a .npy file, found none")
    labels = _labels(inputs)
    array = open_array(path)
    if array.ndim != 2 or array.dtype.kind not in "fiu" or len(array) != len(labels):
        found = f"{' x '.join(map(str, array.shape))} of {array.dtype}"
        raise DataError(path, f"expected {len(labels):,} rows of numbers, one for each label, found {found}")
    features = np.ascontiguousarray(array, dtype=np.float32)
    unfit = ~np.isfinite(features).all(axis=1)
    if unfit.any():
        raise DataError(path, "expected finite numbers, found another", record=f"row {int(unfit.argmax())}")
    return Examples("features", features, labels, [digest(row.tobytes()) for row in features], inputs.keys)


def _labels(inputs: Inputs) -> NDArray[np.int64]:
    if inputs.labels is None or inputs.labels.ids is None:
        kind = "single labels" if inputs.labels is not None else "the given labels of all examples (files.labels)"
        raise DataError(inputs.manifest.path, f"expected {kind}, from which models learn, found none")
    return inputs.labels.ids.astype(np.int64)


def _read(inputs: Inputs, source: MediaSource, progress: Progress) -> tuple[list[Any], list[bytes]]:
    labels, keys, modality = _labels(inputs), inputs.keys, inputs.manifest.modality
    found: list[Any] = [None] * len(labels)
    digests = [b""] * len(labels)
    wanted = {index: None if keys is None else keys[index] for index in range(len(labels))}
    problems: list[MediaProblem] = []
    with progress.task(f"{inputs.manifest.name}: read", len(labels), "examples") as advance:
        for item in source.items(wanted, workers_for(len(labels))):
            if isinstance(item, MediaProblem):
                problems.append(item)
            elif item.kind == _SHOWN[modality]:
                found[item.index] = _content(item)
                digests[item.index] = digest(item.data)
                advance(1)
    if problems:
        n = f"{len(problems):,} examples have none" if len(problems) > 1 else "an example has none"
        some = "; ".join(map(str, problems[:_MOST_SHOWN]))
        more = f"; and {len(problems) - _MOST_SHOWN:,} more" if len(problems) > _MOST_SHOWN else ""
        advice = ". Mend these, or take them away and let label-errors init describe the folder again"
        raise DataError(inputs.manifest.name, f"expected a file to read for each example; {n}: {some}{more}{advice}")
    lacking = next((index for index, one in enumerate(digests) if not one), None)
    if lacking is not None:
        raise DataError(source.sources[0], "expected a file for each example", record=f"example {lacking}")
    return found, digests


def _content(item: MediaItem) -> Any:
    if item.kind == "text":
        return item.text or ""
    if item.kind == "audio":
        return spectrum(item.data)
    with Image.open(io.BytesIO(item.data)) as image:
        small = image.convert("L" if image.mode in ("1", "L") else "RGB")
    return np.asarray(small if max(small.size) <= SIDE else _squared(small))


def _squared(image: Image.Image) -> Image.Image:
    return image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)


def _stacked(images: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """(n, height, width), or (n, height, width, 3) if any is in colour; squares of one size if sizes differ."""
    colour = any(image.ndim == 3 for image in images)
    sizes = {image.shape[:2] for image in images}
    shape = next(iter(sizes)) if len(sizes) == 1 else (SIDE, SIDE)
    stacked = np.empty((len(images), *shape, *((3,) if colour else ())), np.uint8)
    for place, image in enumerate(_of_size(images, shape)):
        stacked[place] = image[..., None] if colour and image.ndim == 2 else image
    return stacked


def _of_size(images: list[NDArray[np.uint8]], shape: tuple[int, ...]) -> Iterator[NDArray[np.uint8]]:
    for image in images:
        yield image if image.shape[:2] == shape else np.asarray(_squared(Image.fromarray(image)))


def _row_digest(row: Any) -> bytes:
    return digest(*(repr(value).encode("utf-8", "surrogatepass") for value in row))
