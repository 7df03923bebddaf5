"""Bearer tokens, stored as their SHA-256 only: a copy of the database opens nothing.

An index says which are a workspace's, so that who deletes one walks through its tokens only, and
need not read them: a damaged one goes with the others. A database from before the index is walked
through once, when the first workspace is deleted.
"""

from contextlib import suppress
from hashlib import sha256
from typing import Literal

import msgspec

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import CorruptRecord, NotFound
from hookbundle.storage import daemon_facts, facts
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.settings import Settings, Token
from hookbundle.storage.database.unit import Unit

Scope = Literal["intake", "admin"]
USES_AT_ONCE = 250
ID_BYTES = 6  # of the digest, which the key begins with


class CreateToken(msgspec.Struct, frozen=True, kw_only=True):
    """`workspace_id` empty: good for all workspaces. `expires_ms` 0: it does not expire."""

    digest: bytes
    scope: Scope
    workspace_id: str
    now_ms: int
    caller: str
    name: str = ""
    expires_ms: int = 0


class RevokeToken(msgspec.Struct, frozen=True, kw_only=True):
    token_id: str
    now_ms: int
    caller: str


class TokenUse(msgspec.Struct, frozen=True):
    digest: bytes
    used_ms: int


class NoteTokenUses(msgspec.Struct, frozen=True, kw_only=True):
    """When some tokens were last used, at most USES_AT_ONCE."""

    uses: tuple[TokenUse, ...]
    now_ms: int


def digest_of(token: str) -> bytes:
    return sha256(token.encode()).digest()


def token_id(digest: bytes) -> str:
    """The name under which a token is listed and revoked."""
    return f"tok_{digest[:ID_BYTES].hex()}"


def prefix_of(token: str) -> bytes:
    """What the key of the token begins with. Raises: NotFound for what is no token's name."""
    with suppress(ValueError):
        begins = bytes.fromhex(token.removeprefix("tok_"))
        if len(begins) == ID_BYTES:  # fewer would be those of many tokens
            return key_of(begins)
    raise NotFound.of(Code.UNKNOWN_TOKEN, token=token)


def key_of(digest: bytes) -> bytes:
    return keyspace.TOKENS + digest


def index_key(workspace: int, digest: bytes) -> bytes:
    return keyspace.owned(keyspace.WORKSPACE_TOKENS, workspace, digest)


def create_token(unit: Unit, transition: CreateToken) -> None:
    """Raises: NotFound if its workspace does not exist."""
    settings = unit.workspace(transition.workspace_id) if transition.workspace_id else None
    if unit.first_key(keyspace.TOKENS) is None:
        unit.meta.tokens_indexed = True  # all will be
    token = Token(
        id=token_id(transition.digest),
        scope=transition.scope,
        workspace_id=transition.workspace_id,
        created_ms=transition.now_ms,
        name=transition.name,
        expires_ms=transition.expires_ms,
    )
    unit.tokens.begin()
    unit.put(key_of(transition.digest), token)
    if settings is not None:
        unit.put_flag(index_key(settings.workspace.number, transition.digest))
    fact = facts.TokenCreated(
        token=token.id,
        scope=token.scope,
        caller=transition.caller,
        name=token.name,
        expires=token.expires_ms,
    )
    _tell(unit, token, fact, transition.now_ms)


def revoke_token(unit: Unit, transition: RevokeToken) -> None:
    """Raises: NotFound."""
    for key, value in unit.rows(prefix_of(transition.token_id)):
        token = codec.unpack(key, value, Token)
        if token.id == transition.token_id:
            unit.tokens.begin()
            unit.delete(key)
            if token.workspace_id:
                number = unit.workspace(token.workspace_id).workspace.number
                unit.delete(index_key(number, key.removeprefix(keyspace.TOKENS)))
            fact = facts.TokenRevoked(token=token.id, caller=transition.caller)
            _tell(unit, token, fact, transition.now_ms)
            return
    raise NotFound.of(Code.UNKNOWN_TOKEN, token=transition.token_id)


def drop_all(unit: Unit, settings: Settings, now_ms: int, caller: str) -> None:
    """The workspace's tokens are gone: a later workspace of its id must not inherit them."""
    if not unit.meta.tokens_indexed:
        _index_all(unit)
    prefix = keyspace.owned(keyspace.WORKSPACE_TOKENS, settings.workspace.number)
    for key in [key for key, _ in unit.rows(prefix)]:
        digest = key.removeprefix(prefix)
        unit.delete(key)
        unit.tokens.begin()
        unit.delete(key_of(digest))
        fact = facts.TokenRevoked(token=token_id(digest), caller=caller)
        unit.tell(settings.workspace, fact, now_ms)


def _index_all(unit: Unit) -> None:
    """Each token of a workspace is in its index. A damaged one lets nobody in; `check` names it."""
    for key, value in list(unit.rows(keyspace.TOKENS)):
        unit.weight += 1
        token = codec.readable(key, value, Token)
        with suppress(CorruptRecord):  # of the workspace, whose damage is nothing to others
            settings = unit.find_workspace(token.workspace_id) if token else None
            if settings is not None:
                number, digest = settings.workspace.number, key.removeprefix(keyspace.TOKENS)
                unit.put_flag(index_key(number, digest))
    unit.meta.tokens_indexed = True


def note_token_uses(unit: Unit, transition: NoteTokenUses) -> None:
    """Each token has its last use; those that were revoked meanwhile stay away."""
    unit.advance_time(transition.now_ms)
    for use in transition.uses:
        key = key_of(use.digest)
        token = unit.get(key, Token)
        if token is not None and token.used_ms < use.used_ms:
            unit.tokens.begin()
            unit.put(key, msgspec.structs.replace(token, used_ms=use.used_ms))


def _tell(unit: Unit, token: Token, fact: daemon_facts.Fact, now_ms: int) -> None:
    if token.workspace_id:
        unit.tell(unit.workspace(token.workspace_id).workspace, fact, now_ms)
    else:
        unit.emit(fact, now_ms)
