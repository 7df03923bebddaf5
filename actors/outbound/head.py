"""The head of an answer: what its fields say about the body, and which of them are kept.

A field that can be read is heard, whatever stands around it. `is_clean` is false once something is
not as the standard has it (RFC 9112), because such a head may mean another end of the body than
the one that is found here.
"""

import re

HEADERS_STORED_MAX = 64
HEADER_NAME_CHARS_MAX = 256
HEADER_VALUE_CHARS_MAX = 1_024
HEADERS_STORED_CHARS_MAX = 8 * 1024
LENGTH_DIGITS_MAX = 15
LENGTHS_IN_A_FIELD_MAX = 8
UTF8_BYTES_MAX = 4  # of a character

NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
KEEP_ALIVE = re.compile(rb"timeout[ \t]*=[ \t]*([0-9]{1,9})", re.IGNORECASE)
# Stored wherever it stands, because the time of the next attempt depends on it.
ALWAYS_STORED = b"retry-after"


class Head:
    """`length`: of the body, None if the head names none. `idle_s`: for how long the receiver keeps
    an idle connection, None if it does not say. `chunked`: None without a Transfer-Encoding.
    """

    __slots__ = (
        *("_connection", "_room_chars", "chunked", "headers", "idle_s", "is_clean", "length"),
        *("status", "version"),
    )

    def __init__(self, version: bytes, status: int) -> None:
        self.version = version
        self.status = status
        self.headers: list[tuple[str, str]] = []
        self.length: int | None = None
        self.chunked: bool | None = None
        self.idle_s: int | None = None
        self.is_clean = True
        self._connection = b""
        self._room_chars = HEADERS_STORED_CHARS_MAX

    @property
    def keeps_connection(self) -> bool:
        """Whether the receiver means to keep the connection, and the head leaves no doubt."""
        if not self.is_clean or b"close" in self._connection:
            return False
        if self.chunked is not None and self.length is not None:
            return False
        return self.version == b"1.1" or (
            self.version == b"1.0" and b"keep-alive" in self._connection
        )

    def read_field(self, line: bytes) -> None:
        """A line of the head, without its end."""
        name, colon, value = line.partition(b":")
        if b"\r" in line or b"\0" in line:  # some take them for the end of a line, or of a value
            self.is_clean = False
        if NAME.fullmatch(name) is None or not colon:
            self.is_clean = False
            if not colon or line[0] in b" \t":
                return  # no field: a warning, or more of the field before
            name = name.rstrip()
        value, lower = value.strip(), name.lower()
        match lower:
            case b"content-length":
                self._read_length(value)
            case b"transfer-encoding":
                self.is_clean = self.is_clean and self.chunked is None
                self.chunked = value.lower().endswith(b"chunked")
            case b"connection":
                self._connection += value.lower()[:HEADER_VALUE_CHARS_MAX]
            case b"keep-alive":
                found = KEEP_ALIVE.search(value)
                self.idle_s = int(found[1]) if found else None
        self._store(name, value, is_wanted=lower == ALWAYS_STORED)

    def _read_length(self, value: bytes) -> None:
        """Of lengths that differ the shortest counts: nothing is waited for that may not come."""
        self.is_clean = self.is_clean and value.isdigit() and self.length is None
        for text in value.split(b",", LENGTHS_IN_A_FIELD_MAX):
            digits = text.strip()
            if digits.isdigit():
                length = int(digits[:LENGTH_DIGITS_MAX])
                self.length = length if self.length is None else min(self.length, length)

    def _store(self, name: bytes, value: bytes, *, is_wanted: bool) -> None:
        stored = self.headers
        is_full = len(stored) >= HEADERS_STORED_MAX or self._room_chars <= 0
        if is_full and not (is_wanted and len(stored) <= HEADERS_STORED_MAX):
            return
        field = (_text(name, HEADER_NAME_CHARS_MAX), _text(value, HEADER_VALUE_CHARS_MAX))
        self._room_chars -= len(field[0]) + len(field[1])
        if self._room_chars >= 0 or is_wanted:
            stored.append(field)


def _text(data: bytes, chars_max: int) -> str:
    return data[: chars_max * UTF8_BYTES_MAX].decode("utf-8", "replace")[:chars_max]
