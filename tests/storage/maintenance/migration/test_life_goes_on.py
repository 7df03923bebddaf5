"""What was under way in 0.1.0 goes on in the upgraded database: nothing is lost or sent twice."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.records import Usage
from hookbundle.storage.maintenance.copying import finish_erasures
from hookbundle.storage.transitions.attempting import Begun
from hookbundle.storage.transitions.idempotency import Claimed, ClaimRequest
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.storage.transitions.timed.retiming import Retimed, RetimeWindows
from hookbundle.storage.transitions.timed.trimming import TrimHistory, Trimmed
from hookbundle.tests.storage.fixtures.released import held_by
from hookbundle.tests.storage.maintenance.migration.upgrading import NOW_MS, opened, upgraded
from hookbundle.tests.storage.populated import findings
from hookbundle.tests.storage.scratch import HOUR_MS, OK, PRODUCT, ScratchDatabase

HELD = held_by("schema-1-busy")
DAY_MS = 24 * HOUR_MS


@pytest.fixture
def db(busy: Path) -> Iterator[ScratchDatabase]:
    upgraded(busy)
    db = opened(busy)
    yield db
    assert findings(db) == []
    db.close()


def test_messages_that_0_1_0_accepted_are_still_duplicates(db: ScratchDatabase) -> None:
    for chat, name, most in (("many", "m", 400), ("silent", "i", 200), ("last", "last", 30)):
        again = db.accept(*(f"{name}{number}" for number in range(most)), chat=chat)

        assert (again.accepted, again.duplicate) == (0, most)


def test_every_delivery_is_sent_with_its_id_and_its_bytes(db: ScratchDatabase) -> None:
    for workspace in HELD["workspaces"]:
        if workspace["id"] == "erasing" or not workspace["url"]:
            continue
        waiting = workspace["queued"] + workspace["dead_letters"]
        db.enable(workspace["id"])

        sent = list(all_sent(db, workspace["number"]))

        expected = sorted((each["number"], each["id"]) for each in waiting)
        assert [(begun.delivery.number, begun.delivery_id) for begun in sent] == expected


def test_an_attempt_that_was_under_way_is_recorded_as_lost(db: ScratchDatabase) -> None:
    flight = workspace("flying")["state"]["flight"]

    begun = db.begun(8)

    delivery = db.delivery(flight["delivery"], 8)
    assert begun.attempt == flight["attempt"] + 1
    assert delivery is not None
    assert delivery.last_error == "stopped: the daemon stopped before the outcome was known"
    db.finish(begun, OK, ws=8)


def test_erasures_go_on_and_end(db: ScratchDatabase) -> None:
    finish_erasures(db.env, NOW_MS)

    chats = sorted(event["chat"] for event in db.events("chat.erased"))
    assert chats == ["again", "gone"]
    assert [event["workspace"] for event in db.events("workspace.erased")] == ["erased workspace"]
    # What was sealed before its chat was deleted is gone, and what came after it is not.
    before = {chat: number for chat, (_, number) in workspace("erasing")["erasing"].items()}
    assert {delivery.number for delivery in db.queued("erasing")} == {
        each["number"]
        for each in workspace("erasing")["queued"]
        if each["number"] >= before.get(each["chat_id"], 0)
    }
    assert [row for row in db.dues() if row.kind is DueKind.ERASE] == []
    assert keys_of(db, 7) == []
    assert usage(db, 6).erasures == 0


def test_retiming_goes_on_where_it_was(db: ScratchDatabase) -> None:
    position = key_fields.subject(bytes.fromhex(workspace("acme")["state"]["retime_after"]))
    chats = workspace("acme")["chats"]
    still = {chat for chat in chats if chats[chat]["window"] and chat.encode() > position}
    retime = RetimeWindows(webhook=1, most=100, now_ms=db.now_ms, product_name=PRODUCT)

    retimed = db.do(retime, Retimed)

    events = db.events("delivery.sealed")
    sealed = [event["chat"] for event in events if event["data"]["reason"] == "settings"]
    assert retimed.finished
    assert db.view().state.retime_after is None
    assert set(sealed) == still  # all of them were opened more than an hour ago
    assert "many" in still


def test_a_repeated_request_gets_the_answer_of_0_1_0(db: ScratchDatabase) -> None:
    for key, record in workspace("acme")["requests"].items():
        claim = ClaimRequest(
            workspace_number=1,
            key=bytes.fromhex(key),
            digest=bytes.fromhex(record["digest"]),
            now_ms=db.now_ms,
        )

        assert db.do(claim, Claimed).answer in (b"", b"answer" * 100, b"answer" * 200)


def test_what_is_kept_for_a_time_is_forgotten_after_it(db: ScratchDatabase) -> None:
    db.now_ms += 3 * DAY_MS

    for _ in range(4):  # a chat with many ids goes in steps
        due = [row for row in db.dues() if row.at_ms <= db.now_ms]
        forgotten = (DueKind.FORGET, DueKind.REQUEST)
        db.group(Forget(tuple(row for row in due if row.kind in forgotten), db.now_ms))
        db.now_ms += 1

    assert db.chat("silent") is None
    assert db.chat("big0") is None
    assert db.chat("many") is not None  # its window is open
    assert usage(db, 1).answers == 0


def test_the_history_that_the_log_made_is_trimmed_when_the_log_moves_on(
    db: ScratchDatabase,
) -> None:
    log = workspace("single")["log"]
    gone = {row[1] for row in log if row[1].startswith("dlv_")} - {
        each["id"] for each in workspace("single")["queued"] + workspace("single")["dead_letters"]
    }
    before = usage(db, 2).history
    db.enable("single")
    db.accept(*(f"later{number}" for number in range(120)), ws=2, chat="later")
    list(all_sent(db, 2))

    trim = TrimHistory(
        workspace_number=2, before_ms=NOW_MS - 1, bytes_max=2**60, most=1_000, now_ms=db.now_ms
    )
    trimmed = db.do(trim, Trimmed)

    assert before == len(gone)
    assert trimmed.finished
    ended = [delivery for number in range(1, 140) if (delivery := db.delivery(number, 2))]
    assert [each.number for each in ended if each.ended_ms < NOW_MS] == []


def all_sent(db: ScratchDatabase, webhook: int) -> Iterator[Begun]:
    db.wait(webhook)
    while isinstance(begun := db.begin(webhook), Begun):
        db.finish(begun, OK, ws=webhook)
        yield begun


def workspace(name: str) -> Any:
    (found,) = [each for each in HELD["workspaces"] if each["id"] == name]
    return found


def usage(db: ScratchDatabase, number: int) -> Usage:
    with db.env.read() as txn:
        found = rows.get(txn, keyspace.owned(keyspace.USAGES, number), Usage)
    assert found is not None
    return found


def keys_of(db: ScratchDatabase, number: int) -> list[bytes]:
    """The keys that begin with a letter and this number."""
    alone = (keyspace.DUES, keyspace.MAILS, keyspace.FEED, keyspace.TOKENS, keyspace.WORKSPACES)
    owned = [key for key in db.dump() if len(key) > 1 and key[:1] not in alone]
    return [key for key in owned if key_fields.owner(key) == number]
