"""Start the access log and the metrics, as far as the settings ask for them."""

import asyncio
import contextlib
from typing import Final, Self

from app.settings import Settings, SettingsError
from app.web.server.access_log import AccessLog
from app.web.server.client_addresses import Network, networks_of
from app.web.server.request_record import Account, RequestRecord
from app.web.server.traffic import Traffic

_THIS_MACHINE: Final = "127.0.0.0/8, ::1"


class Telemetry:
    """The access log and the metrics of one process, from when it starts serving until it ends.

    Raises SettingsError for a log that cannot be written, and for an invalid address.
    """

    def __init__(self, settings: Settings) -> None:
        self.access_log = _access_log(settings.access_log)
        #: The networks that may read the metrics.
        self.metrics_for = _networks(settings.metrics)
        self.traffic = Traffic() if self.metrics_for else None
        if self.traffic is not None and (log := self.access_log) is not None:
            self.traffic.sources["access_log_lines_lost"] = lambda: log.lost
        kept: tuple[Account | None, ...] = (self.access_log, self.traffic)
        self.of_requests: tuple[Account, ...] = tuple(one for one in kept if one is not None)
        self._looking: asyncio.Task[None] | None = None

    def tell(self, record: RequestRecord) -> None:
        """Record a request in all of them."""
        for account in self.of_requests:
            account(record)

    async def __aenter__(self) -> Self:
        if self.traffic is not None:
            self._looking = asyncio.create_task(self.traffic.keep_looking())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
        self.of_requests = ()
        if self.traffic is not None:
            self.traffic.close()
        if self.access_log is not None:
            self.access_log.close()


def _access_log(target: str) -> AccessLog | None:
    try:
        return AccessLog(target) if target else None
    except OSError as error:
        finding = f"is {target!r}: expected json or a file that can be written, found: {error.strerror}"
        raise SettingsError(("access_log", finding)) from error


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return networks_of({"1": _THIS_MACHINE, "0": ""}.get(text, text))
    except ValueError as error:
        finding = f"is {text!r}: expected 1, 0 or addresses, found: {error}"
        raise SettingsError(("metrics", finding)) from error
