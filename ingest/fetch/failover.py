"""Connect to the first reachable address of a host; ``ssrf_guard`` decides which addresses are allowed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx

from ingest.fetch.ssrf_guard import Destination


class Failover:
    """Remembers machines that could not be reached, which are then tried last."""

    def __init__(self) -> None:
        self._dead: set[str] = set()

    @asynccontextmanager
    async def answer(
        self, client: httpx.AsyncClient, machines: Sequence[Destination], silence: float, connecting: float
    ) -> AsyncIterator[httpx.Response]:
        """The answer of the first machine that accepts a connection.

        A machine has ``connecting`` seconds for that while others are left, the last one ``silence``. Raises the httpx
        error of the last machine, or of one that accepted the connection: a request that was sent is not repeated on
        another machine.
        """
        ordered = sorted(machines, key=lambda to: to.machine in self._dead)
        for place, to in enumerate(ordered, start=1):
            last = place == len(ordered)
            patience = httpx.Timeout(silence, connect=silence if last else min(connecting, silence))
            try:
                answer = await client.send(_request(client, to, patience), stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if last:
                    raise
                self._dead.add(to.machine)
                continue
            try:
                yield answer
            finally:
                await answer.aclose()
            return


def _request(client: httpx.AsyncClient, to: Destination, patience: httpx.Timeout) -> httpx.Request:
    # Uncompressed: a compressed answer would hide the size of the file.
    headers = {"Host": to.host, "Accept-Encoding": "identity"}
    return client.build_request("GET", to.url, headers=headers, extensions={"sni_hostname": to.name}, timeout=patience)
