"""The parameters that stand in paths: what they are, and an example of each."""

import re
from typing import Any

from hookbundle.engine import limits

PARAMETER = re.compile(r"([\w-]+)/{(\w+)}")
A_TEXT = {"type": "string", "minLength": 1, "maxLength": 200}

# By what stands before it and its name: an id is a delivery's or a token's.
MEANINGS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "workspaces/ws": (
        "The id of the workspace.",
        "acme",
        {
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$",
            "maxLength": limits.WORKSPACE_ID_CHARS_MAX,
        },
    ),
    "chats/chat": (
        "The id of the chat, percent-encoded.",
        "10010001",
        {"type": "string", "minLength": 1, "maxLength": limits.CHAT_ID_BYTES_MAX},
    ),
    "webhooks/wh": ("The id of the webhook.", "crm", A_TEXT),
    "sources/source": ("The id of the source, as `waha-1`.", "waha-1", A_TEXT),
    "sources/token": (
        "The secret token of the source, which its `url` has.",
        "src_qzT3v9Jm4kXw8Lr2Nd6Hs1Pb7Gc5Fy0A",
        A_TEXT,
    ),
    "token/tail": ("What the other system puts behind the address.", "messages-upsert", A_TEXT),
    "deliveries/id": (
        "The id of the delivery, as the header `webhook-id` of its requests has it.",
        "dlv_43cc8079b600000001000000000001",
        A_TEXT,
    ),
    "where/workspace": ("The id of the workspace, which need not be there.", "acme", A_TEXT),
    "tokens/id": ("The id of the token; not the token itself.", "tok_0f3a9c1b2d4e", A_TEXT),
    "replay/job": ("The number of the replay.", "1", A_TEXT),
    "messages/message_id": (
        "The id of the message, percent-encoded.",
        "wamid.HBgLMTIzNDU2Nzg5MA",
        A_TEXT,
    ),
}
UNKNOWN = ("", "", A_TEXT)  # a test refuses it


def path_parameters(path: str) -> dict[str, Any]:
    """The `parameters` of an item of the document's paths; nothing if the path has none."""
    found = []
    for before, name in PARAMETER.findall(path.replace("{token}/", "{token}/token/")):
        meaning, example, schema = MEANINGS.get(f"{before}/{name}", UNKNOWN)
        found.append(
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": meaning,
                "schema": schema,
                "example": example,
            }
        )
    return {"parameters": found} if found else {}
