"""Trims the history of a workspace: what is old enough, or more than its bytes, oldest first.

What a webhook's two logs show stays, however old it is. It is passed over, and trimmed by a later
step when the logs have moved on.
"""

from collections.abc import Iterator

import msgspec

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import detailed_log, history, queue

AGAIN_MS = 86_400_000  # what a log shows today it may not show tomorrow
STEP_BYTES_MAX = 32 * 1024 * 1024  # trimmed in one step; pages are freed without being read


class TrimHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Trims up to `most` deliveries that ended at or before `before_ms`.

    While the workspace has more than `bytes_max`, younger ones too.
    """

    workspace_number: int
    before_ms: int
    bytes_max: int
    most: int
    now_ms: int


class Trimmed(msgspec.Struct, frozen=True):
    """`finished`: nothing is left to trim now."""

    finished: bool
    freed_bytes: int


def trim_history(unit: Unit, transition: TrimHistory) -> Trimmed:
    """Raises: NotFound if the workspace is gone."""
    number = transition.workspace_number
    settings = unit.workspace_numbered(number)
    usage, freed = unit.usage(number), 0
    budget = history.Budget(transition.most, STEP_BYTES_MAX)
    kept = _Shown(unit, settings)
    next_ms, is_finished, passed_over = -1, True, False
    unit.advance_time(transition.now_ms)
    for key in _ended(unit, number):
        ended_ms = key_fields.ended_ms(key)
        if ended_ms > transition.before_ms and usage.history_bytes <= transition.bytes_max:
            next_ms = ended_ms
            break
        delivery_number, webhook_number = key_fields.chat_delivery(key)
        if delivery_number in kept.of(webhook_number):
            passed_over = True
            continue
        if budget.is_spent():
            is_over = usage.history_bytes > transition.bytes_max
            next_ms, is_finished = 0 if is_over else ended_ms, False
            break
        size = _trim(unit, settings, webhook_number, delivery_number, key)
        usage.trimmed_ms = max(usage.trimmed_ms, ended_ms)
        freed += size.weight
        budget.spend(size.weight, size.rows, records=1)
    again_ms = transition.before_ms + AGAIN_MS  # a day from now, as the timer counts
    if passed_over and is_finished and (next_ms < 0 or next_ms > again_ms):
        next_ms = again_ms
    history.schedule(unit, number, next_ms)
    return Trimmed(is_finished, freed)


def _trim(unit: Unit, settings: Settings, webhook: int, number: int, key: bytes) -> history.Size:
    try:
        delivery = queue.find(unit, webhook, number)
    except CorruptRecord:  # it must not keep what is behind it
        delivery = None
    if delivery is None:
        unit.delete(key)
        history.delete_unreadable(unit, webhook, number)
        return history.Size(0, history.ROWS_MAX)
    history.trim(unit, settings.any_webhook(webhook), delivery)
    return history.size_of(delivery)


def _ended(unit: Unit, workspace: int) -> Iterator[bytes]:
    """The rows of ended deliveries, oldest first. The caller may delete each one."""
    prefix, after = keyspace.owned(keyspace.ENDED, workspace), b""
    while row := next(unit.rows(prefix, after), None):
        after = row[0]
        yield after


class _Shown:
    """What the logs of each webhook show, read when it is first asked for."""

    def __init__(self, unit: Unit, settings: Settings) -> None:
        self._unit = unit
        self._by_webhook: dict[int, set[int]] = {}

    def of(self, webhook: int) -> set[int]:
        if webhook not in self._by_webhook:
            self._by_webhook[webhook] = detailed_log.shown(self._unit, webhook)
        return self._by_webhook[webhook]
