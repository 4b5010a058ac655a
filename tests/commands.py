"""Commands of ``ingest`` in the process of the test, for all that does not depend on a process of its own."""

import io
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from subprocess import CompletedProcess

from ingest.commands.main import main


def run(*arguments: object) -> CompletedProcess[str]:
    """What ``python -m ingest`` prints and returns."""
    given = list(map(str, arguments))
    with redirect_stdout(io.StringIO()) as printed, redirect_stderr(io.StringIO()) as said:
        status = _status(main, given)
    return CompletedProcess(given, status, printed.getvalue(), said.getvalue())


def _status(command: Callable[[list[str]], int], given: list[str]) -> int:
    try:
        return command(given)
    except SystemExit as ended:  # of argparse, which has said why
        return ended.code if isinstance(ended.code, int) else 1
