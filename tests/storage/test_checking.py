"""The check finds nothing in what transitions make, and everything that is planted."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from hookbundle.engine.errors import HookbundleError
from hookbundle.storage import codec, keyspace
from hookbundle.storage.attempting import EndWaits
from hookbundle.storage.checking import check
from hookbundle.storage.checking_ledger import Finding
from hookbundle.storage.chores import Forget, MailFailed, RetimeWindows
from hookbundle.storage.erase_steps import EraseStep
from hookbundle.storage.erasing import DeleteChat, DeleteWorkspace
from hookbundle.storage.keyspace import Due, DueKind
from hookbundle.storage.records import (
    Activity,
    ChatRecord,
    Delivery,
    Exchange,
    FeedRow,
    Mail,
    Meta,
    Part,
    RequestRecord,
    SeenPart,
    WebhookState,
    Workspace,
    WorkspaceName,
)
from hookbundle.storage.requests import AnswerRequest, ClaimRequest
from hookbundle.storage.switching import DisableWebhook, EnableWebhook
from hookbundle.storage.tokens import CreateToken, token_id
from hookbundle.storage.transitions import Transition
from hookbundle.tests.storage.house import CUT, HOUR_MS, NO, OK, PRODUCT, House, failed, incoming

R = TypeVar("R", bound=msgspec.Struct)

DIGEST = b"d" * 32
CHAT = keyspace.owned(keyspace.CHATS, 1, b"c")
STATE = keyspace.owned(keyspace.STATES, 1)


def findings(house: House) -> list[Finding]:
    with house.env.read() as txn:
        return list(check(txn))


def full_house(path: Path) -> House:
    """One of every kind of record, in workspace 1; the second one is being erased."""
    house = House(path)
    house.workspace()
    for start in range(0, 200, 20):
        house.accept(*(incoming(f"m{start + i}", text="t" * 90) for i in range(20)))
    house.accept("s", chat="sealed")
    house.accept("p", chat="parked")
    house.seal("parked")
    for _ in range(3):
        house.attempt(NO)
    house.seal("sealed")
    for _ in range(8):
        house.attempt(failed())
    house.done(
        CreateToken(
            digest=DIGEST, scope="admin", workspace_id="acme", now_ms=house.now_ms, caller="t"
        )
    )
    house.group(claiming(house, 1, b"key"), DeleteChat(**named(house), chat_id="gone"))
    house.workspace("other")
    house.accept("m", ws=2)
    house.group(DeleteWorkspace(**named(house, "other"), version=None))
    return house


def named(house: House, ws: str = "acme") -> dict[str, Any]:
    return {"workspace_id": ws, "now_ms": house.now_ms, "caller": "t"}


def claiming(house: House, ws: int, key: bytes) -> ClaimRequest:
    return ClaimRequest(workspace_number=ws, key=key, digest=b"body", now_ms=house.now_ms)


@pytest.fixture
def house(tmp_path: Path) -> Any:
    house = full_house(tmp_path / "data")
    yield house
    house.close()


def put(house: House, key: bytes, value: bytes | msgspec.Struct) -> None:
    with house.env.write() as txn:
        txn.put(key, value if isinstance(value, bytes) else codec.pack(key, value))


def drop(house: House, key: bytes) -> None:
    with house.env.write() as txn:
        assert txn.delete(key)


def change(house: House, key: bytes, kind: type[R], **fields: Any) -> None:
    record = codec.unpack(key, house.dump()[key], kind)
    put(house, key, msgspec.structs.replace(record, **fields))


def first(house: House, prefix: bytes) -> bytes:
    return min(key for key in house.dump() if key.startswith(prefix))


def due(house: House, kind: DueKind) -> bytes:
    return keyspace.due(house.dues(kind)[0])


# ---- nothing to find


def test_every_kind_of_record_is_there_and_sound(house: House) -> None:
    kinds = {key[:1] for key in house.dump()}

    assert findings(house) == []
    assert kinds == {bytes([c]) for c in b"IMWNSACBGDRQPLEFTKZX"}


def test_whatever_transitions_do_leaves_nothing_to_find(tmp_path: Path) -> None:
    for seed in range(5):
        house = House(tmp_path / str(seed))
        chance = random.Random(seed)
        for _ in range(120):
            house.now_ms += chance.choice([0, 1, 1_000, 3_600_000, 50_000_000])
            house.group(*(anything(house, chance) for _ in range(chance.randint(1, 4))))
            assert findings(house) == [], seed
        house.close()


def anything(house: House, chance: random.Random) -> Transition:
    """A transition that somebody might want now; many are refused."""
    ws, name, chat = chance.choice([(1, "acme"), (2, "b"), (3, "acme")]), "", chance.choice("cd")
    number, name = ws
    rows = tuple(row for row in house.dues() if row.at_ms <= house.now_ms)
    forget = tuple(r for r in rows if r.kind in (DueKind.FORGET, DueKind.REQUEST))
    erase = [row for row in rows if row.kind is DueKind.ERASE]
    messages = (f"m{chance.randrange(99)}", incoming(f"n{chance.random()}", text="t" * 700))
    choices: list[Callable[[], Transition]] = [
        lambda: changing(house, name, chance),
        lambda: house.accepting(*messages, ws=number, chat=chat),
        lambda: house.accepting(*messages, ws=number, chat=chat),
        lambda: finishing(house, number, chance),
        lambda: finishing(house, number, chance),
        lambda: EndWaits(tuple(row for row in rows if row.kind is DueKind.RETRY)),
        lambda: Forget(forget, house.now_ms),
        lambda: RetimeWindows(number, 2, house.now_ms, PRODUCT),
        lambda: EnableWebhook(**named(house, name), discard=chance.random() < 0.3),
        lambda: DisableWebhook(**named(house, name)),
        lambda: MailFailed(1, "down", house.now_ms + 60_000, house.now_ms),
        lambda: claiming(house, number, chance.choice([b"k", b"l"])),
        lambda: AnswerRequest(workspace_number=number, key=b"k", answer=b"a"),
        lambda: DeleteChat(**named(house, name), chat_id=chat),
        lambda: EraseStep(row=chance.choice(erase), most=4, now_ms=house.now_ms),
        lambda: DeleteWorkspace(**named(house, name), version=None),
    ]
    if not erase:
        del choices[-2]
    if chance.random() > 0.1:
        del choices[-1]
    return chance.choice(choices)()


def changing(house: House, name: str, chance: random.Random) -> Transition:
    from hookbundle.storage.settings import Changes, ChangeWorkspace

    changes = Changes(
        url=chance.choice(["", "https://r.example/1", "https://r.example/2"]),
        aggregation_ms=chance.choice([0, HOUR_MS, 2 * HOUR_MS]),
        owner_email="o@acme.example",
    )
    return ChangeWorkspace(
        **named(house, name), changes=changes, version=None, may_create=True, new_secret="s"
    )


def finishing(house: House, number: int, chance: random.Random) -> Transition:
    from hookbundle.storage.attempting import BeginAttempt, Begun

    try:
        begun = house.begin(number)
    except HookbundleError:
        return BeginAttempt(number, house.now_ms)
    if not isinstance(begun, Begun):
        return BeginAttempt(number, house.now_ms)
    return house.finishing(begun, chance.choice([OK, NO, CUT, failed()]), ws=number)


# ---- planted


PLANTED: dict[str, tuple[Callable[[House], None], str]] = {
    "a flipped bit": (
        lambda h: put(h, CHAT, h.dump()[CHAT][:-1] + b"\xff"),
        "chat 'c' of workspace 1: record .* checksum does not match",
    ),
    "a record in another's place": (
        lambda h: put(h, first(h, keyspace.PENDING), h.dump()[first(h, keyspace.PARKED)]),
        "pending delivery .*: checksum does not match",
    ),
    "a record of another shape": (
        lambda h: put(h, CHAT, Activity(actions=[])),
        "chat 'c' .*: is no ChatRecord",
    ),
    "a cut record": (lambda h: put(h, CHAT, b"\x01"), "chat 'c' .*: 1 bytes, want at least"),
    "an unknown kind": (lambda h: put(h, b"?x", b""), "key b'\\?x': is of no known kind"),
    "a key too short": (lambda h: put(h, b"Q\x00", b""), "key .*: is no key of its kind"),
    "a due row of no kind": (
        lambda h: put(h, b"D" + bytes(8) + b"\x63" + bytes(4), b""),
        "key .*: is no key of its kind",
    ),
    "a value in a flag": (
        lambda h: put(h, keyspace.owned(keyspace.DISABLED, 1), b"x"),
        "disabled flag of workspace 1: has a value of 1 bytes",
    ),
    "no counters": (lambda h: drop(h, keyspace.META), "counters: say windows 0, counted 1"),
    "no identity": (lambda h: drop(h, keyspace.IDENTITY), "counters: the identity is missing"),
    "a wrong counter of the house": (
        lambda h: change(h, keyspace.META, Meta, windows=7),
        "counters: say windows 7, counted 1",
    ),
    "a wrong number of mails": (
        lambda h: change(h, keyspace.META, Meta, mails=0),
        "counters: say mails 0, counted 1",
    ),
    "totals that don't add up": (
        lambda h: change(h, keyspace.META, Meta, pending=5),
        "counters: .* were sealed, .* but 6 wait, not 2",
    ),
    "a wrong counter of a workspace": (
        lambda h: change(h, STATE, WebhookState, buffered_messages=1),
        "state of workspace 1: says buffered_messages 1, counted 200",
    ),
    "a wrong number of erasures": (
        lambda h: change(h, STATE, WebhookState, erasures=0),
        "state of workspace 1: says erasures 0, counted 1",
    ),
    "a workspace without a state": (
        lambda h: drop(h, STATE),
        "workspace 'acme': has no state",
    ),
    "a workspace without a name": (
        lambda h: drop(h, keyspace.owned(keyspace.NAMES, 1)),
        "workspace 'acme': has number 1, which is not its own",
    ),
    "a name without a workspace": (
        lambda h: put(h, keyspace.owned(keyspace.NAMES, 9), WorkspaceName(id="nobody")),
        "name of workspace 9: names workspace 'nobody', which has not this number",
    ),
    "a workspace of a number to come": (
        lambda h: change(h, keyspace.workspace("acme"), Workspace, number=40),
        "workspace 'acme': has number 40, which was never given",
    ),
    "a state that is not settled": (
        lambda h: change(h, STATE, WebhookState, enabled=True),
        "state of workspace 1: is not settled",
    ),
    "a flag too many": (
        lambda h: put(h, keyspace.owned(keyspace.READY, 1), b""),
        "state of workspace 1: says ready False, its flag says otherwise",
    ),
    "a flag too few": (
        lambda h: drop(h, keyspace.owned(keyspace.DISABLED, 1)),
        "state of workspace 1: says enabled False, its flag says otherwise",
    ),
    "a flag of nobody": (
        lambda h: put(h, keyspace.owned(keyspace.READY, 9), b""),
        "ready flag of workspace 9: belongs to no workspace",
    ),
    "a missing part of a window": (
        lambda h: drop(h, first(h, keyspace.PARTS)),
        "chat 'c' .*: lacks part 0 of its window",
    ),
    "a part of no window": (
        lambda h: put(h, keyspace.part(keyspace.PARTS, 1, b"x", 0), Part(members=[])),
        "window part 0 of chat 'x' of workspace 1: is of no window",
    ),
    "a part with a message less": (
        lambda h: change(h, first(h, keyspace.PARTS), Part, members=[]),
        "chat 'c' .*: has .* messages in its window, says 200",
    ),
    "a missing part of the known ids": (
        lambda h: drop(h, first(h, keyspace.SEEN_PARTS)),
        "chat 'c' .*: lacks part 0 of its known ids",
    ),
    "known ids of no chat": (
        lambda h: put(
            h, keyspace.part(keyspace.SEEN_PARTS, 1, b"x", 0), SeenPart(last_ms=1, seen=b"odd")
        ),
        "part of known ids 0 of chat 'x' .*: has 3 bytes",
    ),
    "a window that wakes at another time": (
        lambda h: change(h, CHAT, ChatRecord, wake_ms=5),
        "chat 'c' .*: has no row WINDOW in the due index at 5",
    ),
    "a window without its row": (
        lambda h: drop(h, due(h, DueKind.WINDOW)),
        "chat 'c' .*: has no row WINDOW in the due index",
    ),
    "a silent chat without its row": (
        lambda h: drop(h, due(h, DueKind.FORGET)),
        "chat '.*' .*: has no row FORGET in the due index",
    ),
    "a row too many": (
        lambda h: put(h, keyspace.due(Due(7, DueKind.WINDOW, 1, b"c")), b""),
        "due row WINDOW at 7 of 'c' workspace 1: is called for by no record",
    ),
    "a row for a retry that nobody waits for": (
        lambda h: put(h, keyspace.due(Due(7, DueKind.RETRY, 1)), b""),
        "due row RETRY at 7 of workspace 1: is called for by no record",
    ),
    "a chat of nobody": (
        lambda h: put(h, keyspace.owned(keyspace.CHATS, 9, b"c"), ChatRecord()),
        "chat 'c' of workspace 9: belongs to no workspace",
    ),
    "a delivery with another's number": (
        lambda h: change(h, first(h, keyspace.PENDING), Delivery, number=99),
        "pending delivery .*: says it is number 99",
    ),
    "a delivery of nothing": (
        lambda h: change(h, first(h, keyspace.PENDING), Delivery, body=b""),
        "pending delivery .*: has 1 messages in 0 bytes",
    ),
    "a log entry out of turn": (
        lambda h: put(
            h,
            keyspace.owned_numbered(keyspace.LOG, 1, 5_000),
            codec.unpack(first(h, keyspace.LOG), h.dump()[first(h, keyspace.LOG)], Exchange),
        ),
        "log entry 5000 of workspace 1: is not among the last 100",
    ),
    "a mail without its row": (
        lambda h: drop(h, due(h, DueKind.MAIL)),
        "mail 1: has no row in the due index",
    ),
    "a mail about nobody": (
        lambda h: change(h, first(h, keyspace.MAILS), Mail, workspace=9),
        "mail 1: is about workspace 9, which is not there",
    ),
    "a gap in the feed": (
        lambda h: drop(h, sorted(k for k in h.dump() if k.startswith(keyspace.FEED))[3]),
        "feed row .*: ends with event .* came before it",
    ),
    "a feed that ends early": (
        lambda h: drop(h, max(k for k in h.dump() if k.startswith(keyspace.FEED))),
        "counters: say that the feed ends with event",
    ),
    "a feed row with fewer events": (
        lambda h: change(h, first(h, keyspace.FEED), FeedRow, events=codec.pack_events([])),
        "feed row 1: says it has 1 events, it has 0",
    ),
    "a token of nobody": (
        lambda h: drop(h, keyspace.workspace("acme")),
        f"token {token_id(DIGEST)}: is for workspace 'acme', which is not there",
    ),
    "a request without its row": (
        lambda h: drop(h, due(h, DueKind.REQUEST)),
        f"request {b'key'.hex()} of workspace 1: has no row in the due index",
    ),
    "a request of nobody": (
        lambda h: put(
            h, keyspace.owned(keyspace.REQUESTS, 9, b"k"), RequestRecord(digest=b"", at_ms=1)
        ),
        "request 6b of workspace 9: belongs to no workspace",
    ),
    "an erasure that nobody goes on with": (
        lambda h: drop(h, due(h, DueKind.ERASE)),
        "erasure 'gone' of workspace 1: has no row in the due index",
    ),
}


@pytest.mark.parametrize("damage", PLANTED)
def test_what_is_planted_is_found(house: House, damage: str) -> None:
    plant, expected = PLANTED[damage]

    plant(house)

    found = "\n".join(f"{finding.where}: {finding.what}" for finding in findings(house))
    assert msgspec_free(expected, found), found


def msgspec_free(expected: str, found: str) -> bool:
    import re

    return re.search(expected, found) is not None


def test_a_check_writes_nothing(house: House) -> None:
    before = house.dump()

    findings(house)

    assert house.dump() == before


def test_a_check_can_be_ended_at_any_record(house: House) -> None:
    seen = 0

    def tick() -> None:
        nonlocal seen
        seen += 1
        if seen == 5:
            raise KeyboardInterrupt

    with house.env.read() as txn, pytest.raises(KeyboardInterrupt):
        list(check(txn, tick))

    assert seen == 5
