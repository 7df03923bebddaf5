"""Jobs for tests: a chat, its messages, and a format for them."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hookbundle.engine.formats.documents import parse_format
from hookbundle.engine.formats.format import Format
from hookbundle.engine.formats.jobs import BundleFacts, Job, Outcome, Rendered, Unrenderable
from hookbundle.engine.formats.rendering import rendered
from hookbundle.engine.messages import payload

ACCOUNT = {"full_name": "Acme", "email": "owner@example.com", "phone": "+97231234567"}
CHAT = {
    "full_name": "Dana Levi",
    "responsible_name": "Avi",
    "responsible_email": "avi@example.com",
    "chat_url": "https://inbox.example.com/chats/1?a=1&b=2",
    "chat_id": "972501234567@c.us",
    "is_new_chat": True,
    "is_group": False,
    "phone": "+972501234567",
}
GROUP = {**CHAT, "full_name": "Sales", "chat_id": "123@g.us", "is_group": True, "phone": ""}
FACTS = BundleFacts("dlv_3", sequence=3, previous_id="dlv_2", part=1, reason="time")


def message(
    text: str,
    second: int = 0,
    *,
    sent: bool = False,
    name: str | None = None,
    phone: str = "+972501234567",
) -> dict[str, Any]:
    who = {"full_name": "Dana Levi" if name is None else name, "phone": phone}
    team = {"full_name": "Avi", "phone": "+97231234567"}
    return {
        "direction": "sent" if sent else "received",
        "timestamp": f"2021-02-24T16:{25 + second // 60:02}:{second % 60:02}+0000",
        "message_id": f"m{second}",
        "sender": team if sent else who,
        "recipient": who if sent else team,
        "text": text,
    }


HELLO = (message("hello"), message("hi Dana", 61, sent=True))


def bundle(
    messages: Sequence[Mapping[str, Any]] = HELLO, chat: Mapping[str, Any] = CHAT, link: str = ""
) -> bytes:
    return payload.bundle_body(
        account=msgspec.json.encode(ACCOUNT),
        chat=msgspec.json.encode(chat),
        is_new_chat=bool(chat["is_new_chat"]),
        messages=[msgspec.json.encode(each) for each in messages],
        permalink=link,
        product_name="the inbox",
    )


def single(one: Mapping[str, Any], chat: Mapping[str, Any] = CHAT) -> bytes:
    encoded = (msgspec.json.encode(each) for each in (ACCOUNT, chat, one))
    return payload.single_body(*encoded)


def sound(value: Any, options: Mapping[str, str] | None = None) -> Format:
    read = parse_format(value, options)
    assert isinstance(read, Format), read
    return read


def job(value: Any, body: bytes = b"", **fields: Any) -> Job:
    """`value`: a format, as it is set; `options` among the fields, too."""
    form = sound(value, fields.pop("options", None))
    facts = fields.pop("facts", FACTS)
    extra = msgspec.json.encode(fields.pop("extra")) if "extra" in fields else b""
    fields.setdefault("zone", "Asia/Jerusalem")
    return Job(
        format=form.format,
        options=form.options,
        body=body or bundle(),
        bundle=facts,
        extra=extra,
        **fields,
    )


def outcome(template: Any, body: bytes = b"", **fields: Any) -> Outcome:
    return rendered(job({"template": template}, body, **fields))


def filled(template: Any, body: bytes = b"", **fields: Any) -> Any:
    """What the receiver reads of a body that was made by the template."""
    made = outcome(template, body, **fields)
    assert isinstance(made, Rendered), made
    return msgspec.json.decode(made.body)


def refused(template: Any, body: bytes = b"", **fields: Any) -> Unrenderable:
    made = outcome(template, body, **fields)
    assert isinstance(made, Unrenderable), made
    return made
