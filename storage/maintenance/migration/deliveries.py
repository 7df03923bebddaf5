"""Deliveries that wait: those in the queue, and the dead letters."""

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.maintenance.migration import bodies
from hookbundle.storage.maintenance.migration import schema_1 as old
from hookbundle.storage.maintenance.migration import schema_1_keys as old_keys
from hookbundle.storage.maintenance.migration.log import Log
from hookbundle.storage.maintenance.migration.moving import Moving
from hookbundle.storage.tables import history


def move_deliveries(of: Moving, log: Log) -> None:
    """All deliveries that wait are in the new database, and the state counts them."""
    source, state = of.source, of.state
    for _, was in source.rows(old_keys.owned(old_keys.QUEUED, of.number), old.Delivery):
        _put(of, log, was, keyspace.QUEUED, DeliveryState.QUEUED)
        state.queued += 1
        state.queued_messages += was.messages
    for _, was in source.rows(old_keys.owned(old_keys.DEAD_LETTERS, of.number), old.Delivery):
        _put(of, log, was, keyspace.DEAD_LETTERS, DeliveryState.DEAD_LETTER)
        state.dead_letters += 1
        state.dead_letter_messages += was.messages


def _put(of: Moving, log: Log, was: old.Delivery, prefix: bytes, state: DeliveryState) -> None:
    logged = log.deliveries.get(was.number)
    body = bodies.put(of.target, of.number, was.number, was.body)
    delivery = Delivery(
        number=was.number,
        chat_id=was.chat_id,
        messages=was.messages,
        sealed_ms=was.sealed_ms,
        reason=was.reason,
        bundle=was.bundle,
        epoch=was.epoch,
        opened_ms=was.opened_ms,
        state=state.value,
        attempts=max(was.attempts, *logged.attempts) if logged else was.attempts,
        rejections=was.rejections,
        last_error=was.last_error,
        status=logged.status if logged else 0,
        body_bytes=len(was.body),
        attempt_bytes=logged.attempt_bytes if logged else 0,
        chat_name=body.chat_name,
        phone=body.phone,
        rejections_epoch=of.state.epoch,
    )
    of.target.put(history.key_of(of.number, was.number), delivery)
    of.target.put_flag(keyspace.owned_numbered(prefix, of.number, was.number))
    bodies.put_indexes(of.target, of.number, delivery)
    of.state.waiting_bytes += history.weight(delivery)
