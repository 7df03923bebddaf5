"""What counts as delivered, as the API shows it and lets it be set, and what a test proposes."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.engine.delivery.answers import proposals, wanted
from hookbundle.engine.delivery.success import success_of
from hookbundle.storage.database.delivery_records import Attempt
from hookbundle.storage.database.settings import Webhook

STATUS = {
    "type": "integer",
    "anyOf": [{"minimum": 200, "maximum": 299}, {"enum": [409, 410]}],
}
# engine/delivery/answers/wanted.py says better what is wrong with them.
Success = Annotated[
    Any,
    msgspec.Meta(
        description="`200`, `2xx`, or a list of statuses: 200 to 299, 409, 410",
        examples=["2xx", [200, 201, 409]],
        extra_json_schema={
            "anyOf": [
                {"enum": ["200", "2xx"]},
                {"type": "array", "items": STATUS, "minItems": 1, "uniqueItems": True},
            ]
        },
    ),
]


RULE = {
    "type": "object",
    "required": ["pointer"],
    "additionalProperties": False,
    "properties": {
        "pointer": {
            "type": "string",
            "maxLength": 256,
            "description": "RFC 6901; empty: all of it",
        },
        "exists": {"const": True},
        "absent": {"const": True},
        "equals": {"type": ["string", "number", "boolean", "null"]},
        "else": {
            "enum": ["failed", "rejected"],
            "description": "what it is if the rule is not met; the third `rejected` of a delivery "
            "makes it a dead letter",
        },
    },
    "oneOf": [{"required": ["exists"]}, {"required": ["absent"]}, {"required": ["equals"]}],
}
SuccessRules = Annotated[
    Any,
    msgspec.Meta(
        description="up to 3 rules for a JSON answer; all have to be met (docs/webhooks.md)",
        examples=[[{"pointer": "/ok", "equals": True}]],
        extra_json_schema={
            "anyOf": [{"type": "array", "items": RULE, "maxItems": 3}, {"type": "null"}]
        },
    ),
]


class ProposalOut(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Settings that would fit the answer, as they can be sent with PATCH; the rest stays."""

    success: Success | UnsetType = UNSET
    success_rules: SuccessRules | UnsetType = UNSET


def proposed(result: Attempt, webhook: Webhook) -> proposals.Proposal | None:
    """What would fit the answer to a request, with the settings that the webhook has now."""
    success = success_of(webhook.success, webhook.success_rules)
    body = b"" if result.truncated else result.response_body
    return proposals.of_answer(result.status, body, success)


def proposal_out(proposal: proposals.Proposal | None) -> ProposalOut | None:
    if proposal is None:
        return None
    return ProposalOut(
        success=wanted.shown(proposal.success) if proposal.success else UNSET,
        success_rules=[proposal.rule] if proposal.rule else UNSET,
    )
