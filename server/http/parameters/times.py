"""Times that a query names: a point in time, or an age."""

from aiohttp import web

from hookbundle.engine import durations
from hookbundle.engine.errors import InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.server.http.routes import Query
from hookbundle.server.http.schemas.times import ms_of

FORMS = "a time (RFC 3339), or an age as `-2h`"


def time_query(name: str, meaning: str) -> Query:
    return Query(name=name, meaning=f"{meaning}: {FORMS}")


def time_of(request: web.Request, name: str, now_ms: int) -> int | None:
    """UTC milliseconds of the time; an age counts from `now_ms`; None without the parameter.

    Raises: InvalidInput.
    """
    text = request.query.get(name)
    if not text:
        return None
    if text.startswith("-"):
        try:
            return max(now_ms - durations.parse_ms(text[1:]), 1)
        except ValueError:
            pass
    at_ms = ms_of(text)
    if at_ms is None:
        raise InvalidInput((fault(name, FaultCode.NO_TIME_OR_AGE, got=quoted(text)),))
    return at_ms
