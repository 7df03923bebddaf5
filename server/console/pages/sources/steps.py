"""The kinds of sources for who sets one up: what each is, and what to switch on over there.

In a text, what stands between backticks is an exact name of the other system: it is shown as code,
and stays as it is in every language.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup, escape

from hookbundle.engine.sources import kinds

NAMED = re.compile(r"`([^`]+)`")
PASTE = "Paste the address as the URL of the webhook."
HEADER = (
    "If custom headers can be set there, choose one with a secret value, and set the same name and "
    "value here."
)


@dataclass(frozen=True, slots=True)
class About:
    """`says`: one sentence of what the kind is. `steps`: what to do over there, in its order."""

    says: str
    steps: tuple[str, ...]


KINDS: dict[str, About] = {
    "waha": About(
        "WAHA, a WhatsApp HTTP API on a server of your own, with any of its four engines.",
        (
            "In the session's settings add a webhook, and paste the address as its `url`.",
            "Switch on the events `message.any`, `message.edited` and `message.revoked`. Leave "
            "`message` off: it is the same again.",
            "Set `hmac.key` to a long random text, and the same text here as the HMAC key.",
        ),
    ),
    "evolution": About(
        "Evolution API, an open WhatsApp API on a server of your own.",
        (
            "In the instance's webhook settings switch the webhook on, and paste the address as "
            "its `url`.",
            "Switch on the events `MESSAGES_UPSERT`, `SEND_MESSAGE`, `MESSAGES_EDITED`, "
            "`SEND_MESSAGE_UPDATE` and `MESSAGES_DELETE`.",
            "Leave `base64` off; `byEvents` may be on or off.",
            "Under `headers` add one with a secret value, or set `jwt_key`, and set the same here. "
            "Evolution drops an event for good if the secret is wrong.",
        ),
    ),
    "meta": About(
        "The WhatsApp Cloud API, directly from Meta.",
        (
            "Here, set a verify token of your own choice and the app secret, which stands in the "
            "app's settings under `Basic`.",
            "In the app open `WhatsApp`, `Configuration`: paste the address as the `Callback URL`, "
            "and the verify token as the `Verify token`.",
            "Subscribe to the field `messages`; with coexistence also to `smb_message_echoes`.",
            "Messages sent through the API never come back with their text. The program that "
            "sends them has to post them to the workspace too.",
        ),
    ),
    "chatwoot": About(
        "Chatwoot, a shared inbox for a team.",
        (
            "Open `Settings`, `Integrations`, `Webhooks`, add a webhook and paste the address.",
            "Switch on the events `message_created` and `message_updated`.",
            "If a secret is shown there, as since February 2026, set it here.",
            "If Chatwoot gets its messages from WAHA or Evolution, connect one of the two, not "
            "both: each message would come twice.",
            "Chatwoot sends each event only once: keep the service reachable.",
        ),
    ),
    "timelinesai": About(
        "TimelinesAI, a shared inbox for the WhatsApp numbers of a team.",
        (
            "Under `Integrations`, `Webhooks` add a webhook, and paste the address.",
            "Switch on the events `message:new` and `chat:created`.",
            "TimelinesAI signs nothing: anybody who has the address can post. Keep it secret.",
        ),
    ),
    "twilio": About(
        "Twilio's Programmable Messaging with a WhatsApp sender.",
        (
            "In the settings of the WhatsApp sender paste the address under "
            "`Webhook URL for incoming messages`, with `HTTP POST`. The sandbox calls it "
            "`When a message comes in`.",
            "Set the `Auth Token` of the account here. Behind a proxy set the public URL too, as "
            "Twilio signs the URL; its origin is enough.",
            "Twilio sends received messages only, and each of them once.",
        ),
    ),
    "360dialog": About(
        "360dialog, which passes on what the WhatsApp Cloud API sends.",
        (
            "Set the webhook of the number to the address: `POST /v1/configs/webhook`, with the "
            "address as `url`.",
            "Add a header with a secret value under `headers`, and set the same name and value "
            "here.",
            "Messages sent through the API never come back with their text. The program that "
            "sends them has to post them to the workspace too.",
        ),
    ),
    "green-api": About(
        "GREEN-API, a hosted WhatsApp API.",
        (
            "In the instance's settings paste the address as `webhookUrl`.",
            "Switch on `incomingWebhook`, `outgoingMessageWebhook` and `outgoingAPIMessageWebhook`;"
            " edits and deletions have to be switched on as well.",
            "Set `webhookUrlToken` to a secret. It comes as the header `Authorization`: set its "
            "whole value here.",
        ),
    ),
    "whapi": About(
        "Whapi.Cloud, a hosted WhatsApp API.",
        (
            "In the channel's settings add a webhook, and paste the address.",
            "Switch on `messages` with the method `POST`.",
            HEADER,
        ),
    ),
    "wati": About(
        "Wati, a shared inbox on the WhatsApp Business API.",
        (
            PASTE,
            "Switch on `message received`, `session message sent v2` and `template message sent "
            "v2`.",
            HEADER,
        ),
    ),
    "periskope": About(
        "Periskope, which manages the WhatsApp groups and chats of a team.",
        (
            PASTE,
            "Switch on `message.created`, `message.updated`, `message.deleted` and `chat.created`.",
            "Copy the signing key that is shown there, and set it here.",
        ),
    ),
    "generic": About(
        "Any other system that posts JSON: you say where in it the parts of a message are.",
        (
            PASTE,
            "Switch on the events for received and sent messages, and if there are such, for edits "
            "and deletions.",
            HEADER,
        ),
    ),
}


def coded(text: str) -> Markup:
    """The text, with what is between backticks as code."""
    return Markup(NAMED.sub(r'<code dir="ltr">\1</code>', str(escape(text))))


def texts() -> Iterator[str]:
    """Every text, which each language has to have."""
    for name, about in KINDS.items():
        yield kinds.KINDS[name].title
        yield about.says
        yield from about.steps
