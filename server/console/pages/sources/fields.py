"""The settings of a source as fields of a form: which ones a kind has, and what each asks for.

In a label or a hint, what stands between backticks is shown as code (see steps.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from hookbundle.engine.sources.settings import FIELDS, OF_ALL


class Form(StrEnum):
    """`LIST`: texts with commas between. `SECRET`: is never shown again."""

    TEXT = "text"
    URL = "url"
    PHONE = "phone"
    NAME = "name"  # of the other system: no words
    TICK = "tick"
    LIST = "list"
    JSON = "json"
    SECRET = "secret"


@dataclass(frozen=True, slots=True)
class Input:
    """A field of the form, of the setting at `path`. `is_common`: most owners fill it in."""

    name: str
    path: str
    label: str
    hint: str = ""
    form: Form = Form.TEXT
    is_common: bool = False


def _secret(name: str, label: str, hint: str) -> Input:
    return Input(name, name, label, hint, Form.SECRET, is_common=True)


OF_SETTING: dict[str, tuple[Input, ...]] = {
    "account": (
        Input(
            "account_full_name",
            "account.full_name",
            "Name of the WhatsApp account",
            "Whom the number belongs to; it goes with each message.",
            is_common=True,
        ),
        Input("account_email", "account.email", "E-mail of the account", form=Form.NAME),
        Input(
            "account_phone",
            "account.phone",
            "Phone of the account",
            "A phone that the source says itself counts more.",
            Form.PHONE,
        ),
    ),
    "chat_url": (
        Input(
            "chat_url",
            "chat_url",
            "Link to a chat",
            "A URL with `{chat_id}`, `{phone}` or `{account}` where these belong.",
            Form.URL,
        ),
    ),
    "chat_id": (
        Input(
            "chat_id",
            "chat_id",
            "Keep the chats of several numbers apart",
            "If several numbers of yours use this address, a contact who writes to two of them has "
            "two chats: ids are `{account}-{chat}`. Set it before the first message.",
            Form.TICK,
        ),
    ),
    "fold_numbers": (
        Input(
            "fold_numbers",
            "fold_numbers",
            "One chat for both spellings of a number",
            "Numbers in Brazil, Mexico and Argentina exist in two spellings.",
            Form.TICK,
        ),
    ),
    "accept": (
        Input("accept_groups", "accept.groups", "Take messages of groups", form=Form.TICK),
        Input("accept_sent", "accept.sent", "Take messages that were sent", form=Form.TICK),
        Input(
            "accept_history",
            "accept.history",
            "Take old messages that are imported",
            "When a phone is connected, some systems send its history.",
            Form.TICK,
        ),
    ),
    "header": (
        Input(
            "header_name",
            "header.name",
            "Name of a secret header",
            "A header that the other system sends along; requests without it are refused.",
            Form.NAME,
            is_common=True,
        ),
        Input(
            "header_value",
            "header.value",
            "Value of the secret header",
            form=Form.SECRET,
            is_common=True,
        ),
    ),
    "hmac_key": (_secret("hmac_key", "HMAC key", "The `hmac.key` of the session."),),
    "jwt_key": (_secret("jwt_key", "JWT key", "The `jwt_key` among the headers of the webhook."),),
    "app_secret": (_secret("app_secret", "App secret", "By it each request is signed."),),
    "verify_token": (
        _secret("verify_token", "Verify token", "A text of your own choice, the same over there."),
    ),
    "secret": (_secret("secret", "Secret of the webhook", "Since February 2026 servers have it."),),
    "auth_token": (_secret("auth_token", "Auth token", "By it each request is signed."),),
    "shared_key": (
        Input(
            "shared_key",
            "shared_key",
            "Shared key",
            "Of newer webhook rules, which sign with a key of their own.",
            Form.SECRET,
        ),
    ),
    "webhook_token": (
        _secret(
            "webhook_token",
            "Authorization header",
            "Its whole value, such as `Bearer` with the token.",
        ),
    ),
    "signing_key": (_secret("signing_key", "Signing key", "By it each request is signed."),),
    "public_url": (
        Input(
            "public_url",
            "public_url",
            "Public URL",
            "Behind a proxy: what the address begins with over there, such as "
            "`https://hooks.example.com`.",
            Form.URL,
            is_common=True,
        ),
    ),
    "base_url": (
        Input(
            "base_url",
            "base_url",
            "URL of Chatwoot",
            "With it each chat has a link to its conversation.",
            Form.URL,
            is_common=True,
        ),
    ),
    "channels": (
        Input(
            "channels",
            "channels",
            "Channels that are WhatsApp",
            "With commas between; what comes by others is ignored.",
            Form.LIST,
        ),
    ),
    "numbers": (
        Input(
            "numbers",
            "numbers",
            "Accounts of several numbers",
            "As JSON, by what the source calls a number or by its digits: "
            '`{"447900000000": {"full_name": "Nadia", "email": "", "phone": ""}}`',
            Form.JSON,
        ),
    ),
    "inboxes": (
        Input(
            "inboxes",
            "inboxes",
            "Accounts of the inboxes",
            "As JSON, by the id of the inbox: "
            '`{"7": {"full_name": "Nadia", "email": "", "phone": "+447900000000"}}`',
            Form.JSON,
        ),
    ),
    "fields": (
        Input(
            "fields",
            "fields",
            "Where the parts of a message are",
            "As JSON: `message_id`, `chat_id` and `text` are needed. In a path there are names "
            "with dots, `[2]` for one item, `[]` for each of a list, `||` for else.",
            Form.JSON,
            is_common=True,
        ),
    ),
    "message_events": (
        Input(
            "message_events",
            "message_events",
            "Events that are messages",
            "With commas between; without any, every event is a message.",
            Form.LIST,
        ),
    ),
    "edit_events": (Input("edit_events", "edit_events", "Events that are edits", form=Form.LIST),),
    "delete_events": (
        Input("delete_events", "delete_events", "Events that are deletions", form=Form.LIST),
    ),
    "sent_values": (
        Input(
            "sent_values",
            "sent_values",
            "What the direction of a sent message says",
            "With commas between.",
            Form.LIST,
        ),
    ),
}


def inputs_of(kind: str) -> list[Input]:
    """The fields of the form of a kind, the secrets of its own before what all have."""
    names = FIELDS[kind]
    own = [name for name in names if name not in OF_ALL]
    every = [*own, *(name for name in names if name not in own)]
    return [each for name in every for each in OF_SETTING[name]]


def texts() -> Iterator[str]:
    """Every text, which each language has to have."""
    for inputs in OF_SETTING.values():
        for each in inputs:
            yield each.label
            if each.hint:
                yield each.hint
