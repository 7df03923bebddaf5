"""What a caller says of a source, checked: its condition, its name."""

from aiohttp import web

from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages import directions
from hookbundle.engine.preconditions import Precondition, matches
from hookbundle.server.http.parameters.etags import precondition_of
from hookbundle.server.http.responses import etag_of
from hookbundle.storage.database.sources.records import Source
from hookbundle.storage.transitions.sources import lifetime


def unchanged(request: web.Request, source: Source) -> web.Response | None:
    """The answer 304 if the caller has what he asks for; else None. Raises: Changed."""
    wanted = precondition_of(request)
    if wanted is None:
        return None
    lifetime.check(Precondition(if_match=wanted.if_match), source, request.match_info["ws"])
    if wanted.if_none_match is None or not matches(wanted.if_none_match, source.version):
        return None
    return web.Response(status=304, headers={"ETag": etag_of(source.version)})


def name_of(text: str) -> str:
    """Raises: InvalidInput if it would break a list of sources."""
    name = text.strip()
    if not directions.is_one_line(name):
        raise InvalidInput((fault("name", FaultCode.NOT_ONE_LINE),))
    return name
