"""The fields of a chat that no webhook request has: how long they may be, and their faults."""

import json
from typing import Any

import pytest

from hookbundle.engine import limits
from hookbundle.engine.messages.parsing import parse_json
from hookbundle.tests.engine.messages.requests import event, faults, in_chat

LABEL, REF = "x" * limits.LABEL_CHARS_MAX, "x" * limits.REF_CHARS_MAX
KEYS = [f"{number:0{limits.REF_KEY_CHARS_MAX}}" for number in range(limits.REFS_MAX)]


@pytest.mark.parametrize(
    "fields",
    [
        {"labels": ["a"] * limits.LABELS_MAX},
        {"labels": [LABEL, "\U0001f600" * limits.LABEL_CHARS_MAX]},
        {"refs": dict.fromkeys(KEYS, REF)},
        {"refs": {"a_1": "\u0639" * limits.REF_CHARS_MAX}},
        dict.fromkeys(("user_id", "username", "lid"), "x" * limits.NAME_CHARS_MAX),
        dict.fromkeys(("labels", "refs", "user_id", "username", "lid")),
    ],
)
def test_the_longest_fields_beside_the_payload_are_taken(fields: dict[str, Any]) -> None:
    (parsed,) = parse_json(json.dumps(in_chat(**fields)).encode())

    assert {name: getattr(parsed.chat, name) for name in fields} == fields


KEY_WORDS = "must be 1 to 32 lower-case letters, digits or underscores"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"labels": "vip"}, {"labels": "Expected `array | null`, got `str`"}),
        ({"labels": {"a": 1}}, {"labels": "Expected `array | null`, got `object`"}),
        ({"labels": ["a"] * 21}, {"labels": "Expected `array` of length <= 20"}),
        (
            {"labels": [LABEL + "x", "a", "", 5, None]},
            {
                "labels[0]": "Expected `str` of length <= 100",
                "labels[2]": "Expected `str` of length >= 1",
                "labels[3]": "Expected `str`, got `int`",
                "labels[4]": "Expected `str`, got `null`",
            },
        ),
        (
            {"labels": [*["a"] * 20, ""]},
            {
                "labels": "Expected `array` of length <= 20",
                "labels[20]": "Expected `str` of length >= 1",
            },
        ),
        ({"refs": []}, {"refs": "Expected `object | null`, got `array`"}),
        (
            {"refs": dict.fromkeys([*KEYS, "more"], "1")},
            {"refs": "Expected `object` of length <= 10"},
        ),
        (
            {"refs": {"a": "", "b": REF + "x", "c": 5, "d": None}},
            {
                "refs.a": "Expected `str` of length >= 1",
                "refs.b": "Expected `str` of length <= 128",
                "refs.c": "Expected `str`, got `int`",
                "refs.d": "Expected `str`, got `null`",
            },
        ),
        ({"refs": {"": "1"}}, {"refs": f"the key '' {KEY_WORDS}"}),
        ({"refs": {"Hub-Spot": "1"}}, {"refs": f"the key 'Hub-Spot' {KEY_WORDS}"}),
        ({"refs": {"a\n": "1"}}, {"refs": f"the key 'a\\n' {KEY_WORDS}"}),
        ({"refs": {"\x1b[2J": "1"}}, {"refs": f"the key '\\x1b[2J' {KEY_WORDS}"}),
        ({"refs": {"x" * 99: "1"}}, {"refs": f"the key '{'x' * 64}' {KEY_WORDS}"}),
        (
            {"user_id": 5, "username": "x" * 1_025, "lid": ["1"]},
            {
                "user_id": "Expected `str | null`, got `int`",
                "username": "Expected `str` of length <= 1024",
                "lid": "Expected `str | null`, got `array`",
            },
        ),
    ],
    ids=range(14),
)
def test_every_fault_of_the_fields_beside_the_payload_has_its_path(
    fields: dict[str, Any], expected: dict[str, str]
) -> None:
    found = faults([event(), in_chat(**fields)])

    assert found == {f"[1].chat.{path}": detail for path, detail in expected.items()}


def test_of_a_million_malformed_labels_a_hundred_are_listed() -> None:
    found = faults(in_chat(labels=[""] * 1_000_000))

    assert len(found) == limits.FAULTS_LISTED_MAX + 1
    assert found[""] == "has more faults than are listed"
