"""``label-errors try``: from a folder of labelled files to a site that opens on its suspects."""

import argparse
import socket
import subprocess
import sys
import webbrowser
from typing import Final

from ingest.commands import init, predict
from ingest.commands.arguments import add_catalogue, whole_number
from ingest.progress import progress_for_terminal

EXAMPLES: Final = """\
examples:
  %(prog)s pets
  %(prog)s reviews.csv --groups author
  %(prog)s pets --features embeddings.npy --no-open

What init, predict and add write goes into --out, as if each had been called by itself; called again, finished folds are
taken up. The site is for this machine alone, at --port or, where that is taken, at a free one, and is shown in the
browser, unless --no-open. Ctrl-C stops it; label-errors serve shows it again.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    init.add_arguments(parser)
    predict.add_choices(parser)
    kind = whole_number("a port", 1, 65_535)
    parser.add_argument("--port", metavar="N", type=kind, default=8000, help="port of the site (default 8000)")
    parser.add_argument("--no-open", action="store_true", help="do not open a browser")
    parser.add_argument("--no-serve", action="store_true", help="stop before the site is started")
    add_catalogue(parser, written=True)


def run(arguments: argparse.Namespace) -> int:
    """Describe, predict, add and serve."""
    from ingest.commands.reports import summary
    from ingest.manifest.parse import read_manifest
    from ingest.pipeline import IngestJob
    from ingest.pipeline import run as ingested
    from ingest.predicting.out_of_sample import predict as predicted

    predict.require_scikit_learn()
    manifest = init.described(arguments)
    out, place = manifest.parent, arguments.folder
    media = place.parent if place.is_file() else place
    found = predicted(manifest, out, media, predict.options_of(arguments), progress_for_terminal())
    print("\n".join(predict.report(found)))
    job = IngestJob(read_manifest(manifest), out, media, complete=True)
    stored = ingested([job], arguments.catalogue, wait=arguments.wait, progress=progress_for_terminal())
    print(summary(stored))
    if stored[0].unread is not None:
        return 1
    return 0 if arguments.no_serve else _serve(arguments, job.manifest.name)


def _serve(arguments: argparse.Namespace, name: str) -> int:
    port = free_port(arguments.port)
    address = f"http://127.0.0.1:{port}/{name}"
    # The site is a program of its own, which this one does not know; it lives until it is stopped.
    command = [sys.executable, "-m", "app", "--catalogue", str(arguments.catalogue), "--port", str(port)]
    with subprocess.Popen(command) as site:  # noqa: S603 - our own program
        try:
            if _answers(site, port):
                print(f"The suspects are at {address}", flush=True)
                if not arguments.no_open:
                    webbrowser.open(address)
            return site.wait()
        except KeyboardInterrupt:
            site.terminate()
            site.wait()
            return 0


def _answers(site: "subprocess.Popen[bytes]", port: int) -> bool:
    """Wait until the site takes connections; whether it does, or has ended instead."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            try:
                site.wait(0.1)
                return False
            except subprocess.TimeoutExpired:
                continue


def free_port(wanted: int) -> int:
    """The port that is wanted or, where that is taken, one that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return wanted
