"""The process that renders, as the daemon has it: started, asked, ended.

It is started anew, and not forked: a copy of the daemon would have its memory, its files and its
secrets. It gets the daemon's path of modules as arguments, for it has no environment to find its
own; `-I` keeps it from looking anywhere else. It has a copy that works, in its group of processes.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from hookbundle.actors.rendering import frames
from hookbundle.actors.rendering.frames import Answer, Ended
from hookbundle.engine.formats.jobs import Job, Reading

BOOT = (
    "import sys; sys.path[:0] = sys.argv[4:]; "
    "from hookbundle.actors.rendering.process import main; main()"
)
START_S_MAX = 60.0  # an import takes half a second, on a machine that does much else many
END_S_MAX = 2.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a body may take. `wall_s`: after so long the process is taken for one that hangs; its
    processor's time is over long before, unless the machine gives it none. `niceness`: by how much
    the process lets others of the machine go first."""

    memory_bytes: int = 256 * 1024 * 1024
    processor_s: float = 1.0
    wall_s: float = 30.0
    niceness: int = 0


class NotStarted(Exception):
    """No process could be started."""


class Child:
    """One process. It has one job at a time: its caller waits for the answer before it asks again.

    `is_asked`: it has a job, all of it.
    """

    def __init__(self, process: Process, bounds: Bounds) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._bounds = process, bounds
        self._to, self._from = process.stdin, process.stdout
        self.is_asked = False

    @property
    def pid(self) -> int:
        return self._process.pid

    @classmethod
    async def started(cls, bounds: Bounds) -> "Child":
        """A process that has imported all it needs. Raises: NotStarted."""
        most = bounds.memory_bytes, bounds.processor_s, bounds.niceness
        arguments = (*map(str, most), *filter(None, sys.path))
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-c", BOOT, *arguments),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,  # an interrupt from a terminal is the daemon's to handle
                limit=frames.ANSWER_BYTES_MAX,
            )
        except OSError as exc:
            raise NotStarted(f"{exc.strerror}") from exc
        child = cls(process, bounds)
        try:
            async with asyncio.timeout(START_S_MAX):
                ready = await child._frame()
        except TimeoutError:
            ready = None
        except BaseException:
            await child.end()
            raise
        if ready != frames.READY:
            await child.end()
            raise NotStarted(f"it ended with {process.returncode} while it started")
        return child

    async def ask(self, job: Job | Reading) -> Answer | Ended:
        """What came of the job. After `Ended.UNKNOWN` the process is gone, else there is one."""
        try:
            async with asyncio.timeout(self._bounds.wall_s):
                self._to.write(frames.of_job(job))
                await self._to.drain()
                self.is_asked = True
                content = await self._frame()
        except TimeoutError:
            self.kill()
            content = None
        except ConnectionError:
            content = None
        except BaseException:  # nobody waits for the answer
            self.kill()
            await self.end()
            raise
        finally:
            self.is_asked = False
        if content is not None:
            try:
                return frames.answer_of(content)
            except msgspec.DecodeError:
                content = None
        await self.end()
        return Ended.UNKNOWN

    async def end(self) -> None:
        """The process is gone: by itself, if it is at its end already, else killed."""
        self._to.close()
        try:
            async with asyncio.timeout(END_S_MAX):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def kill(self) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _frame(self) -> bytes | None:
        """The next frame; None if the process has ended."""
        try:
            length = await self._from.readexactly(frames.LENGTH_BYTES)
            size = int.from_bytes(length, "big")
            return await self._from.readexactly(size) if size <= frames.ANSWER_BYTES_MAX else None
        except asyncio.IncompleteReadError:
            return None
