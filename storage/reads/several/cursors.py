"""Cursors of readers of several partitions: a position in each of them, as one text.

curs_ and base64url of MessagePack: {partition: [epoch, seq]}

A partition that is not in it is read from its oldest event on: of that one nothing was told yet.
"""

import base64
import binascii
from collections.abc import Mapping

import msgspec

from hookbundle.storage.reads.feed import SEQ_DIGITS, parse_cursor

PREFIX = "curs_"
OLDEST = "oldest"

_decoder = msgspec.msgpack.Decoder(dict[int, tuple[str, int]])


def joined(cursors: Mapping[int, str]) -> str:
    """The cursor of all; `oldest` for one of them leaves it out."""
    places = {
        number: parse_cursor(cursor)
        for number, cursor in sorted(cursors.items())
        if cursor != OLDEST
    }
    written = base64.urlsafe_b64encode(msgspec.msgpack.encode(places)).decode()
    return PREFIX + written.rstrip("=")


def parted(cursor: str, partitions: int) -> dict[int, str]:
    """The cursor of each partition that it names. Raises: ValueError if it is none of a cluster
    with so many partitions."""
    text = cursor.removeprefix(PREFIX)
    if text == cursor or not text.isascii():
        raise ValueError("not a cursor of several partitions")
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        places = _decoder.decode(packed)
    except (binascii.Error, msgspec.DecodeError) as exc:
        raise ValueError("not a cursor of several partitions") from exc
    found = {
        number: f"cur_{epoch}{seq:0{SEQ_DIGITS}x}"
        for number, (epoch, seq) in places.items()
        if 0 <= number < partitions and seq >= 0
    }
    if len(found) < len(places):
        raise ValueError("a partition that the cluster does not have")
    for each in found.values():
        parse_cursor(each)
    return found
