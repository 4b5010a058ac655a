"""The command ``label-errors``: every command of ``python -m ingest``, and those that other programs bring.

The site brings ``serve`` as an entry point, so nothing here knows the site, and a command of one does not load the
other.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.evaluation.blas_threads import bound
from ingest.commands.arguments import asked_for, sentence

if TYPE_CHECKING:
    from ingest.commands.arguments import Commands

#: Entry points of modules with ``SAYS``, ``add_arguments(parser)`` and ``run(parser, options)``; see pyproject.toml.
_BROUGHT: Final = "label_errors.commands"
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
    asked, brought = asked_for(given), _brought()
    if asked in brought and given[0] == asked:
        return _run_brought(brought[asked], given[1:])
    bound(os.environ)  # before numpy is loaded
    try:
        from ingest.commands import main as ingest

        return ingest.run(_parser(asked).parse_args(given))
    except KeyboardInterrupt:
        # Interrupted while modules were still being loaded.
        print("interrupted; nothing half-built was kept", file=sys.stderr)
        return 130


def _run_brought(entry: EntryPoint, given: Sequence[str]) -> int:
    module: Any = entry.load()
    parser = argparse.ArgumentParser(prog=f"{_PROGRAM} {entry.name}")
    module.add_arguments(parser)
    status: int = module.run(parser, parser.parse_args(given))
    return status


def _brought() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=_BROUGHT)}


def _parser(asked: str | None) -> argparse.ArgumentParser:
    """The parser of all commands, with the arguments of the one that is ``asked`` for, or of all where that is None."""
    from ingest.commands import main as ingest

    parser, commands = ingest.parser_of_commands(_PROGRAM, _DESCRIPTION)
    for name, entry in {} if asked in ingest.COMMANDS else _brought().items():
        module: Any = entry.load()
        one = commands.add_parser(name, help=module.SAYS)
        module.add_arguments(one)
        one.set_defaults(command=partial(module.run, one))
    ingest.add_commands(commands, None if asked == "completion" else asked)
    _add_completion(commands, parser)
    return parser


def _add_completion(commands: "Commands", whole: argparse.ArgumentParser) -> None:
    says = "print a script that completes these commands in a shell"
    parser = commands.add_parser(
        "completion",
        help=says,
        description=sentence(says),
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
