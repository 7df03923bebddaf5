"""Cursors: the place where a page ended, as text that means nothing to anybody but us."""

import base64
import binascii

from aiohttp import web

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, InvalidInput

POSITION_BYTES_MAX = limits.CHAT_ID_BYTES_MAX + limits.KEY_BYTES_BESIDE_CHAT_ID


def cursor_of(position: bytes | None) -> str | None:
    if position is None:
        return None
    return base64.urlsafe_b64encode(position).decode().rstrip("=")


def position_of(request: web.Request) -> bytes:
    """Where `?cursor=` points to; empty without one. Raises: InvalidInput."""
    cursor = request.query.get("cursor", "")
    try:
        position = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        position = None
    if position is None or len(position) > POSITION_BYTES_MAX:
        raise InvalidInput((Fault("cursor", "is unknown; take it from the last answer"),))
    return position
