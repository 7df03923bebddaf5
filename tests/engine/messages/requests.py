"""Requests for the parser, and the faults it finds in them."""

import json
from typing import Any

import pytest

from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.messages.message import PartsByChat, by_chat
from hookbundle.engine.messages.parsing import parse_json, parse_ndjson


def event(**message: Any) -> dict[str, Any]:
    valid = {"direction": "sent", "timestamp": 1, "message_id": "m1", "text": "hello"}
    return {"whatsapp_account": {}, "chat": {"chat_id": "1"}, "message": {**valid, **message}}


def in_chat(**fields: Any) -> dict[str, Any]:
    """A message of a chat with these fields."""
    return {**event(), "chat": {"chat_id": "1", **fields}}


def read_at_once(body: bytes, *, ndjson: bool = False) -> PartsByChat:
    parsed = parse_ndjson(body) if ndjson else parse_json(body)
    return by_chat(parsed.events, parsed.place)


def faults(body: bytes | Any, *, ndjson: bool = False) -> dict[str, str]:
    """The faults of a body that must have some, by their paths."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(InvalidInput) as refusal:
        read_at_once(body, ndjson=ndjson)
    found = {fault.path: fault.detail for fault in refusal.value.faults}
    assert len(found) == len(refusal.value.faults) > 0
    return found
