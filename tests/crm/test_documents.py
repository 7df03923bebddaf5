"""docs/presets.md shows what is sent, and sets what the presets want."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.engine.formats.jobs import Rendered
from hookbundle.engine.formats.presets import presets
from hookbundle.engine.formats.rendering import rendered
from hookbundle.tests.crm import conversations
from hookbundle.tests.crm.conversations import HUBSPOT, PIPEDRIVE, SALESFORCE, ZAPIER, Setting

DOCUMENT = Path(__file__).parents[2] / "docs" / "presets.md"
SETTINGS = (ZAPIER, HUBSPOT, PIPEDRIVE, SALESFORCE)


def section(setting: Setting) -> str:
    found = re.search(rf"\n## {setting.preset}\n(.*?)\n## ", DOCUMENT.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def set_by_curl(text: str) -> dict[str, Any]:
    found = re.search(r"curl .*? -d '(.*?)'\n", text, re.DOTALL)
    assert found is not None
    read: dict[str, Any] = msgspec.json.decode(found[1])
    return read


def shown(text: str) -> dict[str, Any]:
    found = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert found is not None
    read: dict[str, Any] = msgspec.json.decode(found[1])
    return read


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.preset)
def test_the_request_that_is_shown_is_the_one_that_is_sent(setting: Setting) -> None:
    """Of zapier the seed's fields, which follow, are not shown."""
    made = rendered(conversations.of(setting, "direct"))
    assert isinstance(made, Rendered)
    sent = msgspec.json.decode(made.body)
    found = shown(section(setting))

    left_out = list(sent)[len(found) :] if setting is ZAPIER else []
    assert found == {name: value for name, value in sent.items() if name not in left_out}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.preset)
def test_what_is_to_be_set_is_what_the_preset_wants(setting: Setting) -> None:
    preset, text = presets()[setting.preset], section(setting)
    given = set_by_curl(text)
    limits = {
        name: value
        for name, value in msgspec.structs.asdict(preset.limits).items()
        if value is not None
    }
    success = given["success"]

    assert (success if isinstance(success, str) else ",".join(map(str, success))) == preset.success
    assert tuple(given.get("success_rules", ())) == preset.success_rules
    assert given["limits"] == limits
    assert given.get("rate", "") == preset.rate
    assert given.get("request", {}).get("auth", {}).get("type", "none") == preset.request.auth
    assert given["url"].split("/", 3)[3].split("/")[0] in preset.request.url
    assert [each.name for each in preset.variables if f"| `{each.name}` |" not in text] == []


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.preset)
def test_the_command_sets_the_same(setting: Setting) -> None:
    preset, text = presets()[setting.preset], section(setting)
    rules = re.findall(r"--success-rule '(\S+) (exists|absent|equals true)( else rejected)?'", text)
    wanted = [
        (
            rule["pointer"],
            "equals true" if "equals" in rule else next(iter({"exists", "absent"} & set(rule))),
            " else rejected" if "else" in rule else "",
        )
        for rule in preset.success_rules
    ]

    assert rules == wanted
    assert f"--success {preset.success} " in text
    assert f"--format {preset.name} " in text
    assert not preset.rate or f"--rate {preset.rate}\n" in text
