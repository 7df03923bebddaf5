"""When the messages of a bundle arrived: kept beside its body, in the body's order."""

import msgspec

from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.chat_records import ChatRecord, Member
from hookbundle.storage.database.delivery_records import Chunk
from hookbundle.storage.tables import bodies
from hookbundle.tests.storage.held import ids_of
from hookbundle.tests.storage.populated import put, report
from hookbundle.tests.storage.scratch import NO, OK, START_MS, ScratchDatabase, incoming

SECOND_MS = 1_000


def kept(db: ScratchDatabase, number: int = 1) -> dict[str, int]:
    """When each message of the delivery's body arrived."""
    head = db.delivery(number)
    assert head is not None
    body, beside = bodies.read_all(db.dump().get, 1, number, head.body_bytes)
    return dict(zip(ids_of(body), bodies.arrivals_of(head, beside), strict=True))


def chunks(db: ScratchDatabase) -> list[Chunk]:
    dump = db.dump()
    found = sorted(key for key in dump if key.startswith(keyspace.BODIES))
    return [codec.unpack(key, dump[key], Chunk) for key in found]


def test_each_message_of_a_body_has_the_time_at_which_it_arrived(db: ScratchDatabase) -> None:
    db.workspace()
    # Their timestamps are in another order than their arrivals.
    for place, (name, sent_ms) in enumerate((("b", 2_000), ("c", 3_000), ("a", 1_000))):
        db.now_ms = START_MS + place * SECOND_MS
        db.accept(incoming(name, START_MS + sent_ms))

    db.seal()

    assert kept(db) == {
        "a": START_MS + 2 * SECOND_MS,
        "b": START_MS,
        "c": START_MS + SECOND_MS,
    }
    assert list(kept(db)) == ["a", "b", "c"]


def test_a_message_that_left_alone_arrived_when_its_delivery_was_opened(
    db: ScratchDatabase,
) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    db.change("acme", aggregation_ms=3_600_000)
    db.now_ms += SECOND_MS
    db.accept("m2")
    db.now_ms += SECOND_MS
    db.seal()

    assert (kept(db, 1), kept(db, 2)) == ({"m1": START_MS}, {"m2": START_MS + SECOND_MS})
    assert not any(chunk.arrivals for chunk in chunks(db))


def test_arrivals_of_many_messages_outlive_the_window_s_parts(db: ScratchDatabase) -> None:
    db.workspace()
    for place in range(100):
        db.now_ms = START_MS + place
        db.accept(incoming(f"m{place:03}", START_MS + 100 - place))

    db.seal()

    assert kept(db) == {f"m{place:03}": START_MS + place for place in range(100)}
    assert report(db) == ""


def test_arrivals_stand_with_the_first_chunk_alone_and_no_attempt_writes_them(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    db.accept(incoming("m1", text="t" * 40_000), incoming("m2", text="t" * 40_000))
    db.seal()
    before = chunks(db)

    db.attempt(NO)
    db.attempt(OK)

    assert [len(chunk.arrivals) for chunk in before] == [8, 0, 0]
    assert chunks(db) == before
    assert report(db) == ""


def test_what_an_earlier_version_collected_has_no_time_and_the_rest_has(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    db.accept("m1", "m2")
    record = db.chat()
    assert record is not None
    window = record.collecting[0].window
    assert window is not None
    window.tail = [msgspec.structs.replace(each, arrived_ms=0) for each in window.tail]
    put(db, keyspace.owned(keyspace.CHATS, 1, b"c"), record)
    db.now_ms += SECOND_MS
    db.accept("m3")

    db.seal()

    assert kept(db) == {"m1": 0, "m2": 0, "m3": START_MS + SECOND_MS}
    assert report(db) == ""


def test_a_record_of_an_earlier_version_is_read(db: ScratchDatabase) -> None:
    """A member without its arrival, a chunk without arrivals: as arrays that are shorter."""
    key = keyspace.owned(keyspace.CHATS, 1, b"c")
    member = msgspec.msgpack.encode([START_MS, b"{}"])
    chunk = msgspec.msgpack.encode([b"body"])

    assert msgspec.msgpack.decode(chunk, type=Chunk) == Chunk(body=b"body")
    assert msgspec.msgpack.decode(member, type=Member).arrived_ms == 0
    assert isinstance(codec.unpack(key, codec.pack(key, ChatRecord()), ChatRecord), ChatRecord)
