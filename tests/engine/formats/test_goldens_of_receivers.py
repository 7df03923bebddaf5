"""The bodies of the presets for CRMs, byte for byte; `FORMAT_GOLDENS=write` writes them anew.

tests/crm/test_presets_are_taken.py posts the same bodies to stand-ins of their receivers.
"""

import os
from pathlib import Path

import pytest

from hookbundle.engine.formats.jobs import NoRecord, Rendered
from hookbundle.engine.formats.rendering import rendered
from hookbundle.tests.crm import conversations
from hookbundle.tests.crm.conversations import (
    BODIES,
    HUBSPOT,
    HUBSPOT_OWNED,
    PIPEDRIVE,
    PIPEDRIVE_ALL,
    SALESFORCE,
    SALESFORCE_NEW,
    ZAPIER,
    Setting,
)

GOLDEN = Path(__file__).parent / "golden"
CUT_TO = 6_000  # bytes, so that a golden file can be read
PLAIN = (ZAPIER, HUBSPOT, PIPEDRIVE, SALESFORCE)
CASES = [
    *((setting, case, True) for setting in PLAIN for case in [*BODIES, "single"] if case != "many"),
    *((setting, "direct", True) for setting in (HUBSPOT_OWNED, PIPEDRIVE_ALL, SALESFORCE_NEW)),
    *((setting, "direct", False) for setting in (ZAPIER, HUBSPOT, PIPEDRIVE_ALL, SALESFORCE)),
    (SALESFORCE, "group", False),
    (SALESFORCE_NEW, "reference", True),
]


def name_of(setting: Setting, case: str, has_record: bool) -> str:
    parts = [setting.preset, setting.as_, case, "" if has_record else "no-record"]
    return "-".join(part for part in parts if part)


@pytest.mark.parametrize(
    ("setting", "case", "has_record"), CASES, ids=[name_of(*each) for each in CASES]
)
def test_a_preset_makes_these_bytes(setting: Setting, case: str, has_record: bool) -> None:
    made = rendered(conversations.of(setting, case, has_record=has_record, bytes_max=CUT_TO))
    assert isinstance(made, Rendered), made
    file = GOLDEN / f"{name_of(setting, case, has_record)}.json"
    if os.environ.get("FORMAT_GOLDENS") == "write":
        file.write_bytes(made.body + b"\n")

    assert made.body + b"\n" == file.read_bytes()
    assert made.cut == (case == "long")


@pytest.mark.parametrize(
    "setting",
    [
        Setting("hubspot-note", {"no_record": "skip"}),
        Setting("pipedrive-note"),
        Setting("pipedrive-note", {"no_record": "skip", "org_id": "77"}),
        Setting("salesforce-task", {"external_id_field": "WA_Phone__c", "no_record": "skip"}),
    ],
)
@pytest.mark.parametrize("case", ["direct", "group"])
def test_a_chat_that_the_receiver_could_not_find_is_skipped(setting: Setting, case: str) -> None:
    assert rendered(conversations.of(setting, case, has_record=False)) == NoRecord()
