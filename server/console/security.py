"""What a browser is told it may do here, and what a request must bring to change anything.

Three fences stand before a change, each enough by itself against a page of somebody else: the
session's cookie is `SameSite=Strict`; the request's origin must be ours; and the form must bring
back the session's own token. A foreign name pointed at this machine (DNS rebinding) does not get
so far: the connection guard refuses it.
"""

import hmac
import secrets
from urllib.parse import urlsplit

from aiohttp import web

from hookbundle.server.http.requests import header_of

SESSION = "hookbundle_session"
VISITOR = "hookbundle_visitor"
LANGUAGE = "hookbundle_language"
PATH = "/console/"
FORM_FIELD = "form_token"
LANGUAGE_S = 365 * 86_400

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    # With `no-referrer` browsers send `Origin: null` with our own forms, and we could not check it.
    "Referrer-Policy": "same-origin",
}


class Origins:
    """The origins of our own pages: the one that was asked, and the one of `console.url`."""

    def __init__(self, public_url: str) -> None:
        parts = urlsplit(public_url)
        self._public = f"{parts.scheme}://{parts.netloc.lower()}" if parts.netloc else ""
        self.secure = parts.scheme == "https"

    def is_own(self, request: web.Request) -> bool:
        """Whether a request that wants to change something comes from a page of this console."""
        if header_of(request, "Sec-Fetch-Site", "same-origin") != "same-origin":
            return False
        origin = header_of(request, "Origin")
        if not origin:
            return True  # no browser: it has no cookie by accident, and still needs the form token
        host = header_of(request, "Host")
        return origin in (f"http://{host}", f"https://{host}", self._public)


def new_token() -> str:
    return secrets.token_urlsafe(32)


def is_same(given: str | None, wanted: str) -> bool:
    """Whether the form brought back what it was given; says nothing by its time."""
    return given is not None and hmac.compare_digest(given.encode(), wanted.encode())


def set_cookie(response: web.StreamResponse, name: str, value: str, *, secure: bool) -> None:
    response.set_cookie(
        name, value, path=PATH, httponly=True, samesite="Strict", secure=secure or None
    )


def drop_cookie(response: web.StreamResponse, name: str) -> None:
    response.del_cookie(name, path=PATH)


def local_path(text: str) -> str:
    """The path if it leads back into the console, else the console's start."""
    parts = urlsplit(text)
    plain = not parts.scheme and not parts.netloc and "\\" not in text and text.isprintable()
    return text if plain and text.startswith(PATH) else PATH
