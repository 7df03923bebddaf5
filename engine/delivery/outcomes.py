"""What the network made of an attempt: a reply with a status, or none; and the limits of both."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import msgspec

from hookbundle.engine.errors import ConfigError


class ErrorClass(StrEnum):
    INVALID_URL = "invalid_url"
    FORBIDDEN_ADDRESS = "forbidden_address"
    DNS = "dns"
    CONNECT_REFUSED = "connect_refused"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT_CONNECT = "timeout_connect"
    TIMEOUT_TOTAL = "timeout_total"
    RESET = "reset"  # the connection ended before the status line
    PROTOCOL = "protocol"  # what came is not HTTP
    LOCAL = "local"  # our machine's fault, not the receiver's: no descriptors, no route


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLimits:
    connect_timeout_ms: int = 5_000
    total_timeout_ms: int = 15_000

    def __post_init__(self) -> None:
        if not 0 < self.connect_timeout_ms <= self.total_timeout_ms:
            raise ConfigError(
                "delivery.connect_timeout: want more than 0 and at most total_timeout"
            )


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A status line was read; it decides, whatever became of the body after it.

    `truncated`: `body` is not all the receiver sent, or would have sent.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool
    duration_ms: int

    def header(self, name: str) -> str | None:
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


class NoReply(msgspec.Struct, frozen=True, kw_only=True):
    """No status line was read. `sent`: the receiver may have seen the request all the same.

    `detail` is for the owner of the webhook, who may be a stranger too: it holds no resolved
    address and nothing of what the other side said.
    """

    error: ErrorClass
    detail: str
    sent: bool
    duration_ms: int


Outcome: TypeAlias = Reply | NoReply
