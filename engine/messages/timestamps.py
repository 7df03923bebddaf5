"""Timestamps of messages: parsed from the usual formats, written in the payload's."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache

from hookbundle.engine.errors import Fault, quoted
from hookbundle.engine.faults import SENTENCES, FaultCode, fault

EPOCH_MS_MAX = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z, the last one `datetime` knows
SECONDS_MAX = 10**11  # a larger number is milliseconds: those of 1973, or seconds of the year 5138
DIGITS_MAX = 40  # of a number: as many show that it is too large


class NoTime(ValueError):
    """The value is no time. `values` fill the sentence of `code`, which is the error's message."""

    def __init__(self, code: FaultCode, **values: str | int) -> None:
        super().__init__(SENTENCES[code].format(**values))
        self.code = code
        self.values = values


def parse_ms(value: str | int | float) -> int:
    """Milliseconds since 1970 from ISO 8601 with an offset, or from a number (or its digits).

    A number is epoch seconds up to SECONDS_MAX, and epoch milliseconds above.

    Raises: NoTime, which says what is wrong.
    """
    if isinstance(value, str):
        if not value.isascii() or not value.isdigit():
            return _from_iso(value)
        value = int(value.lstrip("0")[:DIGITS_MAX] or "0")
    if 0 <= value <= SECONDS_MAX:
        return round(value * 1_000)
    if SECONDS_MAX < value <= EPOCH_MS_MAX:
        return round(value)
    shown = f"{value}"[:DIGITS_MAX]
    raise NoTime(FaultCode.NO_EPOCH, value=shown, seconds_max=SECONDS_MAX, most=EPOCH_MS_MAX)


def faults_of(path: str, value: object) -> Iterator[Fault]:
    """The fault of what is to be a time; of another type: none."""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        try:
            parse_ms(value)
        except NoTime as exc:
            yield fault(path, exc.code, **exc.values)


@lru_cache(maxsize=4_096)  # the messages of one batch mostly share a few seconds
def format_utc(at_s: int) -> str:
    """`2021-02-24T16:25:29+0000`, as docs/payload.md has it; always UTC."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def utc(at_ms: int) -> datetime:
    """The time as an aware datetime."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC)


@lru_cache(maxsize=256)  # most events of one commit have the same time
def rfc_3339(at_ms: int) -> str:
    """`2021-02-24T16:25:29.000Z`, as times leave in answers and facts."""
    return utc(at_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def minute_of(formatted: str) -> str:
    """`2021-02-24 16:25` from a result of `format_utc`."""
    return f"{formatted[:10]} {formatted[11:16]}"


@lru_cache(maxsize=4_096)  # a raised error is not cached
def _from_iso(value: str) -> int:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise NoTime(FaultCode.NO_TIME, value=quoted(value)) from None
    if at.tzinfo is None:
        raise NoTime(FaultCode.NO_OFFSET, value=quoted(value))
    at_ms = round(at.timestamp() * 1_000)
    if not 0 <= at_ms <= EPOCH_MS_MAX:
        raise NoTime(FaultCode.TIME_OUT_OF_RANGE, value=quoted(value))
    return at_ms
