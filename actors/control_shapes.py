"""What the API says and hears of open windows, deliveries, tokens and signing secrets."""

from typing import Annotated, Literal

import msgspec

from hookbundle.actors.shapes import iso, iso_or_none
from hookbundle.storage.deliveries import Was, in_flight
from hookbundle.storage.listing import OpenWindow, Waiting
from hookbundle.storage.records import Token
from hookbundle.storage.tokens import Scope

WorkspaceId = Annotated[str, msgspec.Meta(min_length=1)]


class ChatOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A chat with an open window; `body` is the bundle as it would be sent, where asked for."""

    workspace: str
    chat_id: str
    opened_at: str
    due_at: str
    messages: int
    body: str | None = None


class ChatsOut(msgspec.Struct, frozen=True):
    """A page, which may be short; `cursor` is null after the last one."""

    chats: list[ChatOut]
    cursor: str | None


class FlushedOut(msgspec.Struct, frozen=True):
    """How many windows were sealed, and how many messages were in them.

    `cursor` is null if that was all.
    """

    sealed: int
    messages: int
    cursor: str | None = None


class DeliveryOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`body` is the text as it is sent, where asked for; `reason` is why the window was sealed.

    `next_attempt_at` is the webhook's; of its deliveries the oldest pending one goes first.
    """

    id: str
    workspace: str
    chat_id: str
    state: Was
    in_flight: bool
    kind: Literal["bundle", "message"]
    messages: int
    reason: str
    opened_at: str
    sealed_at: str
    attempts: int
    rejections: int
    last_error: str | None
    next_attempt_at: str | None
    body: str | None = None


class DeliveriesOut(msgspec.Struct, frozen=True):
    """A page, which may be short; `cursor` is null after the last one."""

    deliveries: list[DeliveryOut]
    cursor: str | None


class RetriedOut(msgspec.Struct, frozen=True):
    """`returned`: how many were parked and are pending again."""

    returned: int
    messages: int


class DiscardedOut(msgspec.Struct, frozen=True):
    id: str
    chat_id: str
    messages: int
    was: Was


class RotateIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how long the secrets so far sign on beside the new one; `0s`: not at all."""

    keep: str = "24h"


class RotatedOut(msgspec.Struct, frozen=True):
    """The new secret, shown this once."""

    secret: str
    previous_until: str | None
    version: int


class TokenIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Without a workspace the token is good for all of them."""

    scope: Scope
    workspace: WorkspaceId | None = None


class TokenOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """`token` only in the answer to the request that made it."""

    id: str
    scope: Scope
    workspace: str | None
    created_at: str
    token: str | None = None


class TokensOut(msgspec.Struct, frozen=True):
    """A page, the oldest first; `cursor` is null after the last one."""

    tokens: list[TokenOut]
    cursor: str | None


def chat_out(window: OpenWindow, body: bytes | None = None) -> ChatOut:
    return ChatOut(
        workspace=window.workspace_id,
        chat_id=window.chat_id,
        opened_at=iso(window.opened_ms),
        due_at=iso(window.due_ms),
        messages=window.messages,
        body=None if body is None else body.decode(),
    )


def delivery_out(waiting: Waiting, alive_since_ms: int, *, with_body: bool = False) -> DeliveryOut:
    delivery = waiting.delivery
    return DeliveryOut(
        id=waiting.id,
        workspace=waiting.workspace_id,
        chat_id=delivery.chat_id,
        state="parked" if waiting.parked else "pending",
        in_flight=in_flight(waiting.webhook, delivery.number, alive_since_ms),
        kind="bundle" if delivery.bundle else "message",
        messages=delivery.messages,
        reason=delivery.reason,
        opened_at=iso(delivery.opened_ms),
        sealed_at=iso(delivery.sealed_ms),
        attempts=delivery.attempts,
        rejections=delivery.rejections,
        last_error=delivery.last_error or None,
        next_attempt_at=None if waiting.parked else iso_or_none(waiting.webhook.retry_ms),
        body=delivery.body.decode() if with_body else None,
    )


def token_out(token: Token, text: str | None = None) -> TokenOut:
    return TokenOut(
        id=token.id,
        scope=token.scope,
        workspace=token.workspace_id or None,
        created_at=iso(token.created_ms),
        token=text,
    )
