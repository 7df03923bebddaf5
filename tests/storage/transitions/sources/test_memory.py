"""What a source remembers: found, bounded, erased with its chat, its source and its workspace."""

import pytest

from hookbundle.engine import limits
from hookbundle.engine.sources.memory import (
    ChatBegun,
    ChatCreated,
    ChatName,
    LidPhone,
    MessageChat,
    UserPhone,
)
from hookbundle.storage.tables.sources import memory
from hookbundle.tests.storage.deleting import assert_sound, delete, delete_chat, erase
from hookbundle.tests.storage.scratch import ScratchDatabase
from hookbundle.tests.storage.transitions.sources.steps import (
    create,
    learn,
    memory_of,
    remembered,
    rows_of_sources,
)


def test_what_was_learned_is_answered_after_a_restart(source: ScratchDatabase) -> None:
    learn(source, LidPhone("7@lid", "4479", "4479"), UserPhone("US.1", "1650", "1650"))
    learn(source, ChatName("4479", "Ahmad"), ChatCreated("new"), MessageChat("m", "4479"))

    source.reopen()

    assert remembered(source, "phone_of_lid", "7@lid") == "4479"
    assert remembered(source, "phone_of_user", "US.1") == "1650"
    assert remembered(source, "name_of", "4479") == "Ahmad"
    assert remembered(source, "is_new", "new") is True
    assert remembered(source, "chat_of_message", "m") == "4479"
    assert remembered(source, "phone_of_lid", "4479") is None
    assert_sound(source)


def test_the_last_that_was_learned_stands(source: ScratchDatabase) -> None:
    learn(source, ChatName("c", "old"), ChatCreated("c"), ChatName("c", "new"), ChatBegun("c"))

    assert remembered(source, "name_of", "c") == "new"
    assert remembered(source, "is_new", "c") is False
    assert memory_of(source).entries == (1, 0)
    assert_sound(source)


def test_sources_do_not_know_what_others_learned(source: ScratchDatabase) -> None:
    create(source, token="second")
    source.workspace("other")
    create(source, "other", token="third")

    learn(source, ChatName("c", "of the first"))

    assert remembered(source, "name_of", "c", source=2) is None
    assert remembered(source, "name_of", "c", ws=2) is None


def test_the_oldest_go_first_and_messages_push_out_only_messages(
    source: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "ENTRIES_MAX", (3, 2))
    learn(source, *(ChatName(f"c{i}", "n") for i in range(3)))

    learn(source, *(MessageChat(f"m{i}", "c") for i in range(9)), ChatName("c3", "n"))

    names = [remembered(source, "name_of", f"c{i}") for i in range(4)]
    chats = [remembered(source, "chat_of_message", f"m{i}") for i in range(9)]
    assert names == [None, "n", "n", "n"]
    assert chats == [None] * 7 + ["c", "c"]
    assert memory_of(source).entries == (3, 2)
    assert_sound(source)


def test_many_long_names_are_no_more_than_their_bytes(
    source: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "BYTES_MAX", (9_000, 1))

    learn(source, *(ChatName(f"c{i}", "n" * 1_000) for i in range(20)))
    learn(source, MessageChat("m", "c"))

    state = memory_of(source)
    assert state.bytes[0] <= 9_000
    assert state.entries == (7, 0)
    assert source.view().usage.source_bytes == sum(state.bytes)
    assert_sound(source)


@pytest.mark.parametrize(
    "hostile",
    [
        ChatName("c", "n" * (limits.SOURCE_VALUE_BYTES_MAX + 1)),
        ChatName("é" * limits.CHAT_ID_BYTES_MAX, "n"),
        ChatName("", "n"),
        LidPhone("1" * 90_000 + "@lid", "44", "x" * 201),
    ],
)
def test_what_no_chat_can_be_is_not_remembered(
    source: ScratchDatabase, hostile: ChatName | LidPhone
) -> None:
    learn(source, hostile)

    assert memory_of(source).entries == (0, 0)


def test_the_longest_ids_fit_into_keys(source: ScratchDatabase) -> None:
    chat = "é" * (limits.CHAT_ID_BYTES_MAX // 2)

    learn(
        source, LidPhone("1" * 90_000 + "@lid", "4" * 1_000, chat), MessageChat("m" * 9_000, chat)
    )

    assert remembered(source, "chat_of_message", "m" * 9_000) == chat
    assert max(map(len, source.dump())) <= limits.LMDB_KEY_BYTES_MAX
    assert_sound(source)


def test_a_chat_is_forgotten_the_moment_it_is_deleted(source: ScratchDatabase) -> None:
    learn(source, LidPhone("7@lid", "4479", "c"), ChatName("c", "Ahmad"), ChatName("d", "other"))
    learn(source, *(MessageChat(f"m{i}", "c") for i in range(40)))

    delete_chat(source)

    assert remembered(source, "phone_of_lid", "7@lid") is None
    assert remembered(source, "chat_of_message", "m1") is None
    assert remembered(source, "name_of", "d") == "other"
    assert erase(source) > 1
    assert memory_of(source).entries == (1, 0)
    assert not any(b"Ahmad" in value for value in source.dump().values())


def test_what_is_learned_while_a_chat_is_erased_stays(source: ScratchDatabase) -> None:
    learn(source, ChatName("c", "before"))
    delete_chat(source)
    source.now_ms += 1

    learn(source, ChatName("c", "after"))
    erase(source)

    assert remembered(source, "name_of", "c") == "after"


def test_a_deleted_workspace_leaves_nothing_of_its_sources(source: ScratchDatabase) -> None:
    learn(source, *(ChatName(f"c{i}", "n") for i in range(9)))
    source.workspace("other")
    create(source, "other", token="theirs")
    learn(source, ChatName("c1", "theirs"), ws=2)

    delete(source)

    assert [key for key in source.dump() if key[:1] == b"u"] != []
    erase(source)
    assert rows_of_sources(source) == []
    assert remembered(source, "name_of", "c1", ws=2) == "theirs"
    assert len([key for key in source.dump() if key[:1] == b"u"]) == 1
