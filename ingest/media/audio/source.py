"""The source of a recording: its bytes from an archive, or a file on disk.

A file on disk is only read as far as requested, even if it is the sound of a video of several hours.
"""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ingest.media.archives.stores import MemberError

Sound = bytes | Path


@contextmanager
def opened(sound: Sound) -> Iterator[BinaryIO]:
    """Open the recording for random access. Raises MemberError if the file cannot be read."""
    if isinstance(sound, bytes):
        yield io.BytesIO(sound)
        return
    try:
        with sound.open("rb") as file:
            yield file
    except OSError as error:
        raise MemberError(f"expected a file that can be read ({error.strerror})") from error


@contextmanager
def on_disk(sound: Sound) -> Iterator[Path]:
    """The path of the recording, for another program to read; temporary for one from an archive.

    A pipe would not do: some formats are read from their end.
    """
    if isinstance(sound, Path):
        yield sound
        return
    with tempfile.NamedTemporaryFile(suffix=".media") as file:
        file.write(sound)
        file.flush()
        yield Path(file.name)
