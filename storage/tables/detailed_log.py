"""The detailed log of a webhook: its newest hundred requests with their responses.

An entry points to an attempt of a delivery, which holds the response, and through it to the
delivery's body. A test request belongs to no delivery: its entry holds all of it.
"""

from collections.abc import Iterator
from typing import TypeVar

from hookbundle.engine import limits
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.delivery_records import Action, Attempt, Delivery, LogRow
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.database.unit import Unit

R = TypeVar("R", LogRow, Action)

POINTER_BYTES_MAX = 32  # a row of more bytes holds a test request
ATTEMPTS_MAX = limits.LOG_ENTRIES  # of a delivery: the log can't show more


def add_attempt(
    unit: Unit, webhook: Webhook, delivery: Delivery, number: int, attempt: Attempt
) -> None:
    """The attempt is stored and is the newest entry. The delivery has its bytes."""
    key = keyspace.of_delivery(keyspace.ATTEMPTS, webhook.number, delivery.number, number)
    delivery.attempt_bytes += unit.put(key, attempt)
    if number > ATTEMPTS_MAX:
        old = number - ATTEMPTS_MAX
        key = keyspace.of_delivery(keyspace.ATTEMPTS, webhook.number, delivery.number, old)
        value = unit.get_raw(key)
        if value is not None:
            unit.delete(key)
            delivery.attempt_bytes -= len(value)
    add(unit, webhook, LogRow(delivery=delivery.number, attempt=number))


def add(unit: Unit, webhook: Webhook, row: LogRow) -> None:
    """The row is the newest entry; one beyond 100 is deleted."""
    state, usage = unit.state(webhook.number), unit.usage(webhook.workspace)
    number = state.log_next
    state.log_next += 1
    size = unit.put(keyspace.owned_numbered(keyspace.LOG, webhook.number, number), row)
    if row.test is not None:
        usage.test_bytes += size
    # Numbers have no gaps, so one entry in and one out keeps the log at its size.
    if number >= limits.LOG_ENTRIES:
        oldest = number - limits.LOG_ENTRIES
        key = keyspace.owned_numbered(keyspace.LOG, webhook.number, oldest)
        # Only tests have bytes, and most workspaces make none; without them nothing is read.
        value = unit.get_raw(key) if usage.test_bytes else b""
        if value is not None:
            unit.delete(key)
            if len(value) > POINTER_BYTES_MAX:
                usage.test_bytes -= len(value)


def erase(unit: Unit, webhook: Webhook) -> None:
    """The webhook's log is empty."""
    usage = unit.usage(webhook.workspace)
    for key, value in list(unit.rows(keyspace.owned(keyspace.LOG, webhook.number))):
        unit.delete(key)
        if len(value) > POINTER_BYTES_MAX:
            usage.test_bytes -= len(value)


def entries(unit: Unit, webhook: int) -> dict[bytes, LogRow]:
    """All entries by their keys, without damaged ones, which show nothing."""
    return dict(_readable(unit, keyspace.LOG, webhook, LogRow))


def shown(unit: Unit, webhook: int) -> set[int]:
    """The numbers of the deliveries that the webhook's two logs show, so that they must stay."""
    numbers = {row.delivery for row in entries(unit, webhook).values()}
    actions = _readable(unit, keyspace.ACTIONS, webhook, Action)
    return numbers | {action.delivery for _, action in actions}


def _readable(unit: Unit, prefix: bytes, webhook: int, kind: type[R]) -> Iterator[tuple[bytes, R]]:
    for key, value in unit.rows(keyspace.owned(prefix, webhook)):
        record = codec.readable(key, value, kind)
        if record is not None:
            yield key, record
