"""The hard end of a stop: a process that was told to stop ends, whatever hangs.

A stop has deadlines for what it waits for, but anything may hang that has none: a disk that does
not answer a sync, a thread that the interpreter waits for at its exit, a blocked event loop. The
data is safe at any moment, so the process may simply end, with what its threads did in the log.
"""

import os
import queue
import signal
import sys
import threading
import traceback
from pathlib import Path

import structlog

GRACE_S = 15.0  # after `stop.within`: for open requests (5 s), the last commits, closing the files
ALARM_AFTER_S = 3.0
FRAMES_MAX = 12

log = structlog.get_logger(__name__)


class HardEnd:
    """Ends the process when its time is over. Any thread may call it, also a signal handler.

    Its thread begins with it, because at the end there may be no memory left for another one.
    """

    def __init__(self) -> None:
        # Unlike other queues it may be used in a signal handler, whatever that interrupts.
        self._asked: queue.SimpleQueue[tuple[float, int]] = queue.SimpleQueue()
        threading.Thread(target=self._watch, name="hard end", daemon=True).start()

    def within(self, seconds: float, code: int) -> None:
        """The process ends with the code at the latest after so many seconds from now."""
        # A library that never gives the interpreter back stops this thread too, but not the
        # kernel's alarm, which ends the process by a signal.
        signal.setitimer(signal.ITIMER_REAL, seconds + ALARM_AFTER_S)
        self._asked.put((seconds, code))

    def _watch(self) -> None:
        seconds, code = self._asked.get()
        while True:
            try:
                seconds, code = self._asked.get(timeout=seconds)
            except queue.Empty:
                break
        try:
            _say(code)
        finally:
            os._exit(code)


def _say(code: int) -> None:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    threads = {
        names.get(ident, str(ident)): _places(traceback.extract_stack(frame))
        for ident, frame in sys._current_frames().items()
        if ident != threading.get_ident()
    }
    log.critical("the stop took too long, ending now", code=code, threads=threads)


def _places(stack: traceback.StackSummary) -> list[str]:
    """Innermost first."""
    shown = reversed(stack[-FRAMES_MAX:])
    return [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in shown]
