"""What `listen` prints of a request: a conversation, or whatever else came; nothing controls the
terminal."""

import json
from typing import Any

import pytest

from hookbundle.commands.listening import shown
from hookbundle.commands.listening.checks import Checked
from hookbundle.commands.listening.shown import LINES_MAX, Received
from hookbundle.commands.listening.wire import Request
from hookbundle.tests.in_process import event

AT_MS = 1_795_856_989_000


def received(body: bytes, target: str = "/in") -> Received:
    request = Request("POST", target, {"webhook-id": "dlv_1"}, body)
    return Received(1, AT_MS, request, Checked(True, "authentic"), 200)


def printed(body: bytes, capsys: pytest.CaptureFixture[str], target: str = "/in") -> list[str]:
    assert shown.show(received(body, target))
    return capsys.readouterr().out.splitlines()


def bundle(*events: dict[str, Any]) -> bytes:
    first = events[0]
    members = [each["message"] for each in events]
    return json.dumps({"chat": first["chat"], "messages": members}).encode()


def test_a_bundle_is_shown_as_a_conversation(capsys: pytest.CaptureFixture[str]) -> None:
    nameless = {"full_name": " ", "phone": "+972540000000"}
    body = bundle(
        event("m1", text="Hi! 👋\nنعم"), event("m2", sender=nameless), event("m3", sender=None)
    )

    lines = printed(body, capsys)

    assert lines[0].split("  ")[1:] == [
        "POST /in",
        "dlv_1",
        "3 messages of John Doe",
        "authentic",
        "answered 200",
    ]
    assert lines[1:4] == [
        "    John Doe  received  2021-02-24 16:25",
        "      Hi! 👋",
        "      نعم",
    ]
    assert lines[4].startswith("    +972540000000  ")
    assert lines[6].startswith("    John Doe  ")


def test_no_character_of_a_request_controls_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hostile = "a\x1b[2Jb\x07c\u202ed\x9be"
    made = event("m1", text=hostile, sender={"full_name": hostile, "phone": None})
    made["chat"]["full_name"] = hostile

    out = "\n".join(
        [
            *printed(bundle(made), capsys, target=f"/{hostile}"),
            *printed(json.dumps({"note": hostile}).encode(), capsys),
            *printed(hostile.encode(), capsys),
            *printed(hostile.encode("utf-16"), capsys),
        ]
    )

    assert [c for c in out if not c.isprintable() and c != "\n"] == []


def test_an_emoji_of_several_stays_whole(capsys: pytest.CaptureFixture[str]) -> None:
    family = "👨\u200d👩\u200d👧"

    assert f"      {family}" in printed(bundle(event("m1", text=family)), capsys)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b'{"text": "hi"}', '      "text": "hi"'),
        (b"a=1&b=2", "    a=1&b=2"),
        (b"\xff\xfe", "    2 bytes"),
        (b'{"chat": {}, "messages": "no list"}', '      "messages": "no list"'),
        (b"[" * 100_000, "    " + "[" * 2_000 + " ..."),
    ],
)
def test_another_body_is_shown_as_it_is(
    body: bytes, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert line in printed(body, capsys)


def test_a_long_body_is_cut_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(b"line\n" * (LINES_MAX + 7), capsys)

    assert len(lines) == LINES_MAX + 3
    assert lines[-2] == "    ... and 7 more lines; --json prints all"


def test_json_has_all_of_a_request_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for body in (b'{"a": ["\xd9\x85"]}', b"text", b"\xff"):
        assert shown.show_json(received(body))

    whole, text, raw = map(json.loads, capsys.readouterr().out.splitlines())
    assert whole["body"] == {"a": ["م"]}
    assert (text["text"], raw["base64"]) == ("text", "/w==")
    assert whole["headers"] == {"webhook-id": "dlv_1"}
    assert (whole["authentic"], whole["status"], whole["number"]) == (True, 200, 1)
