"""When each message of a bundle arrived: 4 bytes a message, beside the first chunk of the body.

They are in the order of the body's messages, in milliseconds after the window was opened. They are
written with the body and never again, so no attempt pays for them; they are read and deleted with
it. A bundle of one message needs none, nor does a single message: it arrived when it was opened.
"""

import struct
from collections.abc import Sequence

from hookbundle.storage.database.chat_records import Member
from hookbundle.storage.database.delivery_records import Delivery

NOT_KNOWN = 2**32 - 1  # of a message whose window an earlier version opened
LATEST = NOT_KNOWN - 1  # 49 days


def packed(members: Sequence[Member], opened_ms: int) -> bytes:
    """The arrivals of a bundle's messages, to be stored."""
    if len(members) < 2:
        return b""
    after = [
        min(max(member.arrived_ms - opened_ms, 0), LATEST) if member.arrived_ms else NOT_KNOWN
        for member in members
    ]
    return struct.pack(f">{len(after)}I", *after)


def of(delivery: Delivery, arrivals: bytes) -> list[int]:
    """When each message of the body arrived; 0 where it is not known."""
    if delivery.messages == 1:
        return [delivery.opened_ms]
    if len(arrivals) != 4 * delivery.messages:  # sealed by an earlier version
        return [0] * delivery.messages
    after = struct.unpack(f">{delivery.messages}I", arrivals)
    return [0 if each == NOT_KNOWN else delivery.opened_ms + each for each in after]
