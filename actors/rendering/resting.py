"""Webhooks whose rendering rests, because one body after the other went past a limit."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

BODIES_IN_A_ROW = 3
REST_MS = 600_000
FORGET_AT = 10_000  # ended rests, at the next one

Owner = TypeVar("Owner", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Resting:
    """Nothing is rendered for the webhook until then; ask again when that time has come.

    `cause`: `limits`, three of its bodies in a row went past a limit; `machine`, no process could
    be started, which concerns all webhooks and is nobody's fault.
    """

    until_ms: int
    cause: Literal["limits", "machine"] = "limits"


@dataclass(slots=True)
class Rests(Generic[Owner]):
    """Who rests, and whose last bodies went past a limit. It is kept in memory only: after a
    start of the daemon, a webhook has to do it again three times."""

    _in_a_row: dict[Owner, int] = field(default_factory=dict)
    _until_ms: dict[Owner, int] = field(default_factory=dict)

    def until_ms(self, owner: Owner, now_ms: int) -> int | None:
        """The end of its rest; None if it does not rest."""
        until_ms = self._until_ms.get(owner)
        if until_ms is not None and until_ms <= now_ms:
            del self._until_ms[owner]
            return None
        return until_ms

    def was_well(self, owner: Owner) -> None:
        self._in_a_row.pop(owner, None)

    def went_past(self, owner: Owner, now_ms: int) -> None:
        """One more of its bodies went past a limit; with the third, it rests."""
        count = self._in_a_row.pop(owner, 0) + 1
        if count < BODIES_IN_A_ROW:
            self._in_a_row[owner] = count
            return
        if len(self._until_ms) >= FORGET_AT:
            self._until_ms = self.resting(now_ms)
        self._until_ms[owner] = now_ms + REST_MS

    def resting(self, now_ms: int) -> dict[Owner, int]:
        """All that rest, each with the end of its rest."""
        return {owner: until for owner, until in self._until_ms.items() if until > now_ms}

    def forget(self, owner: Owner) -> None:
        """Its format was changed, so it may begin anew."""
        self._in_a_row.pop(owner, None)
        self._until_ms.pop(owner, None)
