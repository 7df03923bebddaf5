"""How much of a body is framing. Chunks of a byte have five bytes of it each, and take long.

What a connection receives at once is parsed at once, and so is what all others have received in the
same pass. So it is little until the body has shown that its chunks are not small.
"""

import asyncio

RECEIVED_AT_ONCE_BYTES = 16 * 1024
FIRST_RECEIVED_BYTES = 4 * 1024  # most requests are no longer
DOUBTFUL_BYTES = 1024  # while framing is more than it should be
# Chunks of 96 bytes have six bytes of framing each. What was received and not parsed counts too.
FRAMING_SHARE = 16
FRAMING_BYTES = 2 * RECEIVED_AT_ONCE_BYTES
HEAD_BYTES = 512  # the head comes with the body's first bytes


class Framing:
    """Of one connection's present body."""

    __slots__ = ("_received",)

    def __init__(self) -> None:
        self._received = 0

    def begin(self, transport: asyncio.BaseTransport | None) -> None:
        """What comes next belongs to no body yet."""
        self._received = 0
        _receive_at_once(transport, FIRST_RECEIVED_BYTES)

    def end(self, transport: asyncio.BaseTransport | None) -> None:
        """The body is complete."""
        if self._received:  # else it came in one piece, as nearly all do
            self.begin(transport)

    def is_too_much(self, transport: asyncio.BaseTransport | None, size: int, body: int) -> bool:
        """So many bytes more have come, and the body has so many by now."""
        self._received += size
        framing, share = self._received - body, body // FRAMING_SHARE
        is_too_much = framing > FRAMING_BYTES + share  # then the rest is not even parsed
        is_little = framing <= HEAD_BYTES + share
        if is_too_much or (is_little and body >= HEAD_BYTES):
            _receive_at_once(transport, RECEIVED_AT_ONCE_BYTES)
        elif not is_little:
            _receive_at_once(transport, DOUBTFUL_BYTES)
        return is_too_much


def _receive_at_once(transport: asyncio.BaseTransport | None, size: int) -> None:
    if transport is not None and hasattr(
        transport, "max_size"
    ):  # of asyncio's own transports, a quarter of a MiB
        transport.max_size = size
