"""A line of `tail`: words for people, for every fact there is."""

import re
from typing import Any, get_args

import msgspec
import pytest

from hookbundle.commands.feed.lines import TIMES, line_of
from hookbundle.storage.daemon_facts import Fact, type_of
from hookbundle.storage.facts import all_facts

OF_PYTHON = re.compile(r"True|False|None|UNSET|[{}]|\['")
AT_MS = 1_795_856_989_269
TIME = "2026-11-28T09:09:44.640Z"
SAMPLES: dict[Any, Any] = {
    int: AT_MS,
    str: "a word",
    bool: True,
    list[str]: ["m1", "m2"],
    dict[str, Any]: {"webhook.url": "https://a.example/in", "name": None, "enabled": False},
}


def event(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    names = {"workspace": "acme", "chat": "c1", "seq": 1, "cursor": "cur_1"}
    return {**names, "type": kind, "time": TIME, "data": data}


def sample(kind: Any) -> Any:
    if kind in SAMPLES:
        return SAMPLES[kind]
    if args := get_args(kind):
        return [sample(args[0])] if getattr(kind, "__origin__", None) is list else sample(args[0])
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return {field.name: sample(field.type) for field in msgspec.structs.fields(kind)}
    return kind  # a literal's value


@pytest.mark.parametrize("fact", all_facts(), ids=type_of)
def test_a_line_of_any_fact_has_no_word_of_a_programming_language(fact: type[Fact]) -> None:
    data = {field.name: sample(field.type) for field in msgspec.structs.fields(fact)}

    line = line_of(event(type_of(fact), data))

    assert line.startswith(f"2026-11-28 09:09:44  {type_of(fact)}  acme  c1")
    assert not OF_PYTHON.search(line), line
    assert all(f" {name}=" in line for name in data)
    assert line.isprintable()


def test_every_time_of_a_fact_is_shown_as_one() -> None:
    fields = [field for fact in all_facts() for field in msgspec.structs.fields(fact)]
    times = {field.name for field in fields if field.name in TIMES}

    shown = line_of(event("x.y", dict.fromkeys(TIMES, AT_MS)))

    assert times == TIMES
    assert shown.count("2026-11-28T09:09:49Z") == len(TIMES)


def test_what_says_nothing_is_left_out() -> None:
    data = {"due": 0, "error": "", "duplicates": [], "changes": {}, "status": 0, "held": False}

    assert line_of(event("x.y", data)).endswith("  c1  status=0 held=no")


def test_a_skipped_message_has_its_reason_and_a_long_list_is_counted() -> None:
    skipped = [{"message": "m1", "reason": "attachment"}]
    data = {"accepted": [f"m{n}" for n in range(500)], "skipped": skipped}

    line = line_of(event("message.received", data))

    assert line.endswith("accepted=m0,m1,m2,and-497-more skipped=m1:attachment")


@pytest.mark.parametrize("hostile", ["a\x1b[2Jb", "a\nb", "a\u202eb"])
def test_no_text_controls_the_terminal(hostile: str) -> None:
    data = {"error": hostile, "changes": {hostile: [hostile]}, "accepted": [hostile]}

    line = line_of({**event("x.y", data), "chat": hostile})

    assert line.isprintable()
