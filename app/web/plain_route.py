"""Routes that call their function with the request and the path parameters, without FastAPI's own parsing.

Query strings and bodies are read by this site's own parsers, whose errors name the allowed values. FastAPI only
documents these routes; requests go straight to their functions.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, Final, cast

from fastapi import Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import OperationalError

from app.catalogue.current import Catalogue
from app.catalogue.open_file import ON_LOOP, LongReadError
from app.catalogue.reader_threads import ReaderThreads, interrupted

#: Seconds that SQLite may read on the event loop for one request: too short a wait to be noticed.
_BRIEFLY: Final = 0.03


class PlainRoute(APIRoute):
    """Calls ``function(request, **parts of the path as text)``.

    A function that is not a coroutine only reads. It is called on the event loop; if it reports that its read takes
    long, or does not finish it in a moment, it is called again in a thread of ``readers``.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        function: Callable[..., Any] = self.endpoint
        if iscoroutinefunction(function):
            coroutine = cast("Callable[..., Awaitable[Response]]", function)

            async def awaited(request: Request) -> Response:
                return await coroutine(request, **request.path_params)

            return awaited

        async def answer(request: Request) -> Response:
            read: Callable[[], Response] = partial(function, request, **request.path_params)
            try:
                return _briefly(request, read)
            except LongReadError:
                pass
            except (OperationalError, sqlite3.OperationalError) as error:
                if not interrupted(error):
                    raise
            readers: ReaderThreads = request.app.state.readers
            return await readers.run(request, read)

        return answer


def _briefly(request: Request, read: Callable[[], Response]) -> Response:
    catalogue: Catalogue | None = getattr(request.state, "catalogue", None)
    reading = ON_LOOP.set(True)
    if catalogue is not None:
        catalogue.brief.last(_BRIEFLY)
    try:
        return read()
    finally:
        ON_LOOP.reset(reading)
        if catalogue is not None:
            catalogue.brief.free()
