"""Bring the tables of a vote store up to date, with the migrations in ``versions``."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

#: The newest revision in ``versions``.
HEAD: Final = "0002"
_HERE: Final = Path(__file__).resolve().parent


class NewerStoreError(Exception):
    """A store that a newer version of the program has changed."""


def upgrade(connection: Connection, name: str) -> None:
    """Apply the migrations that the store lacks, within the connection's transaction.

    Raises NewerStoreError for a store whose revision is not among them.
    """
    try:
        command.upgrade(config(connection), "head")
    except CommandError as error:
        raise NewerStoreError(f"{name} was made by a newer version of label-errors ({error})") from error


def config(connection: Connection) -> Config:
    """Alembic's configuration for a connection."""
    made = Config()
    made.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made
