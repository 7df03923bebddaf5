"""The feed is complete: folding its events gives the state in the database.

The transitions are random, and include all that change settings, windows, queues or error counts.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.storage.tables import failing
from hookbundle.tests.folding import Fold, stored
from hookbundle.tests.reliability.harness.battery import size
from hookbundle.tests.storage.random_life import Life
from hookbundle.tests.storage.scratch import START_MS

OF_FORMATS = ("not_rendered", "no_record")  # of lives of their own
RARE = ("dead_letters", "receiver_fails", "resent", "resends_failed")
OF_SEVERAL = ("overflowed", "unrouted", "merged")  # what one webhook never has


@pytest.fixture
def env(tmp_path: Path) -> Iterator[Environment]:
    opened = open_environment(tmp_path / "data", START_MS)
    yield opened
    opened.close()


@pytest.mark.parametrize("seed", range(size(3, 6)))
def test_folding_the_feed_gives_the_state_of_the_database(
    env: Environment, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failing, "ANSWERS", 1)  # five in a row are rare in so random a life
    life, reader, fold, after = Life(env, seed), FeedReader(env), Fold(), 0

    told = set[str]()
    for _ in range(350):
        life.step()
        page = reader.read(after, 1_000_000)
        after = page.after
        told.update(event.type for event in page.events)
        for event in page.events:
            fold.apply({name: getattr(event, name) for name in event.__struct_fields__})

        assert (fold.workspaces, fold.totals) == (stored(env).workspaces, stored(env).totals)

    for rare in (*OF_FORMATS, *OF_SEVERAL, *(RARE if seed else ())):  # the first life has them all
        del fold.totals[rare]
    assert min(fold.totals.values()) > 0, "some kind of event never happened"
    assert {"window.retimed", "window.ended"} <= told or seed


@pytest.mark.parametrize("seed", range(size(1, 2)))
def test_folding_the_feed_gives_the_state_of_several_webhooks(
    env: Environment, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failing, "ANSWERS", 1)
    life, reader, fold, after = Life(env, seed, several=True), FeedReader(env), Fold(), 0

    most, told = 0, set[str]()
    for _ in range(120):
        for _ in range(3):
            life.step()
        page = reader.read(after, 1_000_000)
        after = page.after
        told.update(event.type for event in page.events)
        for event in page.events:
            fold.apply({name: getattr(event, name) for name in event.__struct_fields__})
        most = max(most, *(len(each.hooks) for each in fold.workspaces.values()), 0)

        assert (fold.workspaces, fold.totals) == (stored(env).workspaces, stored(env).totals)

    assert most > 1
    assert {"webhook.deleted", "webhook.merged", "window.retimed"} <= told or seed
    assert fold.totals["unrouted"]
