"""Bearer tokens, as the API shows them."""

from typing import Annotated

import msgspec

from hookbundle.server.http.schemas.times import iso
from hookbundle.storage.database.records import Token
from hookbundle.storage.transitions.tokens import Scope

WorkspaceId = Annotated[str, msgspec.Meta(min_length=1)]


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


def token_out(token: Token, text: str | None = None) -> TokenOut:
    return TokenOut(
        id=token.id,
        scope=token.scope,
        workspace=token.workspace_id or None,
        created_at=iso(token.created_ms),
        token=text,
    )
