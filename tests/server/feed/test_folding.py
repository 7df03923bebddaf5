"""The whole story: what the feed told of a daemon's life comes to what the daemon has stored."""

from pathlib import Path

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.tests.feed_readers import Frame, Home, Subscriber, home, subscribed
from hookbundle.tests.folding import Fold, stored
from hookbundle.tests.in_process import receiving

POLICY = BackoffPolicy(steps_ms=(1,), errors_max=3, rejections_max=2)


async def test_the_feed_of_a_life_folds_to_what_the_daemon_has_stored(tmp_path: Path) -> None:
    fold = Fold()
    async with (
        receiving() as rude,
        receiving() as kind,
        home(tmp_path, policy=POLICY) as at,
        subscribed(at, since="oldest") as feed,
    ):
        rude.answers(404)
        kind.trust(await at.make("acme", rude))
        await at.make("blue", kind, aggregation="6h")
        await at.send("acme", "chat 1", "m1", "m2", "m3")
        await at.send("blue", "chat 1", "m1", "m1", "m2")
        await at.send("blue", "chat 2", "m1")
        while (await claimed(feed, fold))["type"] != "webhook.disabled":
            pass
        await at.switch("acme", "disable")
        after_errors = shape(fold, at)
        await told_all(feed, fold, at)
        assert_same(fold, at)

        await at.switch("acme", "enable", {"discard": True})
        await at.set_up("acme", url=kind.url(), aggregation="none")
        await at.send("acme", "chat 1", "m4")
        await at.set_up("blue", url=kind.url(), aggregation="12h")
        while fold.totals["delivered"] < 1:
            await claimed(feed, fold)
        await told_all(feed, fold, at)
        assert_same(fold, at)

    assert after_errors == (1, 2)
    assert fold.totals["discarded"] == 3
    assert fold.workspaces["blue"].windows.keys() == {"chat 1", "chat 2"}


async def claimed(feed: Subscriber, fold: Fold) -> Frame:
    """The next frame; if it is an event, the fold knows it as well."""
    frame = await feed.hear()
    assert frame is not None
    if "seq" in frame:
        fold.apply(frame)
    return frame


async def told_all(feed: Subscriber, fold: Fold, at: Home) -> None:
    while fold.seq < at.last_seq:
        await claimed(feed, fold)


def shape(fold: Fold, at: Home) -> tuple[int, int]:
    """How many deliveries of acme are queued, and how many are dead letters."""
    state = fold.workspaces["acme"]
    return len(state.queue), len(state.dead_letters)


def assert_same(fold: Fold, at: Home) -> None:
    found = stored(at.daemon.partition.env)
    assert fold.workspaces == found.workspaces
    assert fold.totals == found.totals
