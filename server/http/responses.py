"""What a resource answers with: JSON, and the headers that every answer has."""

import msgspec
from aiohttp import web


def etag_of(version: int) -> str:
    """The entity tag of what is at this version; see parameters/etags.py."""
    return f'"{version}"'


def json_response(
    document: object, *, status: int = 200, etag: int | None = None, location: str = ""
) -> web.Response:
    """`etag`: the version of what is shown. `location`: the path of what was made."""
    response = web.Response(
        status=status, body=msgspec.json.encode(document), content_type="application/json"
    )
    if etag is not None:
        response.headers["ETag"] = etag_of(etag)
    if location:
        response.headers["Location"] = location
    return response


def add_common_headers(response: web.StreamResponse) -> None:
    """The answer has the headers of every answer. A stream needs it before its first byte."""
    headers = response.headers
    headers["Server"] = "hookbundle"  # aiohttp's own gives versions away
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Cache-Control", "no-store")
