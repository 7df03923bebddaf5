"""What goes to intake, by chat and in its order, and what is only counted."""

from hookbundle.engine.errors import Fault
from hookbundle.engine.messages.changes import Change
from hookbundle.engine.sources.intake import sorting
from hookbundle.engine.sources.outcomes import (
    Delete,
    Edit,
    Ignored,
    Invalid,
    MessageEvent,
    Outcome,
    Reason,
    Skipped,
    Translation,
)
from hookbundle.tests.engine.sources.posting import DIRECT, outcome_of

MESSAGE = outcome_of("waha", DIRECT)
assert isinstance(MESSAGE, MessageEvent)
CHAT = MESSAGE.event.chat.chat_id
ID = MESSAGE.event.message.message_id


def sort(*outcomes: Outcome) -> sorting.Sorted:
    return sorting.sort(Translation(outcomes))


def test_a_change_keeps_its_place_among_the_messages_of_its_chat() -> None:
    found = sort(
        Edit(CHAT, ID, "early", 1), MESSAGE, Edit(CHAT, ID, "late", 2), Delete(CHAT, ID, None)
    )

    assert len(found.chats[CHAT][0]) == 1
    changes = [
        (before, each.text, each.edited_ms)
        for before, each in found.changes[CHAT]
        if isinstance(each, Change)
    ]
    assert changes == [(0, "early", 1), (1, "late", 2), (1, "", 0)]
    assert found.named == (CHAT,)


def test_the_size_is_that_of_the_messages_as_they_are_stored() -> None:
    found = sort(MESSAGE, Ignored(Reason.ACK), MESSAGE)

    assert found.size == sum(len(each.message) for each in found.chats[CHAT][0]) > 0


def test_what_is_not_for_intake_is_counted_by_reason() -> None:
    found = sort(Ignored(Reason.ACK), Ignored(Reason.ACK), Ignored(Reason.OVERSIZE))

    assert found.counts == {"ignored.ack": 2, "ignored.oversize": 1}
    assert not found.is_ours


def test_a_chat_that_can_be_none_is_invalid_and_the_rest_is_taken() -> None:
    long = "é" * 150  # few characters, many bytes

    found = sort(
        Delete(long, ID, None), Edit(long, ID, "x", 1), Skipped(long, ID, "no_text"), MESSAGE
    )

    assert found.counts == {"invalid": 3}
    assert list(found.chats) == [CHAT]
    assert {fault.path for fault in found.faults} == {"chat.chat_id"}


def test_of_many_faults_the_owner_is_shown_some() -> None:
    fault = Fault("message.message_id", "is missing")

    found = sort(*(Invalid((fault,)) for _ in range(sorting.FAULTS_MAX + 5)))

    assert found.counts == {"invalid": sorting.FAULTS_MAX + 5}
    assert len(found.faults) == sorting.FAULTS_MAX
