"""How an attempt ends: as types, not booleans."""

from dataclasses import dataclass
from typing import Literal

from hookbundle.engine.delivery import backoff

SuccessRule = Literal["200", "2xx"]


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver took it."""

    status: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """The receiver said no in a way that asking again will hardly change: a 4xx."""

    status: int

    @property
    def error(self) -> str:
        return f"status {self.status}"


@dataclass(frozen=True, slots=True)
class Failed:
    """Any other error. `retry_after_ms` is what the receiver asked for, if it did."""

    error: str
    status: int = 0
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Cut short by our own stop or crash: its outcome is unknown, and no error of the receiver."""

    error: str


Result = Delivered | Rejected | Failed | Interrupted


def judge(
    status: int, retry_after: str | None, success: SuccessRule, now_s: int
) -> Delivered | Rejected | Failed:
    """What a response means. `success` is `200` as in the seed, or `2xx`."""
    if status == 200 or (success == "2xx" and 200 <= status < 300):
        return Delivered(status)
    if backoff.is_definite_rejection(status):
        return Rejected(status)
    asked = retry_after if status in (429, 503) else None
    retry_after_ms = backoff.parse_retry_after(asked, now_s) if asked else None
    return Failed(f"status {status}", status, retry_after_ms)
