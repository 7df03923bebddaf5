"""The status of several partitions as that of one."""

from msgspec.structs import replace

from hookbundle.actors.store_queue import StoreState
from hookbundle.engine.conditions import Reason
from hookbundle.server.cluster import figures
from hookbundle.server.http.schemas.status import OldestOut, ReasonOut, StatusOut

OWN = ReasonOut(Reason.LOG_SERVERS_LOST, "own", True, {})
MAIL = ReasonOut(Reason.SMTP_NOT_SET, "mail", False, {})


def empty(*reasons: ReasonOut) -> StatusOut:
    readers = {"subscribers": 2, "lag_events_max": 7}
    return figures.empty_status("1", 1, "then", "now", list(reasons), 0, readers, 900, 50)


def partition(**more: object) -> StatusOut:
    given = {"ready": True, "feed": {"next": 4, "oldest": 1}, **more}
    return replace(empty(), **given)


def test_a_node_without_a_partition_is_as_it_says_itself() -> None:
    assert figures.status_of([], empty(OWN)) == empty(OWN)
    assert not empty(OWN).ready
    assert empty(MAIL).ready


def test_what_waits_is_counted_together_and_the_oldest_is_the_oldest_of_all() -> None:
    parts = [
        partition(queued=2, mails=1, mails_unsent=1, lag_ms=3, oldest=OldestOut("window", 5)),
        partition(queued=3, mails=1, mails_unsent=2, lag_ms=9, oldest=OldestOut("mail", 8)),
        partition(),
    ]
    found = figures.status_of(parts, empty())

    assert (found.queued, found.mails, found.mails_unsent, found.lag_ms) == (5, 2, 3, 9)
    assert found.oldest == OldestOut("mail", 8)
    assert found.feed == {"next": 12, "oldest": 3, "subscribers": 2, "lag_events_max": 7}


def test_a_disk_is_there_once_and_readers_are_those_of_the_node() -> None:
    disk = {
        **dict.fromkeys(("map_bytes", "used_bytes", "file_bytes"), 10),
        "free_bytes": 800,
        "room_bytes": 800,
        "floor_bytes": 50,
    }
    lagging = {"next": 4, "oldest": 1, "lag_events_max": 3}
    found = figures.status_of([partition(disk=disk, feed=lagging)] * 2, empty())

    assert found.disk == {
        **dict.fromkeys(("map_bytes", "used_bytes", "file_bytes"), 20),
        "free_bytes": 800,
        "room_bytes": 800,
        "floor_bytes": 50,
    }
    assert found.feed["lag_events_max"] == 7


def test_a_node_is_ready_if_all_are_and_says_each_reason_once() -> None:
    parts = [partition(reasons=[MAIL]), partition(reasons=[MAIL], clock_held=True)]

    assert figures.status_of(parts, empty()).ready
    found = figures.status_of(parts, empty(OWN))
    assert not found.ready
    assert found.reasons == [OWN, MAIL]
    assert found.clock_held
    assert not figures.status_of([partition(ready=False), partition()], empty()).ready


def test_intake_is_open_if_it_is_in_all_partitions() -> None:
    full, open_ = StoreState(intake_open=False, commits=2), StoreState(commits=3)

    for parts in ([full, open_], [open_, full]):
        merged = figures.store_of(parts)
        assert (merged.intake_open, merged.commits) == (False, 5)
    assert figures.store_of([open_, open_]).intake_open
