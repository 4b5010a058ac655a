"""Archives of arrays whose packed bytes are damaged."""

import io
import zipfile
from typing import Any

import numpy as np

PACKINGS = {"deflate": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2, "lzma": zipfile.ZIP_LZMA}


def damaged_npz(packing: str, name: str, array: Any) -> bytes:
    """A .npz file of one array, packed so, with forty bytes overwritten soon after the packed ones begin."""
    plain, archive = io.BytesIO(), io.BytesIO()
    np.save(plain, array)
    with zipfile.ZipFile(archive, "w", PACKINGS[packing]) as packed:
        packed.writestr(f"{name}.npy", plain.getvalue())
    content = bytearray(archive.getvalue())
    start = content.index(b".npy") + 16
    content[start : start + 40] = b"\xff" * 40
    return bytes(content)
