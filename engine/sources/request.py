"""A request of a source, as adapters and authentication see it."""

from collections.abc import Callable, Mapping
from functools import cached_property

import msgspec

from hookbundle.engine.sources import bodies


def go_on() -> None:
    """What is read on the loop does not rest: it is short."""


class SourceRequest(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """`headers`: names in lower case. `url`: path and query, or the whole URL, as it was asked.

    `body`: the raw bytes, which signatures are over. `arrived_ms`: since 1970. `tail`: what stands
    behind the token in the path, without the slash; some senders add the event's name.
    `rest`: is called between its events; the thread that reads a large request rests there.
    """

    body: bytes
    arrived_ms: int
    method: str = "POST"
    headers: Mapping[str, str] = {}
    url: str = ""
    tail: str = ""
    rest: Callable[[], None] = go_on

    @cached_property
    def form(self) -> list[tuple[str, str]]:
        """The fields of a body that is a form: a signature is over them, an adapter reads them."""
        return bodies.form_fields(self.body)

    @property
    def arrived_s(self) -> int:
        return self.arrived_ms // 1_000
