"""Windows follow their new length step by step, and e-mails are tried until they are accepted."""

import pytest

from hookbundle.engine.delivery.urls import host_of
from hookbundle.engine.errors import NotFound
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.transitions.mails import MailAccepted, MailFailed
from hookbundle.storage.transitions.timed import retiming
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.storage.transitions.timed.retiming import Retimed, RetimeWindows
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import HOUR_MS, PRODUCT, START_MS, ScratchDatabase, failed

CHATS = [f"c{number}" for number in range(7)]


@pytest.fixture
def windows(db: ScratchDatabase) -> ScratchDatabase:
    """A workspace with an open window of an hour in each of seven chats."""
    db.workspace()
    for chat in CHATS:
        db.accept(f"m of {chat}", chat=chat)
    return db


def retime(db: ScratchDatabase, most: int = 3) -> Retimed:
    return db.do(RetimeWindows(1, most, db.now_ms, PRODUCT), Retimed)


def retime_all(db: ScratchDatabase) -> None:
    while not retime(db).finished:
        pass


# ---- re-timing


def test_windows_follow_a_new_length_counted_from_their_opening(windows: ScratchDatabase) -> None:
    windows.now_ms += HOUR_MS // 2
    windows.change("acme", aggregation_ms=6 * HOUR_MS)

    retime_all(windows)

    assert windows.dues() == [
        Due(START_MS + 6 * HOUR_MS, DueKind.WINDOW, 1, chat.encode()) for chat in CHATS
    ]
    assert windows.queued() == []
    assert len(windows.events("window.retimed")) == len(CHATS)


def test_a_step_seals_no_more_messages_than_a_transition_may(
    windows: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retiming, "STEP_WEIGHT", 190)
    windows.change("acme", aggregation_ms=0)

    sealed, last = list[int](), Retimed(finished=False, wake=())
    while not last.finished:
        last = retime(windows, most=500)
        sealed.append(len(windows.queued()))

    assert sealed == [3, 6, 7]


@pytest.mark.parametrize("length_ms", [0, 60_000, 30 * 60_000])
def test_windows_that_are_overdue_by_their_new_length_are_sealed(
    windows: ScratchDatabase, length_ms: int
) -> None:
    windows.now_ms += HOUR_MS // 2
    windows.change("acme", aggregation_ms=length_ms)

    retime_all(windows)

    assert [ids_in(delivery) for delivery in windows.queued()] == [[f"m of {c}"] for c in CHATS]
    assert {delivery.reason for delivery in windows.queued()} == {"settings"}
    assert windows.view().state.windows == 0
    assert windows.dues(DueKind.RETIME) == []


def test_re_timing_goes_in_steps_and_goes_on_after_a_crash(windows: ScratchDatabase) -> None:
    windows.change("acme", aggregation_ms=0)
    row = windows.dues(DueKind.RETIME)
    steps = [retime(windows, 2).finished]
    windows.reopen()
    after_crash = (len(windows.queued()), windows.dues(DueKind.RETIME))

    steps += [retime(windows, 2).finished for _ in range(3)]

    assert row == [Due(0, DueKind.RETIME, 1)]
    assert after_crash == (2, row)
    assert steps == [False, False, False, True]
    assert len(windows.queued()) == len(CHATS)


def test_a_second_change_between_two_steps_begins_again(windows: ScratchDatabase) -> None:
    windows.change("acme", aggregation_ms=2 * HOUR_MS)
    retime(windows)
    windows.change("acme", aggregation_ms=3 * HOUR_MS)

    retime_all(windows)

    assert {row.at_ms for row in windows.dues()} == {START_MS + 3 * HOUR_MS}


def test_a_window_opened_meanwhile_has_the_new_length(windows: ScratchDatabase) -> None:
    windows.change("acme", aggregation_ms=2 * HOUR_MS)
    retime(windows)

    due_ms = windows.accept("m", chat="c3a").due_ms
    retime_all(windows)

    assert due_ms == START_MS + 2 * HOUR_MS
    assert {row.at_ms for row in windows.dues()} == {START_MS + 2 * HOUR_MS}


def test_without_open_windows_there_is_nothing_to_re_time(db: ScratchDatabase) -> None:
    db.workspace()
    db.change("acme", aggregation_ms=2 * HOUR_MS)

    assert db.dues() == []
    assert retime(db) == Retimed(finished=True, wake=())


