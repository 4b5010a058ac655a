"""What a form of these pages sends."""

from urllib.parse import parse_qs

from app.errors import Unreadable


def fields_of(body: bytes) -> dict[str, str]:
    """The fields of a form, the last value of each. Raises Unreadable."""
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=200)
    except ValueError as error:
        raise Unreadable("This form cannot be read.") from error
    return {name: values[-1] for name, values in fields.items()}
