"""What a bundle has of its members, when some of them are deleted."""

from hookbundle.tests.storage.scratch import ScratchDatabase
from hookbundle.tests.storage.tables.routing.webhooks import is_sound
from hookbundle.tests.storage.transitions.changing.changes import (
    bundle,
    change,
    delete,
    detailed,
    edit,
)


def test_account_chat_and_link_are_those_of_the_messages_that_are_left(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept(detailed("m1", 1, name="Old", permalink="https://a.example/1"))
    db.accept(detailed("m2", 2, name="Mid", new=True, permalink="https://a.example/2"))
    db.accept(detailed("m3", 3, name="New", permalink="https://a.example/3"))
    before = bundle(db)

    change(db, delete("m3"))
    without_newest = bundle(db)
    change(db, delete("m1"))
    alone = bundle(db)

    assert (before["chat"]["full_name"], without_newest["chat"]["full_name"]) == ("New", "Mid")
    assert "example/1'" in without_newest["aggregation"]
    assert "example/2'" in alone["aggregation"]
    assert alone["chat"] == {**alone["chat"], "full_name": "Mid", "is_new_chat": True}
    assert is_sound(db)


def test_who_shared_the_details_of_a_deleted_message_has_them_still(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept(detailed("m1", 1, name="A"), detailed("m2", 2, name="B"), detailed("m3", 3, name="B"))
    change(db, delete("m2"))
    db.accept(detailed("m4", 4, name="C"))

    change(db, delete("m4"))

    assert bundle(db)["chat"]["full_name"] == "B"
    assert is_sound(db)


def test_the_arrival_of_the_one_that_is_left_is_its_own(acme: ScratchDatabase) -> None:
    acme.now_ms += 60_000
    acme.accept("m3")
    change(acme, delete("m1"), delete("m2"))

    acme.seal()

    delivery = acme.delivery(1)
    assert delivery is not None
    assert delivery.arrival_bytes == 4
    assert is_sound(acme)


def test_a_chat_is_new_only_while_a_member_says_so(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept(detailed("m1", 1, new=True), detailed("m2", 2))

    change(db, delete("m1"))

    assert bundle(db)["chat"]["is_new_chat"] is False


def test_members_with_the_same_details_keep_none(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept(detailed("m1", 1), detailed("m2", 2))
    window = db.window()

    assert window is not None
    assert [member.kept for member in window.tail] == [None, None]
    assert window.apart is None


def test_details_of_members_count_for_the_workspace(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept(detailed("m1", 1, name="a"))
    before = db.view().named("outbound").state.buffered_bytes

    db.accept(detailed("m2", 2, name="b" * 500))

    assert db.view().named("outbound").state.buffered_bytes > before + 500
    change(db, delete("m1"), delete("m2"))
    assert db.view().named("outbound").state.buffered_bytes == 0


def test_after_a_deletion_an_edit_has_room_beside_the_details_that_are_left(
    db: ScratchDatabase,
) -> None:
    """The newest message has a short name, and the one before it a long one."""
    db.workspace(bytes_max=4_000)
    db.accept(detailed("m1", 1, name="J" * 1_500), detailed("m2", 2, name="J"), detailed("m3", 0))

    change(db, delete("m2"), edit("m1", "x" * 600))

    (sent,) = db.queued()
    assert sent.reason == "size"
    assert len(sent.body) <= 4_000
    assert "x" * 600 not in sent.body.decode()
