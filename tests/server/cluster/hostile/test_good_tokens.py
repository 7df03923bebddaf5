"""What a node takes for a good token: of what it owns, and of what it was told by others."""

from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from hookbundle.commands.demo.clock import MovableClock
from hookbundle.server.cluster.asked import Answered, Asked
from hookbundle.server.cluster.partitions.owned import Owned
from hookbundle.server.cluster.tokens import NodeTokens, finding
from hookbundle.server.http.callers.token_check import TokenCheck
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.settings import Token

DIGEST = bytes(32)
TOKEN = Token("tok_1", "admin", "", 0)  # for all: of partition 0
PARTITIONS = 3


class NoCopies:
    def followed(self, partition: int) -> Environment | None:
        return None


def owning(*known: Token) -> dict[int, Owned]:
    """Partition 0, which has the tokens."""
    find: Any = lambda digest: next(iter(known), None)  # noqa: E731
    uses = SimpleNamespace(note=lambda digest, token: None)
    return {0: cast(Owned, SimpleNamespace(tokens=SimpleNamespace(find=find), token_uses=uses))}


def test_what_was_said_of_a_token_gives_way_to_what_its_owner_knows() -> None:
    owned: dict[int, Owned] = {}
    tokens = NodeTokens(PARTITIONS, owned, NoCopies())
    with tokens.having(DIGEST, TOKEN):
        told = tokens.find(DIGEST)
        owned.update(owning())  # this node has become the owner, where the token was revoked
        now = tokens.find(DIGEST)

    assert (told, now) == (TOKEN, None)


def test_the_end_of_one_request_takes_nothing_from_those_that_began_later() -> None:
    tokens = NodeTokens(PARTITIONS, {}, NoCopies())
    with ExitStack() as earlier:
        earlier.enter_context(tokens.having(DIGEST, TOKEN))
        tokens.ended(DIGEST)  # revoked, and then there is another one
        ended = tokens.find(DIGEST)
        with tokens.having(DIGEST, TOKEN):
            earlier.close()
            later = tokens.find(DIGEST)
        after = tokens.find(DIGEST)

    assert (ended, later, after) == (None, TOKEN, None)


@pytest.mark.parametrize("is_here", [True, False])
async def test_a_token_that_has_expired_is_good_nowhere(is_here: bool) -> None:
    clock = MovableClock()
    expired = msgspec.structs.replace(TOKEN, expires_ms=clock.now_ms())

    async def found(token: Token) -> Token | None:
        async def ask(number: int, asked: Asked) -> Answered:
            return Answered(200, (), msgspec.msgpack.encode(token))

        tokens = NodeTokens(PARTITIONS, owning(token) if is_here else {}, NoCopies())
        check = TokenCheck(tokens, clock, tokens.used)
        return await finding(tokens, check, ask, PARTITIONS)(DIGEST, None)

    assert await found(TOKEN) == TOKEN
    assert await found(expired) is None
