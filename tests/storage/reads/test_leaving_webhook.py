"""A deleted webhook whose records are still there: for every reader they are gone."""

import pytest

from hookbundle.engine.errors import Gone, NotFound
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import ReplayFilter
from hookbundle.storage.reads import replays
from hookbundle.storage.reads.chats.due_order import DueOrder
from hookbundle.storage.reads.delivery_view import DeliveryReads
from hookbundle.storage.reads.listing import Listing
from hookbundle.storage.reads.log_walk import LogWalk
from hookbundle.storage.reads.paths.asking import Moment, Span
from hookbundle.storage.reads.paths.chat_history import ChatHistory
from hookbundle.storage.reads.paths.message_path import MessagePaths
from hookbundle.storage.reads.searching.search import Search
from hookbundle.storage.reads.searching.wanted import Wanted
from hookbundle.storage.tables import queue
from hookbundle.storage.transitions.repeating.replaying import Replaying, StartReplay
from hookbundle.tests.storage.reads.paths.asked import whole
from hookbundle.tests.storage.scratch import NO, OK, ScratchDatabase
from hookbundle.tests.storage.webhooks import add_webhook, kept_rows, leave

BOTH = (keyspace.QUEUED, keyspace.DEAD_LETTERS)


@pytest.fixture
def leaving(db: ScratchDatabase) -> ScratchDatabase:
    """`crm` has an open window and deliveries in every state, and is deleted; so has `outbound`."""
    db.workspace(aggregation_ms=0)
    crm = add_webhook(db, "acme", "crm", aggregation_ms=0)
    db.accept("m1", "m2", "m3")
    for webhook in (1, crm):
        db.attempt(OK, webhook)
        for _ in range(3):
            db.attempt(NO, webhook)
    late = add_webhook(db, "acme", "late")
    db.accept("m4")
    start = StartReplay(
        workspace_id="acme",
        webhook_id="crm",
        wanted=ReplayFilter(states=("delivered",)),
        deliveries=1,
        messages=1,
        now_ms=db.now_ms,
        caller="test",
    )
    db.do(start, Replaying)
    leave(db, "acme", "crm")
    leave(db, "acme", "late")
    assert (kept_rows(db, crm), kept_rows(db, late)) == (4, 0)
    return db


def id_of(db: ScratchDatabase, webhook: int, number: int) -> str:
    return queue.id_of(db.env.identity.epoch, webhook, number)


def crm_of(db: ScratchDatabase) -> tuple[int, list[int]]:
    """The number of the deleted webhook, and those of its deliveries."""
    keys = [key for key in db.dump() if key.startswith(keyspace.DELIVERIES) and key[4] != 1]
    return int.from_bytes(keys[0][1:5], "big"), [int.from_bytes(key[5:], "big") for key in keys]


def test_lists_have_nothing_of_it(leaving: ScratchDatabase) -> None:
    listing = Listing(leaving.env)
    due = DueOrder(leaving.env, "acme", 10)
    while due.read_on():
        pass
    waiting = listing.deliveries("acme", BOTH, 100).found
    found = Search(leaving.env, "acme", Wanted(), 0).read(100).found

    assert listing.windows("acme", 10).found == listing.windows_by_due(10).found == due.found == []
    assert {each.webhook_id for each in waiting} == {"outbound"}
    assert [each.webhook_id for each in found] == ["outbound"] * 4


def test_its_deliveries_are_gone_for_who_knows_their_ids(leaving: ScratchDatabase) -> None:
    reads = DeliveryReads(leaving.env)
    crm, numbers = crm_of(leaving)
    leaving.workspace("blue")

    for number in numbers:
        for workspace in ("acme", ""):
            with pytest.raises(Gone):
                reads.delivery(id_of(leaving, crm, number), workspace)
        with pytest.raises(NotFound):
            reads.delivery(id_of(leaving, crm, number), "blue")
    with pytest.raises(NotFound):
        reads.delivery(id_of(leaving, crm, 10_000), "acme")


def test_its_replays_are_gone(leaving: ScratchDatabase) -> None:
    assert replays.all_of(leaving.env, "acme") == []
    with pytest.raises(NotFound):
        replays.one(leaving.env, "acme", 1)


def test_what_is_read_of_it_by_name_is_not_found(leaving: ScratchDatabase) -> None:
    reads, only = leaving.reads, ("crm",)

    with pytest.raises(NotFound):
        LogWalk.begin(leaving.env, "acme", only)
    with pytest.raises(NotFound):
        reads.activity_joined("acme", only)
    with pytest.raises(NotFound):
        Listing(leaving.env).windows("acme", 10, webhook_ids=only)
    with pytest.raises(NotFound):
        reads.preview("acme", "c", "Timelines", "late")
    assert reads.head(crm_of(leaving)[0]) is None


def test_a_walk_through_its_log_that_has_begun_finds_nothing_more(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    crm = add_webhook(db, "acme", "crm", aggregation_ms=0)
    db.accept("m1")
    db.attempt(OK)
    db.attempt(OK, crm)
    walk = LogWalk.begin(db.env, "acme")

    leave(db, "acme", "crm")

    first = walk.next()
    assert first is not None
    assert (first.webhook_id, walk.next()) == ("outbound", None)


def test_histories_and_paths_have_nothing_of_it(leaving: ScratchDatabase) -> None:
    moment = Moment(leaving.now_ms)

    page = whole(ChatHistory(leaving.env).page("acme", "c", Span(), moment, 100))
    path = whole(MessagePaths(leaving.env).path("acme", "c", "m1", moment))

    assert {group.webhook for group in page.found} == {"outbound"}
    assert path.group is not None
    assert path.group.webhook == "outbound"
