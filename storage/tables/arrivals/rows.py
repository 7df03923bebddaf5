"""The rows that hold when messages arrived, by webhook, day and chat.

A workspace has one ARRIVALS row in the due index while it has such rows. Its time is when the
oldest day is old enough to be trimmed; a part of an hour later, so that not all workspaces have
something to trim in the same moment. It is 0 when they take more room than a workspace may have:
then whole days go, the oldest first, and `Usage.arrivals_since_ms` says from when on all is known.
"""

from collections.abc import Iterator

from hookbundle.engine import limits
from hookbundle.engine.windows.arrivals import DAY_MS, day_of, unpacked
from hookbundle.storage.database import codec, key_fields, keyspace
from hookbundle.storage.database.chat_records import Arrivals
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit

ROW_BYTES = 16  # what LMDB needs for a row, beside its key and value
SPREAD_MS = 3_600_000


def prefix_of(webhook: int, day: int, chat: bytes = b"") -> bytes:
    """What the keys of arrivals on the day begin with; those of a chat, if one is given."""
    of_day = keyspace.OWNED_U4.pack(keyspace.ARRIVALS, webhook, day)
    return of_day + bytes((len(chat),)) + chat if chat else of_day


def key_of(webhook: int, day: int, chat: bytes, at_ms: int) -> bytes:
    """The key of arrivals that were put there at this time."""
    return prefix_of(webhook, day, chat) + keyspace.U8.pack(at_ms)


def size_of(key: bytes, value_bytes: int) -> int:
    """The bytes that the row is counted with."""
    return ROW_BYTES + len(key) + value_bytes


def put(unit: Unit, webhook: Webhook, day: int, chat: bytes, arrivals: bytes, now_ms: int) -> None:
    """The arrivals are kept, unless they are too old, or of a time that has not come."""
    today, usage = day_of(now_ms), unit.usage(webhook.workspace)
    if not today - limits.ARRIVALS_DAYS <= day <= today:
        return
    if not usage.arrivals_since_ms:  # an earlier version kept none
        usage.arrivals_since_ms = unpacked(day, arrivals)[0].at_ms
    # Steps are on their way before, but they can't take what is of today.
    if usage.arrival_bytes >= limits.ARRIVALS_BYTES_MAX * 5 // 4:
        usage.arrivals_since_ms = now_ms
        return
    key = key_of(webhook.number, day, chat, now_ms)
    before = unit.get_raw(key)  # of the same millisecond
    if before is not None:
        known = codec.readable(key, before, Arrivals)
        arrivals = (known.packed if known else b"") + arrivals
        usage.arrival_bytes -= size_of(key, len(before))
    usage.arrival_bytes += size_of(key, unit.put(key, Arrivals(packed=arrivals)))
    due_ms = usage.arrivals_due_ms
    if due_ms < 0 or (due_ms and day < _day_trimmed_at(due_ms)):
        schedule(unit, webhook.workspace, _time_to_trim(webhook.workspace, day))
    is_crowded = usage.arrival_bytes > limits.ARRIVALS_BYTES_MAX
    if is_crowded and usage.arrivals_due_ms and _day_trimmed_at(usage.arrivals_due_ms) < today:
        schedule(unit, webhook.workspace, 0)


def delete(unit: Unit, workspace: int, key: bytes, value_bytes: int) -> None:
    unit.delete(key)
    unit.usage(workspace).arrival_bytes -= size_of(key, value_bytes)


def days(unit: Unit, webhook: int) -> Iterator[int]:
    """The days of which the webhook has rows, oldest first. The caller may delete those."""
    prefix = after = keyspace.owned(keyspace.ARRIVALS, webhook)
    while row := next(unit.rows(prefix, after), None):
        day = key_fields.day_of_arrivals(row[0])
        yield day
        after = prefix_of(webhook, day) + b"\xff"  # after the length of any chat


def of_chat(
    unit: Unit, settings: Settings, chat: bytes, until_ms: int = 2**63
) -> Iterator[tuple[bytes, int]]:
    """The chat's rows that were put there by this time, for all webhooks, with the bytes of their
    values. The caller may delete each one."""
    for webhook in settings.all:
        for day in days(unit, webhook.number):
            after = prefix = prefix_of(webhook.number, day, chat)
            while row := next(unit.rows(prefix, after), None):
                after, value = row
                if key_fields.number(after) > until_ms:
                    break
                yield after, len(value)


def schedule_oldest(unit: Unit, settings: Settings) -> None:
    """The workspace's ARRIVALS row has the time at which its oldest day may be trimmed."""
    number = settings.workspace.number
    oldest = [day for each in settings.all for day in _first(unit, each.number)]
    schedule(unit, number, _time_to_trim(number, min(oldest)) if oldest else -1)


def schedule(unit: Unit, workspace: int, at_ms: int) -> None:
    """The workspace's ARRIVALS row has this time; -1: it has none."""
    usage = unit.usage(workspace)
    if usage.arrivals_due_ms >= 0:
        unit.delete_due(Due(usage.arrivals_due_ms, DueKind.ARRIVALS, workspace))
    if at_ms >= 0:
        unit.put_due(Due(at_ms, DueKind.ARRIVALS, workspace))
    usage.arrivals_due_ms = at_ms


def _first(unit: Unit, webhook: int) -> list[int]:
    day = next(days(unit, webhook), None)
    return [] if day is None else [day]


def _time_to_trim(workspace: int, day: int) -> int:
    """When the last message of the day is as old as is kept."""
    spread_ms = workspace * 7_919_000 % SPREAD_MS
    return (day + 1 + limits.ARRIVALS_DAYS) * DAY_MS + spread_ms


def _day_trimmed_at(due_ms: int) -> int:
    return day_of(due_ms) - 1 - limits.ARRIVALS_DAYS
