"""What a sender is told beside its counts: fields that are not known, texts that differ, hints."""

import gzip
from typing import Any

import msgspec
import pytest

from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import Answer, System, event

MESSAGES = "/v1/workspaces/acme/messages"
NDJSON = {"Content-Type": "application/x-ndjson"}
LARGE = 300  # messages: more than are read at once


def misspelt(message_id: str) -> dict[str, Any]:
    one = event(message_id)
    one["chat"]["full_nmae"] = one["chat"].pop("full_name")
    return one


async def post(system: System, body: Any, query: str = "", **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return await system.ask("POST", MESSAGES + query, data=data, headers=headers)


def faults(answer: Answer) -> dict[str, str]:
    assert answer.status == 422
    return {fault["path"]: fault["detail"] for fault in answer.document["errors"]}


@pytest.mark.parametrize("count", [1, 2, LARGE])
async def test_fields_that_are_not_known_are_named_and_the_rest_is_taken(
    system: System, count: int
) -> None:
    answer = await post(system, [misspelt(f"m{number}") for number in range(count)])

    assert answer.status == 202
    assert answer.document == {
        "accepted": count,
        "duplicate": 0,
        "skipped": [],
        "unknown": ["chat.full_nmae"],
        "did_you_mean": {"chat.full_nmae": "chat.full_name"},
    }


@pytest.mark.parametrize("query", ["", "?strict=0", "?strict=1"])
async def test_without_one_the_answer_has_nothing_of_it(system: System, query: str) -> None:
    answer = await post(system, event("m1"), query)

    assert answer.document == {"accepted": 1, "duplicate": 0, "skipped": []}


@pytest.mark.parametrize("count", [1, LARGE])
async def test_strictly_nothing_of_such_a_request_is_taken(system: System, count: int) -> None:
    wanted = [*[event(f"m{number}") for number in range(count)], misspelt("last")]

    found = faults(await post(system, wanted, "?strict=1"))

    words = "is no field that is known here; did you mean chat.full_name?"
    assert found == {f"[{count}].chat.full_nmae": words}
    assert (await system.get("/v1/status"))["totals"]["accepted"] == 0


@pytest.mark.parametrize("value", ["true", "", "2", "1%0A", "01"])
async def test_strict_is_0_or_1(system: System, value: str) -> None:
    (words,) = faults(await post(system, event("m1"), f"?strict={value}")).values()

    assert words.startswith("must be one of '0', '1'; is ")


@pytest.mark.parametrize("count", [1, LARGE])
async def test_another_text_under_a_known_id_is_named_and_changes_nothing(
    system: System, receiver: HookReceiver, count: int
) -> None:
    await system.ask("PATCH", "/v1/workspaces/acme", {"webhook": {"aggregation": "1h"}})
    before = [event(f"m{number}", text="at 5 pm") for number in range(count)]
    await post(system, before)

    again = await post(system, [*before[:-1], event(f"m{count - 1}", text="at 6 pm")])

    assert again.document["duplicate"] == count
    assert again.document["differs"] == [f"m{count - 1}"]
    assert (await system.get("/v1/status"))["totals"]["differs"] == 1
    shown = await system.get("/v1/workspaces/acme/chats/10010001")
    assert "at 6 pm" not in str(shown)


async def test_a_correction_within_one_request_is_named(system: System) -> None:
    answer = await post(system, [event("m1", text="at 5 pm"), event("m1", text="at 6 pm")])

    assert (answer.document["accepted"], answer.document["differs"]) == (1, ["m1"])


@pytest.mark.parametrize("filler", [0, LARGE])
async def test_half_an_emoji_is_refused_with_the_place_of_its_message(
    system: System, filler: int
) -> None:
    whole = [msgspec.json.encode(event(f"m{number}")) for number in range(20 + filler)]
    whole[11] = whole[11].replace(b"text of m11", b"see you \\ud83d")

    found = faults(await post(system, b"[" + b",".join(whole) + b"]"))

    assert list(found) == ["[11].message.text"]
    assert "half a surrogate pair" in found["[11].message.text"]


async def test_a_byte_order_mark_is_ignored(system: System) -> None:
    answer = await post(system, b"\xef\xbb\xbf" + msgspec.json.encode(event("m1")))

    assert (answer.status, answer.document["accepted"]) == (202, 1)


@pytest.mark.parametrize("count", [2, LARGE])
async def test_lines_sent_as_json_are_told_what_to_do(system: System, count: int) -> None:
    body = b"\n".join(msgspec.json.encode(event(f"m{number}")) for number in range(count))

    found = faults(await post(system, body, **{"Content-Type": "application/json"}))

    assert "application/x-ndjson" in found[""]


async def test_json_is_taken_whatever_the_content_type_is(system: System) -> None:
    """`curl -d` says that it sends a form."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    taken = await post(system, msgspec.json.encode(event("m1")), **form)
    refused = faults(await post(system, b"payload=%7B%7D", **form))

    assert taken.status == 202
    assert "is a form" in refused[""]


async def test_what_is_packed_and_what_says_so_belong_together(system: System) -> None:
    packed = gzip.compress(msgspec.json.encode(event("m1")))

    undeclared = faults(await post(system, packed))
    declared = await post(system, msgspec.json.encode(event("m1")), **{"Content-Encoding": "gzip"})

    assert "Content-Encoding: gzip" in undeclared[""]
    assert declared.status == 400
    assert "Content-Encoding" in declared.document["detail"]


async def test_an_empty_array_is_no_fault_and_is_told_that_nothing_came(system: System) -> None:
    assert (await post(system, b"[]")).document["accepted"] == 0
