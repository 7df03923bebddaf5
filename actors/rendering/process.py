"""The process that renders: reads jobs from its standard input, writes what came of them.

It is started with nothing but its two pipes: no environment, no other file descriptor, and nobody
waits for more than its answers. Its limits are the kernel's. A job that takes too much of the
processor's time ends the process by a signal, wherever it is at that time; one that takes too much
memory ends it by an exit code. It ends with the daemon, which closes its input.
"""

import os
import resource
import signal
import sys
import time

from hookbundle.actors.rendering import frames
from hookbundle.actors.rendering.frames import Answer
from hookbundle.engine.formats.jobs import Job, Outcome, Unrenderable, Why
from hookbundle.engine.formats.rendering import rendered

FILES_MAX = 16  # of which rules of time zones are read
OOM_SCORE = "900"  # the kernel ends this process before the daemon


def main() -> None:
    memory_bytes_max, processor_s = int(sys.argv[1]), float(sys.argv[2])
    _confine(memory_bytes_max)
    _write(frames.framed(frames.READY))
    while (content := _next()) is not None:
        try:
            _write(frames.of_answer(_answered(frames.job_of(content), processor_s)))
        except MemoryError:
            os._exit(frames.EXIT_NO_MEMORY)


def _answered(job: Job, processor_s: float) -> Answer:
    began_ns = time.process_time_ns()
    signal.setitimer(signal.ITIMER_PROF, processor_s)  # its signal has no handler, so it ends us
    outcome, error = _rendered(job)
    signal.setitimer(signal.ITIMER_PROF, 0)
    return Answer(outcome, (time.process_time_ns() - began_ns) // 1_000, error)


def _rendered(job: Job) -> tuple[Outcome, str]:
    try:
        return rendered(job), ""
    except MemoryError:
        raise
    except Exception as exc:  # noqa: BLE001 - a fault of this program; one job must not end those of others
        why = "could not be rendered, by a fault of hookbundle; its log says more"
        return Unrenderable("", Why.FAILED, why), f"{type(exc).__name__} at {_place(exc)}"


def _place(exc: Exception) -> str:
    """Where the error was raised; its message may have a part of a text."""
    trace = exc.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"


def _confine(memory_bytes_max: int) -> None:
    """What the process may take, from here on for good."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the daemon stops it, when it has an answer
    for kind, most in (
        (resource.RLIMIT_AS, memory_bytes_max),
        (resource.RLIMIT_NOFILE, FILES_MAX),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:
            score.write(OOM_SCORE)
    except OSError:
        return  # a machine without /proc; nothing else depends on it


def _next() -> bytes | None:
    """The next job; None when the daemon has closed the pipe, or is gone."""
    length = _read(frames.LENGTH_BYTES)
    return None if length is None else _read(int.from_bytes(length, "big"))


def _read(count: int) -> bytes | None:
    content = sys.stdin.buffer.read(count)
    return content if len(content) == count else None


def _write(content: bytes) -> None:
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(0)  # the daemon is gone
