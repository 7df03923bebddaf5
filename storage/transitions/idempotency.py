"""Idempotency keys: the request a key stands for and its answer, kept for 48 hours.

A request is *claimed* before anything of it is stored, and *answered* after everything is. So a key
never stands for two bodies, not even if the daemon dies in between; and a repeat of a request that
was claimed and not answered is carried out again, in which the messages stored already are found
to be duplicates.
"""

from dataclasses import dataclass

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import RequestRecord
from hookbundle.storage.database.unit import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRequest:
    """`key` and `digest` stand for what the client sent as its key, and as its body."""

    workspace_number: int
    key: bytes
    digest: bytes
    now_ms: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """`answer` is empty as long as there is none: the request is to be carried out."""

    answer: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRequest:
    """The request was carried out. Its repeats get this answer."""

    workspace_number: int
    key: bytes
    answer: bytes


def claim_request(unit: Unit, transition: ClaimRequest) -> Claimed:
    """Raises: NotFound if the workspace is gone; InvalidInput if the key came with another body."""
    number = unit.workspace_numbered(transition.workspace_number).number
    key = keyspace.owned(keyspace.REQUESTS, number, transition.key)
    known = unit.get(key, RequestRecord)
    if known is None:
        unit.put(key, RequestRecord(digest=transition.digest, at_ms=transition.now_ms))
        forget_ms = transition.now_ms + limits.REMEMBERED_MS
        unit.put_due(Due(forget_ms, DueKind.REQUEST, number, transition.key))
        return Claimed(b"")
    if known.digest != transition.digest:
        detail = "was used with another body before; take a new key for a new request"
        raise InvalidInput((Fault("Idempotency-Key", detail),))
    return Claimed(known.answer)


def answer_request(unit: Unit, transition: AnswerRequest) -> None:
    """Nothing happens if the key was forgotten meanwhile, or its workspace erased."""
    key = keyspace.owned(keyspace.REQUESTS, transition.workspace_number, transition.key)
    known = unit.get(key, RequestRecord)
    if known is not None:
        unit.put(key, msgspec.structs.replace(known, answer=transition.answer))
