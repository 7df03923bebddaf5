"""Edits, deletions and closes among the messages of a request."""

import json
from typing import Any

import pytest

from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.messages import changes, message, parsing, slices
from hookbundle.engine.messages.changes import Change, ChangesByChat, Close
from hookbundle.engine.messages.message import digest_of

EDITED_S = 1_700_000_001
Read = tuple[dict[str, int], ChangesByChat, list[str]]


def sent(message_id: str = "m", **more: Any) -> dict[str, Any]:
    return {
        "whatsapp_account": {"phone": "1"},
        "chat": {"chat_id": "c"},
        "message": {
            "direction": "received",
            "timestamp": 1_700_000_000,
            "message_id": message_id,
            "text": "hi",
        },
        **more,
    }


def edit(text: str = "new", chat_id: str = "c", **more: Any) -> dict[str, Any]:
    return {"chat": {"chat_id": chat_id}, "edit": {"message_id": "m", "text": text, **more}}


def delete(message_id: str = "m") -> dict[str, Any]:
    return {"chat": {"chat_id": "c"}, "delete": {"message_id": message_id}}


def close(**given: Any) -> dict[str, Any]:
    return {"chat": {"chat_id": "c"}, "close": given}


def change(text: str, edited_s: int = 0) -> Change:
    return Change("m", digest_of("m"), text, edited_s * 1_000)


def at_once(body: bytes, *, ndjson: bool = False, strict: bool = False) -> Read:
    parsed = (parsing.parse_ndjson if ndjson else parsing.parse_json)(body, strict=strict)
    chats, found = changes.by_chat(parsed.mixed, parsed.place)
    chats = chats or message.by_chat(parsed.events, parsed.place)
    return {chat: len(each[0]) for chat, each in chats.items()}, found, parsed.unknown.fields


def in_slices(body: bytes, *, ndjson: bool = False, strict: bool = False) -> Read:
    reading = slices.read(body, ndjson=ndjson, strict=strict)
    while True:
        try:
            next(reading)
        except StopIteration as end:
            found = end.value
            chats = {chat: len(each[0]) for chat, each in found.chats.items()}
            return chats, found.changes, found.unknown.fields


both = pytest.mark.parametrize("read", [at_once, in_slices])


def faults(read: Any, value: Any, **how: bool) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        read(json.dumps(value).encode(), **how)
    return [(each.path, str(each.code)) for each in refused.value.faults]


@both
@pytest.mark.parametrize("ndjson", [False, True])
def test_the_order_of_a_chat_is_kept_among_messages_and_changes(read: Any, ndjson: bool) -> None:
    several = [sent("1"), edit(edited_at=EDITED_S), sent("2"), delete(), close(reason="solved")]
    lines = "\n".join(map(json.dumps, several))
    body = lines if ndjson else json.dumps(several)

    chats, found, unknown = read(body.encode(), ndjson=ndjson)

    assert (chats, unknown) == ({"c": 2}, [])
    assert found == {
        "c": [(1, change("new", EDITED_S)), (2, change("")), (2, Close("solved"))],
    }


@both
def test_one_change_stands_alone_and_needs_no_more_than_the_chat_s_id(read: Any) -> None:
    assert read(json.dumps(edit()).encode())[1] == {"c": [(0, change("new"))]}
    assert read(json.dumps(close()).encode())[1] == {"c": [(0, Close(""))]}


@both
def test_an_edit_to_nothing_is_a_deletion(read: Any) -> None:
    assert read(json.dumps(edit(" \n")).encode())[1] == {"c": [(0, change(""))]}


@both
def test_an_object_with_two_of_them_is_refused_at_its_place(read: Any) -> None:
    assert faults(read, {**sent(), **edit()}) == [("", "several_kinds")]
    assert faults(read, [sent(), {**edit(), **close()}]) == [("[1]", "several_kinds")]


@both
def test_all_faults_of_a_change_are_found(read: Any) -> None:
    wrong = {"chat": {}, "edit": {"message_id": "", "text": 3, "edited_at": "soon"}}

    assert faults(read, [sent(), wrong]) == [
        ("[1].chat.chat_id", "missing"),
        ("[1].edit.message_id", "empty"),
        ("[1].edit.text", "not_text"),
        ("[1].edit.edited_at", "no_time"),
    ]
    assert faults(read, close(reason="x" * 201)) == [("close.reason", "too_long")]
    assert faults(read, edit(chat_id="é" * 101)) == [("chat.chat_id", "too_long_as_bytes")]


@both
def test_fields_of_a_change_that_are_not_known_are_named_or_refused(read: Any) -> None:
    body = edit(txet="x")

    assert read(json.dumps(body).encode())[2] == ["edit.txet"]
    assert faults(read, body, strict=True) == [("edit.txet", "misspelt_field")]


@both
def test_a_message_with_a_field_of_such_a_name_elsewhere_is_a_message(read: Any) -> None:
    body = sent(note={"edit": 1})

    chats, found, unknown = read(json.dumps(body).encode())

    assert (chats, found, unknown) == ({"c": 1}, {}, ["note"])
