"""What another node is sent of a request, and what it may send back."""

import asyncio
from pathlib import Path

import pytest

from hookbundle.server.cluster import answering
from hookbundle.server.cluster.asked import Answered, Asked
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import connected, event, receiving
from hookbundle.tests.server.cluster.hostile.apart import PARTITIONS, apart

LEAST = 100


async def test_no_token_is_sent_to_another_node_nor_a_partition_of_the_caller_s(
    tmp_path: Path,
) -> None:
    async with apart(tmp_path) as made:
        workspace, other = made.theirs[0], made.made.nodes["b"]
        token, _ = await made.token(workspace)
        seen: list[Asked] = []
        answer = other.answer
        assert answer is not None

        async def noting(asked: Asked) -> Answered:
            seen.append(asked)
            return await answer(asked)

        other.answer = noting
        head = f"POST /v1/workspaces/{workspace}/messages HTTP/1.1\nAuthorization: Bearer {token}"
        taken = await made.status(f"{head}\nX-Own: 1\nhb-partition: 0", b"[]")

    assert taken == 202
    (passed_on,) = [each for each in seen if each.method == "POST"]
    assert passed_on.caller is not None
    assert ("X-Own", "1") in passed_on.headers
    named = [value for name, value in passed_on.headers if name.lower() == "hb-partition"]
    assert named == [str(of_workspace(workspace, PARTITIONS))]
    assert token not in repr(seen)


async def test_an_answer_that_is_sent_whole_is_not_as_large_as_it_likes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving() as receiver, apart(tmp_path) as made:
        workspace = made.theirs[0]
        hook = {"webhook": {"url": receiver.url(), "aggregation": "none"}}
        await made.api.ask("PATCH", f"/v1/workspaces/{workspace}", hook)
        await made.api.accept(workspace, event("m1"))
        await receiver.until(1)
        log = f"/v1/workspaces/{workspace}/log"
        async with asyncio.timeout(TIMEOUT_S):
            # The attempt stands in it once its outcome is stored.
            while len((whole := await made.api.ask("GET", log)).body) <= LEAST:
                await asyncio.sleep(0.02)
        monkeypatch.setattr(answering, "KEPT_BYTES_MAX", LEAST)
        refused = await made.api.ask("GET", log)
        async with connected(made.nodes[1].config.listeners.socket_path) as session:
            made.api.session = session
            by_owner = await made.api.ask("GET", log)
        receiver.refused.clear()  # its secret is not known here

    assert whole.status == by_owner.status == 200
    assert (refused.status, refused.code) == (501, "not_in_a_cluster")
