"""Whatever the template and the messages are: the body is JSON, or there is a reason why not."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine.formats.documents import parse_format
from hookbundle.engine.formats.filters import FILTERS
from hookbundle.engine.formats.format import Format
from hookbundle.engine.formats.jobs import BundleFacts, Job, NoRecord, Rendered, Unrenderable
from hookbundle.engine.formats.rendering import rendered
from hookbundle.tests.engine.formats.jobs import CHAT, bundle, message

PATHS = [
    *("chat.full_name", "chat.is_group", "messages", "messages.first", "messages[1].text"),
    *("m.text", "m.local_time", "m.sender", "refs.crm", "labels", "stats", "contact.phone_e164"),
    *("stats.first_reply_seconds", "aggregation", "link", "bundle.sequence", "options.a", "x.y"),
]
VALUES = [
    "1",
    "-3.5",
    "'a'",
    "'%F'",
    '"%d.%m"',
    "nil",
    "true",
    "chat.phone",
    "'slack'",
    "99999999999",
]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)

calls = st.builds(
    lambda name, values: f" | {name}" + (": " + ", ".join(values) if values else ""),
    st.sampled_from([*FILTERS, "upcas", "split"]),
    st.lists(st.sampled_from(VALUES), max_size=2),
)
expressions = st.builds(
    lambda path, filters: "{{ " + path + "".join(filters) + " }}",
    st.sampled_from(PATHS + VALUES),
    st.lists(calls, max_size=3),
)
texts = st.one_of(
    expressions,
    st.builds("".join, st.lists(st.one_of(TEXT, expressions), max_size=3)),
    st.text("{}%-|:'\" ()[].m a1", max_size=30),
)
plain = st.one_of(texts, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False))


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(TEXT, st.sampled_from(["$each", "$if", "a"])), inner, max_size=3),
        st.builds(lambda do: {"$each": "messages", "as": "m", "do": do}, inner),
        st.builds(lambda path, then: {"$if": path, "then": then}, st.sampled_from(PATHS), inner),
    )


templates = st.recursive(plain, nested, max_leaves=6)


@settings(max_examples=150, deadline=None)
@given(
    template=templates,
    said=st.lists(TEXT.filter(str.strip), min_size=1, max_size=3),
    name=TEXT,
    room=st.sampled_from([0, 300, 900]),
)
def test_a_body_is_json_or_there_is_a_reason(
    template: Any, said: list[str], name: str, room: int
) -> None:
    read = parse_format({"template": template}, {"a": "b"})
    if isinstance(read, list):
        assert read
        assert all(fault.path and fault.detail for fault in read)
        return
    assert isinstance(read, Format)
    body = bundle(
        [message(text, at, name=name) for at, text in enumerate(said)], {**CHAT, "full_name": name}
    )
    job = Job(
        format=read.format,
        options=read.options,
        body=body,
        bundle=BundleFacts("dlv_1", 1),
        extra=b'{"refs":{"crm":"7"},"labels":["vip"]}',
        bytes_max=room,
    )

    made = rendered(job)

    assert isinstance(made, Rendered | Unrenderable | NoRecord)
    assert made == rendered(job)
    if isinstance(made, Rendered):
        msgspec.json.decode(made.body)
        made.body.decode()
        assert not room or len(made.body) <= room
