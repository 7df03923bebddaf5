"""Random lives with formats: sound at every step, and told in full by the feed."""

from collections import Counter
from pathlib import Path

import pytest

from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.tests.folding import Fold, stored
from hookbundle.tests.reliability.harness.battery import size
from hookbundle.tests.storage.random_life import Life
from hookbundle.tests.storage.scratch import START_MS

KINDS = {"delivery.not_rendered", "delivery.returned", "webhook.rendering_rests"}


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    return open_environment(tmp_path / "data", START_MS)


def test_folding_the_feed_gives_the_state_of_the_database(tmp_path: Path) -> None:
    told = Counter[str]()
    for seed in range(4):
        env = open_environment(tmp_path / str(seed), START_MS)
        life = Life(env, seed, formats=True, several=seed > 1)
        reader, fold, after = FeedReader(env), Fold(), 0
        for _ in range(200):
            life.step()
            page = reader.read(after, 1_000_000)
            after = page.after
            told.update(event.type for event in page.events)
            for event in page.events:
                fold.apply({name: getattr(event, name) for name in event.__struct_fields__})
            assert (fold.workspaces, fold.totals) == (stored(env).workspaces, stored(env).totals)
        env.close()

    assert set(told) >= KINDS, told


@pytest.mark.parametrize("seed", range(size(1, 3)))
def test_the_database_is_sound_at_every_step(env: Environment, seed: int) -> None:
    life = Life(env, 10 + seed, formats=True, several=True, everything=True)

    for _ in range(250):
        life.step()
        with env.read() as txn:
            assert list(check(txn)) == []
