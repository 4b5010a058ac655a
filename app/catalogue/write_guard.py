"""Middleware that withholds answers read from a catalogue file while it was being written to.

The file's state is compared once more when the response starts. A read error on such a file is reported as "being
replaced", not as a fault of the site. Streamed files check each of their pieces themselves
(``app.site.corrected.request``).
"""

import logging
import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.catalogue.current import Catalogue
from app.errors import CatalogueChanging, NoCatalogue, SiteError

log = logging.getLogger(__name__)

#: Where a request notes what it reads from: the catalogue of its pages, and that of a file.
_NOTED = ("catalogue", "read_from")


class CatalogueGuard:
    """Answers 503 in place of what was read from a file that is not what it was when it was opened."""

    def __init__(self, app: ASGIApp, answer: Callable[[Request, SiteError], Response]) -> None:
        self.app = app
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = refused = False

        async def refuse(error: SiteError) -> None:
            nonlocal refused
            refused = True
            await self.answer(Request(scope), error)(scope, receive, send)

        async def sending(message: Message) -> None:
            nonlocal begun
            if refused:
                return
            if not begun and not _intact(scope):
                await refuse(CatalogueChanging())
                return
            begun = True
            await send(message)

        try:
            if _intact(scope):
                await self.app(scope, receive, sending)
            else:
                await refuse(CatalogueChanging())
        except Exception as error:
            if begun or refused:
                raise
            if not _intact(scope):
                await refuse(CatalogueChanging())
            elif isinstance(error, SQLAlchemyError | sqlite3.Error):
                log.exception("the catalogue cannot be read")
                await refuse(NoCatalogue("Part of the site's data cannot be read. The error was logged."))
            else:
                raise


def _intact(scope: Scope) -> bool:
    noted: dict[str, Any] = scope.get("state", {})
    read: list[Catalogue] = [noted[name] for name in _NOTED if name in noted]
    return all(catalogue.file.intact() for catalogue in read)
