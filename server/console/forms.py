"""A form that a page of the console posts: bounded bytes, UTF-8, and a bounded number of fields.

Whatever charset its sender names, a form of our pages is UTF-8. It is read by ourselves, because
the sign-in's may come from anybody.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import BadRequest
from hookbundle.server.http.bodies import body_bytes
from hookbundle.server.http.requests import media_of

Form = Mapping[str, str]

FORM_BYTES_MAX = 64 * 1024
UNKNOWN_BYTES_MAX = 16 * 1024  # the form of the sign-in
FIELDS_MAX = 100
KEEPS = ("24h", "1h", "0s")  # for which a former secret or address may stay good


async def read_form(request: web.Request, *, is_known: bool) -> Form:
    """The fields; of two with one name, the last. `is_known`: its sender has a session.

    Raises: HookbundleError, BadRequest if it is no such form.
    """
    if media_of(request) != "application/x-www-form-urlencoded":
        raise BadRequest.of(Code.NOT_A_FORM)
    if "Content-Encoding" in request.headers:
        raise BadRequest.of(Code.NOT_A_FORM)
    body = await body_bytes(request, FORM_BYTES_MAX if is_known else UNKNOWN_BYTES_MAX)
    try:
        fields = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX
        )
    except ValueError:  # of the bytes as they are, or of those that %XX stand for
        raise BadRequest.of(Code.FORM_GARBLED, most=FIELDS_MAX) from None
    return dict(fields)
