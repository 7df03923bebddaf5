"""Rate and budget of a webhook, as the API shows them and lets them be changed."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.engine.delivery import budgets, rates
from hookbundle.engine.errors import Fault, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages.checking import OF_ANOTHER_KIND
from hookbundle.server.http.schemas.times import iso, iso_or_none
from hookbundle.storage.database.settings import Workspace
from hookbundle.storage.reads.workspace_view import WebhookView
from hookbundle.storage.tables.pacing import pace


def _no_rate(path: str, got: str) -> Fault:
    return fault(path, FaultCode.NO_RATE, got=got, most=rates.COUNT_MAX)


def _no_budget(path: str, got: str) -> Fault:
    return fault(path, FaultCode.NO_BUDGET, got=got, most=budgets.BUDGET_MAX)


RateText = Annotated[
    str, msgspec.Meta(max_length=64, examples=["100/10s"], extra={OF_ANOTHER_KIND: _no_rate})
]
BudgetText = Annotated[
    str, msgspec.Meta(max_length=64, examples=["1000/day"], extra={OF_ANOTHER_KIND: _no_budget})
]
Forecast = Literal["unknown", "lasts", "runs_out", "used_up"]


class PaceOut(msgspec.Struct, frozen=True, kw_only=True):
    """What the day has used of the budget, and how far it goes.

    `used`, `left`: requests, of the day that ends at `resets_at`; those since `counted_since`, its
    00:00, or when the budget was set. `forecast`, if it goes on as since then: the budget `lasts`,
    or `runs_out` at `used_up_at`, which is null otherwise; it is `unknown` in the first hour and
    before 10 requests.
    """

    used: int
    left: int
    counted_since: str
    resets_at: str
    forecast: Forecast
    used_up_at: str | None


def pace_out(workspace: Workspace, view: WebhookView, now_ms: int) -> PaceOut | None:
    """None without a budget."""
    budget = view.webhook.budget
    if not budget:
        return None
    day = pace.day_of(workspace, view.state, now_ms)
    outlook = budgets.outlook(budget, day, now_ms)
    return PaceOut(
        used=day.used,
        left=max(budget - day.used, 0),
        counted_since=iso(day.since_ms),
        resets_at=iso(day.end_ms),
        forecast=outlook.forecast,
        used_up_at=iso_or_none(outlook.used_up_ms),
    )


def rate_out(view: WebhookView) -> str | None:
    return rates.text_of(pace.rate_of(view.webhook)) or None


def budget_out(view: WebhookView) -> str | None:
    return budgets.text_of(view.webhook.budget) or None


def rate_of(path: str, text: str | UnsetType | None, faults: list[Fault]) -> dict[str, int | None]:
    """The fields of `WebhookChanges`; null is none. What is no rate is added to the faults."""
    if text is UNSET:
        return {"rate_count": None, "rate_ms": None}
    rate = rates.NO_RATE
    try:
        rate = rates.NO_RATE if text is None else rates.parse(text)
    except ValueError:
        faults.append(_no_rate(path, quoted(text or "")))
    return {"rate_count": rate.requests, "rate_ms": rate.period_ms}


def budget_of(path: str, text: str | UnsetType | None, faults: list[Fault]) -> int | None:
    """The field of `WebhookChanges`; null is none. What is no budget is added to the faults."""
    if text is UNSET:
        return None
    try:
        return 0 if text is None else budgets.parse(text)
    except ValueError:
        faults.append(_no_budget(path, quoted(text or "")))
        return None
