"""When a session ends by itself, and which one makes room for one more."""

from hookbundle.commands.demo.clock import MovableClock
from hookbundle.server.cluster.console.sessions import ClusterSessions
from hookbundle.server.console.sessions import (
    IDLE_MS_MAX,
    LIFE_MS_MAX,
    SESSIONS_OF_A_TOKEN_MAX,
)
from hookbundle.storage.database.settings import Token
from hookbundle.tests.server.cluster.memory_records import MemoryRecords

MINUTE_MS = 60_000


class Nodes:
    """Two, with the same records of sessions, and a token that both know."""

    def __init__(self) -> None:
        self.clock = MovableClock()
        records = MemoryRecords()
        self.here, self.there = (
            ClusterSessions(records, self._token_of, self.clock) for _ in range(2)
        )

    async def _token_of(self, digest: bytes, workspace_id: str | None) -> Token:
        return Token("tok_1", "admin", "ws0", 0)

    async def signed_in(self) -> str:
        name = await self.here.sign_in("hb_any")
        assert name is not None
        return name


async def test_a_session_that_is_seen_at_one_node_lasts_at_the_other_and_ends_when_it_is_idle() -> (
    None
):
    nodes = Nodes()
    name = await nodes.signed_in()

    nodes.clock.move(IDLE_MS_MAX - MINUTE_MS)
    assert await nodes.here.session(name) is not None
    nodes.clock.move(IDLE_MS_MAX - MINUTE_MS)
    assert await nodes.there.session(name) is not None
    nodes.clock.move(IDLE_MS_MAX + MINUTE_MS)
    assert await nodes.here.session(name) is None


async def test_a_session_ends_however_often_it_is_seen() -> None:
    nodes = Nodes()
    name = await nodes.signed_in()

    for _ in range(LIFE_MS_MAX // IDLE_MS_MAX):
        assert await nodes.here.session(name) is not None
        nodes.clock.move(IDLE_MS_MAX - MINUTE_MS)
    assert await nodes.here.session(name) is not None
    nodes.clock.move(IDLE_MS_MAX - MINUTE_MS)

    assert await nodes.here.session(name) is None


async def test_the_session_that_was_seen_longest_ago_makes_room() -> None:
    nodes = Nodes()
    names = []
    for _ in range(SESSIONS_OF_A_TOKEN_MAX):
        names.append(await nodes.signed_in())
        nodes.clock.move(MINUTE_MS)
    nodes.clock.move(10 * MINUTE_MS)
    assert await nodes.there.session(names[0]) is not None
    names.append(await nodes.signed_in())

    good = [await nodes.there.session(name) is not None for name in names]
    assert [index for index, is_good in enumerate(good) if not is_good] == [1]
