"""A body that is not what it should be: which one, where, and what to do, in plain words."""

import gzip
import json

import pytest

from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.faults import FaultCode
from hookbundle.engine.messages import slices
from hookbundle.engine.messages.message import PartsByChat
from hookbundle.tests.engine.messages.requests import event, read_at_once

ONE = json.dumps(event()).encode()
HALF_SENTENCE = "half a surrogate pair"


def said(text: bytes) -> bytes:
    return ONE.replace(b'"hello"', b'"%b"' % text)


def array(*messages: bytes) -> bytes:
    return b"[" + b", ".join(messages) + b"]"


def slices_read(body: bytes, *, ndjson: bool = False) -> PartsByChat:
    reading = slices.read(body, ndjson=ndjson)
    while True:
        try:
            next(reading)
        except StopIteration as done:
            read: slices.Read = done.value
            return read.chats


def faults_of(body: bytes, *, ndjson: bool = False, sliced: bool = False) -> list[Fault]:
    read = slices_read if sliced else read_at_once
    with pytest.raises(InvalidInput) as refusal:
        read(body, ndjson=ndjson)
    return list(refusal.value.faults)


def found_in(body: bytes, *, ndjson: bool = False) -> list[tuple[str, str]]:
    """Path and code of each fault, which are the same read at once and in slices."""
    at_once, in_slices = (faults_of(body, ndjson=ndjson, sliced=one) for one in (False, True))
    assert at_once == in_slices
    return [(fault.path, fault.code) for fault in at_once]


BODIES = {
    "a form": (b"payload=%7B%7D&a=1", FaultCode.IS_FORM),
    "multipart": (b"--xyz\r\nContent-Disposition: form-data\r\n", FaultCode.IS_MULTIPART),
    "xml": (b"<?xml version='1.0'?><message/>", FaultCode.IS_MARKUP),
    "packed": (gzip.compress(ONE), FaultCode.IS_GZIP),
    "utf-16": (ONE.decode().encode("utf-16"), FaultCode.IS_UTF16),
    "utf-16, big-endian": (ONE.decode().encode("utf-16-be"), FaultCode.IS_UTF16),
    "utf-16 without a mark": (ONE.decode().encode("utf-16-le"), FaultCode.IS_UTF16),
    "lines": (ONE + b"\n" + ONE + b"\n", FaultCode.IS_NDJSON),
    "single quotes": (b"{'chat': 1}", FaultCode.JSON_SINGLE_QUOTES),
    "a single-quoted value": (b"{\"chat\": 'x'}", FaultCode.JSON_SINGLE_QUOTES),
    "no quotes": (b"{chat: 1}", FaultCode.JSON_NAME_WITHOUT_QUOTES),
    "a last comma": (ONE[:-1] + b", }", FaultCode.JSON_TRAILING_COMMA),
    "a word of Python": (ONE.replace(b'"hello"', b"None"), FaultCode.JSON_NO_SUCH_WORD),
    "no number": (ONE.replace(b'"hello"', b"NaN"), FaultCode.JSON_NO_SUCH_WORD),
    "no bound": (ONE.replace(b'"hello"', b"-Infinity"), FaultCode.JSON_NO_SUCH_WORD),
    "a phone as a number": (ONE.replace(b'"hello"', b"0541234"), FaultCode.JSON_LEADING_ZERO),
    "a line break": (said(b"two\nlines"), FaultCode.JSON_CONTROL_CHARACTER),
    "a path of Windows": (said(b"C:\\dir"), FaultCode.JSON_BACKSLASH),
    "a comment": (b'{ /* hi */ "chat": 1}', FaultCode.JSON_COMMENT),
    "a missing comma": (b'{"chat": {} "message": {}}', FaultCode.JSON_MISSING_COMMA),
    "cut off": (ONE[:-9], FaultCode.JSON_ENDS_EARLY),
    "cut off in a text": (ONE[: ONE.index(b"hello") + 2], FaultCode.JSON_ENDS_EARLY),
    "more than one value": (ONE + b" x", FaultCode.JSON_GOES_ON),
    "a wrapped array": (b'{"messages": %b}' % array(ONE), FaultCode.IS_WRAPPED),
    "another wrapped array": (b'{"data": %b, "total": 1}' % array(ONE), FaultCode.IS_WRAPPED),
    "an array behind a count": (b'{"total": 1, "data": %b}' % array(ONE), FaultCode.IS_WRAPPED),
    "a wrapped array of nothing": (b'{"messages": []}', FaultCode.IS_WRAPPED),
    "a wrapped array of texts": (b'{"Messages": ["hi", "you"]}', FaultCode.IS_WRAPPED),
    "a wrapped array of arrays": (b'{"rows": [%b]}' % array(ONE), FaultCode.IS_WRAPPED),
    "one wrapped message": (b'{"event": "new", "payload": %b}' % ONE, FaultCode.IS_WRAPPED),
    "an array wrapped twice": (b'{"data": {"items": %b}}' % array(ONE), FaultCode.IS_WRAPPED),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_something_else_is_told_what_it_is(name: str) -> None:
    body, code = BODIES[name]

    assert found_in(body) == [("", code)]


@pytest.mark.parametrize(
    "body", [array(ONE, ONE), json.dumps([event()], indent=1).encode(), b"[", array(ONE, b"5")]
)
def test_an_array_sent_as_lines_is_told_its_content_type(body: bytes) -> None:
    assert found_in(body, ndjson=True) == [("", FaultCode.IS_NOT_NDJSON)]
    assert "application/json" in faults_of(body, ndjson=True)[0].detail


def test_one_faulty_message_over_several_lines_is_told_its_content_type() -> None:
    body = json.dumps({**event(), "chat": 5}, indent=1).encode()

    assert found_in(body, ndjson=True) == [("", FaultCode.IS_NOT_NDJSON)]


HALVES = {
    "the first half of an emoji": b"see you \\ud83d",
    "the second half": b"\\ude00 hi",
    "a second half that could be a byte": b"call \\udcde",
    "the halves the wrong way round": b"\\ude00\\ud83d",
    "a first half and a letter": b"\\ud83d\\u0041",
    "upper case": b"\\uD83D",
}


@pytest.mark.parametrize("place", [0, 11, 19])
@pytest.mark.parametrize("name", HALVES)
def test_half_an_emoji_is_found_in_its_message_and_field(name: str, place: int) -> None:
    messages = [ONE] * 20
    messages[place] = said(HALVES[name])
    expected = [(f"[{place}].message.text", FaultCode.HALF_A_PAIR)]
    in_lines = [(f"line {place + 1}.message.text", FaultCode.HALF_A_PAIR)]

    assert found_in(array(*messages)) == expected
    assert found_in(b"\n".join(messages), ndjson=True) == in_lines
    assert found_in(messages[place]) == [("message.text", FaultCode.HALF_A_PAIR)]
    assert HALF_SENTENCE in faults_of(array(*messages))[0].detail


@pytest.mark.parametrize("stray", [b"caf\xe9", b"\xff", b"\xed\xa0\xbd", b"\xe2\x82"])
def test_a_stray_byte_is_found_in_its_message_and_field(stray: bytes) -> None:
    expected = [("[3].message.text", FaultCode.NOT_UTF8)]

    assert found_in(array(ONE, ONE, ONE, said(stray), ONE)) == expected


def test_all_broken_texts_and_all_other_faults_are_listed_together() -> None:
    both = said(b"\\ud83d").replace(b'"message_id": "m1"', b'"message_id": "\xff"')
    late = ONE.replace(b'"timestamp": 1', b'"timestamp": "x"')
    in_a_name = ONE.replace(b'"text"', b'"\\ud83d": 1, "text"')

    assert found_in(array(both, late, in_a_name)) == [
        ("[0].message.message_id", FaultCode.NOT_UTF8),
        ("[0].message.text", FaultCode.HALF_A_PAIR),
        ("[1].message.timestamp", FaultCode.NO_TIME),
        ("[2].message", FaultCode.HALF_A_PAIR),
    ]


def test_an_escaped_backslash_before_a_u_is_no_half() -> None:
    chats = read_at_once(array(said(b"\\\\ud83d")))

    assert json.loads(chats["1"][0][0].message)["text"] == "\\ud83d"


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (b"{oops}", FaultCode.JSON_NAME_WITHOUT_QUOTES),
        (b"{'chat': 1}", FaultCode.JSON_SINGLE_QUOTES),
        (ONE[:-1] + b",}", FaultCode.JSON_TRAILING_COMMA),
        (ONE.replace(b'"hello"', b"NaN"), FaultCode.JSON_NO_SUCH_WORD),
        (ONE + b" " + ONE, FaultCode.JSON_MISSING_COMMA),
        (b"", FaultCode.JSON_MISSING_COMMA),
    ],
)
def test_what_is_no_json_in_an_array_is_found_in_its_message(
    broken: bytes, code: FaultCode
) -> None:
    found = found_in(array(ONE, ONE, broken, ONE))
    several = 3 if broken.startswith(ONE + b" ") else 2
    if not broken:
        assert found[0][0] == "[2]"
        return

    assert found == [(f"[{several}]", code)]


