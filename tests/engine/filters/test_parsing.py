"""What a filter may be; every fault of another one is named at once, with its path."""

from typing import Any

import msgspec
import pytest

from hookbundle.engine import limits
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.filters import compiled as kept
from hookbundle.engine.filters.compiled import compiled
from hookbundle.engine.filters.parsing import FIELDS, LABELS, parse, written

MANY = [str(number) for number in range(1_000)]


def faults_of(value: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        parse(value)
    return [(fault.path, fault.code) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("value", "path", "code"),
    [
        ([], "filter", "not_an_object"),
        ("direction", "filter", "not_an_object"),
        (True, "filter", "not_an_object"),
        ({"directon": "sent"}, "filter.directon", "misspelt_field"),
        ({"chat_id": "1"}, "filter.chat_id", "misspelt_field"),
        ({"colour": "red"}, "filter.colour", "unknown_field"),
        ({"": "red"}, "filter.", "unknown_field"),
        ({"direction": "in"}, "filter.direction", "not_one_of"),
        ({"direction": "Sent"}, "filter.direction", "not_one_of"),
        ({"direction": ""}, "filter.direction", "not_one_of"),
        ({"direction": None}, "filter.direction", "not_one_of"),
        ({"direction": []}, "filter.direction", "empty"),
        ({"direction": ["sent", 7]}, "filter.direction[1]", "not_one_of"),
        ({"direction": [["sent"]]}, "filter.direction[0]", "not_one_of"),
        ({"direction": {"any": ["sent"]}}, "filter.direction", "not_one_of"),
        ({"kind": ["direct", "channel"]}, "filter.kind[1]", "not_one_of"),
        ({"is_new_chat": "true"}, "filter.is_new_chat", "not_true_or_false"),
        ({"is_new_chat": 1}, "filter.is_new_chat", "not_true_or_false"),
        ({"account": 972500000000}, "filter.account", "not_text"),
        ({"account": ["office"]}, "filter.account[0]", "no_phone"),
        ({"account": "1" * 33}, "filter.account", "no_phone"),
        ({"account": " "}, "filter.account", "empty"),
        ({"responsible": "ann"}, "filter.responsible", "no_address"),
        ({"responsible": "@acme.com"}, "filter.responsible", "no_address"),
        ({"responsible": MANY[:101]}, "filter.responsible", "too_many_entries"),
        ({"labels": {}}, "filter.labels", "empty"),
        ({"labels": {"any": []}}, "filter.labels.any", "empty"),
        ({"labels": {"all": [""]}}, "filter.labels.all[0]", "empty"),
        ({"labels": {"nones": ["a"]}}, "filter.labels.nones", "misspelt_field"),
        ({"labels": [{"any": "a"}]}, "filter.labels[0]", "not_text"),
        ({"labels": "l" * 101}, "filter.labels", "too_long"),
        ({"text_contains": MANY[:21]}, "filter.text_contains", "too_many_entries"),
        ({"text_lacks": MANY[:21]}, "filter.text_lacks", "too_many_entries"),
        ({"text_lacks": ["\n"]}, "filter.text_lacks[0]", "empty"),
        ({"text_contains": "w" * 201}, "filter.text_contains", "too_long"),
        ({"chat_ids": MANY[:101]}, "filter.chat_ids", "too_many_entries"),
        ({"chat_ids": [10010001]}, "filter.chat_ids[0]", "not_text"),
        ({"chat_ids": ""}, "filter.chat_ids", "empty"),
        ({"chat_ids": ["é" * 101]}, "filter.chat_ids[0]", "too_long_as_bytes"),
        ({"any": []}, "filter.any", "empty"),
        ({"any": {"direction": "sent"}}, "filter.any", "not_an_array"),
        ({"any": [{}]}, "filter.any[0]", "empty"),
        ({"any": [{"direction": "sent"}, []]}, "filter.any[1]", "not_an_object"),
        ({"any": [{"direction": "sent"}] * 11}, "filter.any", "too_many_entries"),
        ({"any": [{"any": [{"kind": "direct"}]}]}, "filter.any[0].any", "nested_any"),
        ({"any": [{"labels": {"any": [7]}}]}, "filter.any[0].labels.any[0]", "not_text"),
        ({"any": [{"kinds": "direct"}]}, "filter.any[0].kinds", "misspelt_field"),
        ({"chat_ids": ["c" * 199] * 100}, "filter", "too_long_as_bytes"),
    ],
)
def test_a_fault_is_named_with_its_path(value: Any, path: str, code: str) -> None:
    assert (path, code) in faults_of(value)


def test_every_fault_is_named_at_once() -> None:
    wrong = {
        "direction": "in",
        "colour": "red",
        "labels": {"any": ["vip", ""], "none": 7},
        "any": [{"kind": "direct"}, {"kind": "both"}, {"labels": {"any": [False]}}],
    }

    assert faults_of(wrong) == [
        ("filter.colour", "unknown_field"),
        ("filter.direction", "not_one_of"),
        ("filter.labels.any[1]", "empty"),
        ("filter.labels.none", "not_text"),
        ("filter.any[1].kind", "not_one_of"),
        ("filter.any[2].labels.any[0]", "not_text"),
    ]


def test_so_many_faults_are_listed_and_no_more() -> None:
    faults = faults_of({name: 1 for name in MANY})

    assert len(faults) == limits.FAULTS_LISTED_MAX + 1
    assert faults[-1] == ("", "too_many_faults")


@pytest.mark.parametrize(
    "value",
    [
        {"text_contains": MANY[:20], "text_lacks": MANY[:20]},
        {"chat_ids": MANY[:100], "account": MANY[:100]},
        {"chat_ids": "c" * 200},
        {"any": [{"text_contains": MANY[:20]}] * 10},
        {"account": "1" * 32, "labels": "l" * 100, "text_contains": "w" * 200},
    ],
)
def test_what_is_just_allowed_is_taken(value: Any) -> None:
    parse(value)


def test_a_filter_is_stored_as_it_was_written_with_its_fields_in_one_order() -> None:
    value = {
        "any": [{"kind": "group", "direction": ["sent"]}],
        "labels": {"none": "a", "any": ["b"]},
        "direction": "sent",
    }

    stored = written(value)

    assert stored == (
        b'{"direction":"sent","labels":{"any":["b"],"none":"a"},'
        b'"any":[{"direction":["sent"],"kind":"group"}]}'
    )
    assert written(msgspec.json.decode(stored)) == stored
    assert compiled(stored) == parse(value)


@pytest.mark.parametrize("value", [None, {}])
def test_a_filter_that_keeps_all_is_stored_as_nothing(value: Any) -> None:
    assert written(value) == b""


def test_no_part_of_a_filter_is_lost_when_it_is_stored() -> None:
    whole = {name: "x" for name in FIELDS} | {"labels": dict.fromkeys(LABELS, "x")}

    assert msgspec.json.decode(written({**whole, "any": [whole]})) == {**whole, "any": [whole]}


def test_compiled_filters_are_kept_within_bounds() -> None:
    large = written({"chat_ids": ["c" * 100] * 100})

    assert compiled(large) is compiled(bytes(bytearray(large)))
    assert kept._large.cache_info().maxsize == 128
    for number in range(200):
        compiled(written({"chat_ids": [f"{number}", *["c" * 100] * 10]}))

    assert kept._large.cache_info().currsize == 128
