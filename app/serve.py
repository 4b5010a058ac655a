"""Start the server with all its limits: ``label-errors serve``, used by ``make serve`` and the Docker image.

``python -m app`` does the same. All settings are in ``app.settings``; the options here are the ones needed every day,
and they override the environment. A server that listens on a loopback address is private and any other is public,
unless configured otherwise.
"""

import argparse
import errno
import gc
import os
import re
import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from app.settings import PREFIX, STANDARD_OUTPUT, Settings, SettingsError, whole_number

if TYPE_CHECKING:
    from fastapi import FastAPI

# The server and the site are imported when they start, so that --help is fast.

#: Seconds that running requests may still take when the server is told to stop.
_ENDING: Final = 10
#: Seconds within which a worker process must answer its parent, which kills it otherwise. A busy machine needs more
#: than uvicorn's five to load the site, and the worker would be restarted again and again.
_STARTING: Final = 60
#: Characters of a host that a message shows.
_LONGEST_SHOWN: Final = 60
SAYS: Final = "serve a catalogue as a website with an API"
_EPILOG: Final = """\
Everything else is set by the environment: LABELERRORS_CONNECTIONS, LABELERRORS_HOSTS, LABELERRORS_TRUSTED_PROXIES and
so on. docs/operating.md, which is /docs/operating of the site, lists all. Options win over the environment.

examples:
  %(prog)s                                var/catalogue.sqlite in this folder, for this machine alone
  %(prog)s --host 0.0.0.0 --workers 4     for everyone who can reach this machine
  LABELERRORS_HOSTS=labels.example LABELERRORS_TRUSTED_PROXIES=127.0.0.1 %(prog)s --public
                                                    behind a proxy on this machine, as labels.example
"""


def main(arguments: Sequence[str] | None = None, program: str = "python -m app") -> int:
    """Serve until told to stop; the exit status is 2 if the options or settings cannot be used."""
    parser = argparse.ArgumentParser(prog=program)
    add_arguments(parser)
    return run(parser, parser.parse_args(arguments))


def run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Serve with these options; invalid ones are reported through the parser."""
    import uvicorn

    from app.main import create_app
    from app.web.server.connection_limits import raise_descriptors
    from app.web.server.counters import FOLDER

    os.environ.update(_environment(options))
    try:
        settings = Settings.from_environment()
        raise_descriptors(settings.connections)
        site = create_app(settings)
    except SettingsError as error:
        parser.error(error.told(_options_given(options)))
    _spare_collections()
    _require_free(parser, options.host, options.port)
    said = f"Serving {settings.catalogue} at {_address(options)} ({_audience(settings)}); stop with Ctrl-C"
    # Standard output carries the access log only, for programs that read it.
    print(said, flush=True, file=sys.stderr if settings.access_log == STANDARD_OUTPUT else sys.stdout)
    alone = options.workers == 1
    if missing := _without_catalogue(site, settings, alone=alone):
        print(f"{missing} Pages answer 503 until there is one.", flush=True, file=sys.stderr)
    if not alone and site.state.telemetry.traffic is not None:
        os.environ[FOLDER] = str(site.state.folder.path())  # all processes count in it
    uvicorn.run(
        site if alone else "app.serve:site_of_worker",  # each of several processes creates its own
        factory=not alone,
        host=options.host,
        port=options.port,
        workers=options.workers,
        root_path=options.root_path,
        access_log=False,  # app.web.server.access_log writes it
        log_level="warning",
        **limited(settings),
    )
    return 0


def _without_catalogue(site: "FastAPI", settings: Settings, *, alone: bool) -> str:
    """Why there is nothing to serve yet; empty where there is something.

    A process that only watches over others opens no catalogue: it would hold the file when a new one takes its place.
    """
    from app.catalogue.current import MAKE_ONE
    from app.errors import NoCatalogue

    if not settings.catalogue.is_file():
        return f"There is no catalogue at {settings.catalogue}. {MAKE_ONE}"
    try:
        if alone:
            site.state.catalogue.get()
    except NoCatalogue as error:
        return error.detail
    return ""


def site_of_worker() -> "FastAPI":
    """The site in a worker process, which ends when its parent does."""
    from app.main import create_app
    from app.web.server.parent_watch import end_with_parent

    end_with_parent()
    site = create_app()
    _spare_collections()
    return site


def _spare_collections() -> None:
    """Exclude everything that is loaded from garbage collections.

    A full collection would otherwise visit the 145,000 objects of modules and routes as well, again and again, and no
    request is answered meanwhile: 0.1 seconds. Catalogues are opened later, so one that is replaced is collected.
    """
    gc.collect()
    gc.freeze()


def limited(settings: Settings) -> dict[str, Any]:
    """The options of uvicorn that apply the limits of the settings."""
    from app.web.server.http_protocol import SiteProtocol

    return {
        "http": SiteProtocol,
        "ws": "none",
        "lifespan": "on",
        "proxy_headers": False,  # app.web.server.trusted_proxies reads them
        "server_header": False,
        "timeout_keep_alive": settings.idle_seconds,
        "timeout_graceful_shutdown": _ENDING,
        "timeout_worker_healthcheck": _STARTING,
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's description and options."""
    defaults = Settings()
    parser.description = "Serve a catalogue of label errors as a website with an API."
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--catalogue",
        metavar="FILE",
        help=f"the catalogue, as `label-errors sample` makes one ($LABELERRORS_CATALOGUE or {defaults.catalogue})",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen to; 0.0.0.0 is all of this machine's (default 127.0.0.1: this machine alone)",
    )
    parser.add_argument("--port", type=_port, default=8000, metavar="N", help="port to listen to (default 8000)")
    parser.add_argument(
        "--workers", type=_workers, default=1, metavar="N", help="processes that share the port (default 1)"
    )
    audience = parser.add_mutually_exclusive_group()
    audience.add_argument(
        "--public",
        action="store_true",
        default=None,
        help="show only media whose licences allow it (default, unless the address is this machine alone)",
    )
    audience.add_argument(
        "--private",
        action="store_false",
        dest="public",
        help="show all media, and block scripts of other sites (default if the address is this machine alone)",
    )
    parser.add_argument(
        "--root-path", type=_root_path, default="", metavar="PATH", help="path of the site behind a proxy, like /labels"
    )
    parser.add_argument(
        "--access-log",
        nargs="?",
        const=STANDARD_OUTPUT,
        metavar="FILE",
        help="log every request as a line of JSON, to standard output if no file is named",
    )

    parser.add_argument(
        "--metrics",
        nargs="?",
        const="1",
        metavar="ADDRESSES",
        help="serve /metrics for Prometheus, only to this machine if no addresses or networks are named",
    )
    parser.add_argument(
        "--reviews",
        action="store_true",
        help="let raters in, over the store of votes ($LABELERRORS_REVIEWS or reviews.sqlite beside the catalogue)",
    )
    parser.add_argument(
        "--disputes", action="store_true", help="let visitors dispute verdicts with a form, into the store of votes"
    )


