"""Which media of an example a task shows."""

import json
from collections.abc import Mapping
from typing import Any, Final

#: Kinds of media that a task shows, the first of each group that there is.
_SHOWN: Final = (("image", "thumbnail"), ("audio",), ("waveform",), ("row", "question", "text", "excerpt"))


def there(row: Any) -> dict[str, Any]:
    """The media of a row of issues or exemplars, by kind."""
    found: dict[str, Any] = json.loads(row.media or "{}")
    return found if row.excerpt is None else found | {"excerpt": None}


def to_show(media: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of media that a task shows, of those there are."""
    firsts = (next((kind for kind in kinds if kind in media), None) for kinds in _SHOWN)
    return tuple(kind for kind in firsts if kind is not None)