def test_a_new_length_of_one_workspace_leaves_others_alone(windows: ScratchDatabase) -> None:
    windows.workspace("other")
    windows.accept("m", ws=2)
    windows.change("acme", aggregation_ms=0)

    retime_all(windows)

    assert windows.dues(DueKind.WINDOW) == [Due(START_MS + HOUR_MS, DueKind.WINDOW, 2, b"c")]


def test_a_workspace_that_is_gone_is_not_re_timed(db: ScratchDatabase) -> None:
    with pytest.raises(NotFound):
        db.do(RetimeWindows(9, 1, START_MS, PRODUCT), Retimed)


# ---- forgetting


def test_a_forget_row_of_a_chat_with_an_open_window_is_stale(windows: ScratchDatabase) -> None:
    stale = Due(START_MS + 1, DueKind.FORGET, 1, b"c0")
    with windows.unit() as unit:
        unit.put_due(stale)

    windows.done(Forget((stale,), START_MS + 100 * HOUR_MS))

    assert windows.chat("c0") is not None
    assert windows.dues(DueKind.FORGET) == []
    assert len(windows.dues(DueKind.WINDOW)) == len(CHATS)


def test_a_forget_row_of_a_workspace_that_is_gone_goes_too(db: ScratchDatabase) -> None:
    stale = Due(START_MS, DueKind.FORGET, 9, b"c")
    with db.unit() as unit:
        unit.put_due(stale)

    db.done(Forget((stale,), START_MS))

    assert db.dues() == []


def test_a_time_at_which_something_was_forgotten_was_seen(db: ScratchDatabase) -> None:
    row = Due(START_MS, DueKind.FORGET, 9, b"c")
    with db.unit() as unit:
        unit.put_due(row)

    db.done(Forget((row,), START_MS + HOUR_MS))

    # Else a start with its clock behind would count from before: what is forgotten is not told of.
    assert db.reads.meta().last_ms == START_MS + HOUR_MS


def test_a_chat_has_one_row_whatever_happens_to_it(db: ScratchDatabase) -> None:
    db.workspace()
    rows = []
    for step in range(4):
        db.accept(f"m{step}")
        rows.append([row.kind for row in db.dues() if row.kind is not DueKind.ARRIVALS])
        db.seal()
        db.now_ms += HOUR_MS
        rows.append([row.kind for row in db.dues() if row.kind is not DueKind.ARRIVALS])

    assert rows == [[DueKind.WINDOW], [DueKind.FORGET]] * 4


# ---- mails


@pytest.fixture
def mailing(db: ScratchDatabase) -> ScratchDatabase:
    """A workspace that was disabled by errors; its mail is not sent yet."""
    db.workspace(aggregation_ms=0, warnings=False)
    db.accept("m1", "m2")
    for _ in range(11):
        db.attempt(failed("timeout"))
    return db


def test_a_mail_says_all_that_its_reader_needs(mailing: ScratchDatabase) -> None:
    mailing.reopen()

    mail = mailing.reads.mail(1)

    assert mail is not None
    (disabling,) = mail.disablings
    assert (mail.workspace_id, disabling.webhook, disabling.host, disabling.error) == (
        *("acme", "outbound"),
        *(host_of(mailing.view().webhook.url), "timeout"),
    )
    assert (disabling.held_messages, disabling.held_deliveries, mail.tries) == (2, 2, 0)


def test_a_failed_mail_is_tried_again_at_its_time(mailing: ScratchDatabase) -> None:
    again_ms = mailing.now_ms + 60_000

    mailing.done(MailFailed(1, "connection refused", again_ms, mailing.now_ms))

    mail = mailing.reads.mail(1)
    assert mail is not None
    assert (mail.tries, mail.last_failure) == (1, "connection refused")
    assert mailing.dues(DueKind.MAIL) == [Due(again_ms, DueKind.MAIL, 1)]
    assert mailing.reads.meta().mails == 1


def test_an_accepted_mail_is_gone_and_told_once(mailing: ScratchDatabase) -> None:
    for _ in range(2):
        mailing.done(MailAccepted(1, 1, mailing.now_ms))
    mailing.done(MailFailed(1, "too late", mailing.now_ms, mailing.now_ms))

    assert mailing.reads.mail(1) is None
    assert mailing.dues(DueKind.MAIL) == []
    assert mailing.reads.meta().mails == 0
    assert len(mailing.events("mail.sent", "mail.failed")) == 1
