"""The requests that are kept of a source, and what is told and counted of it."""

from hookbundle.engine import limits
from hookbundle.storage.database import codec
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.records import Frozen
from hookbundle.storage.database.sources.records import KeptFault, KeptRequest
from hookbundle.storage.reads.source_view import SourceReads
from hookbundle.tests.storage.deleting import assert_sound, delete_chat, erase
from hookbundle.tests.storage.deleting import step as erase_step
from hookbundle.tests.storage.scratch import ScratchDatabase
from hookbundle.tests.storage.transitions.sources.steps import note, requests_of, seen, step

KINDS = (("accepted", 2), ("ignored.ack", 5))


def bodies(db: ScratchDatabase) -> list[bytes]:
    return [each.body for each in requests_of(db)]


def test_the_last_requests_are_kept_the_newest_first(source: ScratchDatabase) -> None:
    for number in range(limits.SOURCE_REQUESTS_MAX + 3):
        note(source, seen(source, "c", body=b"%d" % number))

    assert bodies(source) == [b"%d" % number for number in range(52, 2, -1)]
    assert_sound(source)


def test_those_without_a_message_push_out_only_each_other(source: ScratchDatabase) -> None:
    note(source, *(seen(source, "c", body=b"ours %d" % n) for n in range(40)))

    for number in range(200):
        note(source, seen(source, body=b"ack %d" % number, quiet=True))

    assert sum(body.startswith(b"ours") for body in bodies(source)) == 40
    assert bodies(source)[0] == b"ack 199"
    assert len(bodies(source)) == 50
    assert_sound(source)


def test_a_body_is_kept_up_to_its_limit(source: ScratchDatabase) -> None:
    note(source, seen(source, "c", body=b"x" * 100_000))

    (request,) = requests_of(source)
    assert (len(request.body), request.request.size) == (limits.SOURCE_REQUEST_BYTES_MAX, 100_000)


def test_requests_are_too_old_after_a_week(source: ScratchDatabase) -> None:
    note(source, seen(source, "c", body=b"old"))
    source.now_ms += 1_000
    note(source, seen(source, "c", body=b"younger"))
    (row,) = source.dues(DueKind.SOURCE)

    assert step(source)

    assert source.now_ms == row.at_ms
    assert bodies(source) == [b"younger"]
    assert_sound(source)
    assert step(source)
    assert bodies(source) == []
    assert source.dues(DueKind.SOURCE) == []
    assert source.view().usage.source_bytes == 0
    assert_sound(source)


def test_one_that_was_long_under_way_is_too_old_before_those_that_overtook_it(
    source: ScratchDatabase,
) -> None:
    arrived = seen(source, "d", body=b"long under way")
    source.now_ms += 10_000
    note(source, seen(source, "c", body=b"of a deleted chat"), arrived, seen(source, "d"))

    delete_chat(source)
    erase(source)

    assert bodies(source) == [b"{}", b"long under way"]
    assert_sound(source)
    assert step(source)
    assert bodies(source) == [b"{}"]
    assert_sound(source)


def test_a_request_goes_with_any_of_its_chats(source: ScratchDatabase) -> None:
    note(source, seen(source, "c", "d", body=b"both"), seen(source, "d", body=b"other"))

    delete_chat(source)

    assert bodies(source) == [b"other"]
    erase(source)
    assert bodies(source) == [b"other"]
    assert not any(b"both" in value for value in source.dump().values())


def test_requests_of_no_known_chat_go_with_the_deletion_of_any(source: ScratchDatabase) -> None:
    many = tuple(f"c{n}" for n in range(40))
    note(source, seen(source, body=b"none"), seen(source, *many, body=b"many"))
    note(source, seen(source, "d", body=b"other"))

    delete_chat(source, "never seen")

    assert bodies(source) == [b"other"]
    erase(source)
    assert not any(b"none" in value or b"many" in value for value in source.dump().values())
    assert bodies(source) == [b"other"]


def test_each_deleted_chat_pays_for_the_looks_at_requests_that_came_later(
    source: ScratchDatabase,
) -> None:
    chats = [f"c{number}" for number in range(8)]
    note(source, *(seen(source, chat) for chat in chats))
    for chat in chats:
        delete_chat(source, chat)
    source.now_ms += 1
    note(source, *(seen(source, body=b"later") for _ in range(30)))

    erase_step(source, most=8)

    assert len(source.events("chat.erased")) == 2
    assert erase(source) == 6  # a step that may do less does one chat
    assert bodies(source) == [b"later"] * 30


def test_requests_are_listed_without_their_bodies(source: ScratchDatabase) -> None:
    note(source, seen(source, "c", body=b"gone"), seen(source, "d", body=b"stays"))
    note(source, seen(source, "e", body=b"newest"))

    delete_chat(source)

    heads = SourceReads(source.env).heads("acme", "waha-1")
    assert list(heads) == [3, 2]
    assert list(heads.items()) == [(each.number, each.request) for each in requests_of(source)]


def test_outcomes_are_counted(source: ScratchDatabase) -> None:
    note(source, counts=KINDS)
    note(source, counts=KINDS)

    notes = SourceReads(source.env).named("acme", "waha-1").notes
    assert notes.counts == {"accepted": 4, "ignored.ack": 10}
    assert notes.seen_ms == source.now_ms


def test_refused_requests_are_told_once_a_minute(source: ScratchDatabase) -> None:
    note(source, refused=1)
    for _ in range(20):
        source.now_ms += 1_000
        note(source, refused=10)
    source.now_ms += 60_000
    note(source, refused=3)

    told = [fact["data"] for fact in source.events("source.refused")]
    assert [each["requests"] for each in told] == [1, 203]
    assert told[0] == {"source": "waha-1", "requests": 1, "reason": "signature_wrong"}


class FormerRequest(Frozen, frozen=True):
    """As it was stored before the values of faults were."""

    at_ms: int
    method: str
    tail: str
    status: int
    headers: tuple[tuple[str, str], ...]
    outcomes: dict[str, int]
    faults: tuple[tuple[str, str, str], ...]
    size: int
    chats: tuple[str, ...]


def test_a_fault_that_was_kept_without_its_values_is_read() -> None:
    former = FormerRequest(1, "POST", "", 200, (), {"invalid": 1}, (("empty", "id", "is"),), 2, ())

    read = codec.unpack(b"key", codec.pack(b"key", former), KeptRequest)

    assert read.faults == (KeptFault("empty", "id", "is", ()),)
