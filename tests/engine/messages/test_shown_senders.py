"""Who is shown as a message's sender in the aggregation; the fields stay as they came."""

import json

import pytest

from hookbundle.engine.messages import payload
from hookbundle.engine.messages.message import Message, Party, encode

AT = "2021-02-24T16:25:29+0000"


def bundle(*messages: Message, chat: bytes = b'{"chat_id":"1"}') -> bytes:
    return payload.bundle_body(
        account=b"{}",
        chat=chat,
        is_new_chat=False,
        messages=[encode(each) for each in messages],
        permalink="",
        product_name="TimelinesAI",
    )


def message(text: str, sender: str = "Jane") -> Message:
    return Message("sent", AT, "m1", Party(sender), Party("Amnon"), text)


def said_by(name: str | None, phone: str | None, **chat: str) -> str:
    """The aggregation's line of a message from this sender, in a chat with these details."""
    one = Message("received", AT, "m1", Party(name, phone), Party(), "hi")
    details = json.dumps({"chat_id": "c<1>", **chat}).encode()
    html: str = json.loads(bundle(one, chat=details))["aggregation"]
    return html


@pytest.mark.parametrize(
    ("name", "phone", "chat", "shown"),
    [
        ("Noa", "+972", {"full_name": "Levi"}, "Noa"),
        ("", "+972", {"full_name": "Levi"}, "+972"),
        (None, "+972", {}, "+972"),
        (" \t", "+972", {}, "+972"),
        ("", "", {"full_name": "Levi & Co"}, "Levi &amp; Co"),
        ("", " ", {"full_name": "Levi"}, "Levi"),
        ("", None, {"full_name": ""}, "c&lt;1&gt;"),
        ("", "", {"full_name": "\u00a0"}, "c&lt;1&gt;"),
    ],
)
def test_a_sender_without_a_name_is_shown_by_what_is_known(
    name: str | None, phone: str | None, chat: dict[str, str], shown: str
) -> None:
    assert said_by(name, phone, **chat) == f"from {shown} on 2021-02-24 16:25: hi<br/>"


def test_the_fields_stay_as_they_came_whatever_is_shown_for_them() -> None:
    nameless = Message("received", AT, "m1", Party("", ""), Party(), "\u202ehi")

    body = json.loads(bundle(nameless, chat=b'{"chat_id":"1","full_name":"Noa \xe2\x80\xae"}'))

    assert body["messages"][0]["sender"] == {"full_name": "", "phone": ""}
    assert body["messages"][0]["text"] == "\u202ehi"
    assert body["chat"]["full_name"] == "Noa \u202e"


def test_of_two_members_only_the_one_without_a_name_gets_the_chats() -> None:
    nameless = Message("received", AT, "m1", Party(), Party(), "hi")

    body = json.loads(bundle(message("ho"), nameless, chat=b'{"chat_id":"1","full_name":"Noa"}'))

    assert body["aggregation"].split("<br/>")[:2] == [
        "from Jane on 2021-02-24 16:25: ho",
        "from Noa on 2021-02-24 16:25: hi",
    ]


def test_an_override_in_a_name_does_not_turn_what_follows() -> None:
    html = json.loads(bundle(message("price 100", sender="Noa \u202eLevi")))["aggregation"]

    assert html == "from Noa \u202eLevi\u202c on 2021-02-24 16:25: price 100<br/>"
