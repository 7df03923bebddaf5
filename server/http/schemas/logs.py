"""The activity log and the detailed log, as the API shows them."""

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.engine.delivery.answers.proposals import Proposal, in_words
from hookbundle.server.http.schemas.attempts import (
    DAMAGED,
    UNREADABLE,
    ResponseOut,
    hint_for,
    response_out,
)
from hookbundle.server.http.schemas.times import iso
from hookbundle.server.http.schemas.webhooks.success import ProposalOut, proposal_out
from hookbundle.storage.database.delivery_records import Exchange
from hookbundle.storage.reads.requests_made import JoinedAction


class ActionOut(msgspec.Struct, frozen=True):
    """`delivery_id` and `attempt` are those of the detailed log; null if it is about none."""

    at: str
    action: str
    chat_id: str | None
    messages: int
    outcome: str
    detail: str
    webhook: str
    delivery_id: str | None
    attempt: int | None


class RequestOut(msgspec.Struct, frozen=True):
    url: str
    headers: dict[str, str]
    body: str
    method: str


class ExchangeOut(msgspec.Struct, frozen=True):
    """`body` is the text as it was sent; bytes that are not UTF-8 show as U+FFFD.

    `outcome`: of one whose record is damaged `unreadable`; `error` says so, and the rest is empty.
    `error` begins with a code (docs/operations.md). `hint`: a setting that would fit this answer.
    `proposal`: the same, to be sent with PATCH; only in the answer to a test request.
    """

    at: str | None
    webhook: str
    delivery_id: str
    attempt: int
    chat_id: str | None
    request: RequestOut
    response: ResponseOut | None
    error: str | None
    duration_ms: int
    outcome: str
    hint: str | None = None
    proposal: ProposalOut | UnsetType | None = UNSET


def action_out(joined: JoinedAction) -> ActionOut:
    action = joined.action
    return ActionOut(
        at=iso(action.at_ms),
        action=action.action,
        chat_id=action.chat_id or None,
        messages=action.messages,
        outcome=action.outcome,
        detail=action.detail,
        webhook=joined.webhook,
        delivery_id=joined.delivery_id or None,
        attempt=joined.attempt or None,
    )


def exchange_out(
    exchange: Exchange, webhook: str, proposal: Proposal | UnsetType | None = UNSET
) -> ExchangeOut:
    """`proposal`: of a test request."""
    result = exchange.result
    return ExchangeOut(
        at=iso(result.at_ms),
        webhook=webhook,
        delivery_id=exchange.delivery_id,
        attempt=exchange.attempt,
        chat_id=exchange.chat_id or None,
        request=RequestOut(
            url=result.url,
            headers=dict(result.request_headers),
            body=exchange.request_body.decode(errors="replace"),
            method=result.method,
        ),
        response=response_out(result),
        error=result.error or None,
        duration_ms=result.duration_ms,
        outcome=result.outcome,
        hint=in_words(proposal) if proposal else hint_for(result),
        proposal=UNSET if proposal is UNSET else proposal_out(proposal),
    )


def damaged_exchange(webhook: str) -> ExchangeOut:
    """What stands in the place of an entry whose record can't be read."""
    return ExchangeOut(
        at=None,
        webhook=webhook,
        delivery_id="",
        attempt=0,
        chat_id=None,
        request=RequestOut(url="", headers={}, body="", method="POST"),
        response=None,
        error=DAMAGED,
        duration_ms=0,
        outcome=UNREADABLE,
    )
