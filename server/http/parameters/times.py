"""Times that a query or a body names: a point in time, an age, how long something stays."""

from aiohttp import web

from hookbundle.engine import durations, limits
from hookbundle.engine.errors import InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault, no_duration
from hookbundle.engine.messages.timestamps import rfc_3339
from hookbundle.server.http.routes import Query
from hookbundle.server.http.schemas.times import ms_of

FORMS = "a time (RFC 3339), or an age as `-2h`"


def time_query(name: str, meaning: str) -> Query:
    return Query(name=name, meaning=f"{meaning}: {FORMS}")


def time_of(request: web.Request, name: str, now_ms: int) -> int | None:
    """UTC milliseconds of the time; an age counts from `now_ms`; None without the parameter.

    Raises: InvalidInput.
    """
    return time_in(request.query.get(name), name, now_ms)


def time_in(text: str | None, path: str, now_ms: int) -> int | None:
    """As `time_of`, for a text of a query or of a body at that path."""
    if not text:
        return None
    if text.startswith("-"):
        try:
            return max(now_ms - durations.parse_ms(text[1:]), 1)
        except ValueError:
            pass
    at_ms = ms_of(text)
    if at_ms is None:
        raise InvalidInput((fault(path, FaultCode.NO_TIME_OR_AGE, got=quoted(text)),))
    return at_ms


def check_order(since_ms: int | None, until_ms: int | None) -> None:
    """Raises: InvalidInput if nothing can be in the time, because it ends before it begins."""
    if since_ms and until_ms and since_ms > until_ms:
        raise InvalidInput((fault("until", FaultCode.ENDS_BEFORE, since=rfc_3339(since_ms)),))


def parse_keep(text: str) -> int:
    """For how long a secret or a token that was rotated stays good. Raises: InvalidInput."""
    try:
        keep_ms = durations.parse_ms(text)
    except ValueError:
        raise InvalidInput((no_duration("keep", text),)) from None
    if keep_ms > limits.SECRET_KEPT_MS_MAX:
        most = f"{limits.SECRET_KEPT_MS_MAX // 86_400_000}d"
        raise InvalidInput((fault("keep", FaultCode.LASTS_TOO_LONG, got=quoted(text), most=most),))
    return keep_ms
