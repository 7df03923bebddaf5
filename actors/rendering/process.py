"""The process that renders: reads jobs from its standard input, writes what came of them.

It is started with nothing but its two pipes: no environment, no other file descriptor, and nobody
waits for more than its answers. It imports what it needs and then works by a copy of itself, which
has the pipes too. The copy's limits are the kernel's. A job that takes too much of the processor's
time ends the copy by a signal, wherever it is at that time; one that takes too much memory ends it
by an exit code. Then the next copy is there within milliseconds, and the original, which has one
thread and nothing else to do, says what became of the job. A copy that ends by anything else may
have written a part of an answer, so the original ends with it. Both end with the daemon, which
closes their input.
"""

import gc
import os
import resource
import signal
import sys
import time
from typing import NoReturn

import msgspec

from hookbundle.actors.rendering import frames
from hookbundle.actors.rendering.frames import Answer, Ended
from hookbundle.engine.formats import documents
from hookbundle.engine.formats.jobs import (
    BundleFacts,
    Job,
    Outcome,
    Read,
    Reading,
    Unrenderable,
    Why,
)
from hookbundle.engine.formats.presets import presets
from hookbundle.engine.formats.rendering import rendered

FILES_MAX = 16  # of which rules of time zones are read
OOM_SCORE = "900"  # the kernel ends this process before the daemon


SAMPLE = (
    b'{"whatsapp_account":{"full_name":"","email":"","phone":""},"chat":{"full_name":"a",'
    b'"responsible_name":"","responsible_email":"","chat_url":"","chat_id":"1@c.us",'
    b'"is_new_chat":false,"is_group":false,"phone":"+1"},"messages":[{"direction":"received",'
    b'"timestamp":"2021-02-24T16:25:00+0000","message_id":"1","sender":{"full_name":"a","phone":""},'
    b'"recipient":{"full_name":"","phone":""},"text":"a"}],"first_message_timestamp":'
    b'"2021-02-24T16:25:00+0000","last_message_timestamp":"2021-02-24T16:25:00+0000",'
    b'"aggregation":"a"}'
)
EXIT_NO_MEMORY = 3  # the copy could not get what a job wanted
ENDS = {-signal.SIGPROF: Ended.TIME, EXIT_NO_MEMORY: Ended.MEMORY}


def main() -> None:
    memory_bytes_max, processor_s, niceness = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    _confine(memory_bytes_max, niceness)
    _warm_up()
    gc.freeze()  # a copy that collects garbage leaves what it shares as it is
    told = frames.framed(frames.READY)
    while True:
        copy = os.fork()
        if copy == 0:
            _work(processor_s)
        _write(told)  # not before there is a copy: a machine without room for one is nobody's fault
        ended = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
        if ended not in ENDS:
            sys.exit(ended != 0)
        told = frames.of_answer(ENDS[ended])


def _warm_up() -> None:
    """Reads what first bodies need, ten times as much work as the body, before there is a copy."""
    for name in presets():
        rendered(Job(format=msgspec.json.encode(name), body=SAMPLE, bundle=BundleFacts("sample")))


def _work(processor_s: float) -> NoReturn:
    """Answers one job after the other, until the daemon has none any more."""
    code = 1
    try:
        while (content := _next()) is not None:
            _write(frames.of_answer(_answered(frames.job_of(content), processor_s)))
        code = 0
    except MemoryError:
        code = EXIT_NO_MEMORY
    finally:
        os._exit(code)


def _answered(job: Job | Reading, processor_s: float) -> Answer:
    began_ns = time.process_time_ns()
    signal.setitimer(signal.ITIMER_PROF, processor_s)  # its signal has no handler, so it ends us
    outcome, error = _done(job)
    signal.setitimer(signal.ITIMER_PROF, 0)
    return Answer(outcome, (time.process_time_ns() - began_ns) // 1_000, error)


def _done(job: Job | Reading) -> tuple[Outcome | Read, str]:
    try:
        if isinstance(job, Reading):
            return Read(tuple(documents.read_as_asked(job)[1])), ""
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


def _confine(memory_bytes_max: int, niceness: int) -> None:
    """What the process may take, from here on for good, and its copies too."""
    os.nice(niceness)
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
