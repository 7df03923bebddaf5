"""Merges: asked for, made step by step, with the database checked after each; what is sent then."""

from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.tables import queue
from hookbundle.storage.transitions.switching import EnableWebhook, Switched
from hookbundle.storage.transitions.timed.merge_steps import Merged, MergeStep
from hookbundle.storage.transitions.webhooks.merging import MergeBegun, MergeWebhook
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import HOUR_MS, OK, PRODUCT, ScratchDatabase, incoming


def bundle(db: ScratchDatabase, chat: str, *message_ids: str) -> None:
    """A delivery of the chat with these messages, an hour after the last one."""
    chat_json = b'{"chat_id":"%b","chat_url":"https://app.example/%b"}' % ((chat.encode(),) * 2)
    messages = (incoming(each, db.now_ms, chat=chat_json) for each in message_ids)
    db.accept(*messages, chat=chat)
    db.seal(chat)
    db.now_ms += HOUR_MS


def disabled(db: ScratchDatabase, *bundles: tuple[str, str]) -> None:
    """A disabled webhook that holds these: a chat, and the ids of messages, with spaces between."""
    db.workspace()
    db.disable()
    for chat, message_ids in bundles:
        bundle(db, chat, *message_ids.split())


def merge(db: ScratchDatabase) -> MergeBegun:
    return db.do(MergeWebhook(workspace_id="acme", now_ms=db.now_ms, caller="ann"), MergeBegun)


def enable_merged(db: ScratchDatabase) -> Switched:
    transition = EnableWebhook(
        workspace_id="acme", discard=False, merge=True, now_ms=db.now_ms, caller="ann"
    )
    return db.do(transition, Switched)


def step(db: ScratchDatabase, most: int = 2) -> Merged:
    assert db.dues(DueKind.MERGE), "nothing is being merged"
    merged = db.do(MergeStep(1, most, db.now_ms, PRODUCT), Merged)
    assert_sound(db)
    return merged


def merge_on(db: ScratchDatabase, most: int = 200) -> int:
    """All steps that are left; how many."""
    steps = 1
    while not step(db, most).finished:
        steps += 1
        assert steps < 1_000, "it never ends"
    return steps


def held(db: ScratchDatabase) -> list[list[str]]:
    """The messages of each delivery of the queue, in its order."""
    return [ids_in(each) for each in db.queued()]


def sent(db: ScratchDatabase) -> list[list[str]]:
    """What is sent until nothing waits any more."""
    found = []
    while db.view().state.queued:
        found.append(ids_in(db.attempt(OK)))
    return found


def ids_of_queue(db: ScratchDatabase) -> list[str]:
    return [queue.delivery_id(1, each.delivery) for each in db.queued()]
