"""How long a webhook waits after an error, and which errors count as a definite rejection.

The 11th consecutive error disables a webhook. With these steps it comes about 16 hours after the
first, so that an outage of minutes never disables one.
"""

import calendar
import re
from dataclasses import dataclass
from email.utils import parsedate_tz

from hookbundle.engine.errors import ConfigError

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS

STEPS_MS = (
    5 * SECOND_MS,
    30 * SECOND_MS,
    2 * MINUTE_MS,
    5 * MINUTE_MS,
    15 * MINUTE_MS,
    30 * MINUTE_MS,
    1 * HOUR_MS,
    2 * HOUR_MS,
    4 * HOUR_MS,
    8 * HOUR_MS,
)
# A receiver may ask for a longer wait, but not stop its own queue for a week.
RETRY_AFTER_HONOURED_MS_MAX = 1 * HOUR_MS
# The most that parse_retry_after returns; it keeps a hostile number a small integer.
RETRY_AFTER_MS_MAX = 365 * 24 * HOUR_MS
RETRY_AFTER_CHARS_MAX = 64

# Client errors that say "not now" rather than "never": RFC 9110 15.5.9 (request timeout),
# RFC 8470 5.2 (too early), RFC 6585 4 (too many requests).
NOT_NOW = frozenset({408, 425, 429})

DELTA_SECONDS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class BackoffPolicy:
    """When the next attempt is, and when there is none.

    More than `errors_max` consecutive errors disable the webhook; `rejections_max` rejections make
    a delivery a dead letter.
    """

    steps_ms: tuple[int, ...] = STEPS_MS
    errors_max: int = 10
    rejections_max: int = 3
    jitter: float = 0.1

    def __post_init__(self) -> None:
        if not self.steps_ms or min(self.steps_ms) <= 0:
            raise ConfigError("delivery.backoff: must have at least one step, each longer than 0")
        if self.errors_max < 1 or self.rejections_max < 1:
            raise ConfigError("delivery.backoff: errors_max and rejections_max must be at least 1")
        if not 0 <= self.jitter < 1:
            raise ConfigError(f"delivery.backoff: jitter must be in [0, 1); got {self.jitter}")


def wait_ms(
    policy: BackoffPolicy,
    consecutive_errors: int,
    spread: float,
    retry_after_ms: int | None,
) -> int:
    """The wait until the next attempt; `spread` in [-1, 1] selects a point within the jitter.

    A Retry-After neither shortens the step nor stretches it past an hour (or past the step
    itself, if that is longer).
    """
    assert consecutive_errors >= 1, "without an error there is nothing to wait for"
    assert -1 <= spread <= 1, f"spread {spread} is not in [-1, 1]"
    nominal_ms = policy.steps_ms[min(consecutive_errors, len(policy.steps_ms)) - 1]
    step_ms = max(1, round(nominal_ms * (1 + policy.jitter * spread)))
    if retry_after_ms is None:
        return step_ms
    return max(step_ms, min(retry_after_ms, RETRY_AFTER_HONOURED_MS_MAX))


def parse_retry_after(value: str, now_s: int) -> int | None:
    """The wait that a Retry-After header asks for, None if it is malformed (RFC 9110 10.2.3).

    Both forms are read, seconds and an HTTP date; a date that has passed asks for 0.
    """
    text = value.strip()
    if len(text) > RETRY_AFTER_CHARS_MAX or not text.isascii():
        return None
    if DELTA_SECONDS.fullmatch(text):
        return min(int(text) * SECOND_MS, RETRY_AFTER_MS_MAX)
    at_s = _http_date_s(text)
    if at_s is None:
        return None
    return min(max(0, at_s - now_s) * SECOND_MS, RETRY_AFTER_MS_MAX)


def is_definite_rejection(status: int) -> bool:
    """True if the status says that the receiver will never accept this delivery as it is."""
    return 400 <= status <= 499 and status not in NOT_NOW


def _http_date_s(text: str) -> int | None:
    # The library's parser is lenient, and raises some overflows, hence the list of exceptions.
    try:
        parts = parsedate_tz(text)
        if parts is None:
            return None
        return calendar.timegm(parts[:9]) - (parts[9] or 0)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
