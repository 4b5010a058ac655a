"""Signed links: who may look, told by a token that only a server of this store can have made.

A token names a rater, a round that anybody or any participant of a panel may join, or the owner of a round. It holds no
name and no secret of the round; it can lapse, and a rater's can be revoked.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal

from itsdangerous import BadData, URLSafeSerializer

from app.reviews.store import Store

LinkKind = Literal["rater", "open", "owner", "prolific", "mturk", "assignment"]
_KINDS: Final[tuple[LinkKind, ...]] = ("rater", "open", "owner", "prolific", "mturk", "assignment")
#: Characters that no token of ours exceeds.
_LONGEST: Final = 300


class LinkError(Exception):
    """A link that is not accepted, and why, in a sentence for who holds it."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says. ``name`` is a rater's code, a round's name, or what an assignment of Mechanical Turk is."""

    kind: LinkKind
    name: str


class Links:
    """Makes and reads the tokens of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._secret = store.secret("links")
        self._signer = URLSafeSerializer(self._secret, salt="review-link", signer_kwargs={"digest_method": sha256})

    def token(self, link: Link, *, seconds: float | None = None) -> str:
        """The token of a link, which lapses after so many seconds; None never."""
        until = 0 if seconds is None else int(self._store.clock() + seconds)
        made = self._signer.dumps([link.kind, link.name, until])
        return made if isinstance(made, str) else made.decode()

    def read(self, token: str) -> Link:
        """What a token says. Raises LinkError for one that was not made here, was changed, or has lapsed."""
        try:
            if len(token) > _LONGEST:
                raise BadData("too long")
            kind, name, until = self._signer.loads(token)
        except (BadData, ValueError, TypeError) as error:
            raise LinkError("This link is not complete, or was not made by this site. Copy it again, whole.") from error
        if kind not in _KINDS:
            raise LinkError("This link was made by another version of this site. Ask for a new one.")
        if until and until < self._store.clock():
            raise LinkError("This link has lapsed. Ask who sent it for a new one.")
        return Link(kind, str(name))

    def form_key(self, token: str) -> str:
        """What a form must send back, which no other site can know."""
        return hmac.new(self._secret.encode(), f"form {token}".encode(), sha256).hexdigest()[:32]
