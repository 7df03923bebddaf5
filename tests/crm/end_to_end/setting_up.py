"""A workspace whose webhook calls a receiver's stand-in directly, set as docs/presets.md says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hookbundle.engine.formats.presets import Preset, presets
from hookbundle.storage.transitions.settings import Changes, ChangeWorkspace, WorkspaceChanged
from hookbundle.tests.crm.conversations import CONTACT, ORGANISATION, PERSON, PHONE_DIGITS, REFS
from hookbundle.tests.crm.hubspot import HubSpot
from hookbundle.tests.crm.pipedrive import Pipedrive
from hookbundle.tests.crm.salesforce import Salesforce
from hookbundle.tests.crm.slack import Slack
from hookbundle.tests.crm.stand_in import StandIn
from hookbundle.tests.crm.zapier import Zapier
from hookbundle.tests.in_process import System, event

KNOWN = (PHONE_DIGITS, {"LastName": "Levi"})
DANA = {"chat_id": "972501234567@c.us", "full_name": "Dana Levi", "phone": "+972501234567"}
NO_PHONE = {**DANA, "phone": ""}
GROUP = {"chat_id": "123@g.us", "full_name": "Sales", "phone": "", "is_group": True}


@dataclass(frozen=True, slots=True)
class Setup:
    """`auth`: of the webhook's request. `options`: those of its format."""

    preset: str
    receiver: StandIn
    auth: dict[str, Any]
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def taken(self) -> list[Any]:
        """What the receiver has made of the deliveries: notes, tasks, runs, messages."""
        found: list[Any] = self.receiver.taken  # type: ignore[attr-defined]
        return found

    @property
    def posts(self) -> list[tuple[str, bytes]]:
        """Id and body of each request of a delivery; those for a token are left out."""
        heard = self.receiver.heard
        return [(each.delivery_id, each.body) for each in heard if each.delivery_id]


def setup_of(preset: str, **options: str) -> Setup:
    """The stand-in is not open yet."""
    match preset:
        case "hubspot-note":
            hubspot = HubSpot([CONTACT])
            return Setup(preset, hubspot, {"type": "bearer", "token": hubspot.token}, options)
        case "pipedrive-note":
            pipedrive = Pipedrive([int(PERSON)], [int(ORGANISATION)])
            header = {"type": "header", "name": "x-api-token", "value": pipedrive.token}
            return Setup(preset, pipedrive, header, options)
        case "salesforce-task":
            salesforce = Salesforce(contacts=[KNOWN])
            id, secret = salesforce.client
            oauth = {"type": "oauth2", "client_id": id, "client_secret": secret, "style": "body"}
            return Setup(preset, salesforce, oauth, {"external_id_field": "WA_Phone__c", **options})
        case "slack":
            return Setup(preset, Slack(), {"type": "none"}, options)
        case _:
            return Setup(preset, Zapier(), {"type": "none"}, options)


def preset_of(setup: Setup) -> Preset:
    return presets()[setup.preset]


async def set_up(system: System, setup: Setup, ws: str = "acme", **changes: Any) -> str:
    """The workspace, with a webhook to the stand-in, which is open; its signing secret.

    `changes` are of the webhook.
    """
    preset = preset_of(setup)
    listed = [int(each) for each in preset.success.split(",") if each.isdigit()]
    auth = dict(setup.auth)
    if isinstance(setup.receiver, Salesforce):
        auth["token_url"] = setup.receiver.token_url
    limits = {name: most for name, most in msgspec.to_builtins(preset.limits).items() if most}
    hook = {
        "url": setup.receiver.url,  # type: ignore[attr-defined]
        "aggregation": "1h",
        "request": {"auth": auth},
        "success": listed if len(listed) > 1 else preset.success,
        "success_rules": list(preset.success_rules),
        "limits": limits,
        **changes,
    }
    made = await system.ask(
        "PUT",
        f"/v1/workspaces/{ws}",
        {"name": ws.title(), "owner_email": f"owner@{ws}.example", "webhook": hook},
    )
    assert made.status == 201, made
    await set_format(system, setup.preset, setup.options, ws)
    secret: str = made.document["secret"]
    return secret


async def set_format(
    system: System, setting: object, options: Mapping[str, str] | None = None, ws: str = "acme"
) -> None:
    changed = ChangeWorkspace(
        workspace_id=ws,
        changes=Changes(
            format=msgspec.json.encode(setting),
            format_options=msgspec.json.encode(options) if options else b"",
        ),
        precondition=None,
        may_create=False,
        new_secret="",
        now_ms=system.clock.now_ms(),
        caller="test",
    )
    await system.daemon.partition.store_queue.do(changed, WorkspaceChanged)


def message(
    id: str, chat: Mapping[str, Any] = DANA, *, refs: bool = True, text: str = "", **fields: Any
) -> dict[str, Any]:
    """A message of the chat, which has the record ids of the receivers or does not."""
    found = event(id, **{"text": text or f"text of {id}", **fields})
    found["chat"] = {**found["chat"], **chat, **({"refs": REFS} if refs else {})}
    return found


async def ended(system: System, count: int, ws: str = "acme") -> None:
    """So many deliveries have arrived."""
    await system.facts.until("delivery.delivered", count, workspace=ws)
