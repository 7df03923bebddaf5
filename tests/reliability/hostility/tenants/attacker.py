"""The process of the hostile: prepares a scenario, attacks when told, says what it was answered.

python -m hookbundle.tests.reliability.hostility.tenants.attacker NAME SCALE
"""

import asyncio
import os
import sys
import time
import traceback
from contextlib import AsyncExitStack

from hookbundle.tests.reliability.hostility.tenants import speech
from hookbundle.tests.reliability.hostility.tenants.table import BY_NAME
from hookbundle.tests.reliability.hostility.tenants.town import Scenario, Town, town_at

# The hostile have machines of their own. Here they share two processors with the daemon, and should
# not be what keeps it from them.
NICENESS = 10


async def attack(scenario: Scenario, town: Town) -> None:
    """Raises: what it fails with, so that an attack of nothing is not taken for one."""
    await scenario.attack(town)
    town.begun.set()


async def main(name: str, scale: float) -> None:
    os.nice(NICENESS - os.nice(0))
    scenario = BY_NAME[name]()
    town: Town | None = None
    task: asyncio.Task[None] | None = None
    cpu_s = 0.0
    async with AsyncExitStack() as peers:
        speech.say(settings={**scenario.settings, **await scenario.open(peers)})
        async for wanted in speech.commands():
            match wanted:
                case {"do": "prepare", "address": [host, port], "socket": path}:
                    town = await peers.enter_async_context(
                        town_at((host, port), path, peers, scale)
                    )
                    await scenario.prepare(town)
                    speech.say(done=True)
                case {"do": "attack"}:
                    assert town is not None
                    cpu_s = time.process_time()
                    task = asyncio.create_task(attack(scenario, town))
                    begun = asyncio.create_task(town.begun.wait())
                    await asyncio.wait((task, begun), return_when=asyncio.FIRST_COMPLETED)
                    begun.cancel()
                    if task.done():
                        task.result()
                    speech.say(done=True)
                case {"do": "answers"}:
                    assert town is not None
                    speech.say(answers=town.answers)
                case {"do": "stop"}:
                    assert town is not None
                    assert task is not None
                    over = task.done()
                    task.cancel()
                    for result in await asyncio.gather(task, return_exceptions=True):
                        if isinstance(result, Exception):
                            raise result
                    spent_s = time.process_time() - cpu_s
                    speech.say(over=over, answers=town.answers, cpu_s=spent_s)


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1], float(sys.argv[2])))
    except Exception:  # noqa: BLE001 - the parent shall read it
        speech.say(failed=traceback.format_exc())
