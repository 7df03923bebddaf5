"""What a webhook's requests count for its rate and its budget, and when the next one may go.

A request is counted in the transaction with which its attempt begins, so what a crash cuts short is
counted too. When it ends it is counted anew for the rate, by its end, and as often as it went out:
the repeat over a new connection is a request as well. So that no repeat goes beyond rate or budget,
an attempt for which only one request is left may go out only once. Tests count nothing.

`WebhookState.paced_ms` is the time before which no attempt begins. It is written when something
waits to be sent and may not; so a webhook without a queue is never shown to wait. A webhook without
rate and budget pays for none of this.
"""

from hookbundle.engine.delivery import budgets, rates
from hookbundle.engine.delivery.budgets import Day
from hookbundle.engine.delivery.rates import NO_RATE, Rate, Used
from hookbundle.storage.database.delivery_records import Action
from hookbundle.storage.database.records import Flight, WebhookState
from hookbundle.storage.database.settings import Settings, Webhook, Workspace
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity
from hookbundle.storage.webhook_facts import WebhookBudgetUsedUp, WebhookBudgetWarned

NOTHING, WARNED, USED_UP = range(3)  # what was told of the day's budget


def is_paced(webhook: Webhook) -> bool:
    """Whether the webhook has a rate or a budget."""
    return webhook.rate_count > 0 or webhook.budget > 0


def judge(
    unit: Unit, settings: Settings, webhook: Webhook, state: WebhookState, now_ms: int
) -> None:
    """`paced_ms` says from when on the next attempt may begin, which waits; 0: rate and budget do
    not hold it. Where it waits after an error, what counts is the time when that is over."""
    at_ms = max(now_ms, state.next_attempt_ms)
    free_ms = rates.free_ms(rate_of(webhook), _used(state), at_ms)
    if webhook.budget:
        day = day_of(settings.workspace, state, free_ms)
        if day.used >= webhook.budget:
            free_ms = rates.free_ms(rate_of(webhook), _used(state), day.end_ms)
            _tell(unit, settings, webhook, day, now_ms)
    state.paced_ms = free_ms if free_ms > at_ms else 0


def begun(
    unit: Unit, settings: Settings, webhook: Webhook, state: WebhookState, now_ms: int
) -> bool:
    """A request is counted. False if it may go out only once, because another is too many."""
    may_repeat = True
    state.paced_ms = 0
    if webhook.rate_count:
        rate = rate_of(webhook)
        _keep_used(state, rates.counted(rate, _used(state), now_ms))
        may_repeat = rates.free_ms(rate, _used(state), now_ms) <= now_ms
    if webhook.budget:
        day = _count(unit, settings, webhook, state, now_ms, 1)
        may_repeat = may_repeat and day.used < webhook.budget
    return may_repeat


def ended(
    unit: Unit, settings: Settings, webhook: Webhook, flight: Flight, requests: int, now_ms: int
) -> None:
    """The request of the attempt is over. `requests`: how many it was."""
    state = unit.state(webhook.number)
    if webhook.rate_count:
        was = _used(state)
        _keep_used(state, rates.ended(rate_of(webhook), was, flight.began_ms, now_ms, requests))
    if webhook.budget and requests > 1:
        _count(unit, settings, webhook, state, now_ms, requests - 1)


def changed(
    workspace: Workspace, before: Webhook, webhook: Webhook, state: WebhookState, now_ms: int
) -> None:
    """Rate, budget or the day may be others than before. What was used stays used.

    The next attempt is judged anew when it is to begin.
    """
    state.paced_ms = 0
    if not webhook.rate_count:
        _keep_used(state, Used())
    if webhook.budget != before.budget:
        day = day_of(workspace, state, now_ms)
        since_ms = day.since_ms if before.budget or day.used else now_ms
        if day.start_ms != state.budget_day_ms:
            state.budget_told = NOTHING
        _keep_day(state, day._replace(since_ms=since_ms))
        if day.used < webhook.budget:  # another budget, of which too much may be used one day
            nearly = budgets.is_nearly_used(webhook.budget, day.used)
            state.budget_told = min(state.budget_told, WARNED) if nearly else NOTHING


def trust(workspace: Workspace, state: WebhookState, now_ms: int) -> None:
    """True time is `now_ms`: later times were wrong. What was used stays used."""
    state.paced_ms = 0
    _keep_used(state, rates.not_after(_used(state), now_ms))
    if state.budget_day_ms > now_ms:
        state.budget_day_ms = budgets.day_start_ms(workspace.time_zone, now_ms)
    state.budget_since_ms = min(state.budget_since_ms, now_ms)


def rate_of(webhook: Webhook) -> Rate:
    return Rate(webhook.rate_count, webhook.rate_ms) if webhook.rate_count else NO_RATE


def day_of(workspace: Workspace, state: WebhookState, now_ms: int) -> Day:
    """The day that counts now, and what was used of it."""
    stored = Day(state.budget_day_ms, 0, state.budget_used, state.budget_since_ms)
    return budgets.day_of(workspace.time_zone, stored, now_ms)


def _count(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    state: WebhookState,
    now_ms: int,
    requests: int,
) -> Day:
    day = day_of(settings.workspace, state, now_ms)
    if day.start_ms != state.budget_day_ms:
        state.budget_told = NOTHING
    day = day._replace(used=day.used + requests)
    _keep_day(state, day)
    _tell(unit, settings, webhook, day, now_ms)
    return day


def _tell(unit: Unit, settings: Settings, webhook: Webhook, day: Day, now_ms: int) -> None:
    """That the budget is nearly used, or used up: each once a day."""
    state = unit.state(webhook.number)
    if day.used >= webhook.budget and state.budget_told < USED_UP:
        state.budget_told, outcome = USED_UP, "used_up"
    elif (
        webhook.warnings
        and state.budget_told < WARNED
        and budgets.is_nearly_used(webhook.budget, day.used)
    ):
        state.budget_told, outcome = WARNED, "nearly_used"
    else:
        return
    kind = WebhookBudgetUsedUp if outcome == "used_up" else WebhookBudgetWarned
    fact = kind(used=day.used, budget=webhook.budget, resets=day.end_ms)
    unit.tell(settings.workspace, fact, now_ms, "", webhook.id)
    detail = f"{day.used} of {webhook.budget} requests of the day"
    action = Action(at_ms=now_ms, action="budget", outcome=outcome, detail=detail)
    activity.add(unit, webhook.number, action)


def _used(state: WebhookState) -> Used:
    return Used(state.rate_used, state.rate_from_ms)


def _keep_used(state: WebhookState, used: Used) -> None:
    state.rate_used, state.rate_from_ms = used


def _keep_day(state: WebhookState, day: Day) -> None:
    state.budget_day_ms, state.budget_used = day.start_ms, day.used
    state.budget_since_ms = day.since_ms
