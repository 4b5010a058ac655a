"""JSON responses, serialised by orjson."""

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Response


def json_response(body: Any, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of whatever orjson can write."""
    return Response(orjson.dumps(body), media_type="application/json", headers=headers)
