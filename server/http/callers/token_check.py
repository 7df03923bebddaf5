"""Whether a token is good now. It is looked up for every request, so an end is seen at once."""

from collections.abc import Callable
from dataclasses import dataclass

from hookbundle.engine.clock import Clock
from hookbundle.storage.database.settings import Token
from hookbundle.storage.reads.lookup import Reads


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """`used` hears of each use of a good token, by its digest."""

    reads: Reads
    clock: Clock
    used: Callable[[bytes, Token], None]

    def find(self, digest: bytes) -> Token | None:
        """The token, expired or not; a use of it if it is good."""
        token = self.reads.token(digest)
        if token is not None and not self.is_expired(token):
            self.used(digest, token)
        return token

    def good(self, digest: bytes) -> Token | None:
        """The token if it is good, which is a use of it."""
        token = self.find(digest)
        return None if token is None or self.is_expired(token) else token

    def is_expired(self, token: Token) -> bool:
        return 0 < token.expires_ms <= self.clock.now_ms()
