"""The check finds nothing in what transitions make of a database, and changes nothing itself."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from hookbundle.engine.delivery.attempts import Result
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun, EndWaits
from hookbundle.storage.transitions.erase_steps import EraseStep
from hookbundle.storage.transitions.erasing import DeleteChat, DeleteWorkspace
from hookbundle.storage.transitions.housekeeping import Forget, MailFailed, RetimeWindows
from hookbundle.storage.transitions.idempotency import AnswerRequest
from hookbundle.storage.transitions.settings import Changes, ChangeWorkspace
from hookbundle.storage.transitions.switching import DisableWebhook, EnableWebhook
from hookbundle.storage.transitions.table import Transition
from hookbundle.tests.storage.populated import claiming, findings, full_house, named
from hookbundle.tests.storage.scratch import CUT, HOUR_MS, NO, OK, PRODUCT, House, failed, incoming

RESULTS: list[Result] = [OK, NO, NO, NO, CUT, failed()]

# A story in which one of these never happens shows little.
EVENTFUL = {
    "chat.deleted",
    "chat.erased",
    "delivery.delivered",
    "delivery.discarded",
    "delivery.failed",
    "delivery.parked",
    "webhook.disabled",
    "webhook.reset",
    "window.retimed",
    "workspace.deleted",
    "workspace.erased",
}


def test_every_kind_of_record_is_known_and_sound(tmp_path: Path) -> None:
    house = full_house(tmp_path)

    assert findings(house) == []
    assert {key[:1] for key in house.dump()} == {bytes([c]) for c in b"IMWNSACBGDRXQPLEFTKZ"}
    house.close()


def test_a_check_writes_nothing(tmp_path: Path) -> None:
    house = full_house(tmp_path)
    before = house.dump()

    findings(house)

    assert house.dump() == before
    house.close()


def test_a_check_can_be_ended_at_any_record(tmp_path: Path) -> None:
    house, seen = full_house(tmp_path), 0

    def tick() -> None:
        nonlocal seen
        seen += 1
        if seen == 5:
            raise KeyboardInterrupt

    with house.env.read() as txn, pytest.raises(KeyboardInterrupt):
        list(check(txn, tick))

    assert seen == 5
    house.close()


def test_whatever_transitions_do_leaves_nothing_to_find(tmp_path: Path) -> None:
    seen: set[str] = set()
    for seed in range(3):
        house = House(tmp_path / str(seed))
        house.keep_events, house.policy = 50, BackoffPolicy(rejections_max=2)
        chance = random.Random(seed)
        for _ in range(200):
            house.now_ms += chance.choice([0, 1, 1_000, 60_000, 3_600_000])
            house.group(*(anything(house, chance) for _ in range(chance.randint(1, 4))))
            assert findings(house) == [], seed
            seen |= {fact["type"] for _, fact in house.feed()}
        house.close()

    assert seen >= EVENTFUL


def anything(house: House, chance: random.Random) -> Transition:
    """A transition that somebody might want now; many are refused."""
    numbers = {view.settings.id: view.settings.number for view in house.reads.workspaces(9)}
    name = chance.choice(["acme", "b"])
    number = numbers.get(name, 1)  # which may have been deleted
    chat = chance.choice("cd")
    rows = tuple(row for row in house.dues() if row.at_ms <= house.now_ms)
    forget = tuple(r for r in rows if r.kind in (DueKind.FORGET, DueKind.REQUEST))
    erase = [row for row in rows if row.kind is DueKind.ERASE]
    messages = (f"m{chance.randrange(99)}", incoming(f"n{chance.random()}", text="t" * 700))
    wishes: list[tuple[int, Callable[[], Transition]]] = [
        (8, lambda: finishing(house, number, chance)),
        (6, lambda: EndWaits(tuple(row for row in rows if row.kind is DueKind.RETRY))),
        (5, lambda: house.accepting(*messages, ws=number, chat=chat)),
        (3, lambda: changing(house, name, chance)),
        (2, lambda: Forget(forget, house.now_ms)),
        (2, lambda: RetimeWindows(number, 2, house.now_ms, PRODUCT)),
        (2, lambda: EnableWebhook(**named(house, name), discard=chance.random() < 0.3)),
        (1, lambda: DisableWebhook(**named(house, name))),
        (1, lambda: MailFailed(1, "down", house.now_ms + 60_000, house.now_ms)),
        (2, lambda: claiming(house, number, chance.choice([b"k", b"l"]))),
        (1, lambda: AnswerRequest(workspace_number=number, key=b"k", answer=b"a")),
        (1, lambda: DeleteChat(**named(house, name), chat_id=chat)),
    ]
    if erase:
        row = chance.choice(erase)
        wishes.append((4, lambda: EraseStep(row=row, most=4, now_ms=house.now_ms)))
    if chance.random() < 0.15:
        wishes.append((3, lambda: DeleteWorkspace(**named(house, name), version=None)))
    ((_, wish),) = chance.choices(wishes, [weight for weight, _ in wishes])
    return wish()


def changing(house: House, name: str, chance: random.Random) -> Transition:
    changes = Changes(
        url=chance.choice([None, None, None, "", "https://r.example/1", "https://r.example/2"]),
        aggregation_ms=chance.choice([None, 0, HOUR_MS, 2 * HOUR_MS]),
        owner_email="o@acme.example",
    )
    return ChangeWorkspace(
        **named(house, name), changes=changes, version=None, may_create=True, new_secret="s"
    )


def finishing(house: House, number: int, chance: random.Random) -> Transition:
    try:
        begun = house.begin(number)
    except HookbundleError:
        return BeginAttempt(number, house.now_ms)
    if not isinstance(begun, Begun):
        return BeginAttempt(number, house.now_ms)
    return house.finishing(begun, chance.choice(RESULTS), ws=number)
