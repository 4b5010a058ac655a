"""JSON responses, serialised by orjson."""

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Response


def json_response(body: Any, headers: Mapping[str, str] | None = None) -> Response:
    """A response with anything that orjson can serialise."""
    return Response(orjson.dumps(body), media_type="application/json", headers=headers)
