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
from hookbundle.engine.delivery.urls import hidden, hidden_in_bytes, secrets_of, shown_url
from hookbundle.storage.database.delivery_records import Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What one attempt sends. `headers`: those that differ from attempt to attempt.

    `owner`: the number of the workspace. `at_ms`: when the attempt began.
    """

    url: str
    body: bytes
    headers: dict[str, str]
    owner: int
    at_ms: int


def sending_of(
    *,
    url: str,
    body: bytes,
    delivery_id: str,
    secrets: Sequence[str],
    owner: int,
    at_ms: int,
    wall_ms: int,
) -> Sending:
    """The request, signed as of `wall_ms`. `secrets`: newest first.

    Raises: ConfigError if a secret is malformed.
    """
    headers = signing.sign(delivery_id, wall_ms // 1_000, body, secrets)
    return Sending(url=url, body=body, headers=headers, owner=owner, at_ms=at_ms)


async def send(
    client: GuardedClient,
    sending: Sending,
    holder: LimitHolder | None = None,
    *,
    once: bool = False,
) -> HttpResult:
    """What came of it, as `GuardedClient.post` says."""
    return await client.post(
        sending.url, sending.body, sending.headers, sending.owner, holder, once=once
    )


def attempt_of(
    client: GuardedClient, sending: Sending, result: HttpResult, outcome: Outcome
) -> Attempt:
    """The request without its body, and its response, for the detailed log and the history.

    Without what the URL's query says, also where the receiver repeats it.
    """
    response = _shown(result, sending.url) if isinstance(result, Response) else None
    return Attempt(
        at_ms=sending.at_ms,
        url=shown_url(sent_url(sending.url)),
        request_headers=tuple({**client.headers, **sending.headers}.items()),
        outcome=outcome_name(outcome),
        status=response.status if response else 0,
        response_headers=response.headers if response else (),
        response_body=response.body if response else b"",
        truncated=response.truncated if response else False,
        error="" if isinstance(outcome, Delivered) else outcome.error,
        duration_ms=result.duration_ms,
    )


def _shown(response: Response, url: str) -> Response:
    secrets = secrets_of(url)
    if not secrets:
        return response
    return msgspec.structs.replace(
        response,
        headers=tuple((name, hidden(value, secrets)) for name, value in response.headers),
        body=hidden_in_bytes(response.body, secrets),
    )
