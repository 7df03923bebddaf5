"""What another node is sent of a request, and what it may send back."""

from pathlib import Path

from hookbundle.server.cluster.asked import Answered, Asked
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
        taken = await made.status(f"{head}\nX-Own: 1\nhb-partition: 0", b"[]")

    assert taken == 202
    (passed_on,) = [each for each in seen if each.method == "POST"]
    assert passed_on.caller is not None
    assert ("X-Own", "1") in passed_on.headers
    named = [value for name, value in passed_on.headers if name.lower() == "hb-partition"]
    assert named == [str(of_workspace(workspace, PARTITIONS))]
    assert token not in repr(seen)
