"""The settings of a source: its types, and how what somebody wrote is read into them.

    {"account": {"full_name": "Nadia Haddad", "email": "nadia@acme.example"},
     "chat_url": "https://inbox.acme.example/chat/{chat_id}", "hmac_key": "..."}

Which fields a kind takes stands in FIELDS; any other is a fault. Secrets (SECRETS, and the value of
`header`) are write-only: `shown` has `{"set": true}` in their place. While a secret is rotated, two
are taken: `"hmac_key": ["new", "old"]`.
"""

from typing import Annotated, Any, Literal

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.faults import FaultCode, fault, given
from hookbundle.engine.messages import spelling
from hookbundle.engine.messages.checking import collect_faults
from hookbundle.engine.messages.message import Name
from hookbundle.engine.sources import settings_rules as rules
from hookbundle.engine.sources.adapters.generic_paths import PathText

AT = "settings"  # where they stand in what somebody wrote
SECRET_CHARS_MAX = 1_024
SECRETS_MAX = 2  # the new one and the old one
NUMBERS_MAX = 200
EVENTS_MAX = 20
CHANNELS = ("Channel::Whatsapp", "Channel::Api", "Channel::TwilioSms")  # of Chatwoot
SENT_VALUES = ("sent", "out", "outgoing", "outbound", "true", "1")

SecretText = Annotated[str, msgspec.Meta(min_length=1, max_length=SECRET_CHARS_MAX)]
SecretTexts = Annotated[list[SecretText], msgspec.Meta(min_length=1, max_length=SECRETS_MAX)]
Secret = SecretText | SecretTexts
UrlTemplate = Annotated[str, msgspec.Meta(max_length=limits.URL_CHARS_MAX)]
ShortText = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
ShortTexts = Annotated[tuple[ShortText, ...], msgspec.Meta(max_length=EVENTS_MAX)]
KindName = Literal[
    "waha",
    "evolution",
    "meta",
    "chatwoot",
    "timelinesai",
    "twilio",
    "360dialog",
    "green-api",
    "whapi",
    "wati",
    "periskope",
    "generic",
]


