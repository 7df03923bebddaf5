"""`hookbundle cluster compact --wait`, which may take longer than other commands."""

import asyncio
import json
from asyncio.subprocess import PIPE
from typing import Any

from hookbundle.tests.program import PROGRAM
from hookbundle.tests.reliability.cluster.nodes import NodeProcess

WITHIN_S = 300.0


async def compacted(node: NodeProcess, killed: str = "") -> dict[str, Any]:
    """The compaction that the node was asked for, once it is over; nothing was left out, but the
    copies of a node that was killed, if it was not back at the end."""
    words = (PROGRAM, "cluster", "compact", "--wait", "--json")
    process = await asyncio.create_subprocess_exec(
        *words, env=node.program.env, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(WITHIN_S):
        out, err = await process.communicate()
    found: dict[str, Any] = json.loads(out)
    may_be_left_out = [f"the copies of {killed}: it does not run"] if killed else []
    assert found["left_out"] in ([], may_be_left_out), (out, err)
    assert process.returncode == (1 if found["left_out"] else 0), (out, err)
    return found
