"""What the settings of the server cost in memory: resident bytes of one worker, before and after it is asked for much.

``python -m benchmarks.server_memory [catalogue]``, by default of the embedded sample. Linux only: it reads /proc.
"""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_CONNECTIONS = 1_000


def main() -> int:
    """Print a line for each thing that is measured."""
    with tempfile.TemporaryDirectory() as folder:
        catalogue = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "catalogue.sqlite"
        if not catalogue.exists():
            subprocess.run([sys.executable, "-m", "ingest", "sample", "--catalogue", str(catalogue)], check=True)
        for megabytes in (0, 64, 256):
            _measured(catalogue, megabytes)
    return 0


def _measured(catalogue: Path, megabytes: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "app", "--catalogue", str(catalogue), "--port", str(port)]
    environment = {**os.environ, "LABELERRORS_KEPT_ANSWERS": str(megabytes), "LABELERRORS_CONNECTIONS": "2000"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _until_it_answers(port)
        begun = _rss(process.pid)
        print(f"kept answers {megabytes} MB: begun {begun:.0f} MB", end="", flush=True)
        crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(_CONNECTIONS)]
        _asked(port, "/healthz")
        print(f", {_CONNECTIONS} connections {_rss(process.pid) - begun:+.0f} MB", end="", flush=True)
        for one in crowd:
            one.close()
        before = _rss(process.pid)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for number in range(12_000 if megabytes else 2_000):
            # Every address is another answer, of some 40 kB.
            connection.request("GET", f"/sample-digits?_={number}")
            connection.getresponse().read()
        print(f", many pages {_rss(process.pid) - before:+.0f} MB", flush=True)
    finally:
        process.terminate()
        process.wait()


def _until_it_answers(port: int) -> None:
    while True:
        try:
            _asked(port, "/healthz")
        except ConnectionError:
            time.sleep(0.1)
        else:
            return


def _asked(port: int, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    connection.getresponse().read()
    connection.close()


def _rss(pid: int) -> float:
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    sys.exit(main())
