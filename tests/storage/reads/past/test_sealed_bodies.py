"""The newest bodies of a webhook that a format can be tried on."""

from hookbundle.storage.reads.past.sealed_bodies import newest
from hookbundle.storage.tables import bodies
from hookbundle.tests.storage.deleting import delete_chat
from hookbundle.tests.storage.scratch import ScratchDatabase


def test_what_is_deleted_or_no_json_is_passed_over(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1", chat="kept")
    db.accept("m2", chat="gone")
    db.accept("m3", chat="kept")
    db.accept("m4", chat="kept")
    delete_chat(db, "gone")
    size = len(newest(db.env, "acme", "outbound", 1)[0].job.body)
    with db.unit() as unit:
        bodies.put(unit, 1, 4, b"\xff" * size)

    found = newest(db.env, "acme", "outbound", 10)

    assert [each.job.bundle.sequence for each in found] == [3, 1]
    assert [each.sent for each in found] == [each.job.body for each in found]
    assert [each.job.bundle.sequence for each in newest(db.env, "acme", "outbound", 1)] == [3]
