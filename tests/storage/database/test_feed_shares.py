"""The feed's retention has a share for each workspace: none can flush what is kept of another."""

from hookbundle.storage.database.retention import Retention
from hookbundle.storage.reads.feed import FeedReader, Missed
from hookbundle.storage.reads.feed_selection import Selection
from hookbundle.tests.storage.deleting import assert_sound, delete, erase
from hookbundle.tests.storage.noting import note_of
from hookbundle.tests.storage.scratch import ScratchDatabase

ALWAYS = 2**60


def keep(db: ScratchDatabase, events: int = ALWAYS, size: int = ALWAYS) -> None:
    db.retention = Retention(feed_events=events, feed_bytes=size, feed_ms=ALWAYS)


def skip(db: ScratchDatabase, ws: int, number: int, *, chat: str = "c") -> None:
    """A request of which nothing is stored: a fact of the workspace."""
    db.accept(ws=ws, chat=chat, skipped=(f"s{number}",))


def kept_of(db: ScratchDatabase, ws: str) -> list[int]:
    return [number for number, fact in db.feed() if fact["workspace"] == ws]


def test_one_workspace_cannot_flush_what_the_feed_has_of_another(db: ScratchDatabase) -> None:
    quiet, loud = db.workspace("quiet"), db.workspace("loud")
    for number in range(20):
        skip(db, quiet, number)
    before = kept_of(db, "quiet")
    keep(db, events=100)

    for number in range(500):
        skip(db, loud, number)

    assert kept_of(db, "quiet") == before
    assert len(db.feed()) <= 100
    assert kept_of(db, "loud") == sorted(kept_of(db, "loud"))
    assert kept_of(db, "loud")[-1] == db.reads.meta().feed_next - 1
    assert_sound(db)


def test_of_the_loud_one_the_oldest_go_first(db: ScratchDatabase) -> None:
    quiet, loud = db.workspace("quiet"), db.workspace("loud")
    keep(db, events=60)
    for number in range(200):
        skip(db, loud, number)
        if number % 20 == 0:
            skip(db, quiet, number)

    numbers = kept_of(db, "loud")

    assert numbers[0] > 100
    assert len(kept_of(db, "quiet")) == 11
    assert_sound(db)


def test_many_events_of_one_commit_are_taken_apart(db: ScratchDatabase) -> None:
    quiet, loud = db.workspace("quiet"), db.workspace("loud")
    keep(db, events=40)

    for number in range(60):
        ours = [db.accepting(ws=loud, skipped=(f"s{number}{i}",)) for i in range(5)]
        theirs = [db.accepting(ws=quiet, skipped=(f"s{number}",))] if number % 10 == 0 else []
        db.group(*ours, *theirs)

    assert len(kept_of(db, "quiet")) == 7
    assert len(db.feed()) <= 40
    assert_sound(db)


def test_the_bytes_of_the_feed_are_shared_like_its_events(db: ScratchDatabase) -> None:
    quiet, loud = db.workspace("quiet"), db.workspace("loud")
    for number in range(5):
        skip(db, quiet, number)
    before = kept_of(db, "quiet")
    keep(db, size=20_000)

    for number in range(50):
        db.accept(ws=loud, skipped=tuple(f"{number} {'x' * 100} {i}" for i in range(20)))

    assert kept_of(db, "quiet") == before
    assert db.reads.meta().feed_bytes <= 25_000
    assert_sound(db)


def test_a_reader_of_the_quiet_one_misses_nothing_and_is_told_of_nothing(
    db: ScratchDatabase,
) -> None:
    quiet, loud = db.workspace("quiet"), db.workspace("loud")
    skip(db, quiet, 0)
    keep(db, events=30)
    for number in range(100):
        skip(db, loud, number)
    skip(db, quiet, 1)
    reader = FeedReader(db.env)

    ours = reader.read(0, 1_000, Selection(["quiet"]))
    theirs = reader.read(0, 1_000, Selection(["loud"]))

    assert [event.seq for event in ours.events] == kept_of(db, "quiet")
    assert (ours.missed, ours.after) == ([], db.reads.meta().feed_next - 1)
    assert [event.seq for event in theirs.events] == kept_of(db, "loud")
    assert theirs.missed


def test_a_reader_of_everything_is_told_exactly_what_is_gone(db: ScratchDatabase) -> None:
    quiet, loud = db.workspace("quiet"), db.workspace("loud")
    keep(db, events=30)
    for number in range(100):
        skip(db, loud, number)
        if number % 25 == 0:
            skip(db, quiet, number)
    reader, after = FeedReader(db.env), 0
    read: list[int] = []
    missed: list[Missed] = []

    while (page := reader.read(after, 7)).after > after:
        after = page.after
        read += [event.seq for event in page.events]
        missed += page.missed

    gone = [number for gap in missed for number in range(gap.first, gap.last + 1)]
    assert sorted(read + gone) == list(range(1, db.reads.meta().feed_next))
    assert read == [number for number, _ in db.feed()]


def test_what_is_left_of_a_deleted_workspace_goes_before_that_of_others(
    db: ScratchDatabase,
) -> None:
    quiet, gone = db.workspace("quiet"), db.workspace("gone")
    for number in range(30):
        skip(db, gone, number)
    skip(db, quiet, 0)
    delete(db, "gone")
    erase(db)
    keep(db, events=40)

    for number in range(40):
        skip(db, quiet, number)

    assert len(kept_of(db, "quiet")) >= 20
    assert len(kept_of(db, "gone")) <= 20
    assert_sound(db)


def test_the_daemons_own_facts_have_a_share_as_well(db: ScratchDatabase) -> None:
    loud = db.workspace("loud")
    db.group(note_of("noted", "", db.now_ms))
    keep(db, events=20)

    for number in range(100):
        skip(db, loud, number)

    assert db.events("test.noted")
    assert_sound(db)
