"""Rotates a webhook's signing secret."""

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict
from hookbundle.engine.preconditions import Precondition
from hookbundle.storage import facts
from hookbundle.storage.database.delivery_records import Action
from hookbundle.storage.database.settings import OUTBOUND, Secret
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity
from hookbundle.storage.transitions.webhooks.conditions import check_either


class RotateSecret(msgspec.Struct, frozen=True, kw_only=True):
    """The new secret signs from now on; older ones sign beside it until `keep_until_ms` at most.

    `precondition`: on the version of the workspace, or `of_webhook` on the webhook's.
    """

    workspace_id: str
    webhook_id: str = OUTBOUND
    new_secret: str
    keep_until_ms: int
    now_ms: int
    caller: str
    precondition: Precondition | None = None
    of_webhook: bool = False


class SecretRotated(msgspec.Struct, frozen=True):
    """`version`: of the workspace, with the new secret; `webhook_version`: of the webhook."""

    version: int
    webhook_version: int


def rotate_secret(unit: Unit, transition: RotateSecret) -> SecretRotated:
    """Raises: NotFound; Changed if the precondition does not hold; Conflict if more secrets would
    sign than receivers accept."""
    settings = unit.workspace(transition.workspace_id)
    webhook, now_ms = settings.named(transition.webhook_id), transition.now_ms
    wanted = transition.precondition
    check_either(wanted, settings.workspace, webhook, of_webhook=transition.of_webhook)
    kept = []
    for secret in webhook.secrets:
        expires_ms = min(secret.expires_ms or transition.keep_until_ms, transition.keep_until_ms)
        if expires_ms > now_ms:
            kept.append(Secret(value=secret.value, expires_ms=expires_ms))
    secrets = (Secret(value=transition.new_secret), *kept)
    if len(secrets) > limits.SECRETS_MAX:
        raise Conflict.of(Code.TOO_MANY_SECRETS, workspace=settings.workspace.id, count=len(kept))
    rotated = msgspec.structs.replace(webhook, secrets=secrets)
    settings = settings.next_version(rotated)
    unit.keep_settings(settings)
    fact = facts.WorkspaceSecretRotated(
        caller=transition.caller, keep_until=transition.keep_until_ms
    )
    unit.tell(settings.workspace, fact, now_ms, webhook=webhook.id)
    action = Action(at_ms=now_ms, action="secret rotated", detail=f"by {transition.caller}")
    activity.add(unit, webhook.number, action)
    return SecretRotated(settings.workspace.version, settings.webhook(webhook.number).version)
