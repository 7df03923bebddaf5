"""The keys of all that sources have; keyspace.py has those of everything else.

    key                                     record         written by            deleted by
    c workspace source 0                    Source         changing it           its last step
    c workspace source 1                    SourceNotes    noting requests       its last step
    c workspace source 2                    SourceMemory   learning              its last step
    u token digest                          SourceToken    making, rotating      rotating, deleting
    m workspace source 0 map name           Remembered     learning              see memory.py
    m workspace source 1 ring number map name  (empty)     with the entry        with it
    q workspace source number 0             KeptRequest    noting a request      see requests.py
    q workspace source number 1             KeptBody       with `KeptRequest`    with it
    x workspace chat source 0 map name      (empty)        with the entry        with it
    x workspace chat source 1 number        (empty)        with the request      with it

Letters, `map`, `ring` and the numbers 0 to 2 are a byte; `workspace` and `source` are 4 bytes,
`number` is 8. `name` is a digest, so that no id that somebody sends makes a key too long. `chat` is
as in keyspace.py; the rows of requests that are of no known chat have an empty one. A source has
a number from the counter of its workspace, which no other one of it ever gets.
"""

import struct
from hashlib import blake2b
from typing import NamedTuple

from hookbundle.storage.database import key_fields, keyspace

SOURCES = b"c"
TOKENS = b"u"
MEMORY = b"m"
REQUESTS = b"q"
OF_CHATS = b"x"
LETTERS = (SOURCES, TOKENS, MEMORY, REQUESTS, OF_CHATS)
OF_A_WORKSPACE = (SOURCES, MEMORY, REQUESTS, OF_CHATS)  # a token's row is deleted with its source

SETTINGS, NOTES, MEMORY_STATE = 0, 1, 2  # the records of a source
ENTRY, PLACE = 0, 1  # of its memory: what is remembered, and its place in its ring
HEAD, BODY = 0, 1  # of a request
OF_ENTRY, OF_REQUEST = 0, 1  # what a row under a chat points to
NAME_BYTES = 16

_RECORD = struct.Struct(">cIIB")
_ENTRY = struct.Struct(">cIIBB")
_PLACE = struct.Struct(">cIIBBQB")
_PLACES = struct.Struct(">cIIBB")
_REQUEST = struct.Struct(">cIIQB")
_ENTRY_OF_CHAT = struct.Struct(">IBB")
_REQUEST_OF_CHAT = struct.Struct(">IBQ")


class EntryName(NamedTuple):
    """An entry of a source's memory: which map it is in, and the digest of what it is found by."""

    map: int
    digest: bytes


class OfChat(NamedTuple):
    """What a row under a chat points to: an entry of a source's memory, or a request by number."""

    source: int
    entry: EntryName | None
    request: int


def name_of(text: str) -> bytes:
    """The digest by which an id is found, whatever its length."""
    return blake2b(text.encode("utf-8", "replace"), digest_size=NAME_BYTES).digest()


def of_source(workspace: int, source: int, which: int) -> bytes:
    """The key of one of the three records that a source has."""
    return _RECORD.pack(SOURCES, workspace, source, which)


def token(digest: bytes) -> bytes:
    return TOKENS + digest


def all_of(letter: bytes, workspace: int, source: int) -> bytes:
    """What the keys of a source's memory, or of its requests, begin with."""
    return keyspace.OWNED_U4.pack(letter, workspace, source)


def entry(workspace: int, source: int, name: EntryName) -> bytes:
    return _ENTRY.pack(MEMORY, workspace, source, ENTRY, name.map) + name.digest


def place(workspace: int, source: int, ring: int, number: int, name: EntryName) -> bytes:
    return _PLACE.pack(MEMORY, workspace, source, PLACE, ring, number, name.map) + name.digest


def places(workspace: int, source: int, ring: int) -> bytes:
    """What the keys of the places in the ring begin with, the oldest first."""
    return _PLACES.pack(MEMORY, workspace, source, PLACE, ring)


def request(workspace: int, source: int, number: int, which: int) -> bytes:
    return _REQUEST.pack(REQUESTS, workspace, source, number, which)


def entry_of_chat(workspace: int, chat: bytes, source: int, name: EntryName) -> bytes:
    rest = _ENTRY_OF_CHAT.pack(source, OF_ENTRY, name.map) + name.digest
    return keyspace.of_chat(OF_CHATS, workspace, chat, rest)


def request_of_chat(workspace: int, chat: bytes, source: int, number: int) -> bytes:
    rest = _REQUEST_OF_CHAT.pack(source, OF_REQUEST, number)
    return keyspace.of_chat(OF_CHATS, workspace, chat, rest)


def of_chat(workspace: int, chat: bytes) -> bytes:
    """What the keys of all rows under the chat begin with."""
    return keyspace.of_chat(OF_CHATS, workspace, chat)


# ---- what is in a key; each raises struct.error or ValueError for one that was not made here


def in_record(key: bytes) -> tuple[int, int, int]:
    """The workspace, the source, and which of its records it is."""
    _, workspace, source, which = _RECORD.unpack(key)
    return workspace, source, which


def in_entry(key: bytes) -> tuple[int, int, EntryName]:
    """The workspace, the source and the entry."""
    _, workspace, source, _, map_ = _ENTRY.unpack_from(key)
    return workspace, source, EntryName(map_, _digest(key, _ENTRY.size))


def in_place(key: bytes) -> tuple[int, int, int, int, EntryName]:
    """The workspace, the source, the ring, the number and the entry that has this place."""
    _, workspace, source, _, ring, number, map_ = _PLACE.unpack_from(key)
    return workspace, source, ring, number, EntryName(map_, _digest(key, _PLACE.size))


def is_place(key: bytes) -> bool:
    """Whether the key, which is of a source's memory, is of a place in a ring."""
    return key[keyspace.OWNED_U4.size] == PLACE


def in_request(key: bytes) -> tuple[int, int, int, int]:
    """The workspace, the source, the number, and whether it is of the head or the body."""
    _, workspace, source, number, which = _REQUEST.unpack(key)
    return workspace, source, number, which


def in_chat(key: bytes) -> tuple[int, bytes, OfChat]:
    """The workspace, the chat, and what the row points to."""
    workspace, chat, rest = key_fields.of_chat(key)
    if rest[4] == OF_ENTRY:
        source, _, map_ = _ENTRY_OF_CHAT.unpack_from(rest)
        name = EntryName(map_, _digest(rest, _ENTRY_OF_CHAT.size))
        return workspace, chat, OfChat(source, name, 0)
    source, _, number = _REQUEST_OF_CHAT.unpack(rest)
    return workspace, chat, OfChat(source, None, number)


def _digest(key: bytes, start: int) -> bytes:
    digest = key[start:]
    if len(digest) != NAME_BYTES:
        raise ValueError(f"{key!r} ends with {len(digest)} bytes of a name")
    return digest
