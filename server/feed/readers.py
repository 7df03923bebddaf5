"""The readers of a feed that are connected now: woken when there is news, ended with the feed."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Overloaded


class Reading(Protocol):
    """`transport`: what is cut off in the end; None if nobody's connection hangs on it."""

    transport: asyncio.WriteTransport | None

    def wake(self) -> None:
        """There is news, or the feed has ended."""


R = TypeVar("R", bound=Reading)


class Readers(Generic[R]):
    """`ended`: no reader may begin, and all have to stop. `unheard_s`: see FeedConfig."""

    def __init__(self, end_within_s: float, unheard_s: float) -> None:
        self.ended = False
        self._end_within_s = end_within_s
        self._unheard_s = unheard_s
        self._readings: set[R] = set()
        self._alone = asyncio.Event()

    @property
    def connected(self) -> list[R]:
        """Those at whose other end is a reader."""
        return [each for each in self._readings if each.transport is not None]

    def check(self) -> None:
        """Raises: Overloaded if the feed has ended."""
        if self.ended:
            raise Overloaded.of(Code.STOPPING)

    @contextmanager
    def reading(self, reading: R) -> Iterator[None]:
        if reading.transport is not None:
            _notice_silence(reading.transport, self._unheard_s)
        self._readings.add(reading)
        try:
            yield
        finally:
            self._readings.discard(reading)
            self._alone.set()

    def wake_all(self) -> None:
        for reading in self._readings:
            reading.wake()

    async def close(self) -> None:
        """Every reader has ended; one that took nothing in time was cut off."""
        self.ended = True
        self.wake_all()
        if not await self._emptied():
            for reading in self.connected:
                assert reading.transport is not None
                reading.transport.abort()
            await self._emptied()

    async def _emptied(self) -> bool:
        try:
            async with asyncio.timeout(self._end_within_s):
                while self._readings:
                    self._alone.clear()
                    await self._alone.wait()
        except TimeoutError:
            return False
        return True


def _notice_silence(transport: asyncio.WriteTransport, unheard_s: float) -> None:
    """A reader whose machine is gone is cut off soon after the first ping that it does not take."""
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(unheard_s * 1_000))
