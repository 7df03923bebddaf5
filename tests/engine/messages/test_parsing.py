"""Requests read: valid input as events, invalid input as every fault with its path."""

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine import limits
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.messages import parsing
from hookbundle.engine.messages.parsing import parse_as, parse_json, parse_ndjson
from hookbundle.tests.engine.messages.requests import event, faults

DEEP = b"[" * 100_000 + b"]" * 100_000


class Form(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A form of settings, for what is common to all of them."""

    name: str = ""
    hours: int = 0


def raw(*, timestamp: bytes = b"1", text: bytes = b'"x"', more: bytes = b"") -> bytes:
    """An event in bytes that no encoder would write."""
    return (
        b'{"whatsapp_account":{},"chat":{"chat_id":"1"},"message":{"direction":"sent",'
        b'"timestamp":%b,"message_id":"m1","text":%b%b}}'
    ) % (timestamp, text, more)


def refusal_of(body: bytes, *, ndjson: bool = False) -> InvalidInput | None:
    try:
        (parse_ndjson if ndjson else parse_json)(body)
    except InvalidInput as refusal:
        return refusal
    return None


class Counting:
    """A decoder that counts how often it decodes."""

    def __init__(self, decoder: msgspec.json.Decoder[Any]) -> None:
        self.decoder, self.count = decoder, 0

    def decode(self, body: bytes) -> Any:
        self.count += 1
        return self.decoder.decode(body)


# ---- shapes


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("more", [b"", b',"txt":"x"', b',"text":5'])
def test_one_message_is_decoded_strictly_once(
    monkeypatch: pytest.MonkeyPatch, more: bytes, strict: bool
) -> None:
    counting = Counting(parsing._strict_one)
    monkeypatch.setattr(parsing, "_strict_one", counting)

    with contextlib.suppress(InvalidInput):
        parse_json(raw(more=more), strict=strict)

    assert counting.count == 1


def test_one_object_an_array_and_ndjson_are_the_same_events() -> None:
    body = json.dumps(event()).encode()

    forms = [
        list(parse_json(body).events),
        parse_json(b" \n" + body).events,
        parse_json(b"\t[" + body + b"]").events,
        parse_ndjson(body).events,
        parse_ndjson(b"\n" + body + b"\r\n\n").events,
    ]

    assert all(form == forms[0] for form in forms)
    assert len(forms[0]) == 1


def test_unknown_fields_are_ignored() -> None:
    (parsed,) = parse_json(
        json.dumps({**event(reaction="x"), "source": {"a": [1]}}).encode()
    ).events

    assert parsed.message.text == "hello"


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"{", b"hello", b"\xef\xbb\xbf{", b"{}x", b"{]", b"\xff"]
)
def test_a_body_that_is_not_json_is_refused_as_such(body: bytes) -> None:
    assert "is not JSON" in faults(body)[""]


@pytest.mark.parametrize("value", [5, "x", None, True, 1.5, [[]]])
def test_json_of_another_shape_is_refused_with_its_place(value: Any) -> None:
    (place,) = faults(value) if isinstance(value, list) else faults([value])

    assert place == "[0]"
    assert "must be an object" in faults(value)["[0]" if isinstance(value, list) else ""]


def test_an_empty_array_has_no_events() -> None:
    assert parse_json(b"[]").events == parse_ndjson(b"").events == []


# ---- faults


def test_every_fault_has_its_path() -> None:
    broken = {
        "whatsapp_account": {"phone": 5},
        "chat": {"chat_id": "", "is_group": "yes", "full_name": "x" * 1_025},
        "message": {"direction": "up", "timestamp": [], "sender": None, "text": 1},
    }

    found = faults([event(), broken, 7, {}])

    assert found == {
        "[1].whatsapp_account.phone": "must be text, in quotes; is a number",
        "[1].chat.chat_id": "must not be empty",
        "[1].chat.is_group": "must be true or false, without quotes; is text",
        "[1].chat.full_name": "must have at most 1024 characters; has 1025",
        "[1].message.direction": "must be one of 'received', 'sent'; is 'up'",
        "[1].message.timestamp": "must be text or a number; is an array",
        "[1].message.message_id": "is missing",
        "[1].message.sender": "must be an object, in braces; is null",
        "[1].message.text": "must be text, in quotes; is a number",
        "[2]": "must be an object, in braces; is a number",
        "[3].whatsapp_account": "is missing",
        "[3].chat": "is missing",
        "[3].message": "is missing",
    }


def test_faults_that_only_the_values_show_have_their_paths_too() -> None:
    found = faults([event(timestamp="yesterday"), event(), event(timestamp=-1)])

    assert list(found) == ["[0].message.timestamp", "[2].message.timestamp"]


def test_an_ndjson_line_that_is_no_json_is_one_fault_among_others() -> None:
    lines = [json.dumps(event()), "{oops", json.dumps(event(direction="up")), ""]

    found = faults("\n".join(lines).encode(), ndjson=True)

    assert list(found) == ["line 2", "line 3.message.direction"]
    assert "is not JSON" in found["line 2"]


@pytest.mark.parametrize("ndjson", [False, True])
@pytest.mark.parametrize("broken", [{}, event(timestamp="never")], ids=["shape", "value"])
def test_of_very_many_faults_a_hundred_are_listed(broken: Any, ndjson: bool) -> None:
    text = json.dumps(broken)
    body = "\n".join([text] * 150) if ndjson else f"[{','.join([text] * 150)}]"

    found = faults(body.encode(), ndjson=ndjson)

    assert len(found) == limits.FAULTS_LISTED_MAX + 1
    assert found[""] == "has more faults than are listed"


@pytest.mark.parametrize("ndjson", [False, True])
def test_a_fault_in_the_first_of_two_fields_of_one_name_is_found(ndjson: bool) -> None:
    body = raw().replace(b'"chat":', b'"chat":5,"chat":')

    assert faults(body, ndjson=ndjson) == {f"{'line 1.' * ndjson}chat": "is given twice"}


# ---- input made to do harm


@pytest.mark.parametrize(
    "body",
    [
        b'[{"whatsapp_account":5},oops',
        b'{"whatsapp_account":5,"x":"\xff"}',
        DEEP,
        b'{"whatsapp_account":5,"x":' + DEEP + b"}",
        raw(more=b',"attachments":' + DEEP),
        raw(more=b',"unknown":' + DEEP),
        raw(text=b'"\xff"'),
        raw(text=b'"\xed\xa0\x80"'),
        raw(text=b'"\\ud800"'),
        raw(text=b'"\\udc00\\ud800"'),
        raw(timestamp=b"NaN"),
        raw(timestamp=b"Infinity"),
        raw(timestamp=b"1e400"),
        raw(timestamp=b"9" * 5_000),
        raw(timestamp=b"-0x1"),
        raw(timestamp=b"01"),
    ],
    ids=range(16),
)
@pytest.mark.parametrize("ndjson", [False, True])
def test_broken_deep_and_mistyped_input_is_a_fault(body: bytes, ndjson: bool) -> None:
    assert faults(body, ndjson=ndjson)


@pytest.mark.parametrize("timestamp", [b"1e308", b"9" * 100, b"-1", b"253402300800000", b"true"])
def test_a_number_that_is_no_time_is_a_fault_of_the_timestamp(timestamp: bytes) -> None:
    assert list(faults(raw(timestamp=timestamp))) == ["message.timestamp"]


def test_emoji_written_as_two_surrogates_are_one_character() -> None:
    (parsed,) = parse_json(raw(text=b'"\\ud83d\\ude00"')).events

    assert parsed.message.text == "\U0001f600"


@pytest.mark.parametrize("ndjson", [False, True])
def test_a_request_has_ten_thousand_messages_at_most(ndjson: bool) -> None:
    separator, body = (b"\n", b"%b") if ndjson else (b",", b"[%b]")
    parse = parse_ndjson if ndjson else parse_json
    most = limits.REQUEST_MESSAGES_MAX

    full = parse(body % separator.join([raw()] * most)).events
    found = faults(body % separator.join([raw()] * (most + 1)), ndjson=ndjson)

    assert len(full) == most
    assert found == {"": "has more than 10000 messages; send at most 10000 at once"}


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_no_bytes_do_harm(body: bytes) -> None:
    refusals = [refusal_of(body), refusal_of(body, ndjson=True)]

    assert all(refusal.faults for refusal in refusals if refusal)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["chat", "message", "whatsapp_account", "chat_id", "labels", "refs"]),
            inner,
        )
    ),
    max_leaves=10,
)


@settings(deadline=None)
@given(json_values)
def test_every_refusal_has_a_fault(value: Any) -> None:
    refusal = refusal_of(json.dumps(value).encode())

    assert refusal is None or refusal.faults


# ---- forms of settings


def test_a_form_has_every_fault_listed_and_misspelled_fields_named() -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_as(b'{"name":5,"hours":"x","nmae":1}', Form)

    assert {(fault.path, fault.detail) for fault in refusal.value.faults} == {
        ("name", "must be text, in quotes; is a number"),
        ("hours", "must be a whole number, without quotes; is text"),
        ("nmae", "is no field that is known here; did you mean name?"),
    }


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"name":5', b'{"x":1,"y":' + DEEP, b'{"name":5,"name":"x"}']
)
def test_a_form_that_can_not_be_read_is_a_fault(body: bytes) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_as(body, Form)

    assert refusal.value.faults
