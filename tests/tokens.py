"""Bearer tokens for tests, made without the API."""

import secrets

from hookbundle.storage.transitions.tokens import CreateToken, Scope, digest_of
from hookbundle.tests.in_process import System


async def bearer(system: System, workspace_id: str = "", scope: Scope = "admin") -> str:
    """A new token; without a workspace it is the operator's."""
    token = secrets.token_urlsafe(32)
    transition = CreateToken(
        digest=digest_of(token),
        scope=scope,
        workspace_id=workspace_id,
        now_ms=system.clock.now_ms(),
        caller="test",
    )
    await system.daemon.partition.store_queue.done(transition)
    return token
