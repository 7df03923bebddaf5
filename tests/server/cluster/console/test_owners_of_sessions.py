"""Who may have a session, in whose places it stands, and what a node keeps of it."""

import pytest

from hookbundle.commands.demo.clock import MovableClock
from hookbundle.server.cluster.console import sessions
from hookbundle.server.cluster.console.sessions import ClusterSessions
from hookbundle.server.console.sessions import SESSIONS_OF_A_TOKEN_MAX
from hookbundle.storage.database.settings import Token
from hookbundle.storage.transitions.tokens import digest_of
from hookbundle.tests.server.cluster.memory_records import MemoryRecords

TOKENS = {
    "hb_one": Token("tok_1", "admin", "ws0", 0),
    "hb_other": Token("tok_2", "admin", "ws0", 0),
    "hb_operator": Token("tok_3", "admin", "", 0),
    "hb_second": Token("tok_4", "admin", "", 0),
    "hb_messages": Token("tok_5", "intake", "ws0", 0),
    "hb_all_messages": Token("tok_6", "intake", "", 0),
}
KNOWN = {digest_of(token): found for token, found in TOKENS.items()}


@pytest.fixture
def node() -> ClusterSessions:
    async def token_of(digest: bytes, workspace_id: str | None) -> Token | None:
        return KNOWN.get(digest)

    return ClusterSessions(MemoryRecords(), token_of, MovableClock())


async def signed_in(node: ClusterSessions, token: str) -> str:
    name = await node.sign_in(token)
    assert name is not None
    return name


async def good(node: ClusterSessions, names: list[str]) -> int:
    """How many of the sessions are."""
    return sum([await node.session(name) is not None for name in names])


@pytest.mark.parametrize("token", ["hb_messages", "hb_all_messages", "hb_unknown", "", "é"])
async def test_a_token_that_is_no_admin_s_signs_nobody_in(
    node: ClusterSessions, token: str
) -> None:
    assert await node.sign_in(token) is None


async def test_tokens_of_a_workspace_share_its_places(node: ClusterSessions) -> None:
    first = [await signed_in(node, "hb_one") for _ in range(SESSIONS_OF_A_TOKEN_MAX)]
    second = [await signed_in(node, "hb_other") for _ in range(2)]

    assert await good(node, first + second) == SESSIONS_OF_A_TOKEN_MAX


async def test_each_operator_has_places(node: ClusterSessions) -> None:
    first = [await signed_in(node, "hb_operator") for _ in range(SESSIONS_OF_A_TOKEN_MAX)]
    second = [await signed_in(node, "hb_second") for _ in range(SESSIONS_OF_A_TOKEN_MAX)]

    assert await good(node, first + second) == 2 * SESSIONS_OF_A_TOKEN_MAX


async def test_a_page_that_is_open_sees_that_its_session_was_signed_out(
    node: ClusterSessions,
) -> None:
    name = await signed_in(node, "hb_one")
    session = await node.session(name)
    assert session is not None
    assert node.is_good(session)

    await node.sign_out(name)

    assert not node.is_good(session)


async def test_a_node_keeps_what_belongs_to_the_sessions_that_it_saw_last(
    node: ClusterSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "SESSIONS_MAX", 2)
    first, second, third = [await signed_in(node, "hb_one") for _ in range(3)]
    used, unused = await node.session(first), await node.session(second)
    assert await node.session(first) is used

    await node.session(third)

    assert await node.session(first) is used
    assert await node.session(second) is not unused


async def test_who_signs_out_while_a_page_is_made_stays_signed_out() -> None:
    """The page was asked for by a session that was not seen for a while, at another node."""
    clock, records, leaving = MovableClock(), MemoryRecords(), list[str]()

    async def token_of(digest: bytes, workspace_id: str | None) -> Token | None:
        if leaving:
            await there.sign_out(leaving.pop())
        return KNOWN.get(digest)

    here, there = (ClusterSessions(records, token_of, clock) for _ in range(2))
    name = await signed_in(here, "hb_one")
    clock.move(sessions.SEEN_EVERY_MS + 1)
    leaving.append(name)
    await here.session(name)

    assert await here.session(name) is None
    assert await there.session(name) is None
