"""What each filter makes of a value."""

import math
import time
from typing import Any

import msgspec
import pytest

from hookbundle.engine.formats.filters import FILTERS
from hookbundle.engine.formats.jobs import Rendered, Unrenderable
from hookbundle.tests.engine.formats.jobs import bundle, filled, message, outcome

OF_LIQUID = (
    "default escape strip upcase downcase truncate date first last size plus minus json url_encode"
)
OURS = "text html digits e164 ms"


def test_there_are_these_filters_and_no_others() -> None:
    assert set(FILTERS) == {*OF_LIQUID.split(), *OURS.split()}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'' | default: 'x'", "x"),
        ("'a' | default: 'x'", "a"),
        ("refs.none | default: contact.phone_digits", "972501234567"),
        ("labels | default: 'none'", "none"),
        ("chat.is_group | default: 'x'", "x"),
        ("0 | default: 7", 0),
        ("'<a href=\"x\">&' | escape", "&lt;a href=&quot;x&quot;&gt;&amp;"),
        ("'  a b ' | strip", "a b"),
        ("'aß' | upcase", "ASS"),
        ("'AÉ' | downcase", "aé"),
        ("'hello world' | truncate: 8", "hello..."),
        ("'hello world' | truncate: 8, '…'", "hello w…"),
        ("'hello world' | truncate: 999999999999", "hello world"),
        ("messages | first | json | size", 210),
        ("messages | last | json | truncate: 20", '{"direction":"sen...'),
        ("labels | first", None),
        ("messages | size", 2),
        ("'héé' | size", 3),
        ("'12' | plus: 1", 13),
        ("'12' | plus: '1.5'", 13.5),
        ("3 | minus: 5", -2),
        ("'x' | plus: 1", 1),
        ("stats | json", '{"received":1,"sent":1,"first_reply_seconds":61,"unanswered":false}'),
        ("'say \"שלום\"' | json", '"say \\"שלום\\""'),
        ("stats.received | json", "1"),
        ("'a b&c/ä' | url_encode", "a+b%26c%2F%C3%A4"),
        ("'+972 (50) 123-4567' | digits", "972501234567"),
        ("'no phone' | digits", ""),
        ("'0097250123 4567' | e164", "+972501234567"),
        ("'050-1234567' | e164", ""),
        ("first_message_timestamp | ms", 1614183900000),
        ("'' | ms", ""),
        ("refs.none | ms", ""),
        ("1614183900 | ms", 1614183900000),
        ("first_message_timestamp | date: '%d.%m.%Y %H:%M'", "24.02.2021 18:25"),
        (
            "first_message_timestamp | date: '%F %T %z', 'America/New_York'",
            "2021-02-24 11:25:00 -0500",
        ),
        (
            "first_message_timestamp | date: '%A %e %B, %I:%M %p %% %j %y %a %b %R %Z %s %S'",
            "Wednesday 24 February, 06:25 PM % 055 21 Wed Feb 18:25 IST 1614183900 00",
        ),
        ("0 | date: '%F', 'UTC'", "1970-01-01"),
        ("'' | date: '%F'", ""),
        ("253402300799000 | date: '%F %R', 'Pacific/Kiritimati'", "9999-12-31 23:59"),
        ("'a & <b>' | text", "a & <b>"),
        ("'a & <b> \"q\"' | text: 'slack'", 'a &amp; &lt;b&gt; "q"'),
        ("'a & <b>' | html", "a &amp; &lt;b&gt;"),
        ("labels | text", ""),
        ("5 | html", "5"),
    ],
)
def test_a_filter(expression: str, value: Any) -> None:
    assert filled(f"{{{{ {expression} }}}}") == value


def test_text_and_html_take_out_what_can_not_be_seen_and_close_what_turns() -> None:
    body = bundle([message("a\r\nb\x00\x85c\t\u202ed")])

    assert filled("{{ messages[0].text | text }}", body) == "a\nb\nc\t\u202ed\u202c"
    assert filled("{{ messages[0].text | html }}", body) == "a<br/>b<br/>c\t\u202ed\u202c"


def test_a_conversation_as_text_and_as_html() -> None:
    body = bundle([message("a <b>\nsecond", name="D&L"), message("x\u202ey", 61, sent=True)])

    assert filled("{{ messages | text }}", body) == (
        "2021-02-24 18:25 D&L: a <b>\nsecond\n2021-02-24 18:26 Avi: x\u202ey\u202c"
    )
    assert filled("{{ messages | html }}", body) == (
        "2021-02-24 18:25 <strong>D&amp;L</strong>: a &lt;b&gt;<br/>second<br/>"
        "2021-02-24 18:26 <strong>Avi</strong>: x\u202ey\u202c<br/>"
    )


def test_a_sender_without_a_name_is_shown_as_in_the_aggregation() -> None:
    nameless = message("a", name="", phone="")

    assert filled("{{ messages | text }}", bundle([nameless])) == "2021-02-24 18:25 Dana Levi: a"


def test_a_name_is_one_line() -> None:
    body = bundle([message("a", name="Dana\nLevi")])

    assert filled("{{ messages | text }}", body) == "2021-02-24 18:25 Dana Levi: a"


LETTERS = 65_536
LONG = ["a", "ß", "<", '"', "\\", "\x01", "\u202e", "ﷺ", "👍", "1", "\n"]


@pytest.mark.parametrize("letter", LONG)
@pytest.mark.parametrize("name", FILTERS)
def test_each_filter_of_a_very_long_text_is_light_or_refused(name: str, letter: str) -> None:
    kind = FILTERS[name]
    arguments = {"date": ": '%F'", "default": ": 'x'", "plus": ": 1", "minus": ": 1"}.get(name, "")
    value = "messages" if kind.only_lists else "messages[0].text"
    body = bundle([message(letter * LETTERS)])
    began_s = time.process_time()

    made = outcome({"a": f"{{{{ {value} | {name}{arguments} }}}}"}, body)

    assert time.process_time() - began_s < 0.5
    assert isinstance(made, Rendered | Unrenderable)


@pytest.mark.parametrize("name", ["escape", "json", "html", "url_encode", "text", "upcase"])
def test_a_filter_after_itself_does_not_grow_without_end(name: str) -> None:
    body = bundle([message('\\"<&ß\x01' * (LETTERS // 6))])

    made = outcome({"a": "{{ messages[0].text" + f" | {name}" * 8 + " }}"}, body)

    assert isinstance(made, Rendered | Unrenderable)
    assert not isinstance(made, Rendered) or math.isfinite(len(msgspec.json.decode(made.body)["a"]))
