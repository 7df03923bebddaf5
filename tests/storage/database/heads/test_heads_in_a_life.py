"""A random life in which chats have heads, and commits leave what they have decoded to the next
ones, is the one in which nothing is kept."""

import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import lmdb
import msgspec

from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord, Head, Heads
from hookbundle.storage.database.keeping.kept import Kept
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.records import Meta, Usage, WebhookState
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.accepting import AcceptMessages
from hookbundle.storage.transitions.table import Result, Transition
from hookbundle.tests.reliability.harness.battery import size
from hookbundle.tests.storage.database.heads.failing import dump, undone
from hookbundle.tests.storage.random_life import Life
from hookbundle.tests.storage.scratch import START_MS

TRANSITIONS = size(700, 20_000)


@dataclass
class Holding:
    """The actors of a life's chats, which come and go, and commits that fail the first time."""

    rng: random.Random
    heads: Heads = field(default_factory=Heads)
    kept: Kept = field(default_factory=Kept)
    held: dict[tuple[int, str], Head] = field(default_factory=dict)
    used: int = 0


class LifeWithHeads(Life):
    holding: Holding

    def commit(self, *group: Transition) -> list[Result | HookbundleError]:
        holding = self.holding
        rng, heads, held = holding.rng, holding.heads, holding.held
        given = tuple(map(self._with_head, group))
        if rng.random() < 0.2:
            with undone(self.env) as txn:
                unit = self._unit(txn)
                for transition in given:
                    self._try(unit, transition)
                if rng.random() < 0.5:
                    unit.flush()
            holding.kept = Kept()
        if rng.random() < 0.1 and held:
            heads.let_go(held.pop(rng.choice(list(held))))
        with self.env.write() as txn:
            unit = self._unit(txn)
            outcomes = [self._try(unit, transition) for transition in given]
            unit.flush()
        with self.env.read() as txn:
            for head in held.values():
                if head.record is not None:
                    assert head.record == codec.unpack(head.key, head.stored, ChatRecord)
                    holding.used += txn.get(head.key) == head.stored
            _check(txn, holding.kept)
        return outcomes

    def _unit(self, txn: lmdb.Transaction) -> Unit:
        heads, kept = self.holding.heads, self.holding.kept
        return Unit(txn, self.env.identity, kept, retention=self._retention, heads=heads)

    def _with_head(self, transition: Transition) -> Transition:
        if not isinstance(transition, AcceptMessages):
            return transition
        key = (transition.workspace_number, transition.chat_id)
        return msgspec.structs.replace(transition, head=self.holding.held.setdefault(key, Head()))

    def _try(self, unit: Unit, transition: Transition) -> Result | HookbundleError:
        try:
            return table.apply(unit, transition)
        except HookbundleError as refusal:
            return refusal


def _check(txn: lmdb.Transaction, kept: Kept) -> None:
    """What is kept is what is stored."""
    assert kept.meta == rows.get(txn, keyspace.META, Meta)
    for number, state in kept.states.items():
        assert state == rows.get(txn, keyspace.owned(keyspace.STATES, number), WebhookState)
    for number, usage in kept.usages.items():
        assert usage == rows.get(txn, keyspace.owned(keyspace.USAGES, number), Usage)


def test_a_life_with_heads_leaves_the_same_database_as_one_without(tmp_path: Path) -> None:
    open_environment(tmp_path / "one", START_MS).close()
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    envs = [open_environment(tmp_path / name, START_MS) for name in ("one", "two")]
    life = LifeWithHeads(envs[0], 5, everything=True, several=True)
    life.holding = holding = Holding(random.Random(5))

    for each in (life, Life(envs[1], 5, everything=True, several=True)):
        while each.made < TRANSITIONS:
            each.step()

    assert holding.used > TRANSITIONS // 10
    assert dump(envs[0]) == dump(envs[1])
    for env in envs:
        env.close()
