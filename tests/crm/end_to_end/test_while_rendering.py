"""What becomes of a webhook while a body of it is in the process that renders, which stands."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from hookbundle.actors.rendering import paces
from hookbundle.actors.rendering.renderer import Renderer
from hookbundle.tests.crm.end_to_end.setting_up import (
    DANA,
    GROUP,
    Setup,
    ended,
    message,
    set_format,
    set_up,
    setup_of,
)
from hookbundle.tests.in_process import MINUTE_MS, System, daemon_in, until


@pytest.fixture(autouse=True)
def _all_in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is so light that another process gets its next body."""
    monkeypatch.setattr(paces, "LIGHT_US", -1)


HOOKS = "/v1/workspaces/acme/webhooks"


def renderer_of(system: System) -> Renderer:
    renderer = system.daemon.traffic.rendering.renderer
    assert isinstance(renderer, Renderer)
    return renderer


@contextmanager
def standing_still(system: System) -> Iterator[None]:
    pid = renderer_of(system).trial.pid
    assert pid is not None
    os.killpg(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(pid, signal.SIGCONT)


@asynccontextmanager
async def rendering(tmp_path: Path, setup: Setup) -> AsyncIterator[System]:
    """The first note is there, so the process has begun."""
    async with setup.receiver, daemon_in(tmp_path) as system:
        await set_up(system, setup, aggregation="none")
        await system.accept("acme", message("m1"))
        await ended(system, 1)
        yield system


async def is_asked(system: System) -> None:
    await until(lambda: renderer_of(system).trial.busy)


async def test_a_chat_that_is_deleted_meanwhile_is_not_sent(tmp_path: Path) -> None:
    setup = setup_of("zapier")
    async with rendering(tmp_path, setup) as system:
        with standing_still(system):
            await system.accept("acme", message("m2", DANA), message("m3", GROUP))
            await is_asked(system)
            path = f"/v1/workspaces/acme/chats/{DANA['chat_id']}"
            assert (await system.ask("DELETE", path)).status < 300
        await ended(system, 2)

        assert [b"text of m2" in body for _, body in setup.posts] == [False, False]
        assert b"text of m3" in setup.posts[-1][1]


async def test_a_webhook_that_is_deleted_meanwhile_sends_nothing_and_holds_nobody(
    tmp_path: Path,
) -> None:
    setup, other = setup_of("zapier"), setup_of("slack")
    async with rendering(tmp_path, setup) as system, other.receiver:
        await set_up(system, other, "globex", aggregation="none")
        more = {"id": "more", "url": "http://127.0.0.1:8081/", "enabled": False}
        assert (await system.ask("POST", HOOKS, more)).status == 201
        with standing_still(system):
            await system.accept("acme", message("m2"))
            await is_asked(system)
            await system.accept("globex", message("m3"))
            assert (await system.ask("DELETE", f"{HOOKS}/outbound")).status < 300
        await ended(system, 1, "globex")
        await system.facts.until("webhook.erased", 1)

        assert len(setup.posts) == 1
        assert len(other.taken) == 1


async def test_a_format_and_a_url_that_are_changed_meanwhile_are_those_of_the_request(
    tmp_path: Path,
) -> None:
    setup, other = setup_of("zapier"), setup_of("slack")
    async with rendering(tmp_path, setup) as system, other.receiver:
        with standing_still(system):
            await system.accept("acme", message("m2"))
            await is_asked(system)
            await set_format(system, "slack")
            url = other.receiver.url  # type: ignore[attr-defined]
            assert (await system.ask("PATCH", f"{HOOKS}/outbound", {"url": url})).status == 200
        await ended(system, 2)

        assert len(setup.posts) == 1
        assert [b'{"text":' in body for _, body in other.posts] == [True]


async def test_a_webhook_that_is_disabled_meanwhile_sends_once_enabled(tmp_path: Path) -> None:
    setup = setup_of("zapier")
    async with rendering(tmp_path, setup) as system:
        with standing_still(system):
            await system.accept("acme", message("m2"), message("m3"))
            await is_asked(system)
            await system.switch("acme", "disable")
        await until(lambda: not renderer_of(system).trial.busy)
        assert len(setup.posts) == 1
        await system.switch("acme", "enable")
        await ended(system, 3)

        assert len(setup.taken) == 3


async def test_a_process_that_is_killed_meanwhile_costs_nothing(tmp_path: Path) -> None:
    setup = setup_of("zapier")
    async with rendering(tmp_path, setup) as system:
        pid = renderer_of(system).trial.pid
        assert pid is not None
        os.killpg(pid, signal.SIGSTOP)
        await system.accept("acme", message("m2"))
        await is_asked(system)
        os.killpg(pid, signal.SIGKILL)
        await ended(system, 2)

        assert len(setup.taken) == 2
        assert system.facts.known("delivery.not_rendered") == []


async def test_a_daemon_that_stops_meanwhile_renders_anew(tmp_path: Path) -> None:
    setup = setup_of("zapier")
    async with setup.receiver:
        async with daemon_in(tmp_path) as system:
            await set_up(system, setup, aggregation="none")
            await system.accept("acme", message("m1"))
            await ended(system, 1)
            pid = renderer_of(system).trial.pid
            assert pid is not None
            os.killpg(pid, signal.SIGSTOP)
            await system.accept("acme", message("m2"))
            await is_asked(system)
        async with daemon_in(tmp_path, system.clock) as system:
            system.clock.move(MINUTE_MS)
            await ended(system, 2)

    assert len(setup.taken) == 2
    assert len(setup.posts) == 2
