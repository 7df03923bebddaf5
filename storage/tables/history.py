"""Deliveries that have ended: kept for as long as the operator wants, then deleted.

An ended delivery has a row in the index by time of its end, in which trimming.py finds the oldest.
A workspace has one TRIM row in the due index while there may be something to trim. Its time is when
the oldest delivery ended, so that the timer, which knows how long history is kept, sees without
looking further whether anything is old enough; and 0 when the workspace has more than its limit.
When only deliveries that the logs show are old enough, it is a day later than these were looked at.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import bodies, contacts

ROWS_MAX = 1_000  # of one delivery under one letter; there are a hundred attempts at most
ROWS_BESIDE = 6  # of a delivery: its head, the queue, the indexes
ROWS_OF_ONE = 10  # that a step may delete for each record it is allowed
HEAD_BYTES = 512  # a flat sum for a delivery's head and its rows of the indexes


def weight(delivery: Delivery) -> int:
    """The bytes that the delivery takes."""
    beside = len(delivery.extra) + len(delivery.chat_name.encode()) + len(delivery.permalink)
    kept = delivery.body_bytes + delivery.arrival_bytes + delivery.attempt_bytes
    return HEAD_BYTES + beside + kept + delivery.rendered_bytes


class Size(NamedTuple):
    """The bytes of a delivery, and about how many rows it has."""

    weight: int
    rows: int


def size_of(delivery: Delivery) -> Size:
    chunks = bodies.chunks_of(delivery.body_bytes) + bodies.chunks_of(delivery.rendered_bytes)
    rows = ROWS_BESIDE + chunks + min(delivery.attempts, ROWS_MAX)
    return Size(weight(delivery), rows)


@dataclass(slots=True)
class Budget:
    """What a step may still do: so many records with their rows, and so many bytes.

    A record that has more rows than ROWS_OF_ONE counts for several.
    """

    records: int
    size: int
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        self.rows = self.records * ROWS_OF_ONE

    def spend(self, size: int, rows: int, *, records: int = 0) -> None:
        self.records -= records
        self.size -= size
        self.rows -= rows

    def is_spent(self) -> bool:
        """The record that passes a limit is the last one."""
        return self.records <= 0 or self.size <= 0 or self.rows <= 0


def key_of(webhook: int, delivery: int) -> bytes:
    """The key of a delivery's head."""
    return keyspace.owned_numbered(keyspace.DELIVERIES, webhook, delivery)


def end(
    unit: Unit,
    webhook: Webhook,
    delivery: Delivery,
    state: DeliveryState,
    weight: int,
    now_ms: int,
) -> None:
    """The delivery has left the queue for good: it was delivered or discarded."""
    delivery.state = state.value
    delivery.ended_ms = now_ms
    unit.put(key_of(webhook.number, delivery.number), delivery)
    usage = unit.usage(webhook.workspace)
    usage.history += 1
    grow(unit, webhook, weight)
    show(unit, webhook, delivery)


def grow(unit: Unit, webhook: Webhook, by: int) -> None:
    """The history of the webhook's workspace has so many bytes more."""
    unit.usage(webhook.workspace).history_bytes += by
    unit.meta.history_bytes += by


def show(unit: Unit, webhook: Webhook, delivery: Delivery) -> None:
    """The ended delivery is in the index in which trimming finds it."""
    ended_ms, usage = delivery.ended_ms, unit.usage(webhook.workspace)
    unit.put_flag(keyspace.ended(webhook.workspace, ended_ms, delivery.number, webhook.number))
    if usage.history_bytes > unit.retention.history_bytes:
        if usage.trim_ms:
            schedule(unit, webhook.workspace, 0)
    elif usage.trim_ms < 0 or usage.trim_ms > ended_ms:  # a row may wait for the logs, or a clock
        schedule(unit, webhook.workspace, ended_ms)


def hide(unit: Unit, webhook: Webhook, delivery: Delivery) -> None:
    """Trimming does not find the ended delivery. It counts as history as before."""
    ended_ms = delivery.ended_ms
    unit.delete(keyspace.ended(webhook.workspace, ended_ms, delivery.number, webhook.number))


def schedule(unit: Unit, workspace: int, at_ms: int) -> None:
    """The workspace's TRIM row has this time; -1: it has none.

    The row is put also where it should be already: it may have been postponed.
    """
    usage = unit.usage(workspace)
    if usage.trim_ms >= 0:
        unit.delete_due(Due(usage.trim_ms, DueKind.TRIM, workspace))
    if at_ms >= 0:
        unit.put_due(Due(at_ms, DueKind.TRIM, workspace))
    usage.trim_ms = at_ms


def trim(unit: Unit, webhook: Webhook, delivery: Delivery) -> None:
    """The ended delivery is gone, with everything of it."""
    unit.usage(webhook.workspace).history -= 1
    grow(unit, webhook, -weight(delivery))
    hide(unit, webhook, delivery)
    delete(unit, webhook, delivery)


def delete_unreadable(unit: Unit, webhook: int, delivery: int) -> None:
    """Of a delivery whose head is damaged nothing is left that its number finds, no text above all.

    The counters can't be corrected; `check` says so.
    """
    unit.delete_rows(keyspace.owned_numbered(keyspace.ATTEMPTS, webhook, delivery), ROWS_MAX)
    for prefix in bodies.BOTH:
        unit.delete_rows(keyspace.owned_numbered(prefix, webhook, delivery), ROWS_MAX)
    unit.delete(key_of(webhook, delivery))


def delete(unit: Unit, webhook: Webhook, delivery: Delivery) -> None:
    """Head, body, attempts and index rows are deleted. The caller has corrected the counters."""
    number, chat = delivery.number, delivery.chat_id.encode()
    attempts = keyspace.owned_numbered(keyspace.ATTEMPTS, webhook.number, number)
    unit.delete_rows(attempts, ROWS_MAX)
    bodies.delete(unit, webhook.number, number, delivery.body_bytes)
    bodies.delete(unit, webhook.number, number, delivery.rendered_bytes, bodies.RENDERED)
    unit.delete(key_of(webhook.number, number))
    unit.delete(keyspace.chat_delivery(webhook.workspace, chat, number, webhook.number))
    if delivery.named:  # its place, by which its id is found; see merging/places.py
        unit.delete(keyspace.place(webhook.number, delivery.named, number))
    contacts.forget_if_last(unit, webhook.workspace, chat)
