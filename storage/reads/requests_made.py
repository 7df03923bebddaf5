"""Entries of the detailed log, put together from the records they point to."""

from functools import partial

import lmdb

from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.delivery_records import Attempt, Delivery, Exchange, LogRow
from hookbundle.storage.tables import bodies, history, queue


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
        request_body=bodies.read(get, webhook, row.delivery, delivery.body_bytes),
        result=result,
    )
