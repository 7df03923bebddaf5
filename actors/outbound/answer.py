"""Reads an answer as its bytes come. Pure: no clock, no connection.

The status decides about the delivery, so it is read first and by itself: `HTTP/1.1 200` and a
space are enough. What follows can't take it back, however long, broken or contradictory it is:
receivers put warnings among their headers, say a length twice, and miscount their chunks.

That is tolerant, and a tolerant reader may find the end of an answer where the receiver did not
mean it. So a connection is used again only after an answer that left no doubt.

Work and memory are bounded: the bytes, the lines, and how much is kept of a line and of the body.
"""

import re
from collections.abc import Callable

from hookbundle.actors.outbound.head import Head
from hookbundle.engine import limits

BODY_READ_BYTES_MAX = limits.ANSWER_READ_BYTES_MAX
# Of all that is sent for one request. Of a body 16 KiB are read. The rest are heads, and there may
# be thousands: `100 Continue` again and again. Each costs work and memory.
RECEIVED_BYTES_MAX = 256 * 1024
LINES_MAX = 2_000  # of heads and chunks together
LINE_KEPT_BYTES_MAX = 4 * 1024
STATUS_LINE_BYTES_MAX = 64  # as far as its status

STATUS = re.compile(rb"[\r\n]*HTTP/([0-9](?:\.[0-9])?)[ \t]+([1-9][0-9]{2})(?=[ \t\r\n])")
STATUS_AT_THE_END = re.compile(rb"[\r\n]*HTTP/([0-9](?:\.[0-9])?)[ \t]+([1-9][0-9]{2})")
START = b"HTTP/"
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
SWITCHING = 101
WITHOUT_BODY = frozenset({SWITCHING, 204, 304})


class Answer:
    """`head`: of the answer itself, None until its status is known; those before it (1xx) are not.

    `is_done`: nothing more is wanted of the connection. `is_complete`: the whole body was read.
    `is_http`: false once there can be no status.
    """

    __slots__ = (
        *("_at", "_data", "_is_sound", "_left", "_lines", "_next", "_reading"),
        *("body", "head", "is_complete", "is_done", "is_http", "received_bytes"),
    )

    def __init__(self) -> None:
        self.head: Head | None = None
        self.body = bytearray()
        self.is_complete = False
        self.is_done = False
        self.is_http = True
        self.received_bytes = 0
        self._reading: Head | None = None  # a head that has not ended
        self._data = b""  # what has come and is not read, from `_at` on
        self._at = 0
        self._left = 0
        self._lines = 0
        self._is_sound = True
        # Reads on, and says whether something was read; if not, more has to come first.
        self._next: Callable[[], bool] = self._read_status

    @property
    def may_follow(self) -> bool:
        """Whether another request may go over the same connection."""
        return (
            self.is_complete
            and self._is_sound
            and self.head is not None
            and self.head.keeps_connection
        )

    def feed(self, data: bytes) -> None:
        """Not after it is done: what comes then is no part of it."""
        self.received_bytes += len(data)
        self._data = self._data[self._at :] + data
        self._at = 0
        while not self.is_done and self._next():
            pass
        if self.is_done:
            self._is_sound = self._is_sound and self._at == len(self._data)
            self._data = b""
        elif self.received_bytes > RECEIVED_BYTES_MAX:
            self._give_up()

    def end(self) -> None:
        """The connection has ended, and nothing more comes."""
        if self.is_done:
            return
        if self._next == self._read_status:
            match = STATUS_AT_THE_END.fullmatch(self._data[self._at :])
            if match is not None:
                self._found(match)
        self.is_complete = self._next == self._read_until_end
        self._is_sound = False
        self.is_done = True

    # ---- one thing each, of what has come

    def _read_status(self) -> bool:
        match = STATUS.match(self._data, self._at)
        if match is not None:
            self._found(match)
            self._at = match.end()
            self._next = self._read_reason
            return True
        line = self._data[self._at :].lstrip(b"\r\n")
        may_begin_one = line[: len(START)] == START[: len(line)]
        if b"\n" in line or len(line) > STATUS_LINE_BYTES_MAX or not may_begin_one:
            self._give_up()
        self._data, self._at = line, 0
        return False

    def _read_reason(self) -> bool:
        """What follows the status in its line says nothing, however long it is."""
        end = self._data.find(b"\n", self._at)
        self._at = end + 1 if end >= 0 else len(self._data)
        if end >= 0:
            self._next = self._read_head
        return end >= 0

    def _read_head(self) -> bool:
        line = self._line()
        if line is None:
            return False
        assert self._reading is not None
        if line:
            self._reading.read_field(line)
        else:
            self._end_head(self._reading)
        return True

    def _read_until_end(self) -> bool:
        self._take(len(self._data))
        return False

    def _read_length(self) -> bool:
        self._left -= self._take(self._left)
        if not self._left:
            self.is_complete = self.is_done = True
        return False

    def _read_size(self) -> bool:
        line = self._line()
        if line is None:
            return False
        match = CHUNK_SIZE.fullmatch(line.strip())
        if match is None:
            self._give_up()
            return False
        self._left = int(match[1], 16)
        self._next = self._read_chunk if self._left else self._read_trailer
        return True

    def _read_chunk(self) -> bool:
        self._left -= self._take(self._left)
        if self._left:
            return False
        self._next = self._read_chunk_end
        return True

    def _read_chunk_end(self) -> bool:
        line = self._line()
        if line:
            self._give_up()
        if line is not None:
            self._next = self._read_size
        return line is not None

    def _read_trailer(self) -> bool:
        line = self._line()
        if line == b"":
            self.is_complete = self.is_done = True
        return line is not None

    # ---- beneath

    def _line(self) -> bytes | None:
        """The next line without its end; None if it has not come whole."""
        end = self._data.find(b"\n", self._at)
        if end < 0:
            kept = self._data[self._at : self._at + LINE_KEPT_BYTES_MAX]
            self._data, self._at = kept, 0
            return None
        line = self._data[self._at : end]
        self._at = end + 1
        self._lines += 1
        if self._lines > LINES_MAX:
            self._give_up()
            return None
        if line.endswith(b"\r"):
            return line[:-1]
        self._is_sound = False
        return line

    def _take(self, most: int) -> int:
        """As much of the body as has come, is meant and may be kept."""
        room = BODY_READ_BYTES_MAX - len(self.body)
        part = self._data[self._at : self._at + min(most, room)]
        self.body += part
        self._at += len(part)
        self.is_done = len(part) == room
        return len(part)

    def _found(self, match: "re.Match[bytes]") -> None:
        self._reading = Head(match[1], int(match[2]))
        if self._reading.status >= 200 or self._reading.status == SWITCHING:
            self.head = self._reading

    def _end_head(self, head: Head) -> None:
        if head is not self.head:
            self._is_sound = self._is_sound and head.is_clean
            self._next = self._read_status
        elif head.status in WITHOUT_BODY:
            self._is_sound = self._is_sound and head.status != SWITCHING
            self.is_complete = self.is_done = True
        elif head.chunked:
            self._next = self._read_size
        elif head.chunked is None and head.length is not None:
            self._left = head.length
            self.is_complete = self.is_done = not head.length
            self._next = self._read_length
        else:
            self._next = self._read_until_end

    def _give_up(self) -> None:
        self.is_http = self.head is not None
        self._is_sound = False
        self.is_done = True