class AccountSettings(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Whom the WhatsApp account belongs to; most sources know no more of it than its phone."""

    full_name: Name = ""
    email: Name = ""
    phone: Name = ""


Accounts = Annotated[dict[ShortText, AccountSettings], msgspec.Meta(max_length=NUMBERS_MAX)]


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A header that the other system sends along: its name, in lower case, and its secret value."""

    name: ShortText
    value: Secret


class Accept(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """`history`: old messages, which a source imports when a phone is connected."""

    history: bool = False
    groups: bool = True
    sent: bool = True


class GenericFields(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Where a message's parts are in a body of the kind `generic` (generic_paths.py)."""

    message_id: PathText
    chat_id: PathText
    text: PathText
    timestamp: PathText = ""
    direction: PathText = ""
    event: PathText = ""
    chat_name: PathText = ""
    chat_phone: PathText = ""
    chat_url: PathText = ""
    is_group: PathText = ""
    is_new_chat: PathText = ""
    sender_name: PathText = ""
    sender_phone: PathText = ""
    account_name: PathText = ""
    account_phone: PathText = ""
    responsible_name: PathText = ""
    responsible_email: PathText = ""
    attachment: PathText = ""


class SourceSettings(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Of a source of any kind. A field that its kind does not take has its default.

    `chat_url`: a template with `{chat_id}`, `{phone}` and `{account}`, the last two as digits.
    `chat_id`: `{account}-{chat}` keeps apart the chats of several numbers behind one URL.
    `numbers`: the accounts of several numbers behind one URL, by what the source calls them
    (session, instance, `phone_number_id`, channel) or by the digits of their phone.
    `fold_numbers`: the two spellings of numbers in Brazil, Mexico and Argentina are one chat.
    """

    account: AccountSettings = AccountSettings()
    chat_url: UrlTemplate = ""
    chat_id: Literal["{chat}", "{account}-{chat}"] = "{chat}"
    fold_numbers: bool = False
    accept: Accept = Accept()
    header: Header | None = None
    hmac_key: Secret | None = None  # waha
    jwt_key: Secret | None = None  # evolution
    app_secret: Secret | None = None  # meta
    verify_token: Secret | None = None  # meta
    numbers: Accounts = {}  # all but chatwoot and timelinesai
    secret: Secret | None = None  # chatwoot
    inboxes: Accounts = {}  # chatwoot: by the inbox's id
    channels: ShortTexts = CHANNELS  # chatwoot
    base_url: UrlTemplate = ""  # chatwoot
    auth_token: Secret | None = None  # twilio
    shared_key: Secret | None = None  # twilio: of newer webhook rules
    public_url: UrlTemplate = ""  # twilio: as it stands in Twilio's console
    webhook_token: Secret | None = None  # green-api: the whole Authorization header
    signing_key: Secret | None = None  # periskope
    fields: GenericFields | None = None  # generic, as all that follow
    message_events: ShortTexts = ()  # empty: every event is a message
    edit_events: ShortTexts = ()
    delete_events: ShortTexts = ()
    sent_values: ShortTexts = SENT_VALUES


SECRETS = (
    "hmac_key",
    "jwt_key",
    "app_secret",
    "verify_token",
    "secret",
    "auth_token",
    "shared_key",
    "webhook_token",
    "signing_key",
)
PROOFS = tuple(name for name in SECRETS if name != "verify_token")
"""Those of which a request must prove one; so it must with `header`."""
OF_ALL = ("account", "chat_url", "chat_id", "fold_numbers", "accept", "header")
OF_MOST = (*OF_ALL, "numbers")
FIELDS: dict[str, tuple[str, ...]] = {
    "waha": (*OF_MOST, "hmac_key"),
    "evolution": (*OF_MOST, "jwt_key"),
    "meta": (*OF_MOST, "app_secret", "verify_token"),
    "chatwoot": (*OF_ALL, "secret", "inboxes", "channels", "base_url"),
    "timelinesai": OF_ALL,
    "twilio": (*OF_MOST, "auth_token", "shared_key", "public_url"),
    "360dialog": OF_MOST,
    "green-api": (*OF_MOST, "webhook_token"),
    "whapi": OF_MOST,
    "wati": OF_MOST,
    "periskope": (*OF_MOST, "signing_key"),
    "generic": (
        *OF_MOST,
        "fields",
        "message_events",
        "edit_events",
        "delete_events",
        "sent_values",
    ),
}


def parse(kind: str, value: Any, base: SourceSettings | None = None) -> SourceSettings:
    """The settings of a source that the decoded JSON value is.

    With `base` it is a change of those: a field that is not named stays, null takes it away.

    Raises: InvalidInput with every fault, each with its path and code.
    """
    if not isinstance(value, dict):
        raise InvalidInput((fault(AT, FaultCode.NOT_AN_OBJECT, given=given(value)),))
    known = FIELDS[kind]
    faults = list(spelling.unknown_faults(value, known, AT))
    named = {name: each for name, each in value.items() if name in known}
    merged = {**(msgspec.to_builtins(base) if base else {}), **named}
    merged = {name: each for name, each in merged.items() if each is not None}
    faults += collect_faults(merged, SourceSettings, AT)
    if kind == "generic" and "fields" not in merged:
        faults.append(fault(f"{AT}.fields", FaultCode.MISSING))
    faults += rules.faults_of(merged, AT)
    if faults:
        raise InvalidInput.with_faults(faults)
    settings = msgspec.convert(merged, SourceSettings)
    if settings.header is None:
        return settings
    header = msgspec.structs.replace(settings.header, name=settings.header.name.lower())
    return msgspec.structs.replace(settings, header=header)


def shown(settings: SourceSettings) -> dict[str, Any]:
    """The settings as JSON without any secret: `{"set": true}` stands in the place of each."""
    said: dict[str, Any] = msgspec.to_builtins(settings)
    for name in SECRETS:
        if name in said:
            said[name] = {"set": True}
    if settings.header is not None:
        said["header"] = {"name": settings.header.name, "value": {"set": True}}
    return said


def is_proven(settings: SourceSettings) -> bool:
    """Whether a request is refused that does not prove where it comes from."""
    return settings.header is not None or any(getattr(settings, name) for name in PROOFS)


def written(settings: SourceSettings) -> bytes:
    """The settings as they are stored: JSON, the secrets in clear."""
    return msgspec.json.encode(settings)


def stored(written: bytes) -> SourceSettings:
    """The settings that `written` made."""
    return msgspec.json.decode(written, type=SourceSettings)


def secrets_of(secret: Secret | None) -> tuple[str, ...]:
    """The newest first; none if none is set."""
    if secret is None:
        return ()
    return (secret,) if isinstance(secret, str) else tuple(secret)
