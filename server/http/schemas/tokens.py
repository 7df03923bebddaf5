"""Bearer tokens, as the API shows them."""

from typing import Annotated

import msgspec

from hookbundle.engine import limits
from hookbundle.server.http.schemas.times import iso, iso_or_none
from hookbundle.storage.database.settings import Token
from hookbundle.storage.transitions.tokens import Scope

WorkspaceId = Annotated[str, msgspec.Meta(min_length=1)]
Name = Annotated[str, msgspec.Meta(max_length=limits.NAME_CHARS_MAX)]


class TokenIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Without a workspace the token is good for all of them; without `expires_at`, for good.

    `name`: for people, in one line. `expires_at`: RFC 3339, within the next ten years.
    """

    scope: Scope
    workspace: WorkspaceId | None = None
    name: Name = ""
    expires_at: str | None = None


class TokenOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """`token` only in the answer to the request that made it.

    `last_used_at` is written at most once an hour; null: never.
    """

    id: str
    name: str
    scope: Scope
    workspace: str | None
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    token: str | None = None


class TokensOut(msgspec.Struct, frozen=True):
    """A page, the oldest first; `cursor` is null after the last one."""

    tokens: list[TokenOut]
    cursor: str | None


def token_out(token: Token, text: str | None = None) -> TokenOut:
    return TokenOut(
        id=token.id,
        name=token.name,
        scope=token.scope,
        workspace=token.workspace_id or None,
        created_at=iso(token.created_ms),
        expires_at=iso_or_none(token.expires_ms),
        last_used_at=iso_or_none(token.used_ms),
        token=text,
    )
