"""The sample that `send` has: so many messages, which intake takes, and new ones each time."""

import json

from hookbundle.commands.message_input import BATCH_MESSAGES
from hookbundle.commands.sending.sample import CHATS, sample
from hookbundle.engine.messages import parsing

NOW_MS = 1_795_856_989_000


def test_intake_finds_no_fault_in_a_sample_and_no_unknown_field() -> None:
    (batch,) = sample(100, "s", NOW_MS)

    parsed = parsing.parse_ndjson(batch.body, strict=True)

    assert len(parsed.events) == 100
    assert not parsed.unknown.fields


def test_a_large_sample_is_parted_into_batches_that_know_their_places() -> None:
    batches = sample(BATCH_MESSAGES + 3, "s", NOW_MS)

    assert [len(batch.places) for batch in batches] == [BATCH_MESSAGES, 3]
    assert batches[1].places == [501, 502, 503]
    assert [batch.body.count(b"\n") for batch in batches] == [BATCH_MESSAGES, 3]


def test_a_sample_is_of_several_chats_in_several_scripts_and_ends_now() -> None:
    (batch,) = sample(40, "s", NOW_MS)
    events = [json.loads(line) for line in batch.body.splitlines()]
    text = "".join(each["message"]["text"] for each in events)

    assert {each["chat"]["chat_id"] for each in events} == {chat.chat_id for chat in CHATS}
    assert len({each["message"]["message_id"] for each in events}) == 40
    assert {"👋", "م"} <= set(text)
    assert events[-1]["message"]["timestamp"].startswith("2026-11-28T09:09:49")
    assert {each["message"]["direction"] for each in events} == {"sent", "received"}
