"""One thing has one word, in the documentation and on pages."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXTS = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", *(ROOT / "templates").glob("*.html")])
#: What is not written -> what is.
INSTEAD = {
    r"noisy labels?": "given label",
    r"true labels?": "corrected label",
    r"predicted labels?": "guessed label",
    r"confusion matri(?:x|ces)": "confident joint, or confusions",
    r"noise rates?": "noise prevalence",
    r"ground truth": "corrected label",
    r"campaigns?": "round",
    r"annotators?": "rater, or reviewer",
    r"psx|pyx": "predicted probabilities",
    r"take it(?! back)": "download",
    r"(?:confirmed|verified) mistakes?": "confirmed error",
    r"label issues?": "issue, or label error",
}
#: Code and what computers print, names of files, and what is said to somebody else's words.
_APART = re.compile(r"(?s)```.*?```|`[^`]*`|\{[{%#].*?[}%#]\}|<[^>]*>|“[^”]*”|\]\([^)]*\)")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_a_thing_has_one_word(path: Path) -> None:
    words = _APART.sub(" ", path.read_text(encoding="utf-8"))
    found = [
        f"{m[0]!r}: write {better}"
        for pattern, better in INSTEAD.items()
        for m in re.finditer(rf"\b(?:{pattern})\b", words, re.IGNORECASE)
    ]
    assert found == []
