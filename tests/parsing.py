"""``ast.parse`` for a process in which several threads use it.

Before Python 3.11.8 and 3.12.2 one that parses while another does makes it raise SystemError (python/cpython#106905). A
server that a test has started parses where it prints a traceback, as pytest does where it reports a failure, and pytest
would end with all its tests.
"""

import ast
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")
_TIMES = 10


def again(parse: Callable[_P, _R]) -> Callable[_P, _R]:
    """The same function, which tries again where another thread was in its way."""

    @wraps(parse)
    def parse_again(*arguments: _P.args, **options: _P.kwargs) -> _R:
        for _ in range(_TIMES):
            try:
                return parse(*arguments, **options)
            except SystemError:
                continue
        return parse(*arguments, **options)

    return parse_again


def let_threads_parse() -> None:
    """Make ``ast.parse`` bear others beside it, for all who call it by this name."""
    ast.parse = again(ast.parse)  # type: ignore[assignment]
