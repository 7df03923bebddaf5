"""kill -9 of a daemon that renders in a child process: the same bytes, and no child is left."""

import asyncio
import os
from pathlib import Path

import msgspec

from hookbundle.engine.preconditions import at_version
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.settings import Changes, ChangeWorkspace
from hookbundle.tests.daemon.test_crash import alive, impatient, kill
from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import event, receiving

FORMAT = b'{"template":{"text":"{{ aggregation }}","id":"{{ bundle.id }}"}}'
OTHER = b'{"template":{"other":"{{ chat.chat_id }}"}}'


def set_format(data: Path, format: bytes) -> None:
    """As the API will; the daemon is down."""
    env = open_environment(data, 0)
    now_ms = Reads(env).meta().last_ms
    change = ChangeWorkspace(
        workspace_id="acme",
        changes=Changes(format=format),
        precondition=at_version(None),
        may_create=False,
        new_secret="",
        now_ms=now_ms,
        caller="test",
    )
    with env.write() as txn:
        unit = Unit(txn, env.identity)
        table.apply(unit, change)
        unit.flush()
    env.close()


async def test_a_rendered_body_without_an_answer_is_sent_again_as_the_same(tmp_path: Path) -> None:
    program = impatient(tmp_path)
    async with receiving() as receiver:
        receiver.answers(Answer(after=asyncio.Event()), 200)
        async with alive(program) as (daemon, facts):
            await daemon.make("acme", receiver, enabled=False)
            await kill(daemon)
        set_format(tmp_path / "data", FORMAT)
        async with alive(program) as (daemon, facts):
            await daemon.accept("acme", event("m1"))
            await daemon.ask("POST", "/v1/workspaces/acme/webhook/enable", {})
            await receiver.until(1)
            children = children_of(daemon.process.pid)
            await kill(daemon)
        assert children, "nothing was rendered in a process of its own"
        await gone(children)
        set_format(tmp_path / "data", OTHER)

        async with alive(program) as (daemon, facts):
            await facts.until("delivery.delivered")
            await daemon.accept("acme", event("m2"))
            await facts.until("delivery.delivered", 2)
            log = await daemon.get("/v1/workspaces/acme/log")
            daemon.process.terminate()
            assert await daemon.ended() == 0

    first, again, second = receiver.posts
    assert (first.id, first.body) == (again.id, again.body)
    assert msgspec.json.decode(first.body)["id"] == first.id
    assert "m1" in msgspec.json.decode(first.body)["text"]
    assert list(msgspec.json.decode(second.body)) == ["other"]
    assert [entry["outcome"] for entry in log] == ["delivered", "delivered", "unknown"]
    env = open_environment(tmp_path / "data", 0)
    with env.read() as txn:
        assert list(check(txn)) == []
    env.close()


def children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in found]


async def gone(pids: list[int]) -> None:
    """They have ended with their parent."""
    async with asyncio.timeout(10):
        while any(is_alive(pid) for pid in pids):
            await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
