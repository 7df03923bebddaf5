"""The events of the feed, as types that OpenAPI can describe: one for each fact, told by `type`."""

from typing import Any, Union

import msgspec

from hookbundle.storage.facts import Fact, all_facts, type_of


def event_of(fact: type[Fact]) -> type[msgspec.Struct]:
    """The event in which the fact is sent to readers of the feed; see docs/feed.md."""
    return msgspec.defstruct(
        f"{fact.__name__}Event",
        [
            ("seq", int),
            ("cursor", str),
            ("id", str),
            ("time", str),
            ("workspace", str),
            ("chat", str),
            ("data", fact),
        ],
        tag_field="type",
        tag=type_of(fact),
        frozen=True,
    )


ANY_EVENT: Any = Union[tuple(event_of(fact) for fact in all_facts())]  # noqa: UP007 - made at run time
