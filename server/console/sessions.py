"""Who is signed in: sessions in memory.

A session lives as long as its token does: each request looks the token up again, so a token that
is revoked, or expires, ends its sessions at once. A restart of the daemon ends them all. The cookie
holds a random name; what is kept is its SHA-256, so that a memory dump signs nobody in.
"""

import secrets
from collections import Counter, OrderedDict, deque
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from hookbundle.engine.clock import Clock
from hookbundle.server.console.wording import ShownError
from hookbundle.server.http.authentication import Caller, is_token
from hookbundle.server.http.callers.token_check import TokenCheck
from hookbundle.storage.transitions.tokens import digest_of

SESSIONS_MAX = 256
SESSIONS_OF_A_TOKEN_MAX = 16
NOTICES_MAX = 8  # that wait for a page; a script that asks for none may make any number
IDLE_MS_MAX = 2 * 3_600_000
LIFE_MS_MAX = 12 * 3_600_000
NAME_BYTES = 32


@dataclass(frozen=True, slots=True)
class Notice:
    """What the next page says once at its top. `word` is known to the template of notices.

    `told`: the error, if that is what is said.
    """

    word: str
    bad: bool = False
    text: str = ""
    count: int = 0
    more: int = 0
    told: ShownError | None = None


@dataclass(slots=True)
class Session:
    """`caller.workspace_id` empty: the operator. `form` is what every form has to bring back.

    `live`: how many of its pages are live.
    """

    caller: Caller
    digest: bytes
    form: str
    began_ms: int
    seen_ms: int
    notices: deque[Notice] = field(default_factory=lambda: deque(maxlen=NOTICES_MAX))
    ended: bool = False
    live: int = 0

    @property
    def is_operator(self) -> bool:
        return not self.caller.workspace_id

    @property
    def owner(self) -> str | bytes:
        """Who has a part of all sessions: a workspace, or an operator's token."""
        return self.caller.workspace_id or self.digest

    def take_notices(self) -> list[Notice]:
        taken = list(self.notices)
        self.notices.clear()
        return taken


class SignedIn(Protocol):
    """Who is signed in, as the pages ask: of one daemon, or of all nodes of a cluster.

    Whatever it can't find out now is a HookbundleError.
    """

    async def sign_in(self, token: str) -> str | None:
        """The new session's name, for the cookie; None if the token opens no console."""

    async def session(self, name: str) -> Session | None:
        """The session of that name, if it and its token are still good; it has been seen now."""

    async def sign_out(self, name: str) -> None:
        """There is no session of that name any more."""

    def is_good(self, session: Session) -> bool:
        """Whether it has not ended, as far as is known at this moment."""

    def watched(self, session: Session) -> AbstractAsyncContextManager[None]:
        """For as long as a stream goes on: `is_good` is true to what happens meanwhile."""


class Sessions(SignedIn):
    """The sessions of this run, the one seen longest ago first."""

    def __init__(self, tokens: TokenCheck, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    async def sign_in(self, token: str) -> str | None:
        return self.begin(token)

    async def session(self, name: str) -> Session | None:
        return self.find(name)

    async def sign_out(self, name: str) -> None:
        self._end(digest_of(name))

    def watched(self, session: Session) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    def begin(self, token: str) -> str | None:
        if not is_token(token):
            return None
        digest = digest_of(token)
        found = self._tokens.good(digest)
        if found is None or found.scope != "admin":
            return None
        self._make_room(digest)
        name, now_ms = secrets.token_urlsafe(NAME_BYTES), self._clock.elapsed_ms()
        caller = Caller(f"{found.id} in the console", "admin", found.workspace_id)
        form = secrets.token_urlsafe(NAME_BYTES)
        self._sessions[digest_of(name)] = Session(caller, digest, form, now_ms, now_ms)
        return name

    def find(self, name: str) -> Session | None:
        key = digest_of(name)
        session = self._sessions.get(key)
        if session is None:
            return None
        if not self.is_good(session):
            self._end(key)
            return None
        session.seen_ms = self._clock.elapsed_ms()
        self._sessions.move_to_end(key)
        return session

    def is_good(self, session: Session) -> bool:
        """Whether it has not ended, by its age, its idleness, or with its token."""
        now_ms = self._clock.elapsed_ms()
        is_old = now_ms - session.began_ms > LIFE_MS_MAX
        if session.ended or is_old or now_ms - session.seen_ms > IDLE_MS_MAX:
            return False
        token = self._tokens.good(session.digest)
        return token is not None and token.workspace_id == session.caller.workspace_id

    def _make_room(self, digest: bytes) -> None:
        same = [key for key, session in self._sessions.items() if session.digest == digest]
        for key in same[: max(0, len(same) - SESSIONS_OF_A_TOKEN_MAX + 1)]:
            self._end(key)
        while len(self._sessions) >= SESSIONS_MAX:
            self._end(self._to_spare())

    def _to_spare(self) -> bytes:
        """Of the owner who has the most, the session that was seen longest ago."""
        held = Counter(session.owner for session in self._sessions.values())
        ((most, _),) = held.most_common(1)
        return next(key for key, session in self._sessions.items() if session.owner == most)

    def _end(self, key: bytes) -> None:
        """It is gone, and a stream that still holds it sees that it has ended."""
        session = self._sessions.pop(key, None)
        if session is not None:
            session.ended = True
