"""Requests with an idempotency key: their answers, and how much of them a workspace may keep.

An answer may be as large as a request, and callers decide how many there are. Past the limit the
oldest go first: their repeats are carried out again, and find their messages to be duplicates.
"""

import msgspec

from hookbundle.engine import limits
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import Frozen
from hookbundle.storage.database.unit import Unit

ANSWER_BYTES = 128  # a flat sum for the records of a request, beside its answer
DELETED_AT_ONCE = 64


class RequestRecord(Frozen, frozen=True):
    """A request with an idempotency key. `digest`: of its body, to refuse another with the key.

    `answer`: what the API answered; empty while the request is being handled.
    """

    digest: bytes
    at_ms: int
    answer: bytes = b""


def find(unit: Unit, workspace: int, request: bytes) -> RequestRecord | None:
    return unit.get(keyspace.owned(keyspace.REQUESTS, workspace, request), RequestRecord)


def add(unit: Unit, workspace: int, request: bytes, digest: bytes, now_ms: int) -> None:
    key = keyspace.owned(keyspace.REQUESTS, workspace, request)
    unit.put(key, RequestRecord(digest=digest, at_ms=now_ms))
    unit.put_flag(keyspace.request_time(workspace, now_ms, request))
    unit.put_due(Due(now_ms + limits.REMEMBERED_MS, DueKind.REQUEST, workspace, request))
    usage = unit.usage(workspace)
    usage.answers += 1
    usage.answer_bytes += ANSWER_BYTES
    _trim(unit, workspace)


def keep_answer(
    unit: Unit, workspace: int, request: bytes, record: RequestRecord, answer: bytes
) -> None:
    key = keyspace.owned(keyspace.REQUESTS, workspace, request)
    unit.put(key, msgspec.structs.replace(record, answer=answer))
    unit.usage(workspace).answer_bytes += len(answer) - len(record.answer)
    _trim(unit, workspace)


def delete(unit: Unit, workspace: int, request: bytes, record: RequestRecord) -> None:
    unit.delete(keyspace.owned(keyspace.REQUESTS, workspace, request))
    unit.delete(keyspace.request_time(workspace, record.at_ms, request))
    due_ms = record.at_ms + limits.REMEMBERED_MS
    unit.delete_due(Due(due_ms, DueKind.REQUEST, workspace, request))
    usage = unit.find_usage(workspace)
    if usage is not None:  # else the workspace is being erased
        usage.answers -= 1
        usage.answer_bytes -= ANSWER_BYTES + len(record.answer)


def _trim(unit: Unit, workspace: int) -> None:
    """The oldest requests are gone until the workspace is within its limit, a few at a time."""
    usage, prefix = unit.usage(workspace), keyspace.owned(keyspace.REQUEST_TIMES, workspace)
    for _ in range(DELETED_AT_ONCE):
        if usage.answer_bytes <= unit.retention.answer_bytes:
            return
        oldest = next(unit.rows(prefix), None)
        if oldest is None:
            return
        at_ms, request = key_fields.request_time(oldest[0])
        record = find(unit, workspace, request)
        if record is None or record.at_ms != at_ms:
            unit.delete(oldest[0])
            continue
        delete(unit, workspace, request, record)
