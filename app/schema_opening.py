"""How a catalogue's file is opened, whatever it is called: part of the contract of ``app.schema``.

SQLAlchemy's own addresses, made from text, take what follows a question mark in a file's name for options and know no
file with a percent sign or a hash in it. A path is therefore handed on as a path, or quoted once, here.
"""

import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import URL, Engine, NullPool, create_engine

_CACHED_STATEMENTS: Final = 256


def reading_engine(path: Path, *pragmas: str) -> Engine:
    """An engine whose connections cannot change the file. Nothing is opened, or found missing, before they connect.

    ``pragmas`` are settings of each connection, such as ``"temp_store = MEMORY"``. A connection may be used by other
    threads than the one that opened it, one after another.
    """
    address = f"file:{quote(str(path.resolve()))}?mode=ro"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(address, uri=True, check_same_thread=False, cached_statements=_CACHED_STATEMENTS)
        for pragma in ("query_only = ON", *pragmas):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=NullPool)


def writing_engine(path: Path) -> Engine:
    """An engine whose connections make the file where there is none."""
    return create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
