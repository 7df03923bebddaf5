"""E-mails to owners: one that waits for each workspace, one an hour, and no disabling left out."""

from typing import Any

import pytest

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.mail_records import Mail
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.tables.outbox import HOUR_MS, LISTED_MAX, hour_key
from hookbundle.storage.transitions.mails import MailAccepted, MailFailed
from hookbundle.tests.storage.deleting import delete
from hookbundle.tests.storage.scratch import ScratchDatabase, failed


@pytest.fixture
def sending(db: ScratchDatabase) -> ScratchDatabase:
    """Workspace `acme` with a message that its receiver refuses."""
    db.policy = BackoffPolicy(steps_ms=(1,), errors_max=1)
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    return db


def disable(db: ScratchDatabase, ws: str = "acme") -> None:
    """Two errors disable the webhook, which was enabled just now."""
    db.enable(ws)
    for _ in range(2):
        db.attempt(failed(), ws=db.view(ws).webhook.number)


def mails(db: ScratchDatabase) -> list[Mail]:
    return [mail for number in range(1, 99) if (mail := db.reads.mail(number)) is not None]


def is_sound(db: ScratchDatabase) -> bool:
    with db.env.read() as txn:
        return not list(check(txn))


def test_the_first_disabling_is_told_at_once(sending: ScratchDatabase) -> None:
    disable(sending)

    (mail,) = mails(sending)
    assert (mail.total, mail.next_ms) == (1, sending.now_ms)
    assert is_sound(sending)


def test_within_the_hour_one_mail_waits_for_its_end_and_tells_of_all(
    sending: ScratchDatabase,
) -> None:
    disable(sending)
    taken_ms = sending.now_ms
    sending.done(MailAccepted(1, 1, taken_ms))

    for _ in range(3):
        disable(sending)
    sending.reopen()

    (mail,) = mails(sending)
    assert (mail.number, mail.total, len(mail.disablings)) == (2, 3, 3)
    assert mail.next_ms == taken_ms + HOUR_MS
    assert sending.dues(DueKind.MAIL) == [Due(taken_ms + HOUR_MS, DueKind.MAIL, 2)]
    assert is_sound(sending)


def test_after_the_hour_the_next_one_is_told_at_once(sending: ScratchDatabase) -> None:
    disable(sending)
    sending.done(MailAccepted(1, 1, sending.now_ms))
    sending.now_ms += HOUR_MS

    disable(sending)

    (mail,) = mails(sending)
    assert mail.next_ms == sending.now_ms


def test_what_was_disabled_while_the_mail_was_being_sent_is_told_in_the_next(
    sending: ScratchDatabase,
) -> None:
    disable(sending)
    for _ in range(2):  # the mailer has read the mail, and its server takes its time
        disable(sending)

    sending.done(MailAccepted(1, 1, sending.now_ms))

    (mail,) = mails(sending)
    assert (mail.told, mail.total, len(mail.disablings)) == (1, 2, 2)
    assert mail.next_ms == sending.now_ms + HOUR_MS
    assert sending.reads.meta().mails == 1
    assert is_sound(sending)


def test_a_mail_that_failed_takes_up_the_others_and_keeps_its_time(
    sending: ScratchDatabase,
) -> None:
    disable(sending)
    again_ms = sending.now_ms + 60_000
    sending.done(MailFailed(1, "refused", again_ms, sending.now_ms))

    disable(sending)

    (mail,) = mails(sending)
    assert (mail.total, mail.tries, mail.next_ms) == (2, 1, again_ms)


def test_a_mail_lists_the_newest_and_counts_all(sending: ScratchDatabase) -> None:
    for _ in range(LISTED_MAX + 5):
        disable(sending)

    (mail,) = mails(sending)
    assert (mail.total, len(mail.disablings)) == (LISTED_MAX + 5, LISTED_MAX)
    assert mail.disablings[-1].at_ms == sending.now_ms
    assert is_sound(sending)


def test_workspaces_have_hours_of_their_own(sending: ScratchDatabase) -> None:
    disable(sending)
    sending.done(MailAccepted(1, 1, sending.now_ms))
    blue = sending.workspace("blue", aggregation_ms=0)
    sending.accept("m1", ws=blue)
    disable(sending, "blue")

    (mail,) = mails(sending)
    assert (mail.workspace_id, mail.next_ms) == ("blue", sending.now_ms)


def test_a_clock_that_was_ahead_once_keeps_no_mail_longer_than_an_hour(
    sending: ScratchDatabase,
) -> None:
    disable(sending)
    sending.done(MailAccepted(1, 1, sending.now_ms + 1_000 * HOUR_MS))

    disable(sending)

    (mail,) = mails(sending)
    assert mail.next_ms == sending.now_ms + HOUR_MS


def test_deleting_the_workspace_drops_its_mail_and_its_hour(sending: ScratchDatabase) -> None:
    disable(sending)
    number = sending.view().settings.number

    delete(sending)

    assert mails(sending) == []
    assert sending.dues(DueKind.MAIL) == []
    assert hour_key(number) not in sending.dump()
    assert sending.events("mail.dropped")
    assert is_sound(sending)


def test_deleting_a_workspace_looks_at_no_mail_of_another(
    sending: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [f"other{n}" for n in range(20)]
    for ws in others:
        sending.accept("m1", ws=sending.workspace(ws, aggregation_ms=0))
    for ws in (*others[:10], "acme", *others[10:]):
        disable(sending, ws)
    read: list[int] = []
    readable = codec.readable

    def readable_counted(key: bytes, value: bytes, kind: type[Any]) -> Any:
        found = readable(key, value, kind)
        read.extend([found.number] if isinstance(found, Mail) else [])
        return found

    monkeypatch.setattr(codec, "readable", readable_counted)
    delete(sending)

    assert (len(mails(sending)), len(read)) == (20, 2)
    assert is_sound(sending)


def test_deleting_the_workspace_drops_what_was_written_before_mails_had_kinds(
    sending: ScratchDatabase,
) -> None:
    numbers = {ws: sending.workspace(ws, aggregation_ms=0) for ws in ("old", "older")}
    with sending.env.write() as txn:
        unit = Unit(txn, sending.env.identity)
        for number, ws in enumerate(("old", "older", "old"), 1):
            old = Mail(number, numbers[ws], f"owner@{ws}.example", 1, ws, ws, next_ms=number)
            unit.put(keyspace.numbered(keyspace.MAILS, number), old)
            unit.put_due(Due(number, DueKind.MAIL, number))
        unit.meta.mails, unit.meta.mail_next = 3, 4
        unit.flush()
    disable(sending)

    delete(sending, "old")

    assert [mail.workspace_id for mail in mails(sending)] == ["older", "acme"]
    assert is_sound(sending)


def test_without_an_owner_what_waits_is_dropped(sending: ScratchDatabase) -> None:
    disable(sending)

    sending.workspace(owner_email="")

    assert mails(sending) == []
    assert sending.reads.meta().mails == 0
    assert is_sound(sending)


def test_a_damaged_mail_keeps_no_outcome_from_being_stored(sending: ScratchDatabase) -> None:
    disable(sending)
    key = keyspace.numbered(keyspace.MAILS, 1)
    with sending.env.write() as txn:
        txn.put(key, b"\x00 damaged")

    disable(sending)

    assert not sending.view().state.enabled
    second = sending.reads.mail(2)
    assert second is not None
    assert second.total == 1
