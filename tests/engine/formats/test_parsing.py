"""A format is read as a whole: a sound one, or every fault with its pointer and what is right."""

from typing import Any

import pytest

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault
from hookbundle.engine.formats.documents import parse_format
from hookbundle.engine.formats.format import Format
from hookbundle.tests.engine.formats.jobs import sound


def faults_of(value: Any, options: Any = None) -> list[Fault]:
    read = parse_format(value, options)
    assert isinstance(read, list), read
    return read


def found(value: Any, options: Any = None) -> list[tuple[str, str]]:
    return [(fault.path, fault.code) for fault in faults_of(value, options)]


def in_template(template: Any) -> list[tuple[str, str]]:
    """The faults of a template, each with its pointer into it."""
    found_ = found({"template": template})
    assert all(path.startswith("format.template") for path, _ in found_)
    return [(path.removeprefix("format.template"), code) for path, code in found_]


def expression(text: str) -> list[str]:
    return [code for _, code in in_template({"a": f"{{{{ {text} }}}}"})]


@pytest.mark.parametrize("value", [None, "seed"])
def test_the_seed_is_a_format_that_stores_nothing(value: Any) -> None:
    assert sound(value) == Format()
    assert sound(value).is_seed


def test_a_preset_is_stored_by_its_name() -> None:
    form = sound("slack")

    assert (form.format, form.options, form.name) == (b'"slack"', b"", "slack")


def test_a_template_is_stored_in_the_order_in_which_it_was_written() -> None:
    form = sound({"template": {"b": 1, "a": "{{ options.team }}"}}, {"team": "north"})

    assert form.format == b'{"template":{"b":1,"a":"{{ options.team }}"}}'
    assert form.options == b'{"team":"north"}'
    assert form.name == "template"


@pytest.mark.parametrize(
    ("value", "path", "code"),
    [
        (7, "format", "no_format"),
        ([], "format", "no_format"),
        ({}, "format", "no_format"),
        ({"templates": {}}, "format", "no_format"),
        ("salck", "format", "misspelt_preset"),
        ("nothing-like-it", "format", "no_preset"),
        ({"template": {}, "zone": "UTC"}, "format.zone", "unknown_field"),
        ({"template": "\ud800"}, "format.template", "half_a_pair"),
        ({"template": {"a": 2**63}}, "format.template/a", "number_too_large"),
        ({"template": "x" * limits.FORMAT_BYTES_MAX}, "format.template", "too_long_as_bytes"),
    ],
)
def test_what_is_no_format_is_refused(value: Any, path: str, code: str) -> None:
    assert found(value) == [(path, code)]


@pytest.mark.parametrize(
    ("template", "pointer", "code"),
    [
        ({"a": "{% if chat.is_group %}x{% endif %}"}, "/a", "liquid_tag"),
        ({"a": "{{ chat.full_name"}, "/a", "liquid_not_closed"),
        ({"a": ["x", "{{ chat.ful_name }}"]}, "/a/1", "misspelt_name"),
        ({"a/b~c": "{{ nothing }}"}, "/a~1b~0c", "unknown_name"),
        ({"{{ chat.phone }}": "x"}, "/{{ chat.phone }}", "liquid_in_name"),
        ({"$eech": "messages"}, "/$eech", "misspelt_field"),
        ({"$when": "messages"}, "/$when", "unknown_field"),
        ({"$each": "messages", "do": "x"}, "/as", "missing"),
        ({"$each": "messages", "as": "m"}, "/do", "missing"),
        ({"$if": "chat.phone"}, "/then", "missing"),
        ({"$if": "chat.phone", "then": 1, "else": 2}, "/else", "beside_command"),
        ({"$each": "chat", "as": "m", "do": "x"}, "/$each", "not_a_list"),
        ({"$each": "{{ messages }}", "as": "m", "do": "x"}, "/$each", "liquid_syntax"),
        ({"$each": "messages | first", "as": "m", "do": "x"}, "/$each", "not_a_name"),
        ({"$each": 7, "as": "m", "do": "x"}, "/$each", "not_a_name"),
        ({"$if": "'yes'", "then": "x"}, "/$if", "not_a_name"),
        ({"$each": "messages", "as": "chat", "do": "x"}, "/as", "name_taken"),
        ({"$each": "messages", "as": "in", "do": "x"}, "/as", "name_taken"),
        ({"$each": "messages", "as": "M 1", "do": "x"}, "/as", "bad_key"),
        ({"$each": "messages", "as": 7, "do": "x"}, "/as", "not_text"),
        ({"a": "all: {{ messages }}"}, "/a", "not_within_text"),
        ({"a": "all: {{ contact }}"}, "/a", "not_within_text"),
    ],
)
def test_a_fault_has_a_pointer_to_where_it_is(template: Any, pointer: str, code: str) -> None:
    assert in_template(template) == [(pointer, code)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "liquid_syntax"),
        ("chat.", "liquid_syntax"),
        ("chat full_name", "liquid_syntax"),
        ("(1..9)", "liquid_syntax"),
        ("empty", "liquid_syntax"),
        ("chat.phone if chat.is_group else 'x'", "liquid_syntax"),
        ("chat[chat.phone]", "liquid_syntax"),
        ("1 | plus: " + "9" * 5000, "liquid_too_long"),
        ("9" * 900 + "9", None),
        ("chat.phone | digit", "misspelt_filter"),
        ("chat.phone | replace: 'a', 'b'", "unknown_filter"),
        ("chat.phone | upcase: 1", "filter_arguments"),
        ("chat.phone | default", "filter_arguments"),
        ("chat.phone | default: 'x', allow_false: true", "filter_arguments"),
        ("chat.phone | default: nothing", "unknown_name"),
        ("chat.phone | default: messages", "not_for_filter"),
        ("messages | upcase", "not_for_filter"),
        ("chat.phone | first", "not_for_filter"),
        ("contact | text", "not_for_filter"),
        ("chat.phone | text: 'html'", "filter_value"),
        ("last_message_timestamp | date: '%Q'", "no_directive"),
        ("last_message_timestamp | date: '50%'", "no_directive"),
        ("last_message_timestamp | date: chat.full_name", "filter_value"),
        ("last_message_timestamp | date: '%Y', 'Asia/Jeruslem'", "no_zone_but_near"),
        ("chat.phone" + " | strip" * 9, "too_many_filters"),
        ("messages[0].text.size", "unknown_name"),
        ("messages.text", "unknown_name"),
        ("refs.UPPER", "unknown_name"),
        ("options.team", "unknown_name"),
        ("refs.any_key_1", None),
        ("refs['a_1']", None),
        ("messages[-1].text", None),
        ("messages.last.sender.full_name", None),
        ("messages.size", None),
        ("labels.first", None),
        ("nil | default: true", None),
        ("-chat.phone-", None),
    ],
)
def test_only_names_and_filters_that_exist_are_taken(text: str, code: str | None) -> None:
    if code is None:
        sound({"template": f"{{{{ {text} }}}}" if not text.startswith("-") else f"{{{{{text}}}}}"})
    else:
        assert expression(text) == [code]


