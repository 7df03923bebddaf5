"""A request goes out and its answer comes back; with an access token, where one is wanted."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

from hookbundle.actors.outbound.answer import Answer
from hookbundle.actors.outbound.connection import ReceiverConnection
from hookbundle.actors.outbound.connector import RequestProgress, WebhookConnector
from hookbundle.actors.outbound.errors import EndedError, NotHttpError, ProxyError
from hookbundle.actors.outbound.proxy import LOGIN, LOGIN_WANTED
from hookbundle.actors.outbound.request import Route, head_of
from hookbundle.actors.outbound.tokens import Tokens
from hookbundle.engine.delivery.outcomes import ErrorClass
from hookbundle.engine.requests import fields
from hookbundle.engine.requests.oauth import Token
from hookbundle.engine.requests.request import PLAIN, OAuth2, Request

UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Line:
    """Over which requests go out. `is_proxied`: answers may be those of the operator's proxy."""

    connector: WebhookConnector
    tokens: Tokens
    is_proxied: bool


async def call(
    line: Line,
    progress: RequestProgress,
    route: Route,
    headers: dict[str, str],
    body: bytes,
    request: Request = PLAIN,
) -> None:
    """The status is known, in `progress`.

    Raises: UnsendableError, NotHttpError, EndedError, ProxyError; what connecting raises.
    """
    if request is not PLAIN:
        headers = {**headers, **dict(request.headers)}
        held = fields.credentials(request)
        if held is not None:
            headers[held[0]] = held[1]
    await exchange(line.connector, progress, route, head_of(route, headers, body), body)
    # A receiver has no reason to ask for the credentials of a proxy.
    if line.is_proxied and not route.target.is_tls and _status(progress) == LOGIN_WANTED:
        progress.answer = None
        raise ProxyError(ErrorClass.PROXY, LOGIN)


async def call_with_token(
    line: Line,
    progress: RequestProgress,
    route: Route,
    headers: dict[str, str],
    body: bytes,
    request: Request,
    webhook: int,
    fetch: Callable[[OAuth2], Awaitable[Token]],
    *,
    once: bool,
) -> None:
    """The same; a 401 fetches a new token, and the request goes out a second time, if it may.

    Raises: TokenError; what `call` raises.
    """
    auth = request.auth
    assert isinstance(auth, OAuth2)
    refused = ""
    while True:
        progress.is_fetching = True
        token = await line.tokens.token(webhook, auth, fetch, refused)
        progress.is_fetching = False
        progress.tokens.append(token)
        name, value = fields.bearer(token)
        await call(line, progress, route, {**headers, name: value}, body, request)
        if _status(progress) != UNAUTHORIZED:
            return
        line.tokens.forget(webhook, token)
        if refused or once:
            return
        refused, progress.answer = token, None


async def exchange(
    connector: WebhookConnector,
    progress: RequestProgress,
    route: Route,
    head: bytes,
    body: bytes,
) -> None:
    """The status is known, in `progress`.

    A receiver may close a connection at rest just when a request leaves. So where a connection that
    was used before ends without one byte of an answer, the request goes out once more, over a new
    one. It may then have come twice, as every delivery may.

    Raises: NotHttpError, EndedError; what connecting raises.
    """
    while True:
        connection = await connector.connection(route)
        protocol = cast(ReceiverConnection, connection.protocol)
        was_used = protocol.uses > 0
        progress.answer = answer = Answer()
        progress.sent += 1
        try:
            await protocol.exchange(head, body, answer)
        finally:
            connector.give_back(route, connection)
        if answer.head is not None:
            return
        if not answer.is_http:
            raise NotHttpError
        if not was_used or answer.received_bytes:
            raise EndedError(protocol.ended_by)
        progress.wants_new = True


def _status(progress: RequestProgress) -> int:
    answer = progress.answer
    return answer.head.status if answer is not None and answer.head is not None else 0
