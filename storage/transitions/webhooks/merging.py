"""A merge is asked for. What follows is in timed/merge_steps.py."""

import msgspec

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict
from hookbundle.engine.preconditions import Precondition
from hookbundle.storage.database.settings import OUTBOUND, Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.merging import merges
from hookbundle.storage.tables.repeating import replays
from hookbundle.storage.transitions.webhooks.conditions import check_either


class MergeWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """What waits and was never attempted is merged; afterwards the webhook is as it was before.

    `precondition`: on the version of the workspace, or `of_webhook` on the webhook's.
    """

    workspace_id: str
    webhook_id: str = OUTBOUND
    now_ms: int
    caller: str
    precondition: Precondition | None = None
    of_webhook: bool = False


class MergeBegun(msgspec.Struct, frozen=True):
    """What waits in the queue as the merge begins, which is at most what it merges."""

    webhook: int
    deliveries: int
    messages: int


def merge_webhook(unit: Unit, transition: MergeWebhook) -> MergeBegun:
    """Raises: NotFound; Changed if the precondition does not hold; Conflict as `begin` says."""
    settings = unit.workspace(transition.workspace_id)
    webhook = settings.named(transition.webhook_id)
    wanted = transition.precondition
    check_either(wanted, settings.workspace, webhook, of_webhook=transition.of_webhook)
    return begin(unit, settings, webhook, transition.now_ms, transition.caller, enable=False)


def begin(
    unit: Unit, settings: Settings, webhook: Webhook, now_ms: int, caller: str, *, enable: bool
) -> MergeBegun:
    """Raises: Conflict if the webhook sends each message alone, has no URL, or has a replay."""
    state, workspace_id = unit.state(webhook.number), settings.workspace.id
    if not webhook.url:
        raise Conflict.of(Code.NO_WEBHOOK_URL, workspace=workspace_id)
    if not webhook.collects:
        raise Conflict.of(Code.NOTHING_MERGES, webhook=webhook.id, workspace=workspace_id)
    if replays.of_webhook(unit, webhook) is not None:
        raise Conflict.of(Code.REPLAY_UNDER_WAY, replay=state.replay, workspace=workspace_id)
    waiting = MergeBegun(webhook.number, state.queued, state.queued_messages)
    merges.begin(unit, settings, webhook, now_ms, caller, enable=enable)
    return waiting
