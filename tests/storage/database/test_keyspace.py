"""Keys: they sort in the intended order, and no two chats share a key."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine import limits
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.keyspace import Due, DueKind

U4 = st.integers(0, 2**32 - 1)
U8 = st.integers(0, 2**63)
CHAT = st.text(min_size=1, max_size=8).map(str.encode)
DUE = st.builds(Due, U8, st.sampled_from(DueKind), U4, CHAT)

LONGEST_CHAT = b"\xf0\x9f\x98\x80" * (limits.CHAT_ID_BYTES_MAX // 4)

LONGEST_ROW = Due(2**63, DueKind.WINDOW, 2**32 - 1, LONGEST_CHAT)


@settings(deadline=None)
@given(DUE, DUE)
def test_due_rows_sort_by_kind_then_time_then_owner(one: Due, other: Due) -> None:
    by_key = keyspace.due(one) < keyspace.due(other)
    fields = [(row.kind, row.at_ms, row.number, row.subject) for row in (one, other)]

    assert by_key == (fields[0] < fields[1])


@settings(deadline=None)
@given(DUE)
def test_a_due_row_is_read_back_as_it_was(row: Due) -> None:
    assert key_fields.due(keyspace.due(row)) == row


@settings(deadline=None)
@given(DUE, st.integers(0, 2**63 - 1))
def test_due_before_includes_the_given_time_and_nothing_later(row: Due, at_ms: int) -> None:
    assert (keyspace.due(row) < keyspace.due_before(row.kind, at_ms)) == (row.at_ms <= at_ms)


@settings(deadline=None)
@given(DUE, st.sampled_from(DueKind))
def test_the_rows_of_a_kind_are_a_stretch_of_the_index(row: Due, kind: DueKind) -> None:
    assert keyspace.due(row).startswith(keyspace.due_of(kind)) == (row.kind is kind)


@settings(deadline=None)
@given(st.tuples(U4, U8), st.tuples(U4, U8))
def test_deliveries_sort_by_webhook_then_number(one: tuple[int, int], two: tuple[int, int]) -> None:
    keys = [keyspace.owned_numbered(keyspace.QUEUED, *pair) for pair in (one, two)]

    assert (keys[0] < keys[1]) == (one < two)


@settings(deadline=None)
@given(U4, U8, CHAT)
def test_the_parts_of_a_key_are_read_back(workspace: int, number: int, chat: bytes) -> None:
    owned = keyspace.owned(keyspace.CHATS, workspace, chat)
    numbered = keyspace.owned_numbered(keyspace.LOG, workspace, number)

    assert (key_fields.owner(owned), key_fields.subject(owned)) == (workspace, chat)
    assert (key_fields.owner(numbered), key_fields.number(numbered)) == (workspace, number)
    assert key_fields.number(keyspace.numbered(keyspace.FEED, number)) == number


@settings(deadline=None)
@given(U4, CHAT, U4, U4, U8)
def test_the_parts_of_a_chats_key_are_read_back(
    workspace: int, chat: bytes, webhook: int, number: int, at_ms: int
) -> None:
    part = keyspace.part(workspace, chat, webhook, number)
    delivery = keyspace.chat_delivery(workspace, chat, at_ms, webhook)
    ended = keyspace.ended(workspace, at_ms, number, webhook)
    chunk = keyspace.of_delivery(keyspace.BODIES, webhook, at_ms, number)
    request = keyspace.request_time(workspace, at_ms, chat)

    assert key_fields.part(part) == (workspace, chat, webhook, number)
    assert key_fields.of_chat(delivery)[:2] == (workspace, chat)
    assert key_fields.chat_delivery(delivery) == (at_ms, webhook)
    assert key_fields.chat_delivery(ended) == (number, webhook)
    assert key_fields.ended_ms(ended) == at_ms
    assert key_fields.of_delivery(chunk) == (webhook, at_ms, number)
    assert key_fields.request_time(request) == (at_ms, chat)


@settings(deadline=None)
@given(U4, CHAT, CHAT, st.binary(max_size=8))
def test_no_chats_rows_begin_with_those_of_another(
    workspace: int, one: bytes, two: bytes, rest: bytes
) -> None:
    row = keyspace.of_chat(keyspace.CHAT_DELIVERIES, workspace, two, rest)

    assert row.startswith(keyspace.of_chat(keyspace.CHAT_DELIVERIES, workspace, one)) == (
        one == two
    )


@pytest.mark.parametrize(
    "key",
    [
        keyspace.due(LONGEST_ROW),
        keyspace.part(2**32 - 1, LONGEST_CHAT, 2**32 - 1, 2**32 - 1),
        keyspace.chat_delivery(2**32 - 1, LONGEST_CHAT, 2**63, 2**32 - 1),
        keyspace.phone_chat(2**32 - 1, b"9" * 32, LONGEST_CHAT),
        keyspace.due(Due(1, DueKind.POSTPONED, 1, keyspace.due(LONGEST_ROW))),
        keyspace.owned(keyspace.CHATS, 2**32 - 1, LONGEST_CHAT),
        keyspace.workspace("\U0001f600" * limits.WORKSPACE_ID_CHARS_MAX),
    ],
)
def test_the_longest_ids_fit_into_a_key(key: bytes) -> None:
    assert len(key) <= limits.LMDB_KEY_BYTES_MAX


def test_no_key_prefix_is_the_start_of_another() -> None:
    prefixes = [
        value for name, value in vars(keyspace).items() if name.isupper() and type(value) is bytes
    ]

    assert len(prefixes) > 15
    assert not any(a.startswith(b) or b.startswith(a) for a, b in combinations(prefixes, 2))
