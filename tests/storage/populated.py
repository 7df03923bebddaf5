"""A database with a record of every kind, and functions that check it and damage it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.messages.changes import Change
from hookbundle.engine.messages.message import digest_of
from hookbundle.engine.sources.memory import ChatName, MessageChat
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.delivery_records import Attempt, ReplayFilter, WebhookTest
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.records import SCHEMA
from hookbundle.storage.maintenance.check import Finding, check
from hookbundle.storage.tables import bodies, history, queue
from hookbundle.storage.tables.dead_letters import kinds
from hookbundle.storage.tables.repeating import resends
from hookbundle.storage.transitions.changing.changing import ChangeMessages, ChangesMade
from hookbundle.storage.transitions.erasing import DeleteChat, DeleteWorkspace
from hookbundle.storage.transitions.idempotency import ClaimRequest
from hookbundle.storage.transitions.repeating.replaying import Replaying, StartReplay
from hookbundle.storage.transitions.sources.lifetime import DeleteSource, SourceKept
from hookbundle.storage.transitions.timed.merge_steps import Merged, MergeStep
from hookbundle.storage.transitions.timed.replay_steps import Replayed, ReplayStep
from hookbundle.storage.transitions.tokens import CreateToken
from hookbundle.storage.transitions.webhooks.merging import MergeBegun, MergeWebhook
from hookbundle.storage.transitions.webhooks.tests import RecordTest
from hookbundle.tests.storage.scratch import NO, OK, PRODUCT, URL, ScratchDatabase, failed, incoming
from hookbundle.tests.storage.transitions.sources import steps as of_source

R = TypeVar("R", bound=msgspec.Struct)
# What does the damage, and the finding that names it, as a regular expression.
Damage = dict[str, tuple[Callable[[ScratchDatabase], None], str]]

DIGEST = b"d" * 32
RENDERED = b'{"text":"rendered"}'


def findings(db: ScratchDatabase) -> list[Finding]:
    with db.env.read() as txn:
        return list(check(txn))


def report(db: ScratchDatabase) -> str:
    """The findings, a line each."""
    return "\n".join(f"{finding.where}: {finding.what}" for finding in findings(db))


def populated(path: Path, schema: int = SCHEMA) -> ScratchDatabase:
    """A database with every kind of record in workspace 1, except READY, which workspace 3 has.

    Delivery 1 of webhook 1 was delivered, 2 is a dead letter, 3 and 4 are queued, the last with a
    body of two chunks; 5 waits for the erasure of its chat; 7 is a dead letter over which its
    receiver fails; 8 was delivered and is to be resent; 9 is queued, and has the messages of 10
    and 11, which were merged; 12 is a dead letter without a body of its format, and 1 has one.
    Workspace 2 is being erased.
    """
    db = ScratchDatabase(path)
    _have_schema(db, schema)
    db.workspace()
    for start in range(0, 200, 20):
        db.accept(*(incoming(f"m{start + i}", text="t" * 90) for i in range(20)))
    db.accept(incoming("d", chat=b'{"chat_id":"sent","phone":"+1 (23)"}'), chat="sent")
    db.seal("sent")
    db.attempt(OK)
    db.accept("p", chat="parked")
    db.seal("parked")
    for _ in range(3):
        db.attempt(NO)
    db.accept("s", chat="sealed")
    db.accept(incoming("l", text="l" * 40_000), chat="long")
    db.accept(*(incoming(f"g{i}", chat=b'{"phone":"+45"}') for i in range(70)), chat="gone")
    for chat in ("sealed", "long", "gone"):
        db.seal(chat)
    for _ in range(8):
        db.attempt(failed())
    early = Change("e", digest_of("e"), "edited", 0)
    changes: dict[str, Any] = {"chat_id": "c", "changes": (early,), "product_name": PRODUCT}
    db.do(ChangeMessages(workspace_number=1, now_ms=db.now_ms, **changes), ChangesMade)
    db.done(recording(db))
    db.done(
        CreateToken(digest=DIGEST, scope="admin", workspace_id="acme", now_ms=db.now_ms, caller="t")
    )
    db.group(claiming(db, 1, b"key"), DeleteChat(**named(db), chat_id="gone"))
    db.workspace("other")
    db.accept("m", ws=2)
    db.group(DeleteWorkspace(**named(db, "other"), precondition=None))
    db.accept("m", ws=db.workspace("ready", aggregation_ms=0))
    db.accept("f", chat="fails")
    db.seal("fails")
    with db.unit() as unit:
        webhook = unit.workspace("acme").outbound
        delivery = queue.find(unit, webhook.number, 7)
        assert delivery is not None
        weight = history.weight(delivery)
        queue.move_to_dead_letters(unit, webhook, delivery, weight, "receiver_fails")
    _resend(db)
    _merge(db)
    _formats(db)
    _sources(db)
    return db


def _have_schema(db: ScratchDatabase, schema: int) -> None:
    """As if a version with that schema had made the database."""
    identity = db.env.identity = msgspec.structs.replace(db.env.identity, schema=schema)
    with db.env.write() as txn:
        txn.put(keyspace.IDENTITY, codec.pack(keyspace.IDENTITY, identity))


def _resend(db: ScratchDatabase) -> None:
    """A delivery that is to be resent, and a replay that is over."""
    db.accept("a", chat="again")
    db.seal("again")
    with db.unit() as unit:
        webhook = unit.workspace("acme").outbound
        delivery = queue.find(unit, webhook.number, unit.meta.delivery_next - 1)
        assert delivery is not None
        weight = history.weight(delivery)
        queue.remove(unit, webhook, delivery, weight, "delivered")
        history.end(unit, webhook, delivery, DeliveryState.DELIVERED, weight, db.now_ms)
        unit.meta.totals.delivered += 1
        resends.begin(unit, webhook, delivery)
    wanted = ReplayFilter(states=("dead_letter",), chat="nobody")
    db.do(StartReplay(wanted=wanted, deliveries=1, messages=1, **named(db)), Replaying)
    db.do(ReplayStep(1, 500, db.now_ms), Replayed)


def _merge(db: ScratchDatabase) -> None:
    """Two deliveries that have become one."""
    for message_id in ("x", "y"):
        db.accept(incoming(message_id, chat=b'{"chat_id":"merged"}'), chat="merged")
        db.seal("merged")
    db.do(MergeWebhook(**named(db)), MergeBegun)
    while not db.do(MergeStep(1, 500, db.now_ms, PRODUCT), Merged).finished:
        pass


def _formats(db: ScratchDatabase) -> None:
    """A delivered body that was rendered, and a dead letter whose body could not be."""
    db.accept("n", chat="fails")
    db.seal("fails")
    with db.unit() as unit:
        webhook = unit.workspace("acme").outbound
        delivery = queue.find(unit, webhook.number, unit.meta.delivery_next - 1)
        assert delivery is not None
        queue.move_to_dead_letters(unit, webhook, delivery, history.weight(delivery), kinds.FORMAT)
        sent = queue.find(unit, webhook.number, 1)
        assert sent is not None
        bodies.put(unit, webhook.number, 1, RENDERED, prefix=bodies.RENDERED)
        sent.rendered_bytes = len(RENDERED)
        unit.put(history.key_of(webhook.number, 1), sent)
        history.grow(unit, webhook, len(RENDERED))


def _sources(db: ScratchDatabase) -> None:
    """A source that remembers and keeps requests, and one that was deleted and is being erased."""
    for token in ("present", "deleted"):
        of_source.create(db, token=token)
    for source in (1, 2):
        of_source.learn(db, ChatName("c", "Ahmad"), MessageChat("m", "c"), source=source)
        of_source.note(db, of_source.seen(db, "c"), of_source.seen(db), source=source)
    db.do(DeleteSource(**named(db), source_id="waha-2", precondition=None), SourceKept)


def recording(db: ScratchDatabase, webhook: int = 1) -> RecordTest:
    made = Attempt(at_ms=db.now_ms, url=URL, request_headers=(), outcome="delivered", status=200)
    test = WebhookTest(id="test_1", body=b"{}", attempt=made)
    return RecordTest(webhook=webhook, test=test, now_ms=db.now_ms)


def named(db: ScratchDatabase, ws: str = "acme") -> dict[str, Any]:
    return {"workspace_id": ws, "now_ms": db.now_ms, "caller": "t"}


def claiming(db: ScratchDatabase, ws: int, key: bytes) -> ClaimRequest:
    return ClaimRequest(workspace_number=ws, key=key, digest=b"body", now_ms=db.now_ms)


def put(db: ScratchDatabase, key: bytes, value: bytes | msgspec.Struct) -> None:
    with db.env.write() as txn:
        txn.put(key, value if isinstance(value, bytes) else codec.pack(key, value))


def drop(db: ScratchDatabase, key: bytes) -> None:
    with db.env.write() as txn:
        assert txn.delete(key)


def change(db: ScratchDatabase, key: bytes, kind: type[R], **fields: Any) -> None:
    record = codec.unpack(key, db.dump()[key], kind)
    put(db, key, msgspec.structs.replace(record, **fields))


def first(db: ScratchDatabase, prefix: bytes) -> bytes:
    return min(key for key in db.dump() if key.startswith(prefix))


def due(db: ScratchDatabase, kind: DueKind) -> bytes:
    return keyspace.due(db.dues(kind)[0])
