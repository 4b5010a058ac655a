"""Numbers in sentences that the commands print."""


def number(n: int | None) -> str:
    """A number with commas between thousands, or a dash for one that is not known."""
    return "-" if n is None else f"{n:,}"


def counted(n: int | None, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "issue"), counted(2_000, "issue")
    ('1 issue', '2,000 issues')
    """
    return f"{number(n)} {noun if n == 1 else noun + 's'}"
