"""A request of a source, as adapters and authentication see it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def go_on() -> None:
    """What is read on the loop does not rest: it is short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRequest:
    """`headers`: names in lower case. `url`: path and query, or the whole URL, as it was asked.

    `body`: the raw bytes, which signatures are over. `arrived_ms`: since 1970. `tail`: what stands
    behind the token in the path, without the slash; some senders add the event's name.
    `rest`: is called between its events; the thread that reads a large request rests there.
    """

    body: bytes
    arrived_ms: int
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    tail: str = ""
    rest: Callable[[], None] = go_on

    @property
    def arrived_s(self) -> int:
        return self.arrived_ms // 1_000
