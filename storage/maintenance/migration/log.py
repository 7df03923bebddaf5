"""The detailed log: 100 entries, each with a whole request, become pointers to attempts.

In 0.1.0 a delivery that was delivered or discarded was gone, but for its entries in the log. It
begins a second life here, as a delivery that has ended: the entries have its body and its attempts.
"""

from dataclasses import dataclass, field

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.delivery.urls import hidden, hidden_in_bytes, secrets_of, shown_url
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Attempt, Delivery, LogRow, WebhookTest
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.maintenance.migration import bodies
from hookbundle.storage.maintenance.migration import schema_1 as old
from hookbundle.storage.maintenance.migration import schema_1_keys as old_keys
from hookbundle.storage.maintenance.migration.moving import Moving
from hookbundle.storage.tables import history
from hookbundle.storage.tables.detailed_log import ATTEMPTS_MAX


@dataclass(slots=True)
class Logged:
    """What the log has of one delivery.

    `ended`: its head if it no longer waits. `attempts`: the numbers of those that are in the log.
    `made`: how many attempts were made at a delivery that waits.
    """

    ended: Delivery | None
    made: int
    attempts: set[int] = field(default_factory=set)
    attempt_bytes: int = 0
    status: int = 0


@dataclass(slots=True)
class Log:
    """`deliveries`: by their numbers. `entries`: delivery and attempt by the entry's number."""

    deliveries: dict[int, Logged] = field(default_factory=dict)
    entries: dict[int, tuple[int, int]] = field(default_factory=dict)


def move_log(of: Moving) -> Log:
    """The workspace's detailed log is in the new database, and all deliveries that have ended."""
    log = Log()
    for key, exchange in of.source.rows(old_keys.owned(old_keys.LOG, of.number), old.Exchange):
        of.state.log_next = max(of.state.log_next, old_keys.parse_number(key) + 1)
        if exchange.delivery_id.startswith(old_keys.TEST_ID):
            _move_test(of, key, exchange)
        else:
            _move_exchange(of, log, key, exchange)
    oldest_ms = -1
    for logged in log.deliveries.values():
        if logged.ended is not None:
            ended_ms = _put_ended(of, logged.ended, logged.attempt_bytes)
            oldest_ms = ended_ms if oldest_ms < 0 else min(oldest_ms, ended_ms)
    if oldest_ms >= 0:
        of.usage.trim_ms = oldest_ms
        of.target.put_due(Due(oldest_ms, DueKind.TRIM, of.number))
    return log


def _move_test(of: Moving, key: bytes, exchange: old.Exchange) -> None:
    test = WebhookTest(
        id=exchange.delivery_id, body=exchange.request_body, attempt=_attempt(exchange)
    )
    number = old_keys.parse_number(key)
    new_key = keyspace.owned_numbered(keyspace.LOG, of.number, number)
    of.usage.test_bytes += of.target.put(new_key, LogRow(test=test))


def _move_exchange(of: Moving, log: Log, key: bytes, exchange: old.Exchange) -> None:
    parts = old_keys.DELIVERY_ID.fullmatch(exchange.delivery_id)
    if parts is None:
        of.source.leave_out(key)
        return
    delivery, attempt = int(parts[3], 16), exchange.attempt
    logged = log.deliveries.get(delivery)
    if logged is None:
        logged = log.deliveries[delivery] = _found(of, parts[1], delivery, exchange)
    if attempt in logged.attempts or logged.made - attempt >= ATTEMPTS_MAX:
        of.source.leave_out(key)
        return
    number = old_keys.parse_number(key)
    log.entries[number] = delivery, attempt
    logged.attempts.add(attempt)
    logged.status = exchange.status
    attempt_key = keyspace.of_delivery(keyspace.ATTEMPTS, of.number, delivery, attempt)
    logged.attempt_bytes += of.target.put(attempt_key, _attempt(exchange))
    of.target.put(
        keyspace.owned_numbered(keyspace.LOG, of.number, number),
        LogRow(delivery=delivery, attempt=attempt),
    )
    if logged.ended is not None:
        _add_to_ended(logged.ended, exchange)


def _found(of: Moving, epoch: str, number: int, first: old.Exchange) -> Logged:
    """The delivery of the exchange, of which nothing was seen before."""
    waiting = of.source.delivery(of.number, number)
    if waiting is not None:
        return Logged(ended=None, made=waiting.attempts)
    body = bodies.put(of.target, of.number, number, first.request_body)
    ended = Delivery(
        number=number,
        chat_id=first.chat_id,
        messages=body.messages,
        sealed_ms=first.at_ms,
        reason="",
        bundle=body.is_bundle,
        epoch=epoch,
        body_bytes=len(first.request_body),
        chat_name=body.chat_name,
        phone=body.phone,
    )
    return Logged(ended=ended, made=0)


def _add_to_ended(ended: Delivery, exchange: old.Exchange) -> None:
    """The last exchange says how the delivery ended: an attempt that was not the last failed."""
    is_delivered = exchange.outcome == "delivered"
    ended.state = (DeliveryState.DELIVERED if is_delivered else DeliveryState.DISCARDED).value
    ended.ended_ms = exchange.at_ms
    ended.attempts = exchange.attempt
    ended.rejections += exchange.outcome == "rejected"
    ended.last_error = exchange.error
    ended.status = exchange.status


def _put_ended(of: Moving, ended: Delivery, attempt_bytes: int) -> int:
    """The head and its rows of the indexes are written. Returns when the delivery ended."""
    ended.attempt_bytes = attempt_bytes
    of.target.put(history.key_of(of.number, ended.number), ended)
    of.target.put_flag(keyspace.ended(of.number, ended.ended_ms, ended.number, of.number))
    bodies.put_indexes(of.target, of.number, ended)
    of.usage.history += 1
    of.usage.history_bytes += history.weight(ended)
    return ended.ended_ms


def _attempt(exchange: old.Exchange) -> Attempt:
    """Without what the URL's query says, also where the receiver repeated it."""
    secrets = secrets_of(exchange.url)
    return Attempt(
        at_ms=exchange.at_ms,
        url=shown_url(exchange.url),
        request_headers=exchange.request_headers,
        outcome=exchange.outcome,
        status=exchange.status,
        response_headers=tuple(
            (name, hidden(value, secrets)) for name, value in exchange.response_headers
        ),
        response_body=hidden_in_bytes(exchange.response_body, secrets),
        truncated=exchange.truncated,
        error=exchange.error,
        duration_ms=exchange.duration_ms,
    )
