"""Deleting: gone at once, erased step by step, and nothing of anybody else's touched."""

import msgspec
import pytest

from hookbundle.engine.errors import Changed, NotFound
from hookbundle.storage import keyspace
from hookbundle.storage.attempting import BeginAttempt, Begun, EndWaits
from hookbundle.storage.checking import check
from hookbundle.storage.chores import RetimeWindows
from hookbundle.storage.erase_steps import Erased, EraseStep
from hookbundle.storage.erasing import ChatDeleted, DeleteChat, DeleteWorkspace, WorkspaceDeleted
from hookbundle.storage.keyspace import DueKind
from hookbundle.storage.requests import Claimed, ClaimRequest
from hookbundle.storage.tokens import CreateToken
from hookbundle.tests.storage.house import NO, OK, PRODUCT, House, failed, incoming


def delete(house: House, ws: str = "acme", version: int | None = None) -> WorkspaceDeleted:
    transition = DeleteWorkspace(
        workspace_id=ws, version=version, now_ms=house.now_ms, caller="test"
    )
    return house.do(transition, WorkspaceDeleted)


def delete_chat(house: House, chat: str = "c") -> ChatDeleted:
    transition = DeleteChat(workspace_id="acme", chat_id=chat, now_ms=house.now_ms, caller="test")
    return house.do(transition, ChatDeleted)


def step(house: House, last: Erased | None = None, most: int = 3) -> Erased:
    (row, *_) = house.dues(DueKind.ERASE)
    last = last or Erased(finished=False)
    erase = EraseStep(row=row, most=most, now_ms=house.now_ms, before=last.before, after=last.after)
    return house.do(erase, Erased)


def erase(house: House) -> int:
    """How many steps it took; after each, the database was sound."""
    steps, last = 0, Erased(finished=False)
    while not last.finished:
        last = step(house, last)
        steps += 1
        assert_sound(house)
    return steps


def assert_sound(house: House) -> None:
    with house.env.read() as txn:
        assert not list(check(txn))


def keys_of(house: House, number: int) -> list[bytes]:
    """Keys that belong to the workspace, in whatever way."""
    owned = [key for key in house.dump() if key[:1] not in b"DEFIMTW"]
    found = [key for key in owned if keyspace.parse_owner(key) == number]
    kinds = set(DueKind) - {DueKind.MAIL}
    dues = [row for row in house.dues() if row.number == number and row.kind in kinds]
    return found + [keyspace.due(row) for row in dues]


def busy(house: House, ws: str = "acme") -> int:
    """The number of a new workspace that has something of everything."""
    number = house.workspace(ws)
    for chat in ("c0", "c1", "c2", "c3"):
        house.accept("m1", "m2", ws=number, chat=chat)
    house.accept(*(incoming(f"l{i}", text="t" * 600) for i in range(20)), ws=number, chat="c0")
    house.accept(*(f"s{i}" for i in range(80)), ws=number, chat="c1")
    for chat in ("c1", "c2", "c3"):
        house.seal(chat, ws=number)
    for _ in range(3):
        house.attempt(NO, number)  # which parks it
    house.attempt(failed(), number)
    claim = ClaimRequest(workspace_number=number, key=b"k", digest=b"d", now_ms=house.now_ms)
    house.do(claim, Claimed)
    digest = ws.encode() * 8
    house.done(
        CreateToken(
            digest=digest, scope="intake", workspace_id=ws, now_ms=house.now_ms, caller="test"
        )
    )
    assert_sound(house)
    return number


# ---- a workspace


def test_a_deleted_workspace_is_found_by_nobody(house: House) -> None:
    number = busy(house)

    deleted = delete(house)

    assert deleted == WorkspaceDeleted(windows=1, deliveries=3, messages=22 + 4)
    with pytest.raises(NotFound):
        house.view()
    with pytest.raises(NotFound):
        house.accept("m9", ws=number)
    with pytest.raises(NotFound):
        house.do(BeginAttempt(number, house.now_ms), Begun)
    assert house.reads.ready(0, 10) == []
    assert house.reads.tokens() == []
    assert_sound(house)


def test_it_is_erased_in_steps_until_nothing_but_the_feed_knows_of_it(house: House) -> None:
    other = busy(house, "other")
    before = house.dump()
    number = busy(house)
    delete(house)

    steps = erase(house)

    assert steps > 5
    assert keys_of(house, number) == []
    assert {key: before[key] for key in keys_of(house, other)} == {
        key: house.dump()[key] for key in keys_of(house, other)
    }
    assert [fact["type"] for fact in house.told("workspace.deleted", "workspace.erased")] == [
        "workspace.deleted",
        "workspace.erased",
    ]


def test_counters_are_those_of_the_workspaces_that_are_there(house: House) -> None:
    busy(house, "other")
    before = msgspec.structs.asdict(house.reads.meta())
    busy(house)

    delete(house)

    meta = house.reads.meta()
    for name in ("windows", "pending", "parked", "mails"):
        assert getattr(meta, name) == before[name]
    assert meta.totals.discarded == 3


def test_the_steps_go_on_after_a_crash_between_them(house: House) -> None:
    number = busy(house)
    delete(house)
    step(house)
    left = len(keys_of(house, number))

    house.reopen()
    erase(house)

    assert left > 0
    assert keys_of(house, number) == []


