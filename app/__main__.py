"""The command ``label-errors``: ``serve``, and every command of ``python -m ingest``.

``python -m app`` runs ``serve``. This is the only module that knows both the site and ingest; a command of one does
not load the other.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.evaluation.blas_threads import bound

if TYPE_CHECKING:
    from ingest.commands.arguments import Commands

_PROGRAM: Final = "label-errors"
_DESCRIPTION: Final = "Label errors in datasets: find them, look at them on a website of your own, and correct them."
_SHELLS: Final = ("bash", "zsh", "fish", "tcsh")
_COMPLETION: Final = """\
examples:
  %(prog)s bash > ~/.local/share/bash-completion/completions/label-errors
  %(prog)s zsh > ~/.zfunc/_label-errors
  %(prog)s fish > ~/.config/fish/completions/label-errors.fish
"""


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
        # Interrupted while modules were still being loaded.
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
    _add_completion(commands, parser)
    return parser


def _add_completion(commands: "Commands", whole: argparse.ArgumentParser) -> None:
    says = "print what completes these commands in a shell"
    parser = commands.add_parser(
        "completion",
        help=says,
        description=says,
        epilog=_COMPLETION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=_SHELLS, help="the shell")
    parser.set_defaults(command=lambda chosen: _complete(whole, chosen.shell))


def _complete(whole: argparse.ArgumentParser, shell: str) -> int:
    import shtab

    _complete_places(whole)
    print(shtab.complete(whole, shell))
    return 0


def _complete_places(parser: argparse.ArgumentParser) -> None:
    """Let the shell complete paths for arguments that are files or folders."""
    import shtab

    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                _complete_places(one)
        elif action.metavar == "DIR":
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif action.type is Path or action.metavar == "FILE":
            action.complete = shtab.FILE  # type: ignore[attr-defined]


if __name__ == "__main__":
    from app.serve import main

    sys.exit(main())
