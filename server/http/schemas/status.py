"""How the daemon is doing, as the API shows it."""

from typing import Any, Literal

import msgspec


class HealthOut(msgspec.Struct, frozen=True):
    status: Literal["alive", "ready"]


class StatusOut(msgspec.Struct, frozen=True):
    version: str
    pid: int
    started_at: str
    now: str
    ready: bool
    windows: int
    pending: int
    parked: int
    mails: int
    workspaces_disabled: list[str]
    totals: dict[str, int]
    residents: dict[str, int]
    quarantined: list[str]
    in_flight: int
    store: dict[str, Any]
    disk: dict[str, int]
    feed: dict[str, int]
    lag_ms: int
    clock_held: bool
