"""Which deliveries the filter of a replay means: the same for its count, and for itself.

A reader first makes the head what it is for every caller (`moving.as_seen`, or the state that it
passes), because deliveries may be discarded or queued again and still be stored as before.

A search's filter (reads/searching/wanted.py) is another one: it has no record that must be read by
later versions, and takes phones and names. What both know means the same in both;
tests/storage/reads/test_two_filters.py compares them.
"""

from hookbundle.storage.database.delivery_records import Delivery, ReplayFilter


def matches(delivery: Delivery, state: str, wanted: ReplayFilter) -> bool:
    """Whether the delivery is one of those wanted.

    `state`: what it is for every caller: the value of a `DeliveryState`. `since_ms` is the first
    millisecond in which it may have been sealed, and `until_ms` the first one that is too late.
    The status is that of its last answer: an attempt without an answer has the status 0.
    """
    if wanted.states and state not in wanted.states:
        return False
    if wanted.chat and delivery.chat_id != wanted.chat:
        return False
    if not _is_answered_so(delivery, wanted):
        return False
    if delivery.sealed_ms < wanted.since_ms:
        return False
    return not wanted.until_ms or delivery.sealed_ms < wanted.until_ms


def _is_answered_so(delivery: Delivery, wanted: ReplayFilter) -> bool:
    if wanted.no_answer:
        return delivery.attempts > 0 and not delivery.status
    if not wanted.http_status:
        return True
    most = max(wanted.http_status, wanted.http_status_most)
    return wanted.http_status <= delivery.status <= most
