"""What another node is sent of a request, and what it may send back."""

import gzip
from pathlib import Path

from hookbundle.server.cluster.asked import Answered, Asked, takes_parts
from hookbundle.server.cluster.partitions.placing import of_workspace
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
        taken = await made.status(f"{head}\nX-Own: 1\nhb-partition: 0\nHb-In-Parts: 1", b"[]")

    assert taken == 202
    (passed_on,) = [each for each in seen if each.method == "POST"]
    assert passed_on.caller is not None
    assert ("X-Own", "1") in passed_on.headers
    named = [value for name, value in passed_on.headers if name.lower() == "hb-partition"]
    assert named == [str(of_workspace(workspace, PARTITIONS))]
    assert not takes_parts(passed_on)
    assert token not in repr(seen)


async def test_what_was_packed_is_sent_on_unpacked(tmp_path: Path) -> None:
    async with apart(tmp_path) as made:
        workspace = made.theirs[0]
        token, _ = await made.token(workspace)
        head = f"POST /v1/workspaces/{workspace}/messages HTTP/1.1\nAuthorization: Bearer {token}"
        body = gzip.compress(b"[]")
        packed = f"{head}\nContent-Type: application/json\nContent-Encoding: gzip"
        found = [await made.status(packed, body, at) for at in (0, 1)]

    assert found == [202, 202]


async def test_a_body_that_was_answered_is_held_by_neither_node(tmp_path: Path) -> None:
    async with apart(tmp_path) as made:
        workspace = made.theirs[0]
        token, _ = await made.token(workspace)
        head = f"POST /v1/workspaces/{workspace}/messages HTTP/1.1\nAuthorization: Bearer {token}"
        taken = await made.status(head, b"[" + b" " * 500_000 + b"]")
        held = [node.fair_limits.bodies.used for node in made.nodes]

    assert taken == 202
    assert held == [0, 0]