def test_a_fault_says_what_would_be_right() -> None:
    [fault] = faults_of({"template": {"a": "{{ messages.frist.text }}"}})

    assert fault.detail == (
        "has the name 'messages.frist', which is not known here; did you mean messages.first? "
        "known are messages.first, messages.last, messages.size"
    )


def test_all_faults_are_found_at_once() -> None:
    assert in_template(
        {"a": "{{ x }}", "b": ["{{ y }}"], "c": {"$each": "z", "as": "m", "do": 1}}
    ) == [
        ("/a", "unknown_name"),
        ("/b/0", "unknown_name"),
        ("/c/$each", "unknown_name"),
    ]


def test_the_name_of_an_entry_is_known_within_its_do_alone() -> None:
    each = {"$each": "messages", "as": "m", "do": "{{ m.text }}"}

    sound({"template": each})

    assert in_template([each, "{{ m.text }}"]) == [("/1", "unknown_name")]


def test_lists_are_gone_through_two_deep_at_most() -> None:
    inner: Any = {"$each": "messages", "as": "c", "do": "x"}
    for name in ("b", "a"):
        sound({"template": inner})
        inner = {"$each": "messages", "as": name, "do": inner}

    assert in_template(inner) == [("/do/do/$each", "nested_each")]


def test_a_template_is_nested_twenty_deep_at_most() -> None:
    nested: Any = "x"
    for _ in range(limits.FORMAT_DEPTH_MAX):
        nested = [nested]

    sound({"template": nested})

    assert in_template([nested]) == [("", "too_deep")]
    for _ in range(100_000):
        nested = [nested]
    assert in_template(nested) == [("", "too_deep")]


def test_a_template_has_five_hundred_expressions_at_most() -> None:
    sound({"template": ["{{ chat.phone }}"] * 500})

    assert in_template(["{{ chat.phone }}"] * 501) == [("", "too_many_expressions")]


@pytest.mark.parametrize(
    ("options", "path", "code"),
    [
        (["a"], "format_options", "not_an_object"),
        ({f"a{number}": "x" for number in range(21)}, "format_options", "too_many_entries"),
        ({"a b": "x"}, "format_options", "bad_key"),
        ({"a": 7}, "format_options.a", "not_text"),
        ({"a": "x" * 1_025}, "format_options.a", "too_long"),
        ({"a": "\udc00"}, "format_options.a", "half_a_pair"),
    ],
)
def test_options_are_texts_with_plain_names(options: Any, path: str, code: str) -> None:
    assert found({"template": {}}, options) == [(path, code)]


def test_the_seed_and_presets_take_no_options_that_they_do_not_know() -> None:
    assert found("seed", {"team": "x"}) == [("format_options.team", "unknown_field")]
    assert found("slack", {"team": "x"}) == [("format_options.team", "unknown_field")]


def test_a_hostile_expression_is_refused_without_much_work() -> None:
    hostile = [
        "{{" + " " * 32_000,
        "{{" + " " * 32_000 + "}}",
        "{{ " + "(" * 30_000 + " }}",
        '{{ a["' * 5_000 + "}}",
        "{{ a[" * 6_000,
        "{{ " + "a." * 15_000 + "b }}",
        "{{ '" + "x" * 32_000,
    ]

    for text in hostile:
        assert found({"template": text})
