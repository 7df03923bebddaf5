"""Signals to the running program, in a separate process."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import event, receiving
from hookbundle.tests.program import Program, program_in
from hookbundle.tests.running import running
from hookbundle.tests.service_manager import NotifySocket

HALTED = os.WSTOPPED | os.WNOWAIT


async def test_a_stop_waits_for_the_attempt_under_way(tmp_path: Path) -> None:
    program, release = program_in(tmp_path), asyncio.Event()
    async with receiving() as receiver:
        receiver.answers(Answer(200, after=release))
        async with running(program) as daemon:
            await daemon.make("acme", receiver)
            await daemon.accept("acme", event("m1"), event("m2", "other"))
            await receiver.until(1)

            daemon.process.send_signal(signal.SIGTERM)
            await daemon.says("stopping")
            release.set()
            code = await daemon.ended()
        receiver.answers(200)
        async with running(program) as again:
            posts = await receiver.until(2)
            hook = await again.hook("acme")

    assert code == 0
    assert [post.message_ids for post in posts] == [["m1"], ["m2"]]  # neither lost nor repeated
    assert hook["consecutive_errors"] == 0


async def test_a_stop_waits_no_longer_than_configured(tmp_path: Path) -> None:
    program, never = program_in(tmp_path, STOP__WITHIN="300ms"), asyncio.Event()
    async with receiving() as receiver:
        receiver.answers(Answer(200, after=never))
        async with running(program) as daemon:
            await daemon.make("acme", receiver)
            await daemon.accept("acme", event("m1"))
            await receiver.until(1)

            daemon.process.send_signal(signal.SIGTERM)
            code = await daemon.ended()
        receiver.answers(200)
        async with running(program) as again:
            posts = await receiver.until(2)
            hook = await again.hook("acme")

    assert code == 0
    assert posts[0].id == posts[1].id
    assert posts[0].body == posts[1].body
    assert hook["consecutive_errors"] == 0  # an attempt that the stop cut short is no error


async def test_a_second_signal_ends_the_wait(tmp_path: Path) -> None:
    settings = {"STOP__WITHIN": "1h", "DELIVERY__TOTAL_TIMEOUT": "1h"}
    program, never = program_in(tmp_path, **settings), asyncio.Event()
    async with receiving() as receiver:
        receiver.answers(Answer(200, after=never))
        async with running(program) as daemon:
            await daemon.make("acme", receiver)
            await daemon.accept("acme", event("m1"))
            await receiver.until(1)

            daemon.process.send_signal(signal.SIGTERM)
            await daemon.says("stopping")
            daemon.process.send_signal(signal.SIGTERM)
            code = await daemon.ended()

    assert code == 0


async def test_a_daemon_that_was_halted_goes_on_where_it_stood(tmp_path: Path) -> None:
    program, release = program_in(tmp_path), asyncio.Event()
    async with receiving() as receiver:
        receiver.answers(Answer(200, after=release), 200)
        async with running(program) as daemon:
            await daemon.make("acme", receiver)
            await daemon.accept("acme", event("m1"))
            await receiver.until(1)

            daemon.process.send_signal(signal.SIGSTOP)
            await asyncio.to_thread(os.waitid, os.P_PID, daemon.process.pid, HALTED)
            release.set()
            asked = asyncio.create_task(daemon.accept("acme", event("m2", "other")))
            done, _ = await asyncio.wait([asked], timeout=0.2)
            daemon.process.send_signal(signal.SIGCONT)
            await asked
            posts = await receiver.until(2)
            hook = await daemon.hook("acme")

    assert not done, "a halted daemon has answered"
    assert [post.message_ids for post in posts] == [["m1"], ["m2"]]
    assert len(receiver.posts) == 2
    assert hook["consecutive_errors"] == 0


async def test_requests_under_way_are_answered_before_the_stop(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    async with receiving() as receiver, running(program) as daemon:
        await daemon.make("acme", receiver, aggregation="1h")
        busy = [
            asyncio.ensure_future(
                daemon.ask("POST", "/v1/workspaces/acme/messages", event(f"m{n}"))
            )
            for n in range(200)
        ]
        await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED)

        daemon.process.send_signal(signal.SIGTERM)
        code = await daemon.ended()
        outcomes = await asyncio.gather(*busy, return_exceptions=True)
        taken = [
            one for one in outcomes if not isinstance(one, BaseException) and one.status == 202
        ]
        async with running(program) as again:
            (window,) = (await again.get("/v1/workspaces/acme/chats"))["chats"]

    assert code == 0
    assert taken
    assert window["messages"] >= len(taken)


async def test_a_reload_takes_what_it_can_and_names_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("")
    program = program_in(tmp_path)
    async with receiving() as receiver, running(program, "--config", str(file)) as daemon:
        await daemon.make("acme", receiver, aggregation="1h")
        await daemon.accept("acme", event("m1"))
        file.write_text('[payload]\nproduct_name = "New"\n[delivery]\nin_flight_max = 7\n')
        for count in (1, 2):
            daemon.process.send_signal(signal.SIGHUP)
            said = await daemon.says("configuration read again", count)

            assert said["applied"] == (["payload.product_name"] if count == 1 else [])
            assert said["waits_for_restart"] == ["delivery.in_flight_max"]
        shown = await daemon.get("/v1/workspaces/acme/chats/10010001")

    assert "open the conversation in New" in shown["body"]


async def test_a_bad_configuration_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[payload]\nproduct_name = "Old"\n')
    program = program_in(tmp_path)
    async with receiving() as receiver, running(program, "--config", str(file)) as daemon:
        await daemon.make("acme", receiver, aggregation="1h")
        await daemon.accept("acme", event("m1"))
        file.write_text('[payload]\nproduct_name = "New"\n[delivery]\nbackoff = []\n')
        daemon.process.send_signal(signal.SIGHUP)
        refused = await daemon.says("configuration refused, the old one stays")
        shown = await daemon.get("/v1/workspaces/acme/chats/10010001")

    assert "delivery.backoff" in refused["error"]
    assert "open the conversation in Old" in shown["body"]


async def test_the_service_manager_is_notified_of_every_change(tmp_path: Path) -> None:
    manager = NotifySocket(str(tmp_path / "notify"))
    said = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
    program = Program({**program_in(tmp_path).env, **said})
    try:
        async with running(program) as daemon:
            ready, signs = await manager.hear(), [await manager.hear() for _ in range(3)]
            daemon.process.send_signal(signal.SIGHUP)
            reloading = [heard async for heard in heard_until(manager, "READY=1")]
            daemon.process.send_signal(signal.SIGTERM)
            stopping = [heard async for heard in heard_until(manager, "STOPPING=1")]
            code = await daemon.ended()
    finally:
        manager.close()

    assert ready.startswith("READY=1\nSTATUS=ready")
    assert signs == ["WATCHDOG=1"] * 3
    assert reloading[-2] == "RELOADING=1"
    assert stopping[-1] == "STOPPING=1\nSTATUS=stopping"
    assert code == 0


async def heard_until(manager: NotifySocket, wanted: str) -> AsyncIterator[str]:
    while not (heard := await manager.hear()).startswith(wanted):
        yield heard
    yield heard
