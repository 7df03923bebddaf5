"""`hookbundle cluster compact --wait`, which may take longer than other commands."""

import asyncio
import json
from asyncio.subprocess import PIPE
from typing import Any

from hookbundle.tests.program import PROGRAM
from hookbundle.tests.reliability.cluster.nodes import NodeProcess

WITHIN_S = 300.0


async def compacted(node: NodeProcess) -> dict[str, Any]:
    """The compaction that the node was asked for, once it is over; nothing was left out."""
    words = (PROGRAM, "cluster", "compact", "--wait", "--json")
    process = await asyncio.create_subprocess_exec(
        *words, env=node.program.env, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(WITHIN_S):
        out, err = await process.communicate()
    assert process.returncode == 0, (out, err)
    found: dict[str, Any] = json.loads(out)
    return found
