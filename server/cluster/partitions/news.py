"""News of logs: who follows one reads on. That is less than to look who should own what."""

import asyncio
from collections.abc import Callable, Mapping

import structlog

from hookbundle.actors.replication.messages import ReadOn
from hookbundle.engine.errors import HookbundleError, in_words
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.partitions.hosting import PartitionHost

log = structlog.get_logger(__name__)


class News:
    """`unowned` is told of a partition whose log says, once it was read, that nobody has it."""

    def __init__(self, hosts: Mapping[int, PartitionHost], unowned: Callable[[int], None]) -> None:
        self._hosts = hosts
        self._unowned = unowned
        self._reading: dict[int, asyncio.Task[None]] = {}
        self._again: set[int] = set()
        self._is_closed = False

    def heard(self, number: int) -> None:
        """Something may have come into the log. What is heard during a reading is one more."""
        if self._is_closed or self._hosts[number].role.state.role is not Role.FOLLOWING:
            return
        if number in self._reading:
            self._again.add(number)
            return
        self._reading[number] = asyncio.create_task(self._read(number))

    def close(self) -> list[asyncio.Task[None]]:
        """Nothing more is heard; the tasks that are to end."""
        self._is_closed = True
        return list(self._reading.values())

    async def _read(self, number: int) -> None:
        role = self._hosts[number].role
        try:
            while True:
                self._again.discard(number)
                await role.actor_ref.ask(ReadOn(), block=False)
                if number not in self._again:
                    break
        except HookbundleError as exc:
            log.warning("log not read", partition=number, error=in_words(exc))
        except Exception as exc:
            log.error("log not read", partition=number, exc_info=exc)
        finally:
            del self._reading[number]
        if role.state.follower is not None and not role.state.owner_life:
            self._unowned(number)
