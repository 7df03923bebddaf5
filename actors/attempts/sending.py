"""The request of one attempt: signed, sent, and written down without its secrets."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from hookbundle.actors.outbound.client import GuardedClient, LimitHolder
from hookbundle.engine.delivery import signing
from hookbundle.engine.delivery.outcomes import (
    Delivered,
    HttpResult,
    Outcome,
    Response,
    outcome_name,
)
from hookbundle.engine.delivery.targets import sent_url
from hookbundle.engine.delivery.urls import (
    hidden,
    hidden_in_bytes,
    secrets_of,
    shown_url,
    without_beginning,
)
from hookbundle.engine.requests import fields
from hookbundle.engine.requests.hiding import headers_shown
from hookbundle.engine.requests.hiding import secrets_of as secrets_of_request
from hookbundle.engine.requests.request import PLAIN, Request
from hookbundle.storage.database.delivery_records import Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What one attempt sends. `headers`: the signature, which differs from attempt to attempt.

    `request`: with which method, further headers and credentials. `owner`, `webhook`: the numbers
    of the workspace and of the webhook. `at_ms`: when the attempt began.
    """

    url: str
    body: bytes
    headers: dict[str, str]
    request: Request
    owner: int
    webhook: int
    at_ms: int


def sending_of(
    *,
    url: str,
    body: bytes,
    request: Request,
    delivery_id: str,
    secrets: Sequence[str],
    owner: int,
    webhook: int,
    at_ms: int,
    wall_ms: int,
) -> Sending:
    """The request, signed as of `wall_ms`. `secrets`: newest first.

    Raises: ConfigError if a secret is malformed.
    """
    return Sending(
        url=url,
        body=body,
        headers=signing.sign(delivery_id, wall_ms // 1_000, body, secrets),
        request=request,
        owner=owner,
        webhook=webhook,
        at_ms=at_ms,
    )


async def send(
    client: GuardedClient,
    sending: Sending,
    holder: LimitHolder | None = None,
    *,
    once: bool = False,
) -> HttpResult:
    """What came of it, as `GuardedClient.post` says."""
    return await client.post(
        sending.url,
        sending.body,
        sending.headers,
        sending.owner,
        holder,
        once=once,
        request=sending.request,
        webhook=sending.webhook,
    )


def attempt_of(
    client: GuardedClient, sending: Sending, result: HttpResult, outcome: Outcome
) -> Attempt:
    """The request without its body, and its response, for the detailed log and the history.

    Without what the URL's query says, without values of headers and credentials, also where the
    receiver repeats them.
    """
    response = _shown(result, sending) if isinstance(result, Response) else None
    request = sending.request
    headers = {**client.headers, **sending.headers}
    if request is not PLAIN:
        headers = {**fields.without_accept(headers, request), **headers_shown(request)}
    return Attempt(
        at_ms=sending.at_ms,
        url=shown_url(sent_url(sending.url)),
        request_headers=tuple(headers.items()),
        outcome=outcome_name(outcome),
        status=response.status if response else 0,
        response_headers=response.headers if response else (),
        response_body=response.body if response else b"",
        truncated=response.truncated if response else False,
        error="" if isinstance(outcome, Delivered) else outcome.error,
        duration_ms=result.duration_ms,
        method=request.method,
    )


def without_secrets(sending: Sending, result: HttpResult, text: str) -> str:
    """What the receiver wrote, without the secrets of the request."""
    secrets = _secrets(sending, result.tokens if isinstance(result, Response) else ())
    return without_beginning(hidden(text, secrets), secrets)


def _secrets(sending: Sending, tokens: Sequence[str]) -> tuple[str, ...]:
    secrets = secrets_of(sending.url)
    if sending.request is PLAIN:
        return secrets
    own = secrets_of_request(sending.request, tokens)
    return tuple(sorted({*secrets, *own}, key=len, reverse=True))


def _shown(response: Response, sending: Sending) -> Response:
    secrets = _secrets(sending, response.tokens)
    if not secrets:
        return response
    return msgspec.structs.replace(
        response,
        headers=tuple(
            (name, without_beginning(hidden(value, secrets), secrets))
            for name, value in response.headers
        ),
        body=hidden_in_bytes(response.body, secrets, is_cut=response.truncated),
        tokens=(),
    )
