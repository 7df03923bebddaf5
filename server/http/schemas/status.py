"""How the daemon is doing, as the API shows it."""

from typing import Any, Literal

import msgspec

from hookbundle.engine.conditions import Condition, Reason
from hookbundle.server.http.sockets import given_sockets


class HealthOut(msgspec.Struct, frozen=True):
    status: Literal["alive", "ready"]


class ReasonOut(msgspec.Struct, frozen=True):
    """What has to be known of the daemon. `stops`: it is not ready because of it."""

    code: Reason
    detail: str
    stops: bool
    values: dict[str, str | int]


class OldestOut(msgspec.Struct, frozen=True):
    """What could have moved and did not: its kind, and for how long."""

    kind: str
    age_ms: int


def reason_out(condition: Condition) -> ReasonOut:
    return ReasonOut(condition.reason, condition.detail, condition.stops, dict(condition.values))


class StatusOut(msgspec.Struct, frozen=True):
    """`sockets_given`: those that the service manager holds open while no daemon runs."""

    version: str
    pid: int
    started_at: str
    now: str
    ready: bool
    windows: int
    queued: int
    dead_letters: int
    resending: int
    mails: int
    workspaces_disabled: list[str]
    totals: dict[str, int]
    residents: dict[str, int]
    quarantined: list[str]
    sending: int
    store: dict[str, Any]
    disk: dict[str, int]
    feed: dict[str, int]
    lag_ms: int
    clock_held: bool
    reasons: list[ReasonOut]
    oldest: OldestOut | None
    mails_unsent: int
    log_lines_lost: int
    sockets_given: list[given_sockets.Name]
