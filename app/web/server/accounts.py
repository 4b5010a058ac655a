"""Who keeps account of requests, as the settings say: nobody, the access log, the metrics."""

from app.settings import PREFIX, Settings, SettingsError
from app.web.server.access_log import AccessLog
from app.web.server.request_record import Account, RequestRecord


class Accounts:
    """What is kept account of in one process. Raises SettingsError for a log that cannot be written."""

    def __init__(self, settings: Settings) -> None:
        self.access_log = _access_log(settings.access_log)
        kept: tuple[Account | None, ...] = (self.access_log,)
        self.of_requests: tuple[Account, ...] = tuple(one for one in kept if one is not None)

    def tell(self, record: RequestRecord) -> None:
        """Tell all of them of a request."""
        for account in self.of_requests:
            account(record)

    def close(self) -> None:
        """Let go of what is open."""
        if self.access_log is not None:
            self.access_log.close()


def _access_log(target: str) -> AccessLog | None:
    try:
        return AccessLog(target) if target else None
    except OSError as error:
        raise SettingsError(
            f"{PREFIX}ACCESS_LOG is {target!r}: expected json or a file that can be written, found: {error.strerror}"
        ) from error
