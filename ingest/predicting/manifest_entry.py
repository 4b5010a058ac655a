"""Enter files in the ``[files]`` of a manifest: comments and everything else in it stay as they are."""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ingest.datasets.survey.write_dataset import marked_again
from ingest.errors import ManifestError, writing

_HEAD: Final = re.compile(r"^\s*\[\s*files\s*\]\s*(#.*)?$")
_ANY_HEAD: Final = re.compile(r"^\s*\[")


def require_room(manifest: Path, entries: Mapping[str, str]) -> None:
    """Raises ManifestError, before any long work, if ``enter_files`` would."""
    _changed(manifest, entries)


def enter_files(manifest: Path, entries: Mapping[str, str]) -> None:
    """Set keys of ``[files]``, replacing the manifest in one step.

    Raises ManifestError, and changes nothing, if the manifest is written so that this cannot be done safely.
    """
    text, changed = _changed(manifest, entries)
    if changed != text:
        part = manifest.with_name(f".{manifest.name}.{os.getpid()}.part")
        try:
            with writing(manifest):
                part.write_bytes(changed.encode("utf-8"))
            part.chmod(manifest.stat().st_mode & 0o7777)
            part.replace(manifest.resolve())
        finally:
            part.unlink(missing_ok=True)


def _changed(manifest: Path, entries: Mapping[str, str]) -> tuple[str, str]:
    """The text of a manifest as it is and as it is to be; line ends and a byte order mark stay."""
    text = manifest.read_bytes().decode("utf-8")
    changed = with_entries(text, entries)
    if changed is None:
        lines = ", ".join(f"{key} = {json.dumps(value)}" for key, value in entries.items())
        finding = f"expected [files] on a line of its own, with a key on each line below it, to enter there: {lines}"
        raise ManifestError(manifest, finding)
    return text, marked_again(text, changed)


def with_entries(text: str, entries: Mapping[str, str]) -> str | None:
    """The text of a manifest with these keys in ``[files]``; None where that cannot be done by lines.

    >>> print(with_entries('[files]\\nlabels = "a.npy"  # mine\\n\\n[media]\\n', {"pred_probs": "p.npy"}), end="")
    [files]
    labels = "a.npy"  # mine
    pred_probs = "p.npy"
    <BLANKLINE>
    [media]
    """
    wanted = _parsed(text)
    files = None if wanted is None else wanted.get("files")
    if wanted is None or not isinstance(files, dict):
        return None
    files.update(entries)
    for key, value in entries.items():
        changed = _with_entry(text, key, f"{key} = {json.dumps(value, ensure_ascii=False)}")
        if changed is None:
            return None
        text = changed
    return text if _parsed(text) == wanted else None


def _with_entry(text: str, key: str, entry: str) -> str | None:
    lines = text.splitlines(keepends=True)
    head = next((place for place, line in enumerate(lines) if _HEAD.match(line)), None)
    if head is None:
        return None
    end = next((at for at in range(head + 1, len(lines)) if _ANY_HEAD.match(lines[at])), len(lines))
    newline = "\r\n" if lines[head].endswith("\r\n") else "\n"
    own = re.compile(rf"""^\s*(?:{re.escape(key)}|"{re.escape(key)}")\s*=""")
    at = next((place for place in range(head + 1, end) if own.match(lines[place])), None)
    if at is None:
        last = max(place for place in range(head, end) if lines[place].strip())
        before = lines[last] if lines[last].endswith("\n") else lines[last] + newline
        return "".join([*lines[:last], before, entry + newline, *lines[last + 1 :]])
    stop = next((n for n in range(at + 1, end + 1) if _parsed("".join(lines[at:n])) is not None), None)
    if stop is None:
        return None
    comment = re.search(r"""["'\]]\s*(#.*)$""", lines[stop - 1].rstrip("\r\n"))
    kept = f"  {comment[1]}" if comment else ""
    return "".join([*lines[:at], entry + kept + newline, *lines[stop:]])


def _parsed(text: str) -> dict[str, object] | None:
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError:
        return None
