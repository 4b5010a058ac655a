"""Routes whose functions take the request and the parts of its path, and leave FastAPI nothing to work out.

Query strings and bodies are read by this site's own parsers, whose refusals name what is allowed. So FastAPI documents
these routes, and a request goes straight to its function.
"""

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from inspect import iscoroutinefunction
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool


class PlainRoute(APIRoute):
    """Calls ``function(request, **parts of the path as text)``, in another thread if it is no coroutine function."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        function: Callable[..., Awaitable[Response]] = (
            self.endpoint if iscoroutinefunction(self.endpoint) else partial(run_in_threadpool, self.endpoint)
        )

        async def answer(request: Request) -> Response:
            return await function(request, **request.path_params)

        return answer
