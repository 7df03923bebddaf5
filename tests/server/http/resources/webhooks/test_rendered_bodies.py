"""A webhook with a format over the API: test request, document of a delivery, what became of it."""

import json
from pathlib import Path
from typing import Any

from hookbundle.engine.preconditions import at_version
from hookbundle.storage.transitions.settings import Changes, ChangeWorkspace, WorkspaceChanged
from hookbundle.tests.in_process import System, daemon_in, event, receiving

FORMAT = b'{"template":{"note":"{{ aggregation }}","before":"{{ bundle.previous_id }}"}}'
BROKEN = b'{"template":{"note":"{{ chat.full_name | date: \'%Y\' }}"}}'
DELIVERIES = "/v1/workspaces/acme/deliveries"


async def set_format(system: System, format: bytes) -> None:
    change = ChangeWorkspace(
        workspace_id="acme",
        changes=Changes(format=format),
        precondition=at_version(None),
        may_create=False,
        new_secret="",
        now_ms=system.clock.now_ms(),
        caller="test",
    )
    partition = system.daemon.partition
    changed = await partition.store_queue.do(change, WorkspaceChanged)
    for number in changed.wake:
        partition.virtual_actors.wake(number)


async def newest(system: System, count: int) -> list[dict[str, Any]]:
    """The deliveries, newest first, in full."""
    found = (await system.get(f"{DELIVERIES}?limit={count}&state=delivered"))["deliveries"]
    return [await system.get(f"{DELIVERIES}/{each['id']}") for each in found]


async def test_what_is_shown_is_what_left(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        await set_format(system, FORMAT)

        tested = await system.ask("POST", "/v1/workspaces/acme/webhook/test")
        await system.accept("acme", event("m1"))
        await system.accept("acme", event("m2"))
        posts = await receiver.until(3)
        await system.facts.until("delivery.delivered", 2)

        assert tested.status == 200
        assert "test request" in json.loads(posts[0].body)["note"]
        second, first = await newest(system, 2)
        assert [each["body"].encode() for each in (first, second)] == [
            posts[1].body,
            posts[2].body,
        ]
        assert second["previous_id"] == first["id"] == json.loads(posts[2].body)["before"]
        assert "previous_id" not in first
        assert first["sequence"] < second["sequence"]
        log = await system.get("/v1/workspaces/acme/log")
        assert [entry["request"]["body"].encode() for entry in log] == [
            post.body for post in reversed(posts)
        ]


async def test_what_cannot_be_rendered_is_shown_with_its_reason(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        await set_format(system, BROKEN)

        tested = await system.ask("POST", "/v1/workspaces/acme/webhook/test")
        await system.accept("acme", event("m1"))
        fact = (await system.facts.until("delivery.not_rendered"))[0]
        dead = await system.get(f"{DELIVERIES}/{fact['data']['delivery']}")
        hook = await system.hook()
        path = f"/v1/workspaces/acme/messages/m1?chat={event('m1')['chat']['chat_id']}"
        became = json.dumps(await system.get(path))

        assert (tested.status, tested.document["code"]) == (409, "sample_not_rendered")
        assert "/note" in tested.document["detail"]
        assert (dead["state"], dead["dead_letter_reason"]) == ("dead_letter", "format")
        assert "m1" in dead["body"]  # the seed's, of which one is made when it is retried
        assert (hook["counts"]["not_rendered"], hook["consecutive_errors"]) == (1, 0)
        assert "dead_letter.format" in became
        assert receiver.posts == []

        await set_format(system, FORMAT)
        assert len(await receiver.until(1)) == 1
