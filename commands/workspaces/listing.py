"""A workspace in one row: of its webhooks the worst state, and how many are not enabled."""

from collections.abc import Sequence
from typing import Any

LISTED = ("id", "state", "full", "webhook.aggregation", "counts.windows", "counts.queued")
WORST_FIRST = ("disabled", "backing_off", "over_budget", "merging", "unconfigured", "enabled")


def rows_of(workspaces: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, **_in_brief(each["webhooks"])} for each in workspaces]


def columns_of(workspaces: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """How many are not enabled is asked only where a workspace has several."""
    several = any(len(each["webhooks"]) > 1 for each in workspaces)
    return (*LISTED, "not_enabled") if several else LISTED


def _in_brief(webhooks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    states = [each["state"] for each in webhooks]
    others = sum(state != "enabled" for state in states)
    return {
        "state": min(states, key=WORST_FIRST.index),
        "full": any(each["full"] for each in webhooks),
        "not_enabled": f"{others} of {len(states)}",
    }
