"""Whether a token is good now. Each request asks, and an end is seen at once.

A token that was found is remembered, since to read it costs a request of one message a tenth of all
that it costs: until any token changes. What the Store says of that (`TokenChanges`) is said before
the change can be read, and before anybody is answered about it, so a token that was revoked is
known nowhere any more. One that was not found is not remembered: anybody can invent them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hookbundle.engine.clock import Clock
from hookbundle.storage.database.settings import Token, TokenChanges
from hookbundle.storage.reads.lookup import Reads

REMEMBERED_MAX = 4_096


class Knows(Protocol):
    def find(self, digest: bytes) -> Token | None:
        """The token by its digest."""


class KnownTokens:
    """Tokens by their digests, as the database has them. Belongs to one thread."""

    def __init__(self, reads: Reads, changes: TokenChanges) -> None:
        self._reads = reads
        self._changes = changes
        self._known: dict[bytes, Token] = {}
        self._version = changes.version

    def find(self, digest: bytes) -> Token | None:
        changes = self._changes
        if changes.under_way:
            return self._reads.token(digest)  # the one before or the one after: who knows
        if changes.version != self._version:
            self._known.clear()
            self._version = changes.version
        token = self._known.get(digest)
        if token is None:
            token = self._reads.token(digest)
            if token is not None:
                if len(self._known) >= REMEMBERED_MAX:
                    self._known.clear()
                self._known[digest] = token
        return token


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """`used` hears of each use of a good token, by its digest."""

    known: Knows
    clock: Clock
    used: Callable[[bytes, Token], None]

    def find(self, digest: bytes) -> Token | None:
        """The token, expired or not; a use of it if it is good."""
        token = self.known.find(digest)
        if token is not None and not self.is_expired(token):
            self.used(digest, token)
        return token

    def good(self, digest: bytes) -> Token | None:
        """The token if it is good, which is a use of it."""
        token = self.known.find(digest)
        if token is None or self.is_expired(token):
            return None
        self.used(digest, token)
        return token

    def is_expired(self, token: Token) -> bool:
        return 0 < token.expires_ms <= self.clock.now_ms()
