"""Run a notebook's cells with plain Python, in order, and tell what each prints and shows.

``python -m tests.notebooks docs/notebook.ipynb`` stores what they print and show in the file.
"""

import ast
import io
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any


def cells(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def executed(path: Path) -> list[tuple[str, str]]:
    """What each cell of code prints, and the value that it shows, as texts."""
    names: dict[str, Any] = {"__name__": "__main__"}
    return [_run("".join(cell["source"]), names) for cell in cells(path) if cell["cell_type"] == "code"]


def stored(path: Path) -> list[tuple[str, str]]:
    """The same as it stands in the file."""
    return [_texts(cell["outputs"]) for cell in cells(path) if cell["cell_type"] == "code"]


def _run(source: str, names: dict[str, Any]) -> tuple[str, str]:
    printed = io.StringIO()
    body = ast.parse(source).body
    last = ast.Expression(body.pop().value) if body and isinstance(body[-1], ast.Expr) else None
    with redirect_stdout(printed):
        exec(compile(ast.Module(body, []), "cell", "exec"), names)
        shown = None if last is None else eval(compile(last, "cell", "eval"), names)
    return printed.getvalue(), "" if shown is None else repr(shown)


def _texts(outputs: list[dict[str, Any]]) -> tuple[str, str]:
    printed = (line for one in outputs if one["output_type"] == "stream" for line in one["text"])
    shown = (line for one in outputs if one["output_type"] == "execute_result" for line in one["data"]["text/plain"])
    return "".join(printed), "".join(shown)


def store(path: Path) -> None:
    """Put what the cells print and show into the file."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for place, (cell, (printed, shown)) in enumerate(zip(code, executed(path), strict=True), start=1):
        outputs: list[dict[str, Any]] = []
        if printed:
            outputs.append({"name": "stdout", "output_type": "stream", "text": printed.splitlines(keepends=True)})
        if shown:
            data = {"text/plain": shown.splitlines(keepends=True)}
            outputs.append({"data": data, "execution_count": place, "metadata": {}, "output_type": "execute_result"})
        cell.update(execution_count=place, outputs=outputs)
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    store(Path(sys.argv[1]))
