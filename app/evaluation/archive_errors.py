"""The exceptions that the standard library raises for damaged or truncated archives."""

import lzma
import zipfile
import zlib
from typing import Final

#: Damaged bzip2 is an OSError besides, without the number that those of files and disks have.
PACKED_DAMAGE: Final = (
    EOFError,
    NotImplementedError,
    RuntimeError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)
