"""Reading the feed: numbers without gaps; positions by number, age and cursor."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookbundle.engine.errors import CorruptRecord, HookbundleError, InvalidInput
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.codec import StoredFact
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.records import Identity
from hookbundle.storage.database.retention import KEEP_ALL, Retention
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.reads.feed import FeedEvent, FeedReader, Missed
from hookbundle.storage.reads.feed_selection import Selection
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.notes import Note
from hookbundle.storage.transitions.switching import EnableWebhook
from hookbundle.storage.transitions.table import Result, Transition
from hookbundle.tests.storage.noting import note_of

START_MS = 1_700_000_000_000
HOUR_MS = 3_600_000

CHATS = ("c1", "c2", "")


def stored(workspace: str, webhook: str = "", chat: str = "") -> StoredFact:
    return StoredFact("a.b", 0, workspace, chat, {}, webhook)


@pytest.fixture
def env(tmp_path: Path) -> Iterator[Environment]:
    opened = open_environment(tmp_path / "data", START_MS)
    yield opened
    opened.close()


def commit(
    env: Environment, *group: Transition, keep: Retention = KEEP_ALL
) -> list[Result | HookbundleError]:
    """One transaction, as the Store makes it."""
    outcomes: list[Result | HookbundleError] = []
    with env.write() as txn:
        unit = Unit(txn, env.identity, retention=keep)
        for transition in group:
            try:
                outcomes.append(table.apply(unit, transition))
            except HookbundleError as refusal:
                outcomes.append(refusal)
        unit.flush()
    return outcomes


def note(number: int, at_ms: int = START_MS, kind: str = "noted") -> Note:
    return note_of(kind, str(number), at_ms)


def read_all(reader: FeedReader, after: int = 0, limit: int = 1_000_000) -> list[FeedEvent]:
    events = []
    while (page := reader.read(after, limit)).after > after:
        after = page.after
        events += page.events
    return events


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_every_number_is_read_once_whatever_the_size_of_commits_and_pages(
    env: Environment, limit: int
) -> None:
    number = 0
    for size in (1, 5, 2, 1, 13, 1):
        commit(env, *(note(number + each) for each in range(size)))
        number += size

    events = read_all(FeedReader(env), limit=limit)

    assert [event.seq for event in events] == list(range(1, number + 1))
    assert [event.data["detail"] for event in events] == [str(each) for each in range(number)]


def test_numbers_and_ids_are_unique_over_restarts(tmp_path: Path) -> None:
    events: list[FeedEvent] = []
    for run in range(3):
        env = open_environment(tmp_path / "data", START_MS)
        commit(env, note(run), note(run))
        events = read_all(FeedReader(env))
        env.close()

    assert [event.seq for event in events] == [1, 2, 3, 4, 5, 6]
    assert len({event.id for event in events} | {event.cursor for event in events}) == 12


def test_a_refused_transition_leaves_no_gap_in_the_numbers(env: Environment) -> None:
    commit(env, note(0), EnableWebhook(workspace_id="no", discard=False, now_ms=1, caller="t"))
    commit(env, EnableWebhook(workspace_id="no", discard=False, now_ms=1, caller="t"))
    commit(env, note(1))

    assert [event.seq for event in read_all(FeedReader(env))] == [1, 2]


def test_the_time_of_an_event_is_in_utc(env: Environment) -> None:
    commit(env, note(0, 1_700_000_000_007))

    (event,) = read_all(FeedReader(env))

    assert event.time == "2023-11-14T22:13:20.007Z"


def test_the_limit_of_a_page_counts_events_that_are_not_selected(env: Environment) -> None:
    commit(env, *(note(each, kind="ab"[each % 2]) for each in range(10)))

    page = FeedReader(env).read(0, 5, Selection(types=["test.b"]))

    assert page.after == 5
    assert [event.seq for event in page.events] == [2, 4]


@pytest.mark.parametrize(
    ("globs", "chosen"),
    [
        ([], ["delivery.sealed", "message.received", "daemon.started"]),
        (["delivery.*"], ["delivery.sealed"]),
        (["*.s*"], ["delivery.sealed", "daemon.started"]),
        (["message.received", "daemon.started"], ["message.received", "daemon.started"]),
        (["delivery"], []),
        (["delivery.sealed\n"], []),
    ],
)
def test_types_are_selected_by_globs(globs: list[str], chosen: list[str]) -> None:
    selection = Selection(types=globs)
    kinds = ["delivery.sealed", "message.received", "daemon.started"]

    assert [kind for kind in kinds if selection.takes(kind, stored("acme"))] == chosen


def test_a_filter_by_workspace_leaves_out_events_of_the_daemon() -> None:
    selection = Selection(workspaces=["acme"])

    assert selection.takes("a.b", stored("acme"))
    assert not selection.takes("a.b", stored("other"))
    assert not selection.takes("daemon.started", stored(""))


def test_a_filter_by_webhook_or_chat_takes_only_what_is_of_it() -> None:
    of_crm, of_chat = Selection(webhooks=["crm"]), Selection(chats=["c1"])
    both = Selection(webhooks=["crm", "phone"], chats=["c1"])

    facts = [stored("acme", webhook, chat) for webhook in ("crm", "outbound", "") for chat in CHATS]

    assert [of_crm.takes("a.b", fact) for fact in facts] == [True] * 3 + [False] * 6
    assert [of_chat.takes("a.b", fact) for fact in facts] == [True, False, False] * 3
    assert [both.takes("a.b", fact) for fact in facts] == [True] + [False] * 8


def test_a_page_names_the_events_that_retention_deleted(env: Environment) -> None:
    for number in range(10):
        commit(env, note(number), keep=Retention(feed_events=4, feed_ms=365 * 24 * HOUR_MS))

    page = FeedReader(env).read(2, 100)

    assert page.missed == [Missed(3, 6)]
    assert [event.seq for event in page.events] == [7, 8, 9, 10]


def test_now_and_oldest_are_the_ends_of_the_feed(env: Environment) -> None:
    reader = FeedReader(env)
    assert (reader.start("now", 0).after, reader.start("oldest", 0).after) == (0, 0)
    for number in range(10):
        commit(env, note(number), keep=Retention(feed_events=4, feed_ms=365 * 24 * HOUR_MS))

    assert (reader.start("now", 0).after, reader.start("oldest", 0).after) == (10, 6)


def test_an_age_finds_the_first_event_of_that_time(env: Environment) -> None:
    rng = random.Random(7)
    at_ms, times = START_MS, [0]  # by sequence number
    for _ in range(60):
        at_ms += rng.choice((0, 1, 50, HOUR_MS))
        size = rng.randint(1, 5)
        commit(env, *(note(0, at_ms) for _ in range(size)))
        times += [at_ms] * size
    reader, now_ms = FeedReader(env), at_ms + HOUR_MS

    for age_ms in [0, 1, *(now_ms - each + extra for each in times[1:] for extra in (0, 1))]:
        after = reader.start(f"-{age_ms}ms", now_ms).after
        expected = [seq for seq in range(1, len(times)) if times[seq] >= now_ms - age_ms]
        assert list(range(after + 1, len(times))) == expected


def test_an_age_before_the_first_event_starts_at_the_oldest(env: Environment) -> None:
    commit(env, note(0), note(1))

    assert FeedReader(env).start("-9999d", START_MS).after == 0


@pytest.mark.parametrize(
    "since", ["", "-", "-1", "-1 week", "yesterday", "cur_", "cur_zz", "cur_ab\n000000000001", "1"]
)
def test_an_invalid_since_is_refused(env: Environment, since: str) -> None:
    with pytest.raises(InvalidInput, match="since"):
        FeedReader(env).start(since, START_MS)


def test_reading_from_the_cursor_of_an_event_gives_the_next_event(env: Environment) -> None:
    commit(env, *(note(each) for each in range(5)))
    reader = FeedReader(env)
    third = read_all(reader)[2]

    start = reader.start(third.cursor, START_MS)

    assert (start.foreign, start.cursor) == (False, third.cursor)
    assert read_all(reader, start.after)[0].seq == 4


def test_a_cursor_of_another_database_is_foreign(env: Environment, tmp_path: Path) -> None:
    for number in range(9):
        commit(env, note(number), keep=Retention(feed_events=3, feed_ms=365 * 24 * HOUR_MS))
    before = FeedReader(env).cursor(8)
    env.identity = Identity(epoch="feed00feed", schema=1, created_ms=0)  # as after a restore

    start = FeedReader(env).start(before, START_MS)

    assert (start.foreign, start.after) == (True, 6)


def test_a_cursor_ahead_of_the_database_is_foreign(env: Environment) -> None:
    commit(env, note(0))
    reader = FeedReader(env)

    assert not reader.start(reader.cursor(1), START_MS).foreign
    assert reader.start(reader.cursor(2), START_MS).foreign


@pytest.mark.parametrize("gone", [3, 6])
def test_a_missing_row_is_an_error(env: Environment, gone: int) -> None:
    for number in range(6):
        commit(env, note(number))
    with env.write() as txn:
        txn.delete(keyspace.numbered(keyspace.FEED, gone))

    with pytest.raises(CorruptRecord, match=f"event {gone} is missing"):
        FeedReader(env).read(0, 100)
