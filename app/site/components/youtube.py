"""Links to YouTube clips, and the address of a player for visitors who ask for one.

The player is loaded from another host, on a page of its own that says so, and whose content security policy allows that
host and no other.
"""

from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from app.web.middleware import POLICY

#: The host that sets no cookies before a video is played.
PLAYER_HOST: Final = "https://www.youtube-nocookie.com"
#: The content security policy of a page with the player.
PLAYER_POLICY: Final = f"{POLICY}; frame-src {PLAYER_HOST}"

_LETTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


class Clip(NamedTuple):
    """A part of a video, in seconds; None for the video's own beginning or end."""

    video: str
    start: int | None
    end: int | None

    @property
    def link(self) -> str:
        """The address to watch it on YouTube, from the start of the clip."""
        return f"https://www.youtube.com/watch?v={self.video}" + ("" if self.start is None else f"&t={self.start}s")

    @property
    def player(self) -> str:
        """The address of the player, which starts at once because the visitor asked for it."""
        limits = [f"{name}={n}" for name, n in (("start", self.start), ("end", self.end)) if n is not None]
        return f"{PLAYER_HOST}/embed/{self.video}?" + "&".join([*limits, "autoplay=1", "rel=0"])

    @property
    def span(self) -> str:
        """The part as text: "from 0:30 to 0:40"."""
        limits = [f"{word} {_time(n)}" for word, n in (("from", self.start), ("to", self.end)) if n is not None]
        return " ".join(limits)


def clip_of(url: str | None) -> Clip | None:
    """The clip that a YouTube address names; None for any other address.

    >>> clip_of("http://youtu.be/lL5jq1TDiXQ?start=30&end=40")
    Clip(video='lL5jq1TDiXQ', start=30, end=40)
    """
    if not url:
        return None
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query, max_num_fields=20)
    except ValueError:
        return None
    host = (parts.hostname or "").removeprefix("www.")
    if parts.scheme not in ("http", "https") or host not in ("youtu.be", "youtube.com"):
        return None
    video = parts.path.removeprefix("/") if host == "youtu.be" else query.get("v", [""])[0]
    if len(video) != 11 or not _LETTERS.issuperset(video):
        return None
    return Clip(video, _seconds(query, "start"), _seconds(query, "end"))


def _seconds(query: dict[str, list[str]], name: str) -> int | None:
    value = query.get(name, [""])[0].partition(".")[0]
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 6 else None


def _time(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"
