"""Who is calling, and what they may do.

On the Unix socket the file's permissions have decided: a client that can connect is the operator.
On TCP a bearer token is required from the first start on; it has a scope, and may be good for one
workspace only. A token is found by its SHA-256, so neither the answer nor its time says how near a
guess was.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from weakref import WeakKeyDictionary

from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotAllowed
from hookbundle.engine.messages.timestamps import rfc_3339
from hookbundle.server.http.callers.token_check import TokenCheck
from hookbundle.server.http.connection_guard import guarded_connection_of
from hookbundle.server.http.problems import ERRORS_PATH, SOURCES_PATH, answer_for, problem
from hookbundle.storage.database.settings import Token
from hookbundle.storage.transitions.tokens import digest_of

CONTRACT_PATH = "/openapi.json"
REFERENCE_PATH = "/docs"
OPEN_PATHS = frozenset({"/healthz", "/readyz", CONTRACT_PATH, REFERENCE_PATH, ERRORS_PATH})
METRICS_PATH = "/metrics"
INTAKE_ROUTE = "/v1/workspaces/{ws}/messages"
REALM = 'Bearer realm="hookbundle"'
TOKEN_CHARS_MAX = 256
PEER = struct.Struct("3i")  # struct ucred: pid, uid, gid; see unix(7)


@dataclass(frozen=True, slots=True)
class Caller:
    """`workspace_id` empty: all workspaces."""

    name: str
    scope: Literal["intake", "admin"]
    workspace_id: str = ""


NOBODY = Caller("nobody", "intake")
CALLER = web.RequestKey("caller", Caller)


def caller_of(request: web.Request) -> str:
    """The caller's name, for the record of what was changed by whom."""
    caller: Caller = request.get(CALLER, NOBODY)
    return caller.name


def is_on_socket(request: web.Request) -> bool:
    """Whether the request came over the Unix socket, whose callers are the machine's operators."""
    return _on_socket(request) is not None


def refusal(
    request: web.Request, tokens: TokenCheck, open_paths: frozenset[str]
) -> web.Response | None:
    """The answer to a request that its caller may not make; None for all others, whose caller is
    known from now on."""
    if request.path in open_paths or _has_its_own(request):
        return None
    caller = on_socket = _on_socket(request)
    if caller is None:
        token = _token_of(request, tokens)
        if token is None:
            return _unauthenticated(problem(Code.NO_TOKEN), REALM)
        if tokens.is_expired(token):
            ended = problem(Code.TOKEN_EXPIRED, token=token.id, at=rfc_3339(token.expires_ms))
            challenge = f'{REALM}, error="invalid_token", error_description="the token expired"'
            return _unauthenticated(ended, challenge)
        caller = Caller(token.id, token.scope, token.workspace_id)
    why_not = forbidden(caller, request)
    if why_not is not None:
        return answer_for(why_not)
    if on_socket is None:
        let_in(request, caller)
    else:
        request[CALLER] = caller  # no guard counts the connections of operators
    return None


def _unauthenticated(answer: web.Response, challenge: str) -> web.Response:
    answer.headers["WWW-Authenticate"] = challenge
    return answer


def let_in(request: web.Request, caller: Caller) -> None:
    """The caller is known: of this request, and of the connection that it came on.

    Raises: TooManyRequests, Overloaded if the caller may have no connection more.
    """
    request[CALLER] = caller
    connection = guarded_connection_of(request)
    if connection is not None:
        connection.belong_to(caller.workspace_id)


def forbidden(caller: Caller, request: web.Request) -> NotAllowed | None:
    """Why the caller's scope or workspace does not cover the request; None if they do."""
    own = caller.workspace_id
    if caller.scope == "admin" and not own:
        return None
    resource = request.match_info.route.resource
    if caller.scope != "admin" and (resource is None or resource.canonical != INTAKE_ROUTE):
        return NotAllowed.of(Code.INTAKE_TOKEN)
    workspace_id = request.match_info.get("ws")
    if own and workspace_id is None:
        return NotAllowed.of(Code.OPERATORS_ONLY, own=own)
    if own and workspace_id != own:
        return NotAllowed.of(Code.TOKEN_OF_WORKSPACE, own=own)
    return None


def needs_no_token(request: web.Request) -> bool:
    """Whether nobody looks at the bearer token that the request may have."""
    return request.path in OPEN_PATHS or _has_its_own(request)


def _has_its_own(request: web.Request) -> bool:
    """Whether it is let in elsewhere. Pages in a browser have sessions (console/visits.py), and
    the path of a source has a token of it (resources/sources/intake.py)."""
    path = request.path
    if path[1:8] not in ("", "console", "v1/sour"):  # nearly none is; the rest asks more calls
        return False
    if path.startswith(SOURCES_PATH):
        return True
    resource = request.match_info.route.resource
    path = resource.canonical if resource else ""
    return path in ("/", "/console") or path.startswith("/console/")


def _on_socket(request: web.Request) -> Caller | None:
    transport = request.transport
    return None if transport is None else operator_at(transport)


def operator_at(transport: asyncio.Transport) -> Caller | None:
    """The operator at the other end of a Unix socket; None for any other connection."""
    caller = _peers.get(transport, NOBODY)
    if caller is NOBODY:
        caller = _peers[transport] = _peer(transport)
    return caller


# Who is at the other end of a connection never changes, and asking the kernel costs 3 % of a
# small request.
_peers: WeakKeyDictionary[asyncio.Transport, Caller | None] = WeakKeyDictionary()


def _peer(transport: asyncio.Transport) -> Caller | None:
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family != socket.AF_UNIX:
        return None
    _, uid, _ = PEER.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
    return Caller(f"uid {uid}", "admin")


def still_good(request: web.Request, tokens: TokenCheck) -> Callable[[], bool]:
    """Whether the caller, who was let in, would be let in now: what a long answer has to ask."""
    if is_on_socket(request):
        return lambda: True
    digest = digest_of(_bearer_of(request))
    return lambda: tokens.good(digest) is not None


def is_token(text: str) -> bool:
    """Whether it is worth a look: a token is short, and a header's odd bytes are no text."""
    return bool(text) and text.isascii() and len(text) <= TOKEN_CHARS_MAX


def _token_of(request: web.Request, tokens: TokenCheck) -> Token | None:
    """The token that the request bears, which may have expired; None for what is no token."""
    token = _bearer_of(request)
    return tokens.find(digest_of(token)) if token else None


def _bearer_of(request: web.Request) -> str:
    """The text of the token that the request bears; empty for what is no token."""
    return bearer_in(request.headers.get("Authorization", ""))


def bearer_in(authorization: str) -> str:
    """The text of the token that an Authorization header has; empty for what is no token."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" and is_token(token) else ""
