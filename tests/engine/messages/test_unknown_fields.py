"""Fields that are not known are named once each, or refused; and nobody else pays for it."""

import json
from typing import Any

import pytest

from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.messages import parsing, slices, spelling
from hookbundle.engine.messages.parsing import parse_json, parse_ndjson
from hookbundle.engine.messages.spelling import UNKNOWN_LISTED_MAX, UnknownFields
from hookbundle.tests.engine.messages.requests import event, in_chat


def unknown_in(value: Any, *, sliced: bool = False) -> UnknownFields:
    body = json.dumps(value).encode()
    if not sliced:
        return parse_json(body).unknown
    reading = slices.read(body, ndjson=False)
    while True:
        try:
            next(reading)
        except StopIteration as done:
            read: slices.Read = done.value
            return read.unknown


def refused(value: Any) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refusal:
        parse_json(json.dumps(value).encode(), strict=True)
    return {fault.path: fault.detail for fault in refusal.value.faults}


EVERYWHERE = {
    **event(text_="x", sender={"fullName": "Noa", "phone": ""}, chat_id="5", zzz=1),
    "chat": {"chat_id": "1", "full_nmae": "Noa", "is-group": True},
    "whatsapp_account": {"mail": "a@acme.example"},
    "reaction": {"emoji": "x"},
    "text": "hi",
}
FOUND = {
    "reaction": "",
    "text": "message.text",
    "whatsapp_account.mail": "whatsapp_account.email",
    "chat.full_nmae": "chat.full_name",
    "chat.is-group": "chat.is_group",
    "message.text_": "message.text",
    "message.chat_id": "chat.chat_id",
    "message.zzz": "",
    "message.sender.fullName": "message.sender.full_name",
}


@pytest.mark.parametrize("sliced", [False, True])
def test_every_unknown_field_is_named_with_what_is_near(sliced: bool) -> None:
    unknown = unknown_in(EVERYWHERE, sliced=sliced)

    assert set(unknown.fields) == set(FOUND)
    assert unknown.near == {path: near for path, near in FOUND.items() if near}


def test_each_is_named_once_over_a_batch() -> None:
    batch = [in_chat(full_nmae="x"), event(), in_chat(full_nmae="y", labls=[])]

    assert unknown_in(batch).fields == ["chat.full_nmae", "chat.labls"]


def test_strictly_each_is_a_fault_at_its_place_beside_all_others() -> None:
    batch = [event(), {**in_chat(full_nmae="x"), "message": event(timestamp="x")["message"]}]

    assert refused(batch) == {
        "[1].message.timestamp": "'x' is neither ISO 8601 nor epoch seconds or milliseconds",
        "[1].chat.full_nmae": "is no field that is known here; did you mean chat.full_name?",
    }
    assert set(refused(EVERYWHERE)) == set(FOUND)


@pytest.mark.parametrize("strict", [False, True])
def test_what_may_have_any_name_is_never_unknown(strict: bool) -> None:
    value = {
        **in_chat(refs={"full_nmae": "1"}),
        "message": event(attachments=[{"x": 1}])["message"],
    }

    assert parse_json(json.dumps(value).encode(), strict=strict).unknown.fields == []


def test_many_and_long_names_are_bounded() -> None:
    many = {**event(), **{f"field{number}": 1 for number in range(1_000)}}
    long = {**event(), "x" * 100_000: 1, "\x1b[2J\n": 1}

    assert len(unknown_in([many] * 3).fields) == UNKNOWN_LISTED_MAX
    assert unknown_in(long).fields == ["x" * spelling.KEY_CHARS_MAX, r"'\x1b[2J\n'"]
    assert len(refused([many] * 3)) == 101


def test_once_the_list_is_full_nothing_more_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    many = {**event(text="x" * 2_000), **{f"field{number}": 1 for number in range(30)}}
    looked: list[int] = []
    look = UnknownFields.look

    def counted(self: UnknownFields, value: Any) -> None:
        looked.append(1)
        look(self, value)

    monkeypatch.setattr(UnknownFields, "look", counted)
    unknown_in([many] * 500, sliced=True)

    assert len(looked) < 100


def test_without_an_unknown_field_a_message_is_decoded_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("decoded again")

    form = parsing.Form(parsing.ARRAY.strict, never, never)
    monkeypatch.setattr(parsing, "ARRAY", form)

    assert len(parse_json(json.dumps([event()] * 3).encode()).events) == 3


def test_lines_have_their_unknown_fields_named_too() -> None:
    body = b"\n".join(json.dumps(one).encode() for one in (event(), in_chat(full_nmae="x")))

    assert parse_ndjson(body).unknown.fields == ["chat.full_nmae"]
    with pytest.raises(InvalidInput) as refusal:
        parse_ndjson(body, strict=True)
    assert refusal.value.faults[0].path == "line 2.chat.full_nmae"