@pytest.mark.parametrize(
    ("broken", "path"),
    [
        (said(b"\\ud83d"), "[3000].message.text"),
        (said(b"\xff"), "[3000].message.text"),
        (b"{oops}", "[3000]"),
        (ONE.replace(b'"timestamp": 1', b'"timestamp": {}'), "[3000].message.timestamp"),
        (ONE.replace(b'"chat":', b'"chat": 5, "chat":'), "[3000].chat"),
    ],
)
def test_in_a_large_array_the_place_is_found_too(broken: bytes, path: str) -> None:
    tricky = said(b"},{")
    body = array(*[tricky] * 3_000, broken, *[ONE] * 3_000)

    assert [fault.path for fault in faults_of(body, sliced=True)] == [path]


def test_a_large_array_that_ends_early_ends_in_a_message() -> None:
    body = array(*[ONE] * 3_000)[:-20]

    (found,) = faults_of(body, sliced=True)

    assert (found.path, found.code) == ("[2999]", FaultCode.JSON_ENDS_EARLY)


def test_a_line_is_counted_with_the_empty_ones_before_it() -> None:
    body = b"\n\n" + ONE + b"\n \n" + ONE.replace(b'"sent"', b'"up"') + b"\n5"

    assert found_in(body, ndjson=True) == [
        ("line 5.message.direction", FaultCode.NOT_ONE_OF),
        ("line 6", FaultCode.NOT_AN_OBJECT),
    ]


@pytest.mark.parametrize("ndjson", [False, True])
def test_a_byte_order_mark_is_ignored(ndjson: bool) -> None:
    body = b"\xef\xbb\xbf" + ONE

    assert list(read_at_once(body, ndjson=ndjson)) == ["1"]
    assert list(slices_read(body, ndjson=ndjson)) == ["1"]
    assert found_in(b"\xef\xbb\xbf5", ndjson=ndjson)[0][1] == FaultCode.NOT_AN_OBJECT


@pytest.mark.parametrize("name", BODIES)
def test_no_sentence_speaks_python(name: str) -> None:
    words = " ".join(fault.detail for fault in faults_of(BODIES[name][0]))

    assert not any(word in words for word in ("Expected", "`", "str", "int,", "codec", "position"))
