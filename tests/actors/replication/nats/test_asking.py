"""Nodes ask each other, over a real server: what comes back, and what is sure if nothing does."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from hookbundle.actors.replication.nats import asking
from hookbundle.actors.replication.nats.asking import AnswerLost, Asking, NotAsked
from hookbundle.actors.replication.nats.client import Message
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.engine.replication import held_parts
from hookbundle.engine.replication.envelopes import Envelope, EnvelopeKind, seal
from hookbundle.engine.replication.names import Names
from hookbundle.engine.replication.requests import AskedFor, NodeAnswer, NodeRequest, pack
from hookbundle.tests.actors.replication.nats.parts import WITHIN_S, connection_to
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.log_servers.relay import Relay

KEY = bytes(range(32))
REQUEST = NodeRequest("POST", "/v1/x?y=1", (("A", "1"), ("A", "2")), b"body")


class Nodes:
    """Each with a connection of its own; `lives` is what the beats would say."""

    def __init__(self, servers: LogServers, stack: AsyncExitStack) -> None:
        self.names = Names(servers.new_cluster())
        self.lives: dict[str, str] = {}
        self.got: list[NodeRequest] = []
        self.answer: Callable[[NodeRequest], Awaitable[NodeAnswer]] = self.echo
        self._servers = servers
        self._stack = stack

    async def start(
        self, node: str, life: str = "", key: bytes = KEY, *urls: str
    ) -> tuple[Asking, Connection]:
        connection = await connection_to(self._servers, *urls)
        self._stack.push_async_callback(connection.close)
        self.lives[node] = life or f"{node}1"
        asking = Asking(connection, self.names, node, self.lives[node], key, self.lives.get)
        await asking.open(self._answer)
        self._stack.push_async_callback(asking.close)
        return asking, connection

    async def _answer(self, request: NodeRequest) -> NodeAnswer:
        self.got.append(request)
        return await self.answer(request)

    async def echo(self, request: NodeRequest) -> NodeAnswer:
        return NodeAnswer(202, request.headers, request.body[::-1])


@pytest.fixture
async def nodes(nats: LogServers) -> AsyncIterator[Nodes]:
    async with AsyncExitStack() as stack:
        yield Nodes(nats, stack)


async def test_a_node_answers_what_another_asks(nodes: Nodes) -> None:
    a, _ = await nodes.start("a")
    await nodes.start("b")
    request = NodeRequest("GET", "/", (), b"", AskedFor("token", "admin", "ws"))

    answers = await asyncio.gather(a.ask("b", REQUEST), a.ask("b", request), a.ask("a", request))

    assert answers[0] == NodeAnswer(202, REQUEST.headers, b"ydob")
    assert [each.status for each in answers] == [202] * 3
    assert sorted(nodes.got, key=pack) == sorted([REQUEST, request, request], key=pack)


async def test_a_request_and_an_answer_larger_than_a_message_come_in_parts(nodes: Nodes) -> None:
    a, _ = await nodes.start("a")
    await nodes.start("b")
    body = os.urandom(5 << 20)

    answer = await a.ask("b", NodeRequest("POST", "/", (), body))

    assert answer.body == body[::-1]


async def test_who_is_not_there_was_not_asked(nodes: Nodes) -> None:
    a, _ = await nodes.start("a")
    with pytest.raises(NotAsked, match="b does not live"):
        await a.ask("b", REQUEST)

    nodes.lives["b"] = "b1"
    with pytest.raises(NotAsked, match="nobody is there"):
        await a.ask("b", REQUEST)


async def test_a_node_that_was_started_again_does_nothing_of_what_its_earlier_life_was_asked(
    nodes: Nodes,
) -> None:
    a, _ = await nodes.start("a")
    await nodes.start("b", "b2")
    nodes.lives["b"] = "b1"

    with pytest.raises(NotAsked, match="started again"):
        await a.ask("b", REQUEST)

    assert nodes.got == []


async def test_who_has_no_key_is_not_answered_and_nothing_is_done(nodes: Nodes) -> None:
    thief, _ = await nodes.start("a", key=bytes(32))
    b, _ = await nodes.start("b")

    with pytest.raises(AnswerLost):
        await thief.ask("b", REQUEST, 0.5)

    assert (nodes.got, b.refused) == ([], 1)


async def test_what_was_recorded_and_is_sent_again_is_not_done_again(nodes: Nodes) -> None:
    a, _ = await nodes.start("a")
    b, _ = await nodes.start("b")
    recorded: list[Message] = []
    tap = await connection_to(nodes._servers)
    await tap.subscribe(nodes.names.asking("b"), recorded.append)
    await a.ask("b", REQUEST)
    (message,) = recorded

    for _ in range(3):
        await tap.publish(message.subject, message.body, message.headers, message.reply_to)
    async with asyncio.timeout(WITHIN_S):
        while b.refused < 3:
            await asyncio.sleep(0)
    await tap.close()

    assert nodes.got == [REQUEST]


async def test_an_answer_of_who_has_no_key_is_not_believed(nodes: Nodes) -> None:
    a, _ = await nodes.start("a")
    _, connection = await nodes.start("b")

    def lie(message: Message) -> None:
        answer = Envelope(kind=EnvelopeKind.ANSWER, sender="b/b1", to="a/a1", number=1)
        for key, number in ((bytes(32), 1), (KEY, 2)):
            body = pack(NodeAnswer(200, (), b"lie"))
            part = replace(answer, number=number, body=body)
            publish = connection.publish(message.reply_to, body, seal(part, "", key))
            tasks.append(asyncio.create_task(publish))

    async def late(request: NodeRequest) -> NodeAnswer:
        async with asyncio.timeout(WITHIN_S):
            while a.refused < 2:
                await asyncio.sleep(0)
        return NodeAnswer(200, (), b"truth")

    tasks: list[asyncio.Task[None]] = []
    nodes.answer = late
    await connection.subscribe(nodes.names.asking("b"), lie)

    assert (await a.ask("b", REQUEST)).body == b"truth"


async def test_the_answer_of_a_node_that_died_is_lost_and_not_waited_for(nodes: Nodes) -> None:
    a, _ = await nodes.start("a")
    await nodes.start("b")

    async def never(request: NodeRequest) -> NodeAnswer:
        nodes.lives["b"] = "b2"
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    nodes.answer = never

    with pytest.raises(AnswerLost, match="does not live any more"):
        await a.ask("b", REQUEST, WITHIN_S)
    assert nodes.got == [REQUEST]


async def test_an_answer_that_does_not_come_in_time_or_can_not_be_made_is_lost(
    nodes: Nodes,
) -> None:
    a, _ = await nodes.start("a")
    await nodes.start("b")

    async def fails(request: NodeRequest) -> NodeAnswer:
        raise RuntimeError

    nodes.answer = fails

    with pytest.raises(AnswerLost, match="no answer within"):
        await a.ask("b", REQUEST, 0.2)


async def test_an_answer_on_a_connection_that_was_lost_is_lost(nodes: Nodes) -> None:
    async with Relay(nodes._servers.servers[0].port) as relay:
        a, _ = await nodes.start("a", "", KEY, relay.url)
        await nodes.start("b")

        async def cut(request: NodeRequest) -> NodeAnswer:
            relay.cut()
            return NodeAnswer(200, (), b"")

        nodes.answer = cut

        with pytest.raises(AnswerLost):
            await a.ask("b", REQUEST, WITHIN_S)
        with pytest.raises(NotAsked, match="no connection"):
            await a.ask("b", REQUEST)
    assert nodes.got == [REQUEST]


async def test_one_node_can_not_keep_another_busy_without_end(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "UNDER_WAY_MAX", 3)
    a, _ = await nodes.start("a")
    c, _ = await nodes.start("c")
    await nodes.start("b")
    go_on = asyncio.Event()

    async def waits(request: NodeRequest) -> NodeAnswer:
        await go_on.wait()
        return NodeAnswer(200, (), b"")

    nodes.answer = waits
    asked = [asyncio.create_task(a.ask("b", REQUEST)) for _ in range(4)]
    done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    of_other = asyncio.create_task(c.ask("b", REQUEST))
    async with asyncio.timeout(WITHIN_S):
        while len(nodes.got) < 4:
            await asyncio.sleep(0)
    go_on.set()
    results = await asyncio.gather(*asked, of_other, return_exceptions=True)

    assert [type(task.exception()) for task in done] == [NotAsked]
    assert sum(isinstance(each, NodeAnswer) for each in results) == 4


async def test_large_requests_at_once_are_none_too_many(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_parts, "SHARE_BYTES_MAX", 5 << 20)
    a, _ = await nodes.start("a")
    await nodes.start("b")
    large = NodeRequest("POST", "/", (), bytes(4 << 20))

    found = await asyncio.gather(*(a.ask("b", each) for each in (large, large, REQUEST, large)))

    assert [answer.status for answer in found] == [202] * 4


async def test_an_answer_that_can_not_be_held_is_lost(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ANSWER_BYTES_MAX", 1 << 20)
    a, _ = await nodes.start("a")
    await nodes.start("b")

    with pytest.raises(AnswerLost, match="more than"):
        await a.ask("b", NodeRequest("GET", "/", (), bytes(3 << 20)))
