"""A server that prints a traceback does not end the tests; see tests/parsing.py."""

import ast
import gc


def deep(calls: int) -> None:
    """Parse a little, where the stack is deeper than that of the first."""
    if calls:
        deep(calls - 1)
    else:
        ast.parse("a.b(c)")


def test_parsing_bears_another_that_comes_between() -> None:
    """Garbage is collected in the middle of parsing, and there another thread has its turn; here it is the same one."""
    come = []

    def come_between(*_: object) -> None:
        if len(come) < 5:
            come.append(True)
            deep(20)

    source = "x = [a.b(c[0], d + 1) for a in b]\n" * 2_000
    gc.collect()  # so that the first of these times is while the source is parsed
    gc.callbacks.append(come_between)
    try:
        tree = ast.parse(source)
    finally:
        gc.callbacks.remove(come_between)
    assert come
    assert len(tree.body) == 2_000
