"""A template is filled from a bundle, and what comes of it is JSON."""

from typing import Any

import pytest
from msgspec.structs import replace

from hookbundle.engine.formats import parsing, presets
from hookbundle.engine.formats import rendering as module
from hookbundle.engine.formats.jobs import BundleFacts, NoRecord, Why
from hookbundle.engine.formats.rendering import rendered
from hookbundle.tests.engine.formats.jobs import (
    CHAT,
    GROUP,
    HELLO,
    bundle,
    filled,
    job,
    message,
    outcome,
    refused,
    single,
)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("no liquid", "no liquid"),
        ({"a": [1, True, None, 2.5]}, {"a": [1, True, None, 2.5]}),
        ("{{ chat.full_name }}", "Dana Levi"),
        ("to {{ chat.full_name }}!", "to Dana Levi!"),
        ("a {{- chat.full_name -}} b", "aDana Levib"),
        ("{{ '{{' }} {{ 'x' }}", "{{ x"),
        ("{{ messages.size }}", 2),
        ("{{ messages.size }} messages", "2 messages"),
        ("{{ chat.is_new_chat }}", True),
        ("{{ chat.is_new_chat }} ", "true "),
        ("{{ messages[1].text }}", "hi Dana"),
        ("{{ messages.last.text }}{{ messages[-2].text }}", "hi Danahello"),
        ("{{ messages[7].text }}", None),
        ("-{{ messages[7].text }}-", "--"),
        ("{{ nil }}", None),
        ("{{ refs.hubspot }}", None),
        ("id {{ refs.hubspot }}", "id "),
        (
            "{{ contact }}",
            {
                "phone_e164": "+972501234567",
                "phone_digits": "972501234567",
                "user_id": "",
                "username": "",
            },
        ),
        ("{{ messages }}", list(HELLO)),
        (
            "{{ bundle }}",
            {"id": "dlv_3", "sequence": 3, "previous_id": "dlv_2", "part": 1, "reason": "time"},
        ),
        ("{{ link }}", CHAT["chat_url"]),
        ("{{ time_zone }}", "Asia/Jerusalem"),
        ("{{ first_message_local_time }}", "2021-02-24 18:25"),
        ("{{ last_message_timestamp }}", "2021-02-24T16:26:01+0000"),
        ("{{ messages[1].local_time }}", "2021-02-24 18:26"),
        ("{{ stats }}", {"received": 1, "sent": 1, "first_reply_seconds": 61, "unanswered": False}),
    ],
)
def test_a_template_is_filled(template: Any, value: Any) -> None:
    assert filled(template) == value


def test_each_repeats_and_knows_its_entry() -> None:
    template = {"$each": "messages", "as": "m", "do": {"who": "{{ m.sender.full_name }}"}}

    assert filled(template) == [{"who": "Dana Levi"}, {"who": "Avi"}]


def test_each_within_each_knows_both_entries() -> None:
    inner = {"$each": "labels", "as": "label", "do": "{{ m.message_id }}:{{ label }}"}
    template = {"$each": "messages", "as": "m", "do": inner}

    made = filled(template, extra={"labels": ["vip", "new"]})

    assert made == [["m0:vip", "m0:new"], ["m61:vip", "m61:new"]]


@pytest.mark.parametrize(
    ("path", "is_there"),
    [
        ("refs.hubspot", True),
        ("refs.other", False),
        ("contact.user_id", False),
        ("chat.is_group", False),
        ("chat.is_new_chat", True),
        ("labels", False),
        ("messages", True),
        ("messages[9].text", False),
        ("stats.first_reply_seconds", True),
    ],
)
def test_if_leaves_out_what_has_no_value(path: str, is_there: bool) -> None:
    template = {"a": {"$if": path, "then": 1}, "b": [{"$if": path, "then": 1}]}

    made = filled(template, extra={"refs": {"hubspot": "77"}})

    assert made == ({"a": 1, "b": [1]} if is_there else {"b": []})


def test_zero_is_there() -> None:
    body = bundle([message("a"), message("b", sent=True)])

    assert filled({"a": {"$if": "stats.first_reply_seconds", "then": 1}}, body) == {"a": 1}


def test_a_template_that_leaves_itself_out_sends_nothing() -> None:
    assert refused({"$if": "refs.x", "then": 1}).code is Why.VALUE


def test_a_single_message_has_all_that_its_bundle_would_have() -> None:
    one = HELLO[0]
    names = [
        "messages",
        "first_message_timestamp",
        "last_message_timestamp",
        "aggregation",
        "chat",
        "whatsapp_account",
        "link",
        "stats",
    ]
    template = {name: f"{{{{ {name} }}}}" for name in names}
    facts = BundleFacts("dlv_1", reason="single", is_bundle=False)

    made = filled(template, single(one), facts=facts, product_name="the inbox")

    assert made == filled(template, bundle([one]))


def test_the_link_of_a_single_message_is_its_own() -> None:
    facts = BundleFacts("dlv_1", is_bundle=False)
    link = "https://example.com/m/1?a=1&b='2'"

    made = filled("{{ link }}", single(HELLO[0]), facts=facts, permalink=link)

    assert made == link
    assert filled("{{ link }}", bundle([HELLO[0]], link=link)) == link


