"""Windows sealed into deliveries.

A window ends because its time is up (`time`, `quiet`, `max`, `at`) or it has reached the size of a
bundle (`size`), somebody asked (`flush`, `close`), or the settings were changed (`settings`). One
whose messages were all deleted ends without a delivery (`deleted`). Other deliveries have other
reasons: `single`, `first`, and `merge` if they are made of several.
"""

from typing import Literal, Protocol

import msgspec

from hookbundle.engine.limits import STEP_WEIGHT
from hookbundle.storage import facts
from hookbundle.storage.change_facts import ChatClosed
from hookbundle.storage.database.chat_records import ChatRecord, Collecting
from hookbundle.storage.database.keyspace import Due
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import bodies, queue, windows
from hookbundle.storage.tables.arrivals import recording
from hookbundle.storage.tables.postponed import act_on_each
from hookbundle.storage.tables.rules import ends, judging
from hookbundle.storage.transitions.unfinished import Unfinished

Reason = Literal[
    "time",
    "quiet",
    "max",
    "at",
    "first",
    "size",
    "flush",
    "close",
    "settings",
    "merge",
    "single",
    "deleted",
]


class Asked(Protocol):
    """What each transition says that ends windows."""

    @property
    def now_ms(self) -> int: ...

    @property
    def product_name(self) -> str: ...


class SealWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Seals the chat's windows now, because somebody asked. `webhook`: only that of this one.

    `note`: of a close, why somebody asked, in their words. `sealed`: what was sealed for it in
    former steps.
    """

    workspace_number: int
    chat_id: str
    now_ms: int
    product_name: str
    webhook: int = 0
    reason: Literal["flush", "close"] = "flush"
    note: str = ""
    sealed: "Sealed | None" = None


class SealDue(msgspec.Struct, frozen=True):
    """Acts on WINDOW rows of the due index that are due: their windows are sealed.

    One that by its rule ends later gets another row. A row that differs from its chat's record is
    stale, and is deleted. One whose records are damaged is postponed, and holds up no other.
    Windows may be large: it stops when it has sealed as much as a step may.
    """

    rows: tuple[Due, ...]
    now_ms: int
    product_name: str


class Sealed(msgspec.Struct, frozen=True):
    """`messages` 0: there was nothing to seal. `wake`: webhooks that became ready.

    `windows`: how many were closed, `empty`: of these, without a message.
    """

    messages: int
    wake: tuple[int, ...]
    empty: int = 0
    windows: int = 0


class DueSealed(msgspec.Struct, frozen=True):
    """`wake`: numbers of the webhooks that became ready. Not `finished`: some rows are left."""

    messages: int
    wake: tuple[int, ...]
    finished: bool = True


def seal_window(unit: Unit, transition: SealWindow) -> Sealed | Unfinished:
    """Raises: NotFound if the workspace is gone; CorruptRecord."""
    settings = unit.workspace_numbered(transition.workspace_number)
    chat = transition.chat_id.encode()
    record = unit.chat(transition.workspace_number, chat)
    before = transition.sealed or Sealed(0, ())
    messages, empty, closed = before.messages, before.empty, before.windows
    wake, heavy = [*before.wake], unit.weight + STEP_WEIGHT
    reason = transition.reason
    for collecting in record.collecting if record else ():
        if record is None or collecting.window is None:
            continue
        if transition.webhook not in (0, collecting.webhook):
            continue
        webhook = settings.webhook_or_none(collecting.webhook)
        if webhook is None:  # it was deleted: the window is about to be erased
            continue
        if unit.weight >= heavy:
            sealed = Sealed(messages, tuple(wake), empty, closed)
            return Unfinished(msgspec.structs.replace(transition, sealed=sealed))
        messages += collecting.window.count
        empty += not collecting.window.count
        closed += 1
        if seal(unit, settings, webhook, chat, record, collecting, reason, transition):
            wake.append(webhook.number)
    if closed and transition.reason == "close":
        unit.meta.totals.closed += closed
        fact = ChatClosed(reason=transition.note, windows=closed, messages=messages)
        unit.tell(settings.workspace, fact, transition.now_ms, transition.chat_id)
    return Sealed(messages, tuple(wake), empty, closed)


def seal_due(unit: Unit, transition: SealDue) -> DueSealed:
    def act(row: Due) -> tuple[int, int]:
        return _seal_row(unit, row, transition)

    done = act_on_each(unit, transition.rows, transition.now_ms, act)
    messages = sum(sealed for sealed, _ in done.results)
    wake = tuple(number for _, number in done.results if number)
    return DueSealed(messages, wake, done.finished)


def _seal_row(unit: Unit, row: Due, transition: SealDue) -> tuple[int, int]:
    """How many messages were sealed, and the webhook's number if it became ready, else 0.

    Raises: NotFound, CorruptRecord, with nothing written.
    """
    settings, webhook = unit.any_webhook_numbered(row.number)
    unit.state(row.number)
    unit.usage(webhook.workspace)
    record = unit.chat(webhook.workspace, row.subject)
    collecting = record.of(row.number) if record else None
    window = collecting.window if collecting else None
    if record is None or collecting is None or window is None or window.due_ms != row.at_ms:
        unit.delete_due(row)
        return 0, 0
    if webhook.deleted_ms:
        windows.drop(unit, webhook, row.subject, record, collecting)
        return 0, 0
    count, chat = window.count, row.subject
    if webhook.window:
        ready = seal_if_over(unit, settings, webhook, chat, record, collecting, transition)
        return (0 if collecting.window else count), row.number if ready else 0
    reason: Reason = windows.why_over(webhook, window)
    ready = seal(unit, settings, webhook, chat, record, collecting, reason, transition)
    return count, row.number if ready else 0


def seal_if_over(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    chat: bytes,
    record: ChatRecord,
    collecting: Collecting,
    asked: Asked,
) -> bool:
    """The chat's window, which must be open and of a webhook with a rule, is sealed if it is over.

    One whose settings are new has its new rule first. True: the webhook became ready. Raises:
    CorruptRecord, with nothing written.
    """
    window, now_ms = collecting.window, asked.now_ms
    assert window is not None
    is_new = judging.is_left_behind(unit.state(webhook.number), webhook, chat)
    if window.due_ms > now_ms and not is_new:
        return False
    if is_new:
        judging.judge_again(unit, webhook, chat, window)
    end = ends.end_of(settings, webhook, collecting, window)
    is_full = not is_new and windows.is_full(webhook, window)  # and it was left to the timer
    if end is not None and end.at_ms > now_ms and not is_full:
        ends.move(unit, settings, webhook, chat, window, end.at_ms, now_ms)
        return False
    is_expected = end is not None and end.at_ms == window.due_ms
    reason: Reason = end.why if end and (is_expected or not is_new) else "settings"
    if is_full:
        reason = "size"
    return seal(unit, settings, webhook, chat, record, collecting, reason, asked)


def seal(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    chat: bytes,
    record: ChatRecord,
    collecting: Collecting,
    reason: Reason,
    asked: Asked,
) -> bool:
    """The chat's window of the webhook, which must be open, becomes a delivery.

    An empty one is closed, and nothing is sent. True: the webhook became ready. Raises:
    CorruptRecord if a part of the window is missing or damaged, with nothing written.
    """
    window, now_ms = collecting.window, asked.now_ms
    assert window is not None
    chat_id = chat.decode()
    if not window.count:
        _close(unit, webhook, chat, record, collecting)
        unit.tell(settings.workspace, facts.WindowEnded(reason=reason), now_ms, chat_id, webhook.id)
        return False
    # Read before the first write: of a damaged window nothing may be half done.
    found = windows.members(unit.get_raw, webhook, chat, window)
    body = windows.body(window, found, asked.product_name)
    part = windows.count_part(webhook, collecting, window, is_cut=reason == "size")
    # Each message was read and put into the body, twice.
    unit.weight += windows.SEAL_WEIGHT + window.count
    _close(unit, webhook, chat, record, collecting)
    recording.note_window(unit, settings, chat, record, collecting, found, window.opened_ms, now_ms)
    return queue.enqueue(
        unit,
        settings,
        webhook,
        chat_id=chat_id,
        chat=window.chat,
        extra=window.extra,
        messages=window.count,
        body=body,
        bundle=True,
        reason=reason,
        opened_ms=window.opened_ms,
        now_ms=now_ms,
        arrivals=bodies.packed_arrivals(found, window.opened_ms),
        part=part,
    )


def _close(
    unit: Unit, webhook: Webhook, chat: bytes, record: ChatRecord, collecting: Collecting
) -> None:
    """The window is gone; a chat without any will be forgotten."""
    windows.close(unit, webhook, chat, collecting)
    if not record.is_collecting():
        windows.forget_later(unit, webhook.workspace, chat, record)
