"""Counts the failures of actors, and quarantines those that fail too often.

A failure costs an actor its memory, not its data, so the remedy is to activate it again. If it
then fails again and again (a message it can't handle, a record it can't read), activating it once
more only wastes time: after more than `failures_max` failures within `period_ms` it is not
activated for `quarantine_ms`. No timer is needed for that; every call passes the time.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import ActorFailed, HookbundleError, Quarantined, in_words

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartIntensity:
    failures_max: int
    period_ms: int
    quarantine_ms: int

    def __post_init__(self) -> None:
        assert self.failures_max >= 0, f"failures_max: {self.failures_max}, want 0 or more"
        assert self.period_ms > 0, f"period_ms: {self.period_ms}, want more than 0"
        assert self.quarantine_ms > 0, f"quarantine_ms: {self.quarantine_ms}, want more than 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine(Generic[K]):
    key: K
    until_ms: int
    last_error: Exception


class Supervisor(Generic[K]):
    """Counts the failures of each key. `name` is the kind of actor, for error messages."""

    def __init__(self, *, name: str, intensity: RestartIntensity) -> None:
        self._name = name
        self._intensity = intensity
        # Both oldest first, so that expired entries can be dropped from the front.
        self._failures: OrderedDict[K, deque[int]] = OrderedDict()
        self._quarantines: OrderedDict[K, Quarantine[K]] = OrderedDict()

    def failed(self, key: K, error: Exception, now_ms: int) -> bool:
        """The failure is counted; True if a quarantine begins with it."""
        failures = self._failures.setdefault(key, deque())
        self._failures.move_to_end(key)
        failures.append(now_ms)
        while failures[0] <= now_ms - self._intensity.period_ms:
            failures.popleft()
        self._drop_expired(now_ms)
        if len(failures) <= self._intensity.failures_max:
            return False
        del self._failures[key]
        until_ms = now_ms + self._intensity.quarantine_ms
        self._quarantines[key] = Quarantine(key=key, until_ms=until_ms, last_error=error)
        self._quarantines.move_to_end(key)
        return True

    def refusal(self, key: K, now_ms: int) -> Quarantined | None:
        """None if the key may be activated now, else the error for its messages."""
        quarantine = self._quarantines.get(key)
        if quarantine is None:
            return None
        if quarantine.until_ms <= now_ms:
            del self._quarantines[key]
            return None
        return Quarantined.of(
            Code.QUARANTINED,
            actor=f"{self._name} {key}",
            until_ms=quarantine.until_ms,
            error=in_words(quarantine.last_error),
        )

    def quarantined(self, now_ms: int) -> list[Quarantine[K]]:
        """The keys in quarantine, the longest one first."""
        self._drop_expired(now_ms)
        return list(self._quarantines.values())

    def release(self, key: K) -> bool:
        """The key's failures are forgotten; True if it was in quarantine."""
        self._failures.pop(key, None)
        return self._quarantines.pop(key, None) is not None

    def verdict(self, key: K, error: Exception) -> HookbundleError:
        """The error for the sender of the message that failed."""
        if isinstance(error, HookbundleError):
            return error
        failed = ActorFailed.of(
            Code.ACTOR_FAILED, actor=f"{self._name} {key}", error=in_words(error)
        )
        failed.__cause__ = error
        return failed

    def _drop_expired(self, now_ms: int) -> None:
        while self._failures:
            key, failures = next(iter(self._failures.items()))
            if failures[-1] > now_ms - self._intensity.period_ms:
                break
            del self._failures[key]
        while self._quarantines:
            key, quarantine = next(iter(self._quarantines.items()))
            if quarantine.until_ms > now_ms:
                break
            del self._quarantines[key]
