"""Whatever waits and whatever comes between the steps: no message of a chat is lost, sent twice, or
sent before an earlier one of its chat."""

import random
from pathlib import Path

import pytest

from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.reads.delivery_view import DeliveryReads
from hookbundle.storage.tables import queue
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import NO, OK, ScratchDatabase, failed
from hookbundle.tests.storage.transitions.timed import merging

CHATS = "abcd"


class Queues:
    """Random bundles of several chats; `came` is what each chat got, in its order."""

    def __init__(self, db: ScratchDatabase, seed: int) -> None:
        self.db, self.rng = db, random.Random(seed)
        self.came: dict[str, list[str]] = {chat: [] for chat in CHATS}
        self.sent: dict[str, list[str]] = {chat: [] for chat in CHATS}
        self.ids: dict[str, str] = {}

    def come(self) -> None:
        chat = self.rng.choice(CHATS)
        first = len(self.came[chat])
        some = [f"{chat}{first + each}" for each in range(self.rng.randint(1, 3))]
        self.came[chat] += some
        merging.bundle(self.db, chat, *some)

    def attempt(self) -> None:
        if not self.db.view().state.ready and not self.db.dues(DueKind.RETRY):
            return
        outcome = self.rng.choice((OK, OK, failed(), NO))
        begun = self.db.attempt(outcome)
        if outcome is OK:
            self.note(begun.delivery.chat_id, ids_in(begun))

    def note(self, chat: str, message_ids: list[str]) -> None:
        self.sent[chat] += message_ids

    def look(self) -> None:
        """Every id that was ever seen is found, and is of the same chat."""
        for each in self.db.queued():
            self.ids[queue.delivery_id(1, each.delivery)] = each.chat_id
        reads = DeliveryReads(self.db.env)
        for delivery_id, chat in self.ids.items():
            found = reads.delivery(delivery_id)
            assert (found.id, found.delivery.chat_id) == (delivery_id, chat)


@pytest.mark.parametrize("seed", range(12))
def test_a_merge_keeps_every_message_in_its_chats_order(tmp_path: Path, seed: int) -> None:
    db = ScratchDatabase(tmp_path / "data")
    db.workspace()
    life = Queues(db, seed)
    for _ in range(60):
        match life.rng.randrange(10):
            case 0 | 1 | 2 | 3 | 4:
                life.come()
            case 5:
                life.attempt()
            case 6:
                if life.rng.random() < 0.5:
                    merging.merge(db)
                else:
                    merging.enable_merged(db)
            case 7 | 8:
                if db.dues(DueKind.MERGE):
                    merging.step(db, life.rng.choice((1, 2, 200)))
            case 9:
                if life.rng.random() < 0.5:
                    db.disable()
                else:
                    db.reopen()
        life.look()
    while db.dues(DueKind.MERGE):
        merging.step(db)
    db.enable()  # dead letters are back in their old places
    while db.view().state.queued:
        begun = db.attempt(OK)
        life.note(begun.delivery.chat_id, ids_in(begun))
    db.close()
    for chat in CHATS:
        once = life.sent[chat]
        assert sorted(once) == sorted(life.came[chat]), "one is lost, or sent twice"


@pytest.mark.parametrize("seed", range(6))
def test_what_is_merged_and_then_sent_is_in_order(tmp_path: Path, seed: int) -> None:
    db = ScratchDatabase(tmp_path / "data")
    db.workspace()
    db.disable()
    life = Queues(db, seed)
    for _ in range(25):
        life.come()
    oldest = [each.chat_id for each in db.queued()]
    merging.enable_merged(db)
    while not merging.step(db, life.rng.choice((1, 3))).finished:
        if life.rng.random() < 0.4:
            life.come()
        db.reopen()
    order = [each.chat_id for each in db.queued()][: len(set(oldest))]
    assert order == list(dict.fromkeys(oldest)), "each stands in the place of its chat's oldest"
    for found in merging.sent(db):
        life.note(found[0][0], found)
    assert life.sent == life.came
    assert_sound(db)
    db.close()
