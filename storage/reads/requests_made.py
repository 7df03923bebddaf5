"""Entries of the two logs, put together from the records they point to."""

from functools import partial

import lmdb
import msgspec

from hookbundle.engine.delivery import former_names
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.delivery_records import Action, Attempt, Delivery, Exchange, LogRow
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.tables import bodies, history, queue


class JoinedAction(msgspec.Struct, frozen=True):
    """A line of the activity log, and what it is about, as the detailed log names it.

    `webhook`: its id. `delivery_id`, `attempt`: empty and 0 if it is about none.
    """

    action: Action
    webhook: str
    delivery_id: str
    attempt: int


def actions(txn: lmdb.Transaction, webhook: int) -> list[Action]:
    """The lines of the activity log, newest first, with outcomes as states are called today."""
    found = []
    for key, value in rows.rows(txn, keyspace.owned(keyspace.ACTIONS, webhook)):
        action = codec.unpack(key, value, Action)
        outcome = former_names.state_of(action.outcome)
        found.append(msgspec.structs.replace(action, outcome=outcome))
    return found[::-1]


def joined(txn: lmdb.Transaction, webhook: Webhook, action: Action) -> JoinedAction:
    """The line with the names of its delivery and attempt, which may be of a test request.

    A line of 0.1 knows only its entry in the detailed log, which may be gone.
    """
    number, attempt, test_id = action.delivery, action.attempt, ""
    if not number and action.logged:
        key = keyspace.owned_numbered(keyspace.LOG, webhook.number, action.logged - 1)
        row = rows.get(txn, key, LogRow) or LogRow()
        number, attempt = row.delivery, row.attempt
        test_id = row.test.id if row.test else ""
    if test_id:
        return JoinedAction(action, webhook.id, test_id, 1)
    head = rows.get(txn, history.key_of(webhook.number, number), Delivery) if number else None
    if head is None:
        return JoinedAction(action, webhook.id, "", 0)
    return JoinedAction(action, webhook.id, queue.delivery_id(webhook.number, head), attempt)


def entry(txn: lmdb.Transaction, webhook: int, key: bytes, value: bytes) -> Exchange | None:
    """The request and response that a row of the log stands for; None if they were erased.

    Raises: CorruptRecord.
    """
    row = codec.unpack(key, value, LogRow)
    if row.test is not None:
        test = row.test
        return Exchange(
            delivery_id=test.id, attempt=1, chat_id="", request_body=test.body, result=test.attempt
        )
    delivery = rows.get(txn, history.key_of(webhook, row.delivery), Delivery)
    attempt_key = keyspace.of_delivery(keyspace.ATTEMPTS, webhook, row.delivery, row.attempt)
    result = rows.get(txn, attempt_key, Attempt)
    if delivery is None or result is None:
        return None
    get = partial(rows.get_raw, txn)
    return Exchange(
        delivery_id=queue.delivery_id(webhook, delivery),
        attempt=row.attempt,
        chat_id=delivery.chat_id,
        request_body=bodies.sent(get, webhook, delivery),
        result=result,
    )
