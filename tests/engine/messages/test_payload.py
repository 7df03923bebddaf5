"""Bodies of webhook requests: fields and order as in docs/payload.md, and HTML no text breaks.

The golden files are the two examples of the product's original specification (docs/payload.md). In
its bundle, both messages have the same id, and their texts are not those of its aggregation. In the
golden file the messages are those of the aggregation, and its `</h>` is corrected to `</a>`.
"""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine import limits
from hookbundle.engine.messages import directions, payload
from hookbundle.engine.messages.message import Incoming, Message, Party, by_chat, encode
from hookbundle.engine.messages.parsing import parse_json

GOLDEN = Path(__file__).parents[2] / "golden"
AT = "2021-02-24T16:25:29+0000"

NASTY = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "<a href='javascript:alert(1)'>x</a>",
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "&lt;b&gt; &amp; &#x27;",
    "{{constructor.constructor('x')()}} ${7*7} <%= 7 %>",
    "<!-- --> <![CDATA[ ]]> <?php ?>",
    "\u202eevil\u202c \u2066x\u2069 \ufeff",
    "\x00\x07\x1b[31m\x7f",
    "emoji \U0001f468\u200d\U0001f469\u200d\U0001f467 \u0645\u0631\u062d\u0628\u0627",
    "\u2028\u2029\u0085",
    '\\u003cscript\\u003e \\" \\\\',
    "<" * 1_000,
]


