"""Conversations for presets: what a webhook of each one is asked to send, by names of cases.

`with record`: the chat has the record id, or the phone, by which the receiver finds its own record.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hookbundle.engine.formats.jobs import BundleFacts, Job
from hookbundle.tests.engine.formats.jobs import CHAT, GROUP, bundle, job, message, single
from hookbundle.tests.engine.formats.test_goldens import CASES

CONTACT, PERSON, ORGANISATION = "512", "412", "77"
PHONE_DIGITS = "972501234567"
LONG = "👩🏽 " * 341 + "x"  # 1,024 characters, and more as others count: the longest name there is
REFS = {"hubspot_contact_id": CONTACT, "pipedrive_person_id": PERSON}
ONE = BundleFacts("dlv_1", reason="single", is_bundle=False)
NO_PHONE = {**CHAT, "phone": ""}
MANY = [message(f"message {at}: " + "word " * 30, at) for at in range(40)]


@dataclass(frozen=True, slots=True)
class Setting:
    """A webhook's format and options, and what it is set for."""

    preset: str
    options: Mapping[str, str] | None = None
    as_: str = ""  # added to the names of goldens


ZAPIER = Setting("zapier")
HUBSPOT = Setting("hubspot-note")
HUBSPOT_OWNED = Setting("hubspot-note", {"owner_id": "9"}, "owned")
PIPEDRIVE = Setting("pipedrive-note")
PIPEDRIVE_ALL = Setting("pipedrive-note", {"org_id": ORGANISATION, "no_record": "send"}, "all")
SALESFORCE = Setting("salesforce-task", {"external_id_field": "WA_Phone__c"})
SALESFORCE_NEW = Setting(
    "salesforce-task", {"external_id_field": "WA_Phone__c", "create_contacts": "yes"}, "new"
)
SLACK = Setting("slack")
SETTINGS = (
    *(ZAPIER, HUBSPOT, HUBSPOT_OWNED, PIPEDRIVE, PIPEDRIVE_ALL, SALESFORCE, SALESFORCE_NEW),
)
BODIES: Mapping[str, bytes] = {**CASES, "many": bundle(MANY)}
REFERENCE = "pay @{c.id} or {{ chat.phone }} or @{x.y}"  # which Salesforce would look up


def of(setting: Setting, case: str, *, has_record: bool = True, bytes_max: int = 0) -> Job:
    """The job of a case: one of BODIES, `single`, `names` (the longest), or `reference`."""
    fields: dict[str, Any] = {"extra": {"refs": REFS, "labels": ["vip"]} if has_record else {}}
    match case:
        case "single":
            chat = CHAT if has_record else NO_PHONE
            body = single(message("alone", 7), chat)
            fields |= {"facts": ONE, "product_name": "the inbox"}
        case "reference":
            body = bundle([message(REFERENCE, name=REFERENCE)], {**CHAT, "full_name": REFERENCE})
        case "names":
            body = bundle([message("hi", name=LONG)], {**CHAT, "full_name": LONG})
        case _ if not has_record:
            body = bundle(chat=GROUP if case == "group" else NO_PHONE)
        case _:
            body = BODIES[case]
    return job(setting.preset, body, options=setting.options, bytes_max=bytes_max, **fields)
