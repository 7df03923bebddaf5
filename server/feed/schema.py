"""The events of the feed, as types that OpenAPI can describe: one for each fact, told by `type`."""

from typing import Any, Union

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.storage.daemon_facts import Fact, type_of
from hookbundle.storage.facts import all_facts
from hookbundle.storage.reads.fact_times import times_of


def data_of(fact: type[Fact]) -> type[msgspec.Struct]:
    """The fact's data as readers get it: its times are texts, null for none."""
    times = times_of(fact)
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(fact):
        shown = str | None if field.encode_name in times else field.type
        if field.required:
            fields.append((field.encode_name, shown))
        else:  # those that may be missing are UNSET then
            fields.append((field.encode_name, shown | UnsetType, UNSET))
    namespace = {"__doc__": fact.__doc__}
    return msgspec.defstruct(fact.__name__, fields, frozen=True, kw_only=True, namespace=namespace)


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
            ("chat_id", str),
            ("chat", str),
            ("webhook", str),
            ("data", data_of(fact)),
        ],
        tag_field="type",
        tag=type_of(fact),
        frozen=True,
    )


ANY_EVENT: Any = Union[tuple(event_of(fact) for fact in all_facts())]  # noqa: UP007 - made at run time
