"""Commands whose answer between two nodes is lost: what becomes of them, and what callers hear."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hookbundle.server.cluster.asked import Answered, AnswerLost, Asked, NotAsked
from hookbundle.server.cluster.commanding import giving
from hookbundle.server.cluster.node import Node
from hookbundle.tests.in_process import until
from hookbundle.tests.server.cluster.commanding.test_giving import ALL, DRAIN, MOVE, looked
from hookbundle.tests.server.cluster.two_nodes import two


def losing(asking: Node, is_lost: Callable[[Asked], bool], *, is_heard: bool = True) -> None:
    """Answers to the node are lost, be it that the other one has heard it or not."""
    ask = asking.ask

    async def asked_and_lost(node: str, asked: Asked) -> Answered:
        if not is_lost(asked):
            return await ask(node, asked)
        if is_heard:
            await ask(node, asked)
        raise AnswerLost.of(AnswerLost.other)

    asking.ask = asked_and_lost  # type: ignore[method-assign]


def keeping(node: Node) -> Callable[[], None]:
    """The node gives nothing away, until what is returned is called: else it would not stop."""
    assigning = node.assigning
    before, assigning.give_away = assigning.give_away, lambda number, to: None  # type: ignore[method-assign]

    def gives() -> None:
        assigning.give_away = before  # type: ignore[method-assign]

    return gives


def is_told(asked: Asked) -> bool:
    return asked.target == giving.TAKE and b'"undo":false' in asked.body


def is_taken_back(asked: Asked) -> bool:
    return asked.target == giving.TAKE and not is_told(asked)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not happen is not waited for."""
    monkeypatch.setattr(giving, "WITHIN_S", 0.1)
    monkeypatch.setattr(giving, "TAKEN_BACK_WITHIN_S", 0.1)


async def test_a_partition_is_moved_although_the_answer_of_its_node_is_lost(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        number = min(first.owned)
        losing(first, is_told)
        moved = await made.apis[0].ask("POST", MOVE, {"partition": number, "node": "b"})
        await looked(first, second)

        assert number in second.owned
    assert moved.status == 200, moved


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("is_heard", [True, False])
async def test_what_is_not_moved_after_a_lost_answer_is_not_moved_later(
    tmp_path: Path, is_heard: bool
) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        number = min(first.owned)
        give_away = keeping(first)
        losing(first, is_told, is_heard=is_heard)
        late = await made.apis[0].ask("POST", MOVE, {"partition": number, "node": "b"})
        give_away()

        assert second.assigning.given() == {}
        assert number in first.owned
    assert (late.status, late.code) == (503, "not_moved")


@pytest.mark.usefixtures("soon")
async def test_it_is_said_that_nobody_knows_if_a_move_could_not_be_taken_back(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made:
        first, second = made.nodes
        number = min(first.owned)
        give_away = keeping(first)
        losing(first, is_taken_back, is_heard=False)
        late = await made.apis[0].ask("POST", MOVE, {"partition": number, "node": "b"})
        give_away()

        assert second.assigning.given() == {number: 1}
    assert (late.status, late.code) == (504, "answer_lost")


async def test_a_node_that_is_gone_for_a_moment_is_told_that_it_takes_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was frozen may find in its mail what it was told before."""
    monkeypatch.setattr(giving, "WITHIN_S", 0.1)
    async with two(tmp_path) as made:
        first, second = made.nodes
        number = min(first.owned)
        give_away = keeping(first)
        ask, away = first.ask, [True, True]

        async def asked(name: str, asked: Asked) -> Answered:
            if is_taken_back(asked) and away and away.pop():
                raise NotAsked("it is gone")
            return await ask(name, asked)

        monkeypatch.setattr(first, "ask", asked)
        late = await made.apis[0].ask("POST", MOVE, {"partition": number, "node": "b"})
        give_away()

        assert second.assigning.given() == {}
    assert (late.status, late.code, away) == (503, "not_moved", [])


async def test_a_node_is_drained_although_its_answer_is_lost(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        losing(made.nodes[1], lambda asked: asked.target == giving.KEEP_NONE)
        drained = await made.apis[1].ask("POST", DRAIN, {"node": "a"})
        await until(lambda: set(made.nodes[1].owned) == ALL)

    assert (drained.status, drained.document) == (200, {"node": "a", "leaves": True, "owns": 0})


@pytest.mark.usefixtures("soon")
async def test_a_drain_of_which_the_node_has_not_heard_is_not_said_to_be_done(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made:
        losing(made.nodes[1], lambda asked: asked.target == giving.KEEP_NONE, is_heard=False)
        drained = await made.apis[1].ask("POST", DRAIN, {"node": "a"})

        assert made.nodes[0].owned
    assert (drained.status, drained.code) == (504, "answer_lost")
