"""Which deliveries a filter means: the same for a replay's count and for the replay.

A search asks for more than a replay may keep (reads/searching/wanted.py): phones, names, messages.

A reader first makes the head what it is for every caller (`moving.as_seen`, or the state that it
passes), because deliveries may be discarded or queued again and still be stored as before.
"""

from hookbundle.storage.database.delivery_records import Delivery, Wanted


def matches(delivery: Delivery, state: str, wanted: Wanted) -> bool:
    """Whether the delivery is one of those wanted.

    `state`: what it is for every caller: the value of a `DeliveryState`. `since_ms` is the first
    millisecond in which it may have been sealed, and `until_ms` the first one that is too late.
    `http_status` is that of its last answer: an attempt without an answer has the status 0.
    """
    if wanted.states and state not in wanted.states:
        return False
    if wanted.chat and delivery.chat_id != wanted.chat:
        return False
    if wanted.http_status and delivery.status != wanted.http_status:
        return False
    if delivery.sealed_ms < wanted.since_ms:
        return False
    return not wanted.until_ms or delivery.sealed_ms < wanted.until_ms