def _environment(options: argparse.Namespace) -> dict[str, str]:
    """The options as environment variables, from which every worker reads its settings."""
    found = {}
    if options.catalogue is not None:
        found[f"{PREFIX}CATALOGUE"] = options.catalogue
    if options.metrics is not None:
        found[f"{PREFIX}METRICS"] = options.metrics
    if options.reviews:
        found[f"{PREFIX}SERVE_REVIEWS"] = "1"
    if options.disputes:
        found[f"{PREFIX}DISPUTES"] = "1"
    if options.access_log is not None:
        found[f"{PREFIX}ACCESS_LOG"] = options.access_log
    from app.web.server.client_addresses import loopback

    public = options.public
    if public is None and not os.environ.get(f"{PREFIX}PUBLIC"):
        public = not loopback(options.host)
    if public is not None:
        found[f"{PREFIX}PUBLIC"] = "1" if public else "0"
    return found


def _options_given(options: argparse.Namespace) -> dict[str, str]:
    """The options that set what a variable sets too, by the names of their settings, if they were given."""
    named = {"catalogue": "--catalogue", "metrics": "--metrics", "access_log": "--access-log"}
    return {name: option for name, option in named.items() if getattr(options, name) is not None}


def _root_path(text: str) -> str:
    if text.strip("/") and not re.fullmatch(r"(/[\w.~-]+)+/?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is no path; expected one like /labels")
    return text


def _port(text: str) -> int:
    port = whole_number(text, 1, 65_535)
    if port is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; expected a number from 1 to 65535")
    return port


def _workers(text: str) -> int:
    workers = whole_number(text, 1, 256)
    if workers is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes; expected one from 1 to 256")
    return workers


def _require_free(parser: argparse.ArgumentParser, host: str, port: int) -> None:
    """Refuse an address that cannot be listened to."""
    shown = host if len(host) <= _LONGEST_SHOWN else f"{host[:_LONGEST_SHOWN]}..."
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):  # the latter for names longer than a name can be
        parser.error(f"argument --host: {shown!r} is no address; expected one of this machine, such as 127.0.0.1")
    try:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            parser.error(f"argument --host: {shown!r} is not an address of this machine")
        parser.error(f"port {port} of {host} is not available ({error.strerror}); choose another one with --port")


def _address(options: argparse.Namespace) -> str:
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"http://{host}:{options.port}{options.root_path}"


def _audience(settings: Settings) -> str:
    return "public" if settings.is_public else "private"


if __name__ == "__main__":
    sys.exit(main())