def test_a_group_is_no_contact() -> None:
    made = filled("{{ contact.phone_e164 }}{{ contact.phone_digits }}", bundle(chat=GROUP))

    assert made is None or made == ""


@pytest.mark.parametrize(
    ("phone", "e164", "digits"),
    [
        ("+972 50-123 4567", "+972501234567", "972501234567"),
        ("00972501234567", "+972501234567", "972501234567"),
        ("050-1234567", "", "0501234567"),
        ("", "", ""),
        ("12345", "", "12345"),
    ],
)
def test_a_phone_is_known_in_both_forms(phone: str, e164: str, digits: str) -> None:
    body = bundle(chat={**CHAT, "phone": phone})

    made = filled("{{ contact.phone_e164 }}|{{ contact.phone_digits }}", body)

    assert made == f"{e164}|{digits}"


@pytest.mark.parametrize(
    ("directions", "seconds", "unanswered"),
    [
        ("rrs", 20, False),
        ("srs", 10, False),
        ("rr", None, True),
        ("ss", None, False),
        ("rsr", 10, True),
    ],
)
def test_the_first_reply_is_to_the_first_message_received(
    directions: str, seconds: int | None, unanswered: bool
) -> None:
    body = bundle([message("x", 10 * at, sent=each == "s") for at, each in enumerate(directions)])

    stats = filled("{{ stats }}", body)

    assert (stats["first_reply_seconds"], stats["unanswered"]) == (seconds, unanswered)
    assert (stats["received"], stats["sent"]) == (directions.count("r"), directions.count("s"))


def test_quotes_line_breaks_and_control_characters_never_break_the_json() -> None:
    text = 'a "quote" \\ {{ chat.phone }} \n\r\t\x00\x1f </script> \u2028 👨‍👩‍👧 שלום'

    made = filled(
        {"raw": "{{ messages[0].text }}", "in": "<{{ messages[0].text }}>"}, bundle([message(text)])
    )

    assert made == {"raw": text, "in": f"<{text}>"}


def test_a_name_can_not_turn_the_text_after_it() -> None:
    body = bundle([message("hello", name="Dana \u202eX")])

    assert filled("{{ messages[0].sender.full_name }}: text", body) == "Dana \u202eX\u202c: text"


def test_a_filter_that_gets_what_it_can_not_take_says_where() -> None:
    made = refused({"a": ["x", "{{ chat.full_name | ms }}"]})

    assert (made.pointer, made.code) == ("/a/1", Why.VALUE)
    assert made.why == "gives the filter ms a value that it can't take"
    assert not made.is_past_limit


@pytest.mark.parametrize(
    "text",
    [
        "{{ " + "9" * 30 + " }}",
        "{{ 9223372036854775807 | plus: 1 }}",
        "{{ chat.full_name | plus: 1 }}",
    ],
)
def test_numbers_are_such_as_every_reader_of_json_takes(text: str) -> None:
    made = outcome({"a": text})

    assert getattr(made, "code", None) is Why.VALUE or b'"a":1' in getattr(made, "body", b"")


def test_what_is_more_than_any_body_needs_is_refused_with_its_place() -> None:
    twice = {"$each": "messages", "as": "b", "do": "{{ a.text }}"}
    template = {"x": {"$each": "messages", "as": "a", "do": twice}}

    made = refused(template, bundle([message("hello", 1)] * 500))

    assert made.code is Why.WORK
    assert made.pointer.startswith("/x")


@pytest.mark.parametrize("what", ["x" * 30_000, {"n" * 30_000: 1}])
def test_what_is_written_into_a_template_counts_as_often_as_it_is_repeated(what: Any) -> None:
    """Else msgspec would be asked to write gigabytes, and it fails badly where it can't."""
    twice = {"$each": "messages", "as": "b", "do": what}
    template = {"$each": "messages", "as": "a", "do": twice}

    assert refused(template, bundle([message("x")] * 20)).code is Why.WORK


def test_a_format_that_is_no_longer_known_is_refused_and_no_error() -> None:
    made = rendered(replace(job("text"), format=b'"gone"'))

    assert getattr(made, "code", None) is Why.FORMAT


def test_options_have_their_defaults() -> None:
    made = filled({"a": "{{ options.team }}"}, options={"team": "north"})

    assert made == {"a": "north"}


def test_a_preset_may_skip_chats_without_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    known = replace(
        presets.presets()["text"], name="known", record=("refs.crm", "contact.phone_digits")
    )
    monkeypatch.setattr(parsing, "presets", lambda: {"known": known})
    module._read.cache_clear()
    skip: dict[str, Any] = {"options": {"no_record": "skip"}}

    assert isinstance(rendered(job("known", bundle(chat=GROUP), **skip)), NoRecord)
    assert not isinstance(rendered(job("known", bundle(chat=GROUP))), NoRecord)
    assert not isinstance(rendered(job("known", **skip)), NoRecord)
    refs: dict[str, Any] = {"extra": {"refs": {"crm": "7"}}}
    assert not isinstance(rendered(job("known", bundle(chat=GROUP), **skip, **refs)), NoRecord)
    module._read.cache_clear()
