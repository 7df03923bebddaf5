"""Thousands of sockets against a daemon with a low limit of open files, in a process."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.program import PROGRAM, program_in

DESCRIPTORS = 1_024
SOCKETS = 2_000
HALF = b"POST /v1/workspaces/acme/messages HTTP/1.1\r\nHost: localhost\r\nX-Slow: "


async def test_two_thousand_slow_sockets_leave_honest_clients_served(tmp_path: Path) -> None:
    program = program_in(tmp_path, LISTEN="127.0.0.1:0")
    limited = ("prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}", PROGRAM, "run")
    process = await asyncio.create_subprocess_exec(
        *limited, env=program.env, stderr=asyncio.subprocess.PIPE
    )
    slow: list[asyncio.StreamWriter] = []
    try:
        assert process.stderr is not None
        ready = msgspec.json.decode(await process.stderr.readline())
        async with receiving() as receiver, connected(program.socket_path) as session:
            operator = Api(session)
            await operator.make("acme", receiver)
            token = (await operator.ask("POST", "/v1/tokens", {"scope": "intake"})).document
            for _ in range(SOCKETS // 100):
                slow += await asyncio.gather(*(half_a_head(*ready["tcp"]) for _ in range(100)))
            host, port = ready["tcp"]
            url = f"http://{host}:{port}/v1/workspaces/acme/messages"
            headers = {"Authorization": f"Bearer {token['token']}"}
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
            async with aiohttp.ClientSession(headers=headers, timeout=timeout) as honest:
                statuses = [(await honest.post(url, json=one)).status for one in some_events()]
            posts = await receiver.until(len(statuses))
            metrics = (await operator.ask("GET", "/metrics")).body.decode()
        process.send_signal(signal.SIGTERM)
        rest = (await asyncio.wait_for(process.communicate(), TIMEOUT_S))[1].decode()
    finally:
        for writer in slow:
            writer.transport.abort()
        if process.returncode is None:
            process.kill()
            await process.communicate()

    assert statuses == [202] * 5
    assert len(posts) == 5
    assert process.returncode == 0, rest
    assert "Too many open files" not in rest
    assert 'hookbundle_http_connections_cut_total{reason="crowded_out"}' in metrics


async def half_a_head(host: str, port: int) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection(host, port)
    writer.write(HALF)
    return writer


def some_events() -> list[dict[str, Any]]:
    return [event(f"m{number}") for number in range(5)]
