"""Random lives of workspaces whose webhooks come and go: sound after every commit, and at the end.

What is sealed and sent of a webhook is its own, in order; what the deleted ones had is gone.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.reads.dues import DueReads
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.tables import failing
from hookbundle.tests.reliability.harness.battery import size
from hookbundle.tests.storage.random_life import Life
from hookbundle.tests.storage.scratch import HOUR_MS, START_MS

STEPS = size(300, 5_000)
SMALL = Retention(feed_events=500, feed_ms=72 * HOUR_MS, history_bytes=100_000, answer_bytes=20_000)
WAITS = (DueKind.DELETE, DueKind.ERASE)


@pytest.fixture
def env(tmp_path: Path) -> Iterator[Environment]:
    opened = open_environment(tmp_path / "data", START_MS)
    yield opened
    opened.close()


def problems(env: Environment) -> str:
    with env.read() as txn:
        return "\n".join(f"{found.where}: {found.what}" for found in check(txn))


@pytest.mark.parametrize("seed", range(size(2, 4)))
def test_a_life_with_several_webhooks_is_sound_after_every_commit(
    env: Environment, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failing, "ANSWERS", 1)  # five in a row are rare in so random a life
    life, most, erased = Life(env, seed, everything=True, several=True, retention=SMALL), 0, 0

    for step in range(STEPS):
        before = set(life.leaving())
        life.step()
        erased += len(before - set(life.leaving()))
        found = problems(env)
        assert not found, f"after step {step}: {found}"
        views = Reads(env).workspaces(100).found
        most = max(most, *(len(view.webhooks) for view in views), 0)

    for _ in range(10_000):
        steps = [life.erase_hook(), life.erase()]
        if steps == [None, None]:
            break
        life.commit(*(each for each in steps if each is not None))
    totals = Reads(env).meta().totals
    assert (most > 1, erased > 0) == (True, True), "some kind of webhook never was"
    assert min(totals.merged, totals.unrouted) > 0 or seed, "not all happened"
    assert life.leaving() == []
    assert [row for kind in WAITS for row in DueReads(env).due(kind, 0, 100)] == []
    assert problems(env) == ""
