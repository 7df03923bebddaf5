"""Access tokens that were fetched for webhooks, in memory only.

At most one is fetched for a webhook at a time: who comes meanwhile waits for it. A token belongs to
the credentials it was fetched with, so changed ones never get it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hookbundle.engine.delivery.outcomes import ErrorClass
from hookbundle.engine.requests.oauth import Token
from hookbundle.engine.requests.request import OAuth2

KEPT_MAX = 4_096


class TokenError(Exception):
    """No token. `error`: `auth`, or a fault of this machine. `in_time`: no time limit ended it."""

    def __init__(self, error: ErrorClass, detail: str, *, in_time: bool = True) -> None:
        super().__init__(detail)
        self.error = error
        self.detail = detail
        self.in_time = in_time


@dataclass(slots=True)
class _Kept:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    auth: OAuth2 | None = None
    value: str = ""
    until_s: float = 0.0


class Tokens:
    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._kept: dict[int, _Kept] = {}

    async def token(
        self,
        webhook: int,
        auth: OAuth2,
        fetch: Callable[[OAuth2], Awaitable[Token]],
        refused: str = "",
    ) -> str:
        """A token for these credentials, but not the one that was `refused`. Raises: TokenError."""
        if not auth.client_secret:
            detail = "the client secret is not set since the token URL was changed; set it again"
            raise TokenError(ErrorClass.AUTH, detail)
        kept = self._of(webhook)
        async with kept.lock:
            is_good = kept.auth == auth and kept.until_s > self._now_s()
            if is_good and kept.value != refused:
                return kept.value
            kept.auth = None
            found = await fetch(auth)
            kept.auth, kept.value = auth, found.value
            kept.until_s = self._now_s() + found.for_s
            return found.value

    def forget(self, webhook: int, value: str) -> None:
        """The receiver refused it."""
        kept = self._kept.get(webhook)
        if kept is not None and kept.value == value:
            kept.auth = None

    def _of(self, webhook: int) -> _Kept:
        kept = self._kept.pop(webhook, None) or _Kept()
        self._kept[webhook] = kept
        if len(self._kept) > KEPT_MAX:
            oldest = next((key for key, each in self._kept.items() if not each.lock.locked()), None)
            if oldest is not None and oldest != webhook:
                del self._kept[oldest]
        return kept
