"""Transitions of a chat that have more work than a step, and so go on in others."""

from collections.abc import Iterator
from typing import Any

from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.accepting import AcceptMessages
from hookbundle.storage.transitions.changing.changing import ChangeMessages
from hookbundle.storage.transitions.sealing import SealWindow
from hookbundle.storage.transitions.unfinished import Unfinished
from hookbundle.tests.storage.scratch import ScratchDatabase

OfChat = AcceptMessages | ChangeMessages | SealWindow


def steps(db: ScratchDatabase, first: OfChat, answer: Any) -> Iterator[Any]:
    """The results, up to the one that is answered, which must be an `answer`."""
    result = db.do(first, Unfinished | answer)
    while isinstance(result, Unfinished):
        yield result
        result = db.do(result.rest, Unfinished | answer)
    yield result


def weighed(db: ScratchDatabase, first: OfChat) -> tuple[list[int], Any]:
    """What each of the steps weighs, and the answer."""
    weights: list[int] = []
    result: Any = Unfinished(first)
    while isinstance(result, Unfinished):
        with db.unit() as unit:
            result = table.apply(unit, result.rest)
            weights.append(unit.weight)
    return weights, result
