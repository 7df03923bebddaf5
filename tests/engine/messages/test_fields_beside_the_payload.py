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
    (parsed,) = parse_json(json.dumps(in_chat(**fields)).encode()).events

    assert {name: getattr(parsed.chat, name) for name in fields} == fields


KEY_WORDS = "; a key must be 1 to 32 lower-case letters, digits or underscores"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"labels": "vip"}, {"labels": "must be an array, in brackets; is text"}),
        ({"labels": {"a": 1}}, {"labels": "must be an array, in brackets; is an object"}),
        ({"labels": ["a"] * 21}, {"labels": "must have at most 20 entries; has 21"}),
        (
            {"labels": [LABEL + "x", "a", "", 5, None]},
            {
                "labels[0]": "must have at most 100 characters; has 101",
                "labels[2]": "must not be empty",
                "labels[3]": "must be text, in quotes; is a number",
                "labels[4]": "must be text, in quotes; is null",
            },
        ),
        (
            {"labels": [*["a"] * 20, ""]},
            {
                "labels": "must have at most 20 entries; has 21",
                "labels[20]": "must not be empty",
            },
        ),
        ({"refs": []}, {"refs": "must be an object, in braces; is an array"}),
        (
            {"refs": dict.fromkeys([*KEYS, "more"], "1")},
            {"refs": "must have at most 10 entries; has 11"},
        ),
        (
            {"refs": {"a": "", "b": REF + "x", "c": 5, "d": None}},
            {
                "refs.a": "must not be empty",
                "refs.b": "must have at most 128 characters; has 129",
                "refs.c": "must be text, in quotes; is a number",
                "refs.d": "must be text, in quotes; is null",
            },
        ),
        ({"refs": {"": "1"}}, {"refs": f"has the key ''{KEY_WORDS}"}),
        ({"refs": {"Hub-Spot": "1"}}, {"refs": f"has the key 'Hub-Spot'{KEY_WORDS}"}),
        ({"refs": {"a\n": "1"}}, {"refs": f"has the key 'a\\n'{KEY_WORDS}"}),
        ({"refs": {"\x1b[2J": "1"}}, {"refs": f"has the key '\\x1b[2J'{KEY_WORDS}"}),
        ({"refs": {"x" * 99: "1"}}, {"refs": f"has the key '{'x' * 79}…'{KEY_WORDS}"}),
        (
            {"user_id": 5, "username": "x" * 1_025, "lid": ["1"]},
            {
                "user_id": "must be text, in quotes; is a number",
                "username": "must have at most 1024 characters; has 1025",
                "lid": "must be text, in quotes; is an array",
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
