"""A stop under traffic loses nothing, sends nothing twice, and counts no error."""

import asyncio
from pathlib import Path

import aiohttp

from hookbundle.tests.in_process import Api, daemon_in, event, facts_of, receiving
from hookbundle.tests.program import program_in
from hookbundle.tests.running import running

WORKSPACES = [f"ws{number}" for number in range(4)]


async def test_a_stop_under_load_loses_and_repeats_nothing(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    program = program_in(tmp_path)
    async with receiving() as receiver:
        async with running(program) as daemon:
            for ws in WORKSPACES:
                await daemon.make(ws, receiver, ws)
            clients = [asyncio.ensure_future(feed(daemon, ws, acknowledged)) for ws in WORKSPACES]
            await receiver.until(60)

            daemon.process.terminate()
            code = await daemon.ended()
            await asyncio.gather(*clients)

        async with running(program) as again, facts_of(program.socket_path) as facts:
            status = await again.get("/v1/status")
            await facts.until("delivery.delivered", status["totals"]["sealed"])
            hooks = [await again.hook(ws) for ws in WORKSPACES]
            again.process.terminate()
            assert await again.ended() == 0

    ids = [post.id for post in receiver.posts]
    assert code == 0
    assert acknowledged <= {f"{post.path}/{post.message_ids[0]}" for post in receiver.posts}
    assert len(ids) == len(set(ids))
    assert {hook["consecutive_errors"] for hook in hooks} == {0}
    assert facts.known("delivery.failed") == facts.known("delivery.unknown") == []


async def test_a_stopping_daemon_takes_nothing_more(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        stopping = asyncio.ensure_future(system.daemon.stop())

        refused = await refusal(system)
        await stopping

        assert refused
        assert not (tmp_path / "run" / "control.sock").exists()


async def refusal(api: Api) -> bool:
    """Sends messages until one is not accepted; True if that was a 503 or no answer at all."""
    number = 0
    while True:
        number += 1
        try:
            answer = await api.ask("POST", "/v1/workspaces/acme/messages", event(f"m{number}"))
        except (aiohttp.ClientError, ConnectionError):
            return True
        if answer.status != 202:
            return answer.status == 503


async def feed(daemon: Api, ws: str, acknowledged: set[str]) -> None:
    """Sends messages one after another until the daemon accepts no more."""
    number = 0
    while True:
        number += 1
        try:
            answer = await daemon.ask("POST", f"/v1/workspaces/{ws}/messages", event(f"m{number}"))
        except (aiohttp.ClientError, ConnectionError):
            return
        if answer.status != 202:
            assert answer.status == 503, answer
            return
        acknowledged.add(f"{ws}/m{number}")
