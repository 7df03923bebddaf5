"""Keys: they sort in the intended order, and no two chats share a key."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from hookbundle.engine import limits
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind

U4 = st.integers(0, 2**32 - 1)
U8 = st.integers(0, 2**63)
CHAT = st.text(min_size=1, max_size=8).map(str.encode)
DUE = st.builds(Due, U8, st.sampled_from(DueKind), U4, CHAT)

LONGEST_CHAT = b"\xf0\x9f\x98\x80" * (limits.CHAT_ID_BYTES_MAX // 4)


@given(DUE, DUE)
def test_due_rows_sort_by_time_then_kind_then_owner(one: Due, other: Due) -> None:
    by_key = keyspace.due(one) < keyspace.due(other)

    assert by_key == (astuple(one) < astuple(other))


@given(DUE)
def test_a_due_row_is_read_back_as_it_was(row: Due) -> None:
    assert keyspace.parse_due(keyspace.due(row)) == row


@given(DUE, st.integers(0, 2**63 - 1))
def test_due_before_includes_the_given_time_and_nothing_later(row: Due, at_ms: int) -> None:
    assert (keyspace.due(row) < keyspace.due_before(at_ms)) == (row.at_ms <= at_ms)


@given(st.tuples(U4, U8), st.tuples(U4, U8))
def test_deliveries_sort_by_workspace_then_number(
    one: tuple[int, int], two: tuple[int, int]
) -> None:
    keys = [keyspace.owned_numbered(keyspace.QUEUED, *pair) for pair in (one, two)]

    assert (keys[0] < keys[1]) == (one < two)


@given(U4, U8, CHAT)
def test_the_parts_of_a_key_are_read_back(workspace: int, number: int, chat: bytes) -> None:
    owned = keyspace.owned(keyspace.CHATS, workspace, chat)
    numbered = keyspace.owned_numbered(keyspace.LOG, workspace, number)

    assert (keyspace.parse_owner(owned), keyspace.parse_subject(owned)) == (workspace, chat)
    assert (keyspace.parse_owner(numbered), keyspace.parse_number(numbered)) == (workspace, number)
    assert keyspace.parse_number(keyspace.numbered(keyspace.FEED, number)) == number


@given(st.tuples(U4, CHAT, U4), st.tuples(U4, CHAT, U4))
def test_no_two_chats_share_a_part(
    one: tuple[int, bytes, int], two: tuple[int, bytes, int]
) -> None:
    keys = [keyspace.part(keyspace.PARTS, *of) for of in (one, two)]

    assert (keys[0] == keys[1]) == (one == two)


def test_a_chat_whose_id_begins_with_another_id_has_its_own_parts() -> None:
    short = keyspace.part(keyspace.PARTS, 1, b"a", int.from_bytes(b"bcde"))
    long = keyspace.part(keyspace.PARTS, 1, b"abcde", int.from_bytes(b"bcde"))

    assert short != long


@pytest.mark.parametrize(
    "key",
    [
        keyspace.due(Due(2**63, DueKind.WINDOW, 2**32 - 1, LONGEST_CHAT)),
        keyspace.part(keyspace.PARTS, 2**32 - 1, LONGEST_CHAT, 2**32 - 1),
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
