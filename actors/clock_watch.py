"""Watches the engine's time and the wall clock part, and records in the feed when they do."""

from dataclasses import dataclass
from typing import Protocol

import structlog

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.storage.daemon_facts import ClockHeld, ClockReleased, ClockStepped, Noted, type_of
from hookbundle.storage.transitions.notes import Note

CLOCK_STEP_MS = 1_000  # the smallest step of the wall clock that is recorded

log = structlog.get_logger(__name__)


class HeldClock(Clock, Protocol):
    """A clock that holds the timers while the wall clock is behind the last stored time."""

    def catch_up(self) -> bool: ...

    def drift_ms(self) -> int: ...


@dataclass(slots=True)
class ClockWatch:
    store: StoreQueue
    clock: HeldClock
    held: bool = False
    drift_ms: int = 0

    def check(self, now_ms: int) -> bool:
        """True if the timers are held now; a change of that, or a step of the clock, is noted."""
        held = not self.clock.catch_up()
        if held != self.held:
            self.held = held
            self._note(ClockHeld if held else ClockReleased, now_ms, 0)
        drift_ms = self.clock.drift_ms()
        if not held and abs(drift_ms - self.drift_ms) >= CLOCK_STEP_MS:
            self._note(ClockStepped, now_ms, drift_ms - self.drift_ms)
            self.drift_ms = drift_ms
        return held

    def _note(self, kind: type[Noted], now_ms: int, step_ms: int) -> None:
        log.warning(type_of(kind), step_ms=step_ms)
        self.store.submit(Note(kind(detail=f"{step_ms} ms"), now_ms), lambda _: None)
