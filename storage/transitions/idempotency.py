"""Idempotency keys: the request a key stands for and its answer, kept for 48 hours.

A request is *claimed* before anything of it is stored, and *answered* after everything is. So a key
never stands for two bodies, not even if the daemon dies in between; and a repeat of a request that
was claimed and not answered is carried out again, in which the messages stored already are found
to be duplicates.
"""

import msgspec

from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import requests


class ClaimRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`key` and `digest` stand for what the client sent as its key, and as its body."""

    workspace_number: int
    key: bytes
    digest: bytes
    now_ms: int


class Claimed(msgspec.Struct, frozen=True):
    """`answer` is empty as long as there is none: the request is to be carried out."""

    answer: bytes


class AnswerRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The request was carried out. Its repeats get this answer."""

    workspace_number: int
    key: bytes
    answer: bytes


def claim_request(unit: Unit, transition: ClaimRequest) -> Claimed:
    """Raises: NotFound if the workspace is gone; InvalidInput if the key came with another body."""
    number = unit.workspace_numbered(transition.workspace_number).workspace.number
    known = requests.find(unit, number, transition.key)
    if known is None:
        requests.add(unit, number, transition.key, transition.digest, transition.now_ms)
        return Claimed(b"")
    if known.digest != transition.digest:
        raise InvalidInput((fault("Idempotency-Key", FaultCode.KEY_REUSED),))
    return Claimed(known.answer)


def answer_request(unit: Unit, transition: AnswerRequest) -> None:
    """Nothing happens if the key was forgotten meanwhile, or its workspace deleted."""
    number = transition.workspace_number
    known = requests.find(unit, number, transition.key)
    if known is not None and unit.find_usage(number) is not None:
        requests.keep_answer(unit, number, transition.key, known, transition.answer)
