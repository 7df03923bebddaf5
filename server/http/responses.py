"""What a resource answers with: JSON, and the headers that every answer has."""

import msgspec
from aiohttp import web


def json_response(document: object, *, status: int = 200, etag: int | None = None) -> web.Response:
    response = web.Response(
        status=status, body=msgspec.json.encode(document), content_type="application/json"
    )
    if etag is not None:
        response.headers["ETag"] = f'"{etag}"'
    return response


def add_common_headers(response: web.StreamResponse) -> None:
    """The answer has the headers of every answer. A stream needs it before its first byte."""
    headers = response.headers
    headers["Server"] = "hookbundle"  # aiohttp's own gives versions away
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Cache-Control", "no-store")
