"""The facts about the budget of a webhook."""

from hookbundle.storage.daemon_facts import Fact
from hookbundle.storage.instants import Instant


class WebhookBudgetWarned(Fact, frozen=True, kw_only=True):
    """80 % of the day's budget are used; once a day. `resets`: when the next day begins."""

    used: int
    budget: int
    resets: Instant


class WebhookBudgetUsedUp(Fact, frozen=True, kw_only=True):
    """The day's budget is used up: no request is sent until it `resets`; once a day."""

    used: int
    budget: int
    resets: Instant
