"""Times in the data of facts, as readers of the feed get them: RFC 3339 in UTC, null for none.

They are stored as milliseconds, by 0.1 too, whose facts may still be there.
"""

from typing import Any, get_args

import msgspec

from hookbundle.engine.messages.timestamps import rfc_3339
from hookbundle.storage.daemon_facts import Fact, type_of
from hookbundle.storage.facts import all_facts
from hookbundle.storage.instants import Instant

OLD = {"message.accepted": ("due",)}  # of 0.1


def times_of(kind: type[Fact]) -> tuple[str, ...]:
    """The fields of the fact that are times."""
    return tuple(
        field.encode_name
        for field in msgspec.structs.fields(kind)
        if field.type == Instant or Instant in get_args(field.type)
    )


TIMES: dict[str, tuple[str, ...]] = {
    **{type_of(kind): names for kind in all_facts() if (names := times_of(kind))},
    **OLD,
}


def with_times(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """The data of a fact of this type, changed in place: its times as they are shown."""
    for name in TIMES.get(kind, ()):
        at_ms = data.get(name)
        if isinstance(at_ms, int):
            data[name] = rfc_3339(at_ms) if at_ms else None
    return data