def test_an_attempt_under_way_ends_in_not_found(house: House) -> None:
    number = house.workspace(aggregation_ms=0)
    house.accept("m1")
    begun = house.begun()
    delete(house)

    with pytest.raises(NotFound):
        house.finish(begun, OK)

    erase(house)
    assert keys_of(house, number) == []


def test_mails_about_it_are_dropped_from_the_outbox(house: House) -> None:
    house.workspace(aggregation_ms=0)
    house.accept("m1")
    for _ in range(11):
        house.attempt(failed())
    mails = house.reads.meta().mails

    delete(house)

    assert (mails, house.reads.meta().mails) == (1, 0)
    assert house.dues(DueKind.MAIL) == []
    assert_sound(house)


def test_what_the_clock_asks_for_meanwhile_is_given_up_quietly(house: House) -> None:
    number = busy(house)
    house.change("acme", aggregation_ms=2 * 3_600_000)
    (window,) = house.dues(DueKind.WINDOW)
    (retry,) = house.dues(DueKind.RETRY)
    delete(house)

    sealed = house.seal("c0", ws=number, due_ms=window.at_ms)
    house.group(EndWaits((retry,)))
    with pytest.raises(NotFound):
        house.done(RetimeWindows(number, 10, house.now_ms, PRODUCT))

    assert sealed.messages == 0
    assert house.dues(DueKind.WINDOW) == house.dues(DueKind.RETRY) == []
    erase(house)


def test_in_the_commit_in_which_a_chat_began_it_is_erased_all_the_same(house: House) -> None:
    number = house.workspace()
    deletion = DeleteWorkspace(workspace_id="acme", version=None, now_ms=0, caller="test")

    house.group(house.accepting("m1"), deletion, house.accepting("m2"))

    erase(house)
    assert keys_of(house, number) == []


def test_a_new_workspace_of_that_id_has_nothing_of_the_old_one(house: House) -> None:
    number = busy(house)
    delete(house)

    again = house.workspace()
    house.accept("m1", ws=again, chat="c0")
    erase(house)

    assert again != number
    assert house.view().state.buffered_messages == 1
    assert keys_of(house, number) == []


def test_another_version_than_the_caller_saw_is_not_deleted(house: House) -> None:
    house.workspace()

    with pytest.raises(Changed, match="version 1, not 7"):
        delete(house, version=7)

    assert house.view().settings.version == 1


# ---- a chat


def test_a_deleted_chat_has_no_window_and_knows_no_ids(house: House) -> None:
    number = busy(house)

    deleted = delete_chat(house, "c0")

    assert deleted == ChatDeleted(messages=22)
    assert house.chat("c0") is None
    assert house.view().state.windows == 0
    assert [row for row in house.dues() if row.subject == b"c0"] == house.dues(DueKind.ERASE)
    assert house.accept("m1", ws=number, chat="c0").accepted == 1
    assert_sound(house)


def test_its_deliveries_are_erased_wherever_they_wait_and_those_of_others_stay(
    house: House,
) -> None:
    busy(house)
    (parked,) = house.parked()
    others = [delivery.chat_id for delivery in house.pending()]

    delete_chat(house, parked.chat_id)
    delete_chat(house, others[0])
    erase(house)
    erase(house)

    assert house.parked() == []
    assert [delivery.chat_id for delivery in house.pending()] == others[1:]
    assert {entry.chat_id for entry in house.reads.log("acme")} <= set(others[1:])
    assert house.reads.meta().totals.discarded == 2


def test_what_is_sealed_after_the_deletion_is_sent(house: House) -> None:
    house.workspace(aggregation_ms=0)
    house.accept("old")
    delete_chat(house)
    house.accept("new")

    begun = house.begun()
    erase(house)

    assert b"new" in begun.delivery.body
    assert [delivery.number for delivery in house.pending()] == [begun.delivery.number]


def test_a_parked_delivery_of_it_does_not_come_back(house: House) -> None:
    house.workspace(aggregation_ms=0)
    house.accept("m1")
    for _ in range(3):
        house.attempt(NO)
    delete_chat(house)

    returned = house.enable().returned

    assert returned == 0
    erase(house)
    assert house.view().state.parked == 0


def test_an_attempt_under_way_of_it_leaves_no_record_and_the_next_one_goes_on(
    house: House,
) -> None:
    house.workspace(aggregation_ms=0)
    house.accept("m1")
    begun = house.begun()
    house.accept("m2", chat="d")
    delete_chat(house)
    erase(house)

    following = house.finish(begun, OK, go_on=True)

    assert isinstance(following, Begun)
    assert following.delivery.chat_id == "d"
    assert house.reads.log("acme") == []
    assert_sound(house)


def test_deleted_again_while_it_is_erased_it_is_erased_up_to_the_second_time(
    house: House,
) -> None:
    house.workspace(aggregation_ms=0)
    house.accept("m1")
    for other in range(5):
        house.accept(f"x{other}", chat="d")
    delete_chat(house)
    last = step(house)
    house.accept("m2")
    delete_chat(house)

    while not last.finished:
        last = step(house, last)

    assert {delivery.chat_id for delivery in house.pending()} == {"d"}
    assert house.view().state.erasures == 0
    assert_sound(house)


def test_of_a_deleted_chat_nothing_is_left_to_the_clock(house: House) -> None:
    house.workspace()
    house.accept("m1")
    delete_chat(house)

    erase(house)

    assert house.dues() == []
