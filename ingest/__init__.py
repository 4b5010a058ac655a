"""The ingest pipeline, and ``find_label_errors`` for use from Python.

Exports are loaded on first use: most commands do not need them and start faster without.
"""

from typing import TYPE_CHECKING

from app import __version__

if TYPE_CHECKING:
    from ingest.flagging.label_errors import find_label_errors

__all__ = ["__version__", "find_label_errors"]


def __getattr__(name: str) -> object:
    if name != "find_label_errors":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ingest.flagging.label_errors import find_label_errors

    globals()[name] = find_label_errors
    return find_label_errors


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
