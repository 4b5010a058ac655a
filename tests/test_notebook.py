"""The page about ``find_label_errors`` and its worked notebook keep their word."""

import inspect
import re
from typing import Any

from ingest import find_label_errors
from ingest.flagging.found_errors import LabelErrors
from tests.conftest import ROOT
from tests.notebooks import executed, stored

PAGE = (ROOT / "docs/notebook.md").read_text(encoding="utf-8")
NOTEBOOK = ROOT / "docs/notebook.ipynb"


def test_the_worked_notebook_gives_what_is_stored_in_it() -> None:
    found = executed(NOTEBOOK)
    assert found == stored(NOTEBOOK)
    assert "86 of 90 planted errors found" in "".join(printed for printed, _ in found)


def test_the_example_of_the_page_runs() -> None:
    names: dict[str, Any] = {}
    exec(re.search(r"```python\n(.+?)```", PAGE, re.S)[1], names)
    assert names["found"].issues[["index", "given_name", "guessed_name"]].values.tolist() == [[3, "cat", "dog"]]


def test_parameters_and_results_of_the_page_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", PAGE, re.M)
    described = [name for row in rows for name in re.findall(r"\w+", row)]
    parameters = list(inspect.signature(find_label_errors).parameters)
    assert described[: len(parameters)] == parameters
    results = {name for name in {*LabelErrors.__annotations__, *vars(LabelErrors)} if not name.startswith("_")}
    assert set(described[len(parameters) :]) == results
    assert all(f"        {name}: " in find_label_errors.__doc__ for name in parameters)
