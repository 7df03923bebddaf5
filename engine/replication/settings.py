"""Settings that shape what owners of partitions do: their digest in beats, and who differs.

What a webhook waits, what is kept, which addresses may be reached: all of it acts through the
owner, and changes when a partition changes hands if nodes were not configured alike. A beat has
three characters for each setting, so that others can say which ones differ, and never a value.
"""

import base64
from collections.abc import Mapping
from hashlib import blake2b

NAMES_CHARS, VALUE_CHARS = 4, 3
OTHERS = ("others than this version has",)


def digest_of(settings: Mapping[str, object]) -> str:
    """Of settings by their names: which ones there are, and what each one is."""
    values = (_short(repr(value), VALUE_CHARS) for value in settings.values())
    return _short("\n".join(settings), NAMES_CHARS) + "".join(values)


def differing(own: Mapping[str, object], digest: str) -> tuple[str, ...]:
    """The names of those in which the node with the digest differs; none if it says nothing."""
    mine = digest_of(own)
    if not digest or digest == mine:
        return ()
    if len(digest) != len(mine) or digest[:NAMES_CHARS] != mine[:NAMES_CHARS]:
        return OTHERS
    places = range(NAMES_CHARS, len(mine), VALUE_CHARS)
    return tuple(
        name
        for name, at in zip(own, places, strict=True)
        if digest[at : at + VALUE_CHARS] != mine[at : at + VALUE_CHARS]
    )


def _short(text: str, chars: int) -> str:
    return base64.urlsafe_b64encode(blake2b(text.encode(), digest_size=6).digest())[:chars].decode()
