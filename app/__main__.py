"""The command ``label-errors``: ``serve``, and every command of ``python -m ingest``. ``python -m app`` is ``serve``.

The topmost floor: nothing else knows both the site and the ingest. Neither is loaded for a command of the other.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import Final

from app.evaluation.blas_threads import bound

_PROGRAM: Final = "label-errors"
_DESCRIPTION: Final = "Label errors in datasets: find them, look at them on a website of your own, and correct them."


def console(arguments: Sequence[str] | None = None) -> int:
    """Run one command of ``label-errors`` and return its exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["serve"]:
        from app import serve

        return serve.main(given[1:], program=f"{_PROGRAM} serve")
    bound(os.environ)  # before numpy is loaded
    try:
        from ingest.commands import main as ingest

        parser = _parser(light=ingest.is_light(given))
        return ingest.run(parser.parse_args(given))
    except KeyboardInterrupt:
        # While modules were still being loaded.
        print("interrupted; nothing half-built was kept", file=sys.stderr)
        return 130


def _parser(*, light: bool) -> argparse.ArgumentParser:
    from ingest.commands import main as ingest

    parser, commands = ingest.parser_of_commands(_PROGRAM, _DESCRIPTION)
    if not light:
        from app import serve

        serving = commands.add_parser("serve", help=serve.SAYS)
        serve.add_arguments(serving)
        serving.set_defaults(command=partial(serve.run, serving))
    ingest.add_commands(commands, light=light)
    return parser


if __name__ == "__main__":
    from app.serve import main

    sys.exit(main())
