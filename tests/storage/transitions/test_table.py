"""Whatever happens, in whatever order: every message is in one place, and the counters know it.

Steps are drawn at random and taken on a real database; after each of them a full scan is held
against the records. The transitions they came to are then applied again to other databases.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import Delivered
from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions.attempting import Begun, FinishAttempt
from hookbundle.storage.transitions.mails import MailAccepted, MailFailed
from hookbundle.storage.transitions.switching import EnableWebhook
from hookbundle.storage.transitions.table import Result, Transition
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.storage.transitions.timed.retiming import RetimeWindows
from hookbundle.storage.transitions.timed.waits import EndWaits
from hookbundle.storage.transitions.webhooks.secrets import RotateSecret, SecretRotated
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scan import Place, Scan
from hookbundle.tests.storage.scratch import (
    CUT,
    HOUR_MS,
    NO,
    OK,
    PRODUCT,
    URL,
    ScratchDatabase,
    failed,
    incoming,
)

WORKSPACES = ("one", "two")
CHATS = ("c", "ca", "\U0001f600")

number = st.sampled_from((1, 2))
name = st.sampled_from(WORKSPACES)
chat = st.sampled_from(CHATS)
results = st.sampled_from((OK, NO, failed(), CUT))
messages = st.lists(st.integers(0, 30), min_size=1, max_size=6)

STEPS = st.one_of(
    st.tuples(st.just("accept"), number, chat, messages),
    st.tuples(st.just("accept"), number, chat, messages),
    st.tuples(st.just("accept_large"), number, chat),
    st.tuples(st.just("seal"), number, chat),
    st.tuples(st.just("begin"), number),
    st.tuples(st.just("finish"), number, results, st.booleans()),
    st.tuples(st.just("attempts"), number, st.lists(results, min_size=1, max_size=4)),
    st.tuples(st.just("attempts"), number, st.lists(results, min_size=1, max_size=4)),
    st.tuples(st.just("tick"), st.sampled_from((1_000, 60_000, HOUR_MS, 25 * HOUR_MS))),
    st.tuples(st.just("change_url"), name, st.sampled_from(("", URL, URL + "/2"))),
    st.tuples(st.just("change_length"), name, st.sampled_from((0, 60_000, HOUR_MS, 6 * HOUR_MS))),
    st.tuples(st.just("change_stale"), name),
    st.tuples(st.just("switch"), name, st.booleans()),
    st.tuples(st.just("enable"), name, st.booleans()),
    st.tuples(st.just("rotate"), name),
    st.tuples(st.just("crash")),
)


class Street(ScratchDatabase):
    """A database in which random steps are taken. It remembers its groups of transitions.

    `watched`, it is scanned after each of them, and what was stored before is looked for.
    """

    def __init__(self, path: Path, *, watched: bool) -> None:
        super().__init__(path)
        self.quota = Quota(messages_max=40, held_ms_max=72 * HOUR_MS)
        self.policy = BackoffPolicy(steps_ms=(5_000, 60_000), errors_max=2, rejections_max=2)
        self.applied: list[tuple[Transition, ...]] = []
        self.flights: dict[int, Begun] = {}
        self.gone: Counter[Place] = Counter()
        self.watched = watched

    def group(self, *group: Transition) -> list[Result | HookbundleError]:
        self.applied.append(group)
        if not self.watched:
            return super().group(*group)
        before = Scan(self)
        outcomes = super().group(*group)
        after = Scan(self)
        if isinstance(outcomes[0], HookbundleError):
            assert after.dump == before.dump, f"{group[0]} was refused, and wrote all the same"
        after.check()
        self._account_for(before, after, group[0])
        return outcomes

    def _account_for(self, before: Scan, after: Scan, transition: Transition) -> None:
        """What is no longer stored went for a reason; the rest is where and as it was."""
        now = after.deliveries()
        for number, (ws, delivery) in before.deliveries().items():
            if number in now:
                assert now[number][1].body == delivery.body
                continue
            assert takes(transition, number), f"{transition} lost delivery {number}"
            self.gone.update((ws, delivery.chat_id, id_) for id_ in ids_in(delivery))
        assert after.messages() + self.gone == accepted(self)

    def take(self, step: tuple[Any, ...]) -> None:
        getattr(self, f"take_{step[0]}")(*step[1:])

    def take_accept(self, ws: int, chat: str, ids: list[int]) -> None:
        self.accept(*(f"m{n}" for n in ids), ws=ws, chat=chat, skipped=("s",) * (ids[0] % 2))

    def take_accept_large(self, ws: int, chat: str) -> None:
        large = (incoming(f"l{self.now_ms}{n}", self.now_ms - n, text="<" * 40_000) for n in (1, 2))
        self.accept(*large, ws=ws, chat=chat)

    def take_seal(self, ws: int, chat: str) -> None:
        self.seal(chat, ws=ws)

    def take_begin(self, ws: int) -> None:
        self._remember(ws, self.begin(ws))

    def take_finish(self, ws: int, result: Any, go_on: bool) -> None:
        if ws in self.flights:
            self._remember(ws, self.finish(self.flights[ws], result, ws=ws, go_on=go_on))

    def take_attempts(self, ws: int, results: list[Any]) -> None:
        for result in results:
            self.take_begin(ws)
            self.take_finish(ws, result, go_on=False)
            self.take_tick(60_000)

    def take_tick(self, ms: int) -> None:
        """Time goes by, and the clock does what is due."""
        self.now_ms += ms
        for row in self.dues():
            if row.at_ms > self.now_ms:
                break
            self._act(row)

    def take_change_url(self, ws: str, url: str) -> None:
        self.change(ws, url=url)

    def take_change_length(self, ws: str, length_ms: int) -> None:
        self.change(ws, aggregation_ms=length_ms)

    def take_change_stale(self, ws: str) -> None:
        self.change(ws, version=0, name="never")

    def take_switch(self, ws: str, enabled: bool) -> None:
        self.change(ws, enabled=enabled)

    def take_enable(self, ws: str, discard: bool) -> None:
        self.enable(ws, discard=discard)

    def take_rotate(self, ws: str) -> None:
        transition = RotateSecret(
            workspace_id=ws,
            new_secret=f"whsec_{self.now_ms}",
            keep_until_ms=self.now_ms + HOUR_MS,
            now_ms=self.now_ms,
            caller="test",
        )
        self.do(transition, SecretRotated)

    def take_crash(self) -> None:
        identity = self.env.identity
        self.reopen()
        self.env.identity = identity

    def _remember(self, ws: int, following: object) -> None:
        if isinstance(following, Begun):
            assert following.delivery.number == self.queued(WORKSPACES[ws - 1])[0].number
            self.flights[ws] = following

    def _act(self, row: Due) -> None:
        match row.kind:
            case DueKind.WINDOW:
                self.seal(row.subject.decode(), ws=row.number, due_ms=row.at_ms)
            case DueKind.RETRY:
                self.group(EndWaits((row,), self.now_ms))
            case DueKind.FORGET:
                self.group(Forget((row,), self.now_ms))
            case DueKind.RETIME:
                self.group(RetimeWindows(row.number, 2, self.now_ms, PRODUCT))
            case DueKind.MAIL if row.at_ms % 2:
                self.group(MailAccepted(row.number, 1, self.now_ms))
            case DueKind.MAIL:
                later_ms = self.now_ms + 60_001
                self.group(MailFailed(row.number, "refused", later_ms, self.now_ms))


@contextmanager
def street(*, watched: bool = False) -> Iterator[Street]:
    with tempfile.TemporaryDirectory() as folder:
        db = Street(Path(folder), watched=watched)
        try:
            yield db
        finally:
            db.close()


def run(db: Street, steps: list[Any]) -> None:
    db.workspace("one")
    db.workspace("two", aggregation_ms=0)
    for step in steps:
        with suppress(HookbundleError):
            db.take(step)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=15, max_size=30))
def test_every_message_is_in_one_place_and_every_counter_knows_it(steps: list[Any]) -> None:
    with street(watched=True) as db:
        run(db, steps)

        for kind in {fact["type"] for _, fact in db.feed()}:
            event(kind)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=15, max_size=30), st.integers(2, 9))
def test_the_same_transitions_make_the_same_database(steps: list[Any], size: int) -> None:
    with street() as db, street() as twin, street() as grouped:
        twin.env.identity = grouped.env.identity = db.env.identity
        run(db, steps)

        for group in db.applied:
            twin.group(*group)
        transitions = [transition for group in db.applied for transition in group]
        for start in range(0, len(transitions), size):
            grouped.group(*transitions[start : start + size])

        identity = {keyspace.IDENTITY: b""}
        assert db.dump() | identity == twin.dump() | identity
        assert without_feed(db) == without_feed(grouped)
        assert [fact for _, fact in db.feed()] == [fact for _, fact in grouped.feed()]


def takes(transition: Transition, number: int) -> bool:
    """Whether the transition is there to take the delivery away."""
    match transition:
        case FinishAttempt(outcome=Delivered()):
            return transition.delivery == number
        case EnableWebhook():
            return transition.discard
        case _:
            return False


def accepted(db: ScratchDatabase) -> Counter[Place]:
    """Every message that was ever accepted, as the feed tells it."""
    numbers = {workspace_id: n for n, workspace_id in enumerate(WORKSPACES, 1)}
    return Counter(
        (numbers[fact["workspace"]], fact["chat"], message_id)
        for fact in db.events("message.received")
        for message_id in fact["data"]["accepted"]
    )


def without_feed(db: ScratchDatabase) -> dict[bytes, bytes]:
    besides = (keyspace.FEED, keyspace.META, keyspace.IDENTITY)
    return {key: value for key, value in db.dump().items() if key[:1] not in besides}
