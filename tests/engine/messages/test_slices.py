"""A large request read in slices: messages and faults as read at once, and bounded work."""

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.messages import message, slices
from hookbundle.engine.messages.malformed import value_of
from hookbundle.engine.messages.message import Event, PartsByChat
from hookbundle.engine.messages.places import Place
from hookbundle.tests.engine.messages.requests import event, read_at_once

LARGE = limits.REQUEST_BYTES_MAX
ONE = json.dumps(event()).encode()

TRICKY = st.sampled_from(["},{", '"}, {"', "\\", "]", "\n", "é", '{"a":[{},{}]},{', ""])
VALID = st.builds(
    lambda number, text, chat: {**event(message_id=f"m{number}", text=text), "chat": chat},
    st.integers(0, 9),
    TRICKY,
    st.builds(lambda number: {"chat_id": f"c{number}"}, st.integers(0, 3)),
)
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [{}, 1, None, [], event(timestamp="never"), event(text=5), [{}, {}]]
)


def in_slices(body: bytes, *, ndjson: bool = False) -> PartsByChat:
    reading = slices.read(body, ndjson=ndjson)
    while True:
        try:
            next(reading)
        except StopIteration as done:
            read: slices.Read = done.value
            return read.chats


def refusal_of(body: bytes, *, ndjson: bool = False) -> InvalidInput:
    with pytest.raises(InvalidInput) as refusal:
        in_slices(body, ndjson=ndjson)
    return refusal.value


def encoded(values: list[Any], *, ndjson: bool, indent: int | None) -> bytes:
    if ndjson:
        return b"\n".join(json.dumps(value).encode() for value in values) + b"\n\n"
    return b" " + json.dumps(values, indent=indent).encode() + b"\n"


@settings(deadline=None)
@given(st.lists(VALID), st.booleans(), st.sampled_from([None, 1]), st.integers(1, 500))
def test_the_messages_are_those_read_at_once(
    values: list[Any], ndjson: bool, indent: int | None, size: int
) -> None:
    body = encoded(values, ndjson=ndjson, indent=indent)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "SLICE_BYTES", size)
        chats = in_slices(body, ndjson=ndjson)

    assert chats == read_at_once(body, ndjson=ndjson)


@settings(deadline=None)
@given(st.lists(VALID | ODD), st.booleans(), st.integers(1, 500))
def test_a_fault_has_the_place_that_it_has_read_at_once(
    values: list[Any], ndjson: bool, size: int
) -> None:
    """In slices, faults of types and of rules are found together; at once, first those of types."""
    body = encoded(values, ndjson=ndjson, indent=None)
    try:
        read_at_once(body, ndjson=ndjson)
    except InvalidInput as exc:
        expected = set(exc.faults)
    else:
        return

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "SLICE_BYTES", size)
        refusal = refusal_of(body, ndjson=ndjson)

    assert expected <= set(refusal.faults)


def test_of_a_large_request_few_messages_are_read_before_others_have_the_interpreter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counts: list[int] = []
    put = message.put

    def counted(chats: PartsByChat, events: list[Event], place: Place) -> list[Fault]:
        counts.append(len(events))
        return put(chats, events, place)

    monkeypatch.setattr(slices, "put", counted)
    pieces = sum(1 for _ in slices.read(b"[%b]" % b",".join([ONE] * 5_000), ndjson=False))

    assert (sum(counts), len(counts)) == (5_000, pieces)
    assert max(counts) <= 128