class Read(HTMLParser):
    """What a browser would make of the HTML: its text, its tags, and their attributes."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))
        self.text += "\n" if tag == "br" else ""

    def handle_data(self, data: str) -> None:
        self.text += data


def events(name: str) -> list[Incoming]:
    """The events of a golden file, as they are kept."""
    ((kept, skipped),) = by_chat(parse_json((GOLDEN / name).read_bytes()).events).values()
    assert not skipped
    return kept


def message(text: str, sender: str = "Jane") -> Message:
    return Message("sent", AT, "m1", Party(sender), Party("Amnon"), text)


def said(text: str, sender: str = "Jane") -> payload.MessageForHtml:
    return payload.MessageForHtml(AT, Party(sender), text)


def bundle(*messages: Message, chat: bytes = b'{"chat_id":"1"}', permalink: str = "") -> bytes:
    return payload.bundle_body(
        account=b"{}",
        chat=chat,
        is_new_chat=False,
        messages=[encode(each) for each in messages],
        permalink=permalink,
        product_name="TimelinesAI",
    )


# ---- the examples of the specification


def test_a_single_message_is_sent_as_specified() -> None:
    (kept,) = events("single.in.json")

    body = payload.single_body(kept.account, kept.chat, kept.message)

    assert body + b"\n" == (GOLDEN / "single.json").read_bytes()


def test_a_bundle_is_sent_as_specified() -> None:
    first, newest = events("bundle.in.json")

    body = payload.bundle_body(
        account=newest.account,
        chat=newest.chat,
        is_new_chat=first.is_new_chat or newest.is_new_chat,
        messages=[first.message, newest.message],
        permalink=first.permalink,
        product_name="TimelinesAI",
    )

    assert body + b"\n" == (GOLDEN / "bundle.json").read_bytes()


def test_what_is_unknown_is_sent_as_an_empty_text() -> None:
    group = {
        "whatsapp_account": {"full_name": None},
        "chat": {"chat_id": "g", "is_group": True, "phone": None, "responsible_name": None},
        "message": {
            **{"direction": "received", "timestamp": 0, "message_id": "m", "text": ":null"},
            "sender": {"full_name": "Jane", "phone": None},
        },
    }
    ((kept,), _) = by_chat(parse_json(json.dumps(group).encode()).events)["g"]

    body = json.loads(payload.single_body(kept.account, kept.chat, kept.message))

    assert body["whatsapp_account"] == {"full_name": "", "email": "", "phone": ""}
    assert (body["chat"]["phone"], body["chat"]["is_group"]) == ("", True)
    assert body["message"]["sender"] == {"full_name": "Jane", "phone": ""}
    assert body["message"]["recipient"] == {"full_name": "", "phone": ""}
    assert body["message"]["text"] == ":null"
    assert b"null" not in kept.account + kept.chat


def test_a_bundle_of_one_has_the_same_first_and_last_timestamp() -> None:
    body = json.loads(bundle(message("hello")))

    assert (body["first_message_timestamp"], body["last_message_timestamp"]) == (AT, AT)


def test_a_chat_becomes_new_without_losing_its_other_details() -> None:
    chat = events("bundle.in.json")[1].chat

    body = payload.bundle_body(
        account=b"{}",
        chat=chat,
        is_new_chat=True,
        messages=[encode(message("x"))],
        permalink="",
        product_name="",
    )

    assert json.loads(body)["chat"] == {**json.loads(chat), "is_new_chat": True}


# ---- the aggregation


@pytest.mark.parametrize("text", NASTY)
def test_no_text_and_no_name_becomes_markup(text: str) -> None:
    read = Read(json.loads(bundle(message(text, sender=text)))["aggregation"])

    assert read.tags == [("br", [])]
    sender = "1" if text.isspace() else text
    assert read.text == f"from {sender} on 2021-02-24 16:25: {text}\n"


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")))
def test_any_text_is_read_back_as_it_was(text: str) -> None:
    read = Read(payload.line(said(text), ""))

    assert {tag for tag, _ in read.tags} == {"br"}
    assert read.text == f"from Jane on 2021-02-24 16:25: {directions.closed(text)}\n"


def test_every_character_that_means_something_in_html_is_escaped() -> None:
    line = payload.line(said("\"'&<>", sender="<'\">"), "")

    assert line == ("from &lt;&#x27;&quot;&gt; on 2021-02-24 16:25: &quot;&#x27;&amp;&lt;&gt;<br/>")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_newline_becomes_a_break(newline: str) -> None:
    line = payload.line(said(f"one{newline}two{newline}{newline}<b>"), "")

    assert line == "from Jane on 2021-02-24 16:25: one<br/>two<br/><br/>&lt;b&gt;<br/>"


@pytest.mark.parametrize(
    ("permalink", "chat_url", "linked"),
    [
        ("https://a.example/1", "https://a.example/c", "https://a.example/1"),
        ("http://a.example/1", "", "http://a.example/1"),
        ("HTTPS://A.example/1", "", "HTTPS://A.example/1"),
        ("", "https://a.example/c", "https://a.example/c"),
        ("javascript:alert(1)", "https://a.example/c", "https://a.example/c"),
        ("https://a.example/?a=1&b='><x", "", "https://a.example/?a=1&b='><x"),
    ],
)
def test_the_first_http_link_is_linked(permalink: str, chat_url: str, linked: str) -> None:
    read = Read(payload.closing(permalink, chat_url, "Timelines & Co"))

    assert read.tags == [("a", [("href", linked)])]
    assert read.text == "Click here to open the conversation in Timelines & Co"


@pytest.mark.parametrize(
    "link",
    [
        "",
        "javascript:alert(1)",
        " https://a.example",
        "data:text/html,x",
        "//a.example",
        "file:///",
    ],
)
def test_what_is_no_http_link_is_not_linked(link: str) -> None:
    assert payload.closing(link, link, "Timelines") == ""


# ---- its size


@settings(deadline=None)
@given(
    st.text(
        st.sampled_from(
            "x&<>\"'\\\n\r\t\x00\x7f\u2028\u0639\u20ac\U0001f600\u202e\u2066\u202c\u2069"
        )
        | st.characters(exclude_categories=["Cs"]),
        max_size=300,
    ),
    st.text("n&'\"<\\\U0001f600\u202b\u2068 ", max_size=60),
    st.text("n&'\"<\\\x01\U0001f600\u202b\u2068", max_size=300),
)
def test_a_message_never_adds_more_than_its_weight(text: str, sender: str, name: str) -> None:
    one, two = message("x"), message(text, sender)
    chat = json.dumps({"chat_id": "'" * 200, "full_name": name}).encode()

    added = len(bundle(one, two, chat=chat)) - len(bundle(one, chat=chat))

    assert added <= payload.weight(encode(two))


def test_what_closes_the_most_controls_is_in_the_weight() -> None:
    two = message("\u202e" * directions.DEPTH_MAX, sender="\u2067" * directions.DEPTH_MAX)

    added = len(bundle(message("x"), two)) - len(bundle(message("x")))

    assert added <= payload.weight(encode(two))


def test_the_frame_of_a_bundle_has_room_for_the_longest_details() -> None:
    worst = '"' * limits.NAME_CHARS_MAX
    link = "https://" + "'" * (limits.URL_CHARS_MAX - 8)
    chat = {
        **dict.fromkeys(("full_name", "responsible_name", "responsible_email", "phone"), worst),
        **{"chat_url": link, "chat_id": "\x01" * limits.CHAT_ID_BYTES_MAX},
    }
    account = json.dumps(dict.fromkeys(("full_name", "email", "phone"), worst)).encode()
    one = message("x")

    body = payload.bundle_body(
        account=account,
        chat=json.dumps(chat).encode(),
        is_new_chat=True,
        messages=[encode(one)],
        permalink=link,
        product_name=worst,
    )

    assert len(body) - payload.weight(encode(one)) <= limits.BODY_FRAME_BYTES_MAX
