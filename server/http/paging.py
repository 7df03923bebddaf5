"""Cursors: the place where a page ended, as text that means nothing to anybody but us."""

import base64
import binascii

from aiohttp import web

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, InvalidInput

PLACE_BYTES_MAX = limits.CHAT_ID_BYTES_MAX + limits.KEY_BYTES_BESIDE_CHAT_ID


def cursor_of(place: bytes | None) -> str | None:
    if place is None:
        return None
    return base64.urlsafe_b64encode(place).decode().rstrip("=")


def place_of(request: web.Request) -> bytes:
    """Where `?cursor=` points to; empty without one. Raises: InvalidInput."""
    cursor = request.query.get("cursor", "")
    try:
        place = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        place = None
    if place is None or len(place) > PLACE_BYTES_MAX:
        raise InvalidInput((Fault("cursor", "is none of ours; take it from the last answer"),))
    return place
