"""Floods of tokens that nobody knows: what each costs a node, and whom they keep out."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hookbundle.engine.replication.assignment import partition_of
from hookbundle.server.cluster.asked import Answered, Asked
from hookbundle.server.cluster.callers import turns
from hookbundle.server.cluster.node import Node
from hookbundle.storage.database.settings import Token
from hookbundle.tests.in_process import event
from hookbundle.tests.server.cluster.hostile.apart import NAMES, PARTITIONS, Apart, apart
from hookbundle.tests.server.cluster.hostile.test_tokens import messages


@contextmanager
def looks(node: Node) -> Iterator[list[int]]:
    """In which partitions the node looks for a token meanwhile."""
    tokens, found = node.unknown_tokens.tokens, list[int]()
    look = tokens._in

    def counted(partition: int, digest: bytes) -> Token | None:
        found.append(partition)
        return look(partition, digest)

    tokens._in = counted  # type: ignore[method-assign]
    try:
        yield found
    finally:
        tokens._in = look  # type: ignore[method-assign]


def own(made: Apart) -> str:
    """A workspace of the first node, which asks nobody about it."""
    owned = made.nodes[0].owned
    return next(name for name in NAMES if partition_of(name, PARTITIONS) in owned)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address has had its turns after one."""
    monkeypatch.setattr(turns, "AT_ONCE", 0.001)
    monkeypatch.setattr(turns, "PER_S", 0.001)


async def guessed(made: Apart, workspace: str, token: str = "hb_guessed") -> int:
    """What a plain message is answered with: the lane has it first."""
    head = f"{messages(workspace, token)}\nContent-Type: application/json"
    return await made.status(head, json.dumps([event("m1")]).encode())


async def test_an_unknown_token_is_looked_for_once(tmp_path: Path) -> None:
    """Where it would be, and then wherever else it is: it may be another workspace's."""
    async with apart(tmp_path) as made:
        node, workspace, asked = made.nodes[0], own(made), list[int]()
        place, ask = partition_of(workspace, PARTITIONS), node.unknown_tokens.ask

        async def counted(number: int, wanted: Asked) -> Answered:
            asked.append(number)
            return await ask(number, wanted)

        node.unknown_tokens.ask = counted
        with looks(node) as seen:
            status = await guessed(made, workspace)
        first = list(dict.fromkeys((place, 0)))
        others = [each for each in first if each not in node.owned]

    assert status == 401
    assert seen == [*first, *range(PARTITIONS)]
    assert asked == others


@pytest.mark.usefixtures("few")
async def test_a_flood_from_one_address_is_refused_at_the_cost_of_two_looks(tmp_path: Path) -> None:
    async with apart(tmp_path) as made:
        node, workspace = made.nodes[0], own(made)
        first = await guessed(made, workspace)
        refused = node.unknown_tokens.limit.refused_owner
        with looks(node) as seen:
            second = await guessed(made, workspace)
        told = node.unknown_tokens.limit.refused_owner - refused

    assert (first, second, told) == (401, 429, 1)
    assert len(seen) <= 2


@pytest.mark.usefixtures("few")
async def test_a_token_that_was_just_made_is_good_beside_a_flood(tmp_path: Path) -> None:
    async with apart(tmp_path) as made:
        workspace = own(made)
        flood = [await guessed(made, workspace) for _ in range(3)]
        token, _ = await made.token(workspace)
        good = await guessed(made, workspace, token)

    assert (flood, good) == ([401, 429, 429], 202)


async def test_a_token_that_another_node_has_just_made_waits_for_its_turn_beside_a_flood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "AT_ONCE", 0)
    async with apart(tmp_path) as made:
        workspace = made.theirs[0]
        flood = [asyncio.create_task(guessed(made, workspace, f"hb_{each}")) for each in range(9)]
        token, _ = await made.token(workspace)
        good = await guessed(made, workspace, token)
        statuses = await asyncio.gather(*flood)

    assert good == 202
    assert set(statuses) == {401}


@pytest.mark.usefixtures("few")
async def test_tokens_that_are_found_elsewhere_take_no_turns(tmp_path: Path) -> None:
    """After a start a node sees all for the first time, perhaps all from one address."""
    async with apart(tmp_path) as made:
        workspace = made.theirs[0]
        tokens = [(await made.token(workspace))[0] for _ in range(3)]
        found = [await guessed(made, workspace, token) for token in tokens]

    assert found == [202] * 3


async def test_who_bears_a_token_of_another_workspace_is_told_so(tmp_path: Path) -> None:
    async with apart(tmp_path) as made:
        mine = own(made)
        token, _ = await made.token(mine)
        elsewhere = await made.status(messages(made.theirs[0], token), b"[]")

    assert elsewhere == 403