def many(one: bytes, size: int = LARGE, between: bytes = b",") -> bytes:
    return between.join([one] * (size // (len(one) + len(between))))


def encoded_one(**wrong: Any) -> bytes:
    return json.dumps(event(**wrong)).encode()


# Each is made when it is tested: they are large, and every process of a test run imports this file.
HOSTILE: dict[str, tuple[Callable[[], bytes], bool]] = {
    "open arrays": (lambda: b"[" * LARGE, False),
    "open objects": (lambda: many(b'{"a":', between=b""), False),
    "digits": (lambda: b"[%b]" % (b"1" * LARGE), False),
    "keys": (lambda: b"[{%b}]" % b",".join(b'"%d":1' % number for number in range(600_000)), False),
    "lists in lists": (lambda: b'[{"message":{"attachments":[%b]}}]' % many(b"[]"), False),
    "attachments": (lambda: b'[%b,"attachments":[%b]}}]' % (ONE[:-2], many(b"[]")), False),
    "objects": (lambda: b'[%b,"attachments":[%b]}}]' % (ONE[:-2], many(b"{}")), False),
    "numbers": (lambda: b"[%b]" % many(b"1"), False),
    "empty objects": (lambda: b"[%b]" % many(b"{}"), False),
    "one text": (lambda: b'["%b"]' % (b"x" * LARGE), False),
    "a late byte": (lambda: b'[%b,{"chat":"\xff"}]' % many(ONE, LARGE // 4), False),
    "a late end": (lambda: b"[%b" % many(ONE, LARGE // 4), False),
    "faults of rules": (
        lambda: b"[%b]" % many(json.dumps(event(timestamp="never")).encode()),
        False,
    ),
    "faults of types": (lambda: b"[%b]" % many(json.dumps(event(text=5)).encode()), False),
    "bad lines": (lambda: many(b"x", between=b"\n"), True),
    "lines of numbers": (lambda: many(b"1", between=b"\n"), True),
    "lines of nothing": (lambda: many(b"{}", between=b"\n"), True),
    "one bad line": (lambda: b"[" * LARGE, True),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_memory_for_a_refusal_is_bounded_whatever_the_body_is(name: str) -> None:
    made, ndjson = HOSTILE[name]
    body = made()

    tracemalloc.start()
    try:
        refusal = refusal_of(body, ndjson=ndjson)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak_bytes < 3 * LARGE, f"{peak_bytes:,}"
    assert 1 <= len(refusal.faults) <= limits.FAULTS_LISTED_MAX + 1
    assert all(len(fault.path) + len(fault.detail) < 500 for fault in refusal.faults)


@pytest.mark.parametrize("bad", [event(text=5), event(timestamp="never")])
@pytest.mark.parametrize("ndjson", [False, True])
def test_nothing_is_read_past_the_last_fault_that_is_listed(
    monkeypatch: pytest.MonkeyPatch, bad: Any, ndjson: bool
) -> None:
    read: list[str] = []
    monkeypatch.setattr(slices, "put", lambda chats, events, place: read.append(place(0)))
    body = encoded([event(text=5)] * 200 + [event()] * 5_000, ndjson=ndjson, indent=None)

    refusal = refusal_of(body, ndjson=ndjson)

    assert len(refusal.faults) == limits.FAULTS_LISTED_MAX + 1
    assert read == []


def test_faults_are_looked_for_in_few_messages_before_others_have_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = json.dumps([event(text=5)] * 120).encode()
    read = [0]

    def value_counted(value: Any) -> Any:
        read[-1] += 1
        return value_of(value)

    monkeypatch.setattr("hookbundle.engine.messages.parsing.value_of", value_counted)
    with pytest.raises(InvalidInput):  # noqa: PT012
        for _ in slices.read(body, ndjson=False):
            read.append(0)

    assert sum(read) == 101
    assert max(read) <= slices.FAULTY_AT_ONCE


def test_the_types_of_messages_are_not_taken_apart_anew_for_each_faulty_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fields, asked = msgspec.structs.fields, list[object]()

    def fields_counted(kind: Any) -> Any:
        asked.append(kind)
        return fields(kind)

    monkeypatch.setattr(msgspec.structs, "fields", fields_counted)
    refusal = refusal_of(json.dumps([event(text=5)] * 100).encode())

    assert len(refusal.faults) == 100
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("ndjson", [False, True])
def test_too_many_messages_are_not_read_on(monkeypatch: pytest.MonkeyPatch, ndjson: bool) -> None:
    most = limits.REQUEST_MESSAGES_MAX
    assert in_slices(encoded([event()] * most, ndjson=ndjson, indent=None), ndjson=ndjson)

    (fault,) = refusal_of(
        encoded([event()] * (most + 1), ndjson=ndjson, indent=None), ndjson=ndjson
    ).faults

    assert fault.detail == f"has more than {most} messages; send at most {most} at once"


def test_a_message_larger_than_a_slice_is_read_whole() -> None:
    text = "},{" * 20_000
    body = encoded(
        [event(message_id="m1"), event(message_id="m2", text=text), event()],
        ndjson=False,
        indent=None,
    )
    assert len(body) < limits.REQUEST_BYTES_MAX

    (messages, skipped) = in_slices(body)["1"]

    assert [message.message_id for message in messages] == ["m1", "m2", "m1"]
    assert text in json.loads(messages[1].message)["text"]
    assert not skipped


def test_a_single_message_may_be_large() -> None:
    body = json.dumps(event(attachments=["x" * 2_000_000])).encode()

    ((messages, skipped),) = in_slices(body).values()

    assert (messages, [skip.reason for skip in skipped]) == ([], ["attachment"])
