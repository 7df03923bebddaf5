"""The headers If-Match and If-None-Match (RFC 9110, 13.1), and the ETag of a version.

The tag of a workspace is its version, which every change of its settings raises, and switching its
webhook on or off: `"7"`. What it counts, and how far its sending is, has no part in it.
"""

import re

from aiohttp import web

from hookbundle.engine.errors import Fault, InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.preconditions import Precondition, Tags, Versions, check, matches
from hookbundle.server.http.requests import VERSION_MAX, lines_of, number_of
from hookbundle.server.http.responses import etag_of
from hookbundle.server.http.routes import Query

IF_MATCH = Query(
    name="If-Match",
    meaning="entity tags, or `*`: only if one is the present one (412); a weak one never is",
)
IF_NONE_MATCH = Query(
    name="If-None-Match",
    meaning="entity tags, or `*`: only if none is the present one; with GET else 304",
)

TAGS_MAX = 64
CHARS_MAX = 4_096
# Commas and blanks, and then a tag, behind which a comma or the end comes: RFC 9110, 5.6.1, 8.8.3.
NEXT = re.compile(r"[ \t,]*(?:(W/)?\"([!#-~\x80-\U0010ffff]*)\"[ \t]*(?=,|\Z))?")


def precondition_of(request: web.Request) -> Precondition | None:
    """What the two headers ask for; None without them. Raises: InvalidInput."""
    if_match = _versions_of(request, "If-Match", weak=False)
    if_none_match = _versions_of(request, "If-None-Match", weak=True)
    if if_match is None and if_none_match is None:
        return None
    return Precondition(if_match, if_none_match)


def unchanged_of(
    request: web.Request,
    version: int,
    workspace_id: str,
    webhook_id: str = "",
    source_id: str = "",
) -> web.Response | None:
    """The answer 304 if the caller has what he asks for, which is at this version; else None.

    Raises: InvalidInput; Changed if If-Match does not hold.
    """
    wanted = precondition_of(request)
    if wanted is None:
        return None
    if_match = Precondition(if_match=wanted.if_match)
    check(if_match, version, workspace_id, webhook_id, source_id)
    if wanted.if_none_match is None or not matches(wanted.if_none_match, version):
        return None
    return web.Response(status=304, headers={"ETag": etag_of(version)})


def _versions_of(request: web.Request, name: str, *, weak: bool) -> Versions | None:
    """The versions whose tags the header names, `weak` ones too; None without the header."""
    text = lines_of(request, name)
    if text is None:
        return None
    if text.strip() == "*":
        return Tags.ANY
    if len(text) > CHARS_MAX:
        raise InvalidInput((fault(name, FaultCode.TOO_MANY_TAGS, most=TAGS_MAX),))
    tags = _tags_of(text)
    if not tags:
        raise InvalidInput((_malformed(name, text),))
    if len(tags) > TAGS_MAX:
        raise InvalidInput((fault(name, FaultCode.TOO_MANY_TAGS, most=TAGS_MAX),))
    return tuple(
        version
        for is_weak, opaque in tags
        if (weak or not is_weak)
        and (version := number_of(opaque, VERSION_MAX)) is not None
        and str(version) == opaque  # tags are compared as they are: "07" is not "7"
    )


def _tags_of(text: str) -> list[tuple[bool, str]]:
    """Each tag, and whether it is weak; none if the text is no list of tags."""
    found: list[tuple[bool, str]] = []
    position = 0
    while position < len(text):
        match = NEXT.match(text, position)
        if match is None or match[2] is None:
            return found if match and match.end() == len(text) else []
        found.append((match[1] is not None, match[2]))
        position = match.end()
    return found


def _malformed(name: str, text: str) -> Fault:
    return fault(name, FaultCode.NOT_ENTITY_TAGS, got=quoted(text))
