"""What a source learns from one request for the next."""

import json

from hookbundle.engine.sources.memory import ChatBegun, LidPhone, MessageChat
from hookbundle.engine.sources.outcomes import (
    Ignored,
    Reason,
)
from hookbundle.tests.engine.sources import samples
from hookbundle.tests.engine.sources.posting import (
    DIRECT,
    GROUP,
    LID,
    SENT,
    body_of,
    chat_of,
    outcome_of,
    outcomes_of,
)
from hookbundle.tests.engine.sources.remembering import Remembering


def test_a_hidden_id_goes_beside_the_phone_and_is_learned_once() -> None:
    memory, (settings_, _) = Remembering(), samples.settings_of("waha")
    body = json.dumps(LID).encode()

    first = samples.translated("waha", settings_, body, memory)
    second = samples.translated("waha", settings_, body, memory)

    learned = LidPhone("38200000000001@lid", "15550101111", "15550101111")
    assert learned in first.learned
    assert second.learned == ()
    assert chat_of(second.outcomes[0]).lid == "38200000000001@lid"


def test_what_a_participant_is_called_is_not_the_name_of_the_group() -> None:
    memory = Remembering()

    outcomes_of("waha", GROUP, memory=memory)

    assert memory.names == {}


def test_a_sent_message_has_the_name_that_a_received_one_taught() -> None:
    memory = Remembering()

    outcomes_of("waha", DIRECT, memory=memory)

    assert chat_of(outcome_of("waha", SENT, memory=memory)).full_name == "Lina Petrova"


def test_a_chat_is_new_for_one_message() -> None:
    memory, (settings_, _) = Remembering(), samples.settings_of("timelinesai")
    created, message = samples.read(
        samples.FOLDER / "timelinesai" / "07-chat-created-then-first-message.seq.json"
    )
    samples.translated("timelinesai", settings_, json.dumps(created).encode(), memory)
    told = json.dumps(message).encode()

    first = samples.translated("timelinesai", settings_, told, memory)
    second = samples.translated("timelinesai", settings_, told, memory)

    assert first.learned == (ChatBegun("123456"),)
    assert [chat_of(each.outcomes[0]).is_new_chat for each in (first, second)] == [True, False]


def test_what_yields_no_message_teaches_no_place_of_one() -> None:
    memory, (settings_, _) = Remembering(), samples.settings_of("evolution")
    taught = [
        samples.translated("evolution", settings_, json.dumps(body).encode(), memory).learned
        for body in (
            body_of("evolution", "01-upsert-conversation"),
            body_of("evolution", "15-reaction"),
            body_of("evolution", "25-update-deleted-is-no-delete"),
        )
    ]

    places = [[each for each in one if isinstance(each, MessageChat)] for one in taught]
    assert places == [[MessageChat("3AD0000000DE00000001", "15550101234")], [], []]


def test_an_edit_that_does_not_say_its_chat_is_not_put_into_ours() -> None:
    edit = body_of("evolution", "17-edited-by-the-contact.seq", 1)

    found = outcome_of("evolution", edit)

    assert found == Ignored(Reason.CHAT_UNKNOWN, "messages.edited")


def test_names_of_contacts_and_groups_are_learned_and_not_our_own() -> None:
    memory = Remembering()
    for event, data in (
        ("contacts.upsert", [{"remoteJid": "15550101234@s.whatsapp.net", "pushName": "Lina"}]),
        ("contacts.update", [{"remoteJid": "15550100200@s.whatsapp.net", "pushName": "Me"}]),
        ("GROUPS_UPSERT", [{"id": "120363020000000002@g.us", "subject": "Trip"}]),
    ):
        body = {"event": event, "sender": "15550100200@s.whatsapp.net", "data": data}
        outcomes_of("evolution", body, memory=memory)

    assert memory.names == {"15550101234": "Lina", "120363020000000002@g.us": "Trip"}


def test_of_a_chat_the_memory_is_asked_once_in_a_request() -> None:
    asked: list[str] = []

    class Asked(Remembering):
        def name_of(self, chat_id: str) -> str | None:
            asked.append("name")
            return super().name_of(chat_id)

        def is_new(self, chat_id: str) -> bool:
            asked.append("new")
            return super().is_new(chat_id)

    memory = Asked(names={"15550101234": "Another name"}, new={"15550101234"})
    (outcome,) = outcomes_of("waha", DIRECT, memory=memory)

    assert sorted(asked) == ["name", "new"]
    assert chat_of(outcome).is_new_chat
    assert chat_of(outcome).full_name != "Another name"
