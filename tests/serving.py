"""A real server on a free port of this machine, for as long as a test needs it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from app.main import create_app
from app.serve import limited
from app.settings import Settings


@contextmanager
def serving(catalogue: Path, *, root_path: str = "", port: int = 0, **settings: object) -> Iterator[str]:
    """Serve a catalogue privately, with all limits, under any host; yields the address, without a slash at its end.

    Port 0 is a free one; another one is for a server that is started again.
    """
    chosen = Settings(catalogue=catalogue, **{"public": False, "hosts": "*", **settings})
    config = uvicorn.Config(
        create_app(chosen), host="127.0.0.1", port=port, log_level="warning", root_path=root_path, **limited(chosen)
    )
    with running(config) as address:
        yield address


@contextmanager
def running(config: uvicorn.Config) -> Iterator[str]:
    """Run a server; yields its address, without a slash at its end."""
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server did not start")
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=60)
