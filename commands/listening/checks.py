"""Who checks a request's signature: secrets that were given, the daemon, or nobody."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hookbundle.commands.listening.wire import Request
from hookbundle.commands.terminal.client import Control, at, decoded
from hookbundle.commands.terminal.failures import CommandFailure
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.delivery import signing
from hookbundle.engine.delivery.signing import (
    HEADER_ID,
    HEADER_SIGNATURE,
    HEADER_TIMESTAMP,
    Authentic,
)

SIGNED = (HEADER_ID, HEADER_TIMESTAMP, HEADER_SIGNATURE)
WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Checked:
    """`authentic`: None if nobody could check it."""

    authentic: bool | None
    detail: str


Check = Callable[[Request], Checked]


def by_secrets(secrets: Sequence[str]) -> Check:
    """Raises: ConfigError if one of them is no signing secret."""
    for secret in secrets:
        signing.secret_key(secret)

    def check(request: Request) -> Checked:
        now_s = SystemClock().wall_ms() // 1_000
        verdict = signing.verify(request.headers, request.body, secrets, now_s)
        return Checked(isinstance(verdict, Authentic), signing.in_words(verdict))

    return check


def by_daemon(control: Control, ws: str, webhook: str) -> Check:
    """The daemon knows the webhook's secrets, and they stay there; also after a rotation."""
    path = at("workspaces", ws, "webhooks", webhook, "verify")

    def check(request: Request) -> Checked:
        headers = {name: request.headers[name] for name in SIGNED if name in request.headers}
        if not headers or not request.body:
            return Checked(False, "not authentic: it is not signed")
        headers["Content-Type"] = "application/octet-stream"
        try:
            with control.ask("POST", path, request.body, headers, within_s=WITHIN_S) as response:
                found = decoded(response.read())
        except CommandFailure as exc:
            return Checked(None, f"the signature could not be checked: {exc.message}")
        return Checked(bool(found["authentic"]), str(found["detail"]))

    return check


def by_nobody(request: Request) -> Checked:
    signed = "signed" if HEADER_SIGNATURE in request.headers else "not signed"
    return Checked(None, f"{signed}; the signature is not checked")
