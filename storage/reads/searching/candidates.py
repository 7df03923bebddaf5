"""The numbers that may be of wanted deliveries, the highest first: from the best index there is.

    a chat                    its `Y` rows
    a phone                   the `Y` rows of the chats that had it
    only what waits           `Q`, `P` and `f` rows, but for stretches that commands have moved, and
                              `s` rows
    anything else             the history itself

Each is as exact as an index is; the search looks at each delivery. A phone may have any number of
chats, by a sender's mistake or with intent: with too many for a merge, the history is walked.
"""

from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import NamedTuple

import lmdb

from hookbundle.engine import limits
from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.database.records import Moving, WebhookState
from hookbundle.storage.reads.searching.bounds import END, Bounds
from hookbundle.storage.reads.searching.wanted import Wanted
from hookbundle.storage.tables.dead_letters import kinds

CHATS_MOST = 50  # of a phone, whose rows are merged


class Candidate(NamedTuple):
    """`value`: the delivery's record, if the walk is over records."""

    number: int
    webhook: int
    value: bytes | None = None


class Stretch(NamedTuple):
    """Rows of a kind, from the number `first` to before `end`."""

    kind: bytes
    first: int
    end: int


def candidates(
    txn: lmdb.Transaction,
    workspace: int,
    states: dict[int, WebhookState],
    wanted: Wanted,
    bounds: Bounds,
) -> Iterator[Candidate]:
    """Those in the bounds; `states`: of the webhooks that are meant, by their numbers."""
    if wanted.chat is not None:
        found = _of_chats(txn, workspace, [wanted.chat.encode()], bounds)
        return (each for each in found if each.webhook in states)
    chats = None if wanted.phones is None else chats_of(txn, workspace, wanted.phones)
    if chats is not None:
        return (each for each in _of_chats(txn, workspace, chats, bounds) if each.webhook in states)
    if wanted.only_waiting:
        walks = [_waiting(txn, each, state, wanted, bounds) for each, state in states.items()]
    else:
        walks = [_history(txn, each, bounds) for each in states]
    return _newest_first(walks)


def chats_of(
    txn: lmdb.Transaction, workspace: int, phones: tuple[bytes, ...]
) -> list[bytes] | None:
    """The chats that had the phone; None if there are too many."""
    found: list[bytes] = []
    for phone in phones:
        prefix = keyspace.phone_chat(workspace, phone, b"")
        of_phone = islice(rows.rows(txn, prefix), CHATS_MOST + 1)
        found += [key.removeprefix(prefix) for key, _ in of_phone]
    chats = list(dict.fromkeys(found))
    return chats if len(chats) <= CHATS_MOST else None


def had_phone(
    txn: lmdb.Transaction, workspace: int, chat: bytes, phones: tuple[bytes, ...]
) -> bool:
    """Whether the chat is one of those of the phone."""
    of_chat = (keyspace.of_chat(keyspace.CHAT_PHONES, workspace, chat, each) for each in phones)
    return any(rows.get_raw(txn, key) is not None for key in of_chat)


def _of_chats(
    txn: lmdb.Transaction, workspace: int, chats: list[bytes], bounds: Bounds
) -> Iterator[Candidate]:
    return _newest_first(
        [
            _of_chat(txn, workspace, chat, bounds)
            for chat in chats
            if len(chat) <= limits.CHAT_ID_BYTES_MAX
        ]
    )


def _of_chat(
    txn: lmdb.Transaction, workspace: int, chat: bytes, bounds: Bounds
) -> Iterator[Candidate]:
    prefix = keyspace.of_chat(keyspace.CHAT_DELIVERIES, workspace, chat)
    before = keyspace.chat_delivery(workspace, chat, bounds.end, 0)
    for key, _ in rows.rows_before(txn, prefix, before):
        number, webhook = key_fields.chat_delivery(key)
        if number < bounds.first:
            return
        yield Candidate(number, webhook)


def _history(txn: lmdb.Transaction, webhook: int, bounds: Bounds) -> Iterator[Candidate]:
    for number, value in _backwards(txn, webhook, keyspace.DELIVERIES, bounds.first, bounds.end):
        yield Candidate(number, webhook, value)


def _waiting(
    txn: lmdb.Transaction, webhook: int, state: WebhookState, wanted: Wanted, bounds: Bounds
) -> Iterator[Candidate]:
    if wanted.states == {DeliveryState.IN_FLIGHT} and not wanted.resending:
        flying = state.flight.delivery if state.flight else 0
        if flying and bounds.first <= flying < bounds.end:
            yield Candidate(flying, webhook)
        return
    queued = bool(wanted.states - {DeliveryState.DEAD_LETTER})
    dead = DeliveryState.DEAD_LETTER in wanted.states
    stretches = list(_stretches(state.moving or Moving(), queued=queued, dead=dead))
    if wanted.resending:
        stretches.append(Stretch(keyspace.RESENDS, 0, END))
    walks = [
        _backwards(
            txn, webhook, each.kind, max(each.first, bounds.first), min(each.end, bounds.end)
        )
        for each in stretches
    ]
    for number, _ in merge(*walks, reverse=True):
        yield Candidate(number, webhook)


def _stretches(marks: Moving, *, queued: bool, dead: bool) -> Iterator[Stretch]:
    """Where rows may be of deliveries that are queued or dead letters for every caller.

    What commands for everything have discarded or put back may be a hundred thousand rows; these
    are passed over, as tables/moving.py does in the other direction.
    """
    if not queued and not dead:
        return
    low, but = marks.discard_before, marks.discard_but
    for kind in (keyspace.QUEUED, *kinds.ALL):
        if 0 < but < low:
            yield Stretch(kind, but, but + 1)
        back = kinds.stretch_of(marks, kind)
        if kind == keyspace.QUEUED:
            if queued:
                yield Stretch(kind, low, END)
        elif queued and dead:
            yield Stretch(kind, low, END)
        elif queued:
            yield Stretch(kind, max(low, back.first), back.end)
        else:
            yield Stretch(kind, low, back.first)
            yield Stretch(kind, max(low, back.end), END)
            if max(low, back.first) <= back.but < back.end:
                yield Stretch(kind, back.but, back.but + 1)


def _backwards(
    txn: lmdb.Transaction, webhook: int, kind: bytes, first: int, end: int
) -> Iterator[tuple[int, bytes]]:
    """Numbers and values of rows from before `end` down to `first`."""
    if first >= end:
        return
    prefix, before = keyspace.owned(kind, webhook), keyspace.owned_numbered(kind, webhook, end)
    for key, value in rows.rows_before(txn, prefix, before):
        number = key_fields.number(key)
        if number < first:
            return
        yield number, value


def _newest_first(walks: list[Iterator[Candidate]]) -> Iterator[Candidate]:
    return walks[0] if len(walks) == 1 else merge(*walks, reverse=True)
