"""When an open window ends, by the settings and the time zone of now.

`Window.due_ms` is the end as it was found last. It is found again where the window is about to end:
the zone may have other rules than when it was opened, and nothing ends too early by old ones.
"""

from hookbundle.engine import limits
from hookbundle.engine.windows import ends
from hookbundle.engine.windows.compiled import setting_of
from hookbundle.engine.windows.ends import End, Why
from hookbundle.engine.windows.rule import At, Quiet, Rule, WindowSetting
from hookbundle.storage import facts
from hookbundle.storage.database.chat_records import ChatRecord, Collecting, Window
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import windows


def setting(webhook: Webhook) -> WindowSetting:
    """What the webhook's settings say about windows."""
    return setting_of(webhook.aggregation_ms, webhook.window)


def end_of(
    settings: Settings, webhook: Webhook, collecting: Collecting, window: Window
) -> End | None:
    """The end of the chat's open window; None if by its rule no message waits."""
    rule = setting(webhook).rule(window.choice)
    if rule.ends is None:
        return None
    zone = settings.workspace.time_zone
    return ends.end_of(rule, zone, window.opened_ms, collecting.arrived_ms)


def why_of(webhook: Webhook, collecting: Collecting, window: Window) -> Why:
    """What will end the open window, if nothing does before its time."""
    rule = setting(webhook).rule(window.choice)
    # The zone says only when.
    return ends.end_of(rule, "UTC", window.opened_ms, collecting.arrived_ms).why


def moves(rule: Rule) -> bool:
    """Whether the end moves with each message."""
    return isinstance(rule.ends, Quiet)


def remembered_until(settings: Settings, record: ChatRecord) -> int:
    """Until when the chat may not be forgotten.

    Its ids are known for 48 hours. And where the first message of a conversation leaves at once, it
    is known for as long that there was another one: a time on one weekday is a week away. Other
    windows are shorter than the 48 hours.
    """
    until_ms = record.last_ms + limits.REMEMBERED_MS
    for each in record.collecting:
        webhook = settings.webhook_or_none(each.webhook)
        if webhook is not None and webhook.window and _waits_for_a_day(setting(webhook)):
            until_ms = max(until_ms, each.arrived_ms + limits.WINDOW_LONGEST_MS)
    return until_ms


def _waits_for_a_day(setting: WindowSetting) -> bool:
    return any(rule.first and isinstance(rule.ends, At) for rule in setting.rules())


def move(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    chat: bytes,
    window: Window,
    due_ms: int,
    now_ms: int,
) -> None:
    """The chat's open window ends at `due_ms`, and if that is new, a fact says so."""
    if due_ms != window.due_ms:
        windows.retime(unit, webhook, chat, window, due_ms)
        fact = facts.WindowRetimed(due=due_ms)
        unit.tell(settings.workspace, fact, now_ms, chat.decode(), webhook.id)
