"""Bodies that are seldom seen, or bad in one part."""

import json
import math
import time
from typing import Any

import pytest

from hookbundle.engine import limits
from hookbundle.engine.sources import bodies
from hookbundle.engine.sources.outcomes import (
    Delete,
    Ignored,
    Invalid,
    MessageEvent,
    Reason,
)
from hookbundle.tests.engine.sources import mutating, samples
from hookbundle.tests.engine.sources.posting import (
    DIRECT,
    LID,
    body_of,
    chat_of,
    outcome_of,
    outcomes_of,
)


def test_a_bad_event_does_not_take_the_rest_of_its_batch_along() -> None:
    body = body_of("meta", "21-batch-of-entries-changes-and-numbers")
    messages = body["entry"][0]["changes"][0]["value"]["messages"]
    del messages[0]["id"]
    messages[2]["text"]["body"] = "x" * 70_000

    found = outcomes_of("meta", body)

    kinds = [type(each).__name__ for each in found]
    assert kinds == ["Invalid", "Skipped", "Invalid", "Ignored", "Ignored", "MessageEvent"]
    faults = [each.faults for each in found if isinstance(each, Invalid)]
    assert [(one.path, one.code) for (one,) in faults] == [
        ("messages.id", "missing"),
        ("message.text", "too_long"),
    ]


def test_one_person_is_one_chat_within_a_body_that_names_it_in_two_ways() -> None:
    with_phone, without = samples.read(
        samples.FOLDER / "meta" / "18-user-id-learned-then-phone-missing.seq.json"
    )
    body = {**with_phone, "entry": [*with_phone["entry"], *without["entry"]]}

    assert {chat_of(each).chat_id for each in outcomes_of("meta", body)} == {"15550101234"}


def test_a_message_does_not_look_through_all_contacts_of_its_body() -> None:
    """Thousands of both are one body: some minutes of the processor, if each looked through all."""
    by_size = {count: with_contacts(count) for count in (500, 2_000)}
    took_s: dict[int, float] = {}
    for count, body in [*by_size.items()] * 3:
        began_s = time.thread_time()
        found = outcomes_of("meta", body)
        took_s[count] = min(took_s.get(count, math.inf), time.thread_time() - began_s)

        assert [chat_of(each).full_name for each in found] == [f"of {n}" for n in phones(count)]
    # Four times as many take some four times as long; it was fourteen.
    assert took_s[2_000] < 8 * took_s[500]


def with_contacts(count: int) -> dict[str, Any]:
    """So many messages, and the contacts of those who sent them in the opposite order."""
    body: dict[str, Any] = body_of("meta", "01-text")
    value = body["entry"][0]["changes"][0]["value"]
    message, contact = value["messages"][0], value["contacts"][0]
    value["messages"] = [{**message, "id": each, "from": each} for each in phones(count)]
    value["contacts"] = [
        {**contact, "wa_id": each, "user_id": f"US.{each}", "profile": {"name": f"of {each}"}}
        for each in reversed(phones(count))
    ]
    return body


def phones(count: int) -> list[str]:
    return [f"155501{each:05}" for each in range(count)]


def test_a_contact_is_the_first_that_has_the_phone_or_the_user_id() -> None:
    body = body_of("meta", "18-user-id-learned-then-phone-missing.seq", 0)
    value = body["entry"][0]["changes"][0]["value"]
    (contact,) = value["contacts"]
    by_phone = {**contact, "user_id": "US.1", "profile": {"name": "by phone"}}
    by_user = {**contact, "wa_id": "15550107777", "profile": {"name": "by user id"}}

    value["contacts"] = [by_phone, by_user]
    assert chat_of(outcome_of("meta", body)).full_name == "by phone"
    value["contacts"] = [by_user, by_phone]
    assert chat_of(outcome_of("meta", body)).full_name == "by user id"


def test_a_body_of_too_many_parts_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be decoded in one go, in which nobody else has a turn."""
    monkeypatch.setattr(bodies, "PARTS_MAX", 60)
    body = body_of("evolution", "01-upsert-conversation")
    taken = outcome_of("evolution", body)

    found = outcome_of("evolution", {**body, "more": [{}] * 60})

    assert isinstance(taken, MessageEvent)
    assert isinstance(found, Ignored)
    assert found.reason is Reason.UNKNOWN_SHAPE


def test_a_body_with_too_many_events_is_taken_up_to_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "REQUEST_MESSAGES_MAX", 20)
    body = body_of("meta", "01-text")
    value = body["entry"][0]["changes"][0]["value"]
    value["messages"] = [{**value["messages"][0], "id": f"m{each}"} for each in range(30)]

    found = outcomes_of("meta", body)

    assert len(found) == 21
    assert found[-1] == Ignored(Reason.OVERSIZE, "messages")


def test_an_empty_batch_is_counted_too() -> None:
    body = {"event": "messages.upsert", "data": []}

    assert outcome_of("evolution", body) == Ignored(Reason.UNKNOWN_SHAPE, "messages.upsert")


def test_what_meta_sends_while_its_own_agent_answers_is_taken() -> None:
    body = body_of("meta", "01-text")
    value = body["entry"][0]["changes"][0]["value"]
    value["standby"] = {"messages": value.pop("messages")}

    assert chat_of(outcome_of("meta", body)).full_name == "Lina Petrova"


@pytest.mark.parametrize("keys_in", ["before", "after"])
def test_a_deletion_of_wpp_has_keys_in_the_place_of_messages(keys_in: str) -> None:
    key = {"id": "3EB0EEEE01", "remoteJid": "15550101234@c.us", "fromMe": False}
    payload = {keys_in: key, "revokedMessageId": "3EB0EEEE00"}

    found = outcome_of("waha", {"event": "message.revoked", "payload": payload})

    assert found == Delete("15550101234", "3EB0EEEE00", None)


def test_a_deletion_of_webjs_may_know_only_what_was_before() -> None:
    payload = {"after": None, "before": DIRECT["payload"]}

    found = outcome_of("waha", {"event": "message.revoked", "payload": payload})

    assert found == Delete("15550101234", "3EB0AAAA0000000000000001", None)


def test_our_own_hidden_id_is_the_chat_with_ourselves() -> None:
    body = json.loads(json.dumps(LID).replace("38200000000001@lid", "90010000000001@lid"))
    body["payload"]["_data"]["Info"]["SenderAlt"] = ""

    assert chat_of(outcome_of("waha", body)).chat_id == "15550100200"


def test_a_bundle_of_timelinesai_is_several_messages() -> None:
    body = body_of("timelinesai", "10-v1-not-aggregated")
    one = body.pop("message")
    body["messages"] = [one, {**one, "message_id": "second", "text": "two"}]

    found = outcomes_of("timelinesai", body)

    assert [each.event.message.text for each in found if isinstance(each, MessageEvent)] == [
        "still v1",
        "two",
    ]


def test_a_note_that_does_not_say_whether_it_is_private_is_not_taken() -> None:
    body = mutating.with_other(
        body_of("chatwoot", "03-private-note"), ("private",), mutating.MISSING
    )

    assert isinstance(outcome_of("chatwoot", body), Invalid)


def test_an_event_without_a_time_has_that_of_its_arrival() -> None:
    body = {**DIRECT, "timestamp": None}
    body["payload"] = {**DIRECT["payload"], "timestamp": None}

    outcome = outcome_of("waha", body)

    assert isinstance(outcome, MessageEvent)
    assert outcome.event.message.timestamp == samples.ARRIVED_S * 1_000
