"""The request of a webhook, as the API shows it and takes it. It never shows a value."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.engine.requests.request import METHOD, STYLE, shown, stored
from hookbundle.storage.database.settings import Webhook

AUTH_TYPE = Literal["none", "bearer", "basic", "header", "oauth2"]
EXAMPLE = {
    "method": "PUT",
    "headers": {"X-Tenant": "acme", "X-Kept": {"set": True}},
    "auth": {
        "type": "oauth2",
        "token_url": "https://id.example.com/oauth/token",
        "client_id": "hookbundle",
        "client_secret": "the secret of the client",
        "scope": "notes.write",
        "style": "basic",
    },
}
RequestIn = Annotated[
    dict[str, Any] | None,  # engine/requests/wanted.py says better what is wrong with it
    msgspec.Meta(
        description=(
            "`method`: POST, PUT or PATCH. `headers`: up to 20, in place of those there are. "
            "`auth`: `type` none; bearer with `token`; basic with `username` and `password`; "
            "header with `name` and `value`; oauth2 with `token_url`, `client_id`, "
            "`client_secret`, `scope` and `style` (basic or body). What is left out stays, null is "
            "the default. "
            'Values are never shown: where `{"set": true}` comes back, the stored value stays '
            "(docs/requests.md)."
        ),
        examples=[EXAMPLE],
        extra_json_schema={
            "properties": {
                "method": {"enum": ["POST", "PUT", "PATCH"]},
                "headers": {
                    "type": "object",
                    "maxProperties": 20,
                    "propertyNames": {"pattern": "^[A-Za-z0-9-]{1,64}$"},
                    "additionalProperties": {
                        "anyOf": [
                            {"type": "string", "minLength": 1, "maxLength": 4096},
                            {"type": "object", "properties": {"set": {"const": True}}},
                        ]
                    },
                },
                "auth": {
                    "type": "object",
                    "properties": {
                        "type": {"enum": ["none", "bearer", "basic", "header", "oauth2"]}
                    },
                    "required": ["type"],
                },
            }
        },
    ),
]


class SetOut(msgspec.Struct, frozen=True):
    """In the place of a secret: it is set, or (of a client) was dropped and has to be set again."""

    set: bool


class AuthOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """Credentials without their secrets. `name`: of `header`; the last four: of `oauth2`."""

    type: AUTH_TYPE
    set: bool | UnsetType = UNSET
    name: str | UnsetType = UNSET
    token_url: str | UnsetType = UNSET
    client_id: str | UnsetType = UNSET
    scope: str | UnsetType = UNSET
    style: STYLE | UnsetType = UNSET


class WebhookRequestOut(msgspec.Struct, frozen=True):
    """How the webhook is called. It may be sent back as it is: what is set stays then."""

    method: METHOD
    headers: dict[str, SetOut]
    auth: AuthOut


def request_out(webhook: Webhook) -> WebhookRequestOut:
    return msgspec.convert(shown(stored(webhook.request)), WebhookRequestOut)
