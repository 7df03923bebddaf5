"""A reader of a cluster's feed that folds it, partition by partition, and goes on at other nodes.

A fold takes each event at its turn: one that is missing, comes twice or too early is an error.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hookbundle.tests.feed_readers import Frame, connected
from hookbundle.tests.folding import Fold, State

EPOCH = slice(len("evt_"), -12)  # in the id of an event


@dataclass(slots=True)
class Folded:
    """`folds`: by the epochs of partitions. `cursor`: where it goes on after a loss.

    `silent`: what it was told of partitions that did not answer. `losses`: of connections.
    """

    folds: dict[str, Fold] = field(default_factory=dict)
    cursor: str = "oldest"
    silent: list[list[int]] = field(default_factory=list)
    losses: int = 0
    frames: int = 0

    async def read(self, path: Callable[[], Path]) -> None:
        """Reads for ever; when the connection is lost, at whatever node there is then."""
        while True:
            line = json.dumps({"hello": 1, "since": self.cursor}).encode() + b"\n"
            waits: list[Frame] = []
            try:
                async with connected(str(path()), line) as feed:
                    while (frame := await feed.hear()) is not None:
                        assert frame["type"] not in ("gap", "error"), (frame, self.cursor)
                        waits.append(frame)
                        if frame["cursor"]:  # what came before it will not come again
                            self.take(waits)
                            waits.clear()
            except OSError:
                pass  # nobody listens there any more
            self.losses += 1
            await asyncio.sleep(0.05)

    def take(self, frames: list[Frame]) -> None:
        """They are all up to one that has a cursor."""
        for frame in frames:
            self.frames += 1
            if frame["type"] == "unanswered":
                self.silent.append(frame["partitions"])
            elif "id" in frame:
                epoch = frame["id"][EPOCH]
                self.folds.setdefault(epoch, Fold()).apply(frame)
        self.cursor = frames[-1]["cursor"]

    @property
    def events(self) -> int:
        return sum(fold.seq for fold in self.folds.values())

    @property
    def totals(self) -> dict[str, int]:
        found: Counter[str] = Counter()
        for fold in self.folds.values():
            found.update(fold.totals)
        return dict(found)

    @property
    def workspaces(self) -> dict[str, State]:
        return {
            name: state for fold in self.folds.values() for name, state in fold.workspaces.items()
        }


def same_totals(told: dict[str, int], status: dict[str, Any]) -> bool:
    return all(status["totals"][name] == count for name, count in told.items())
