"""The form of a webhook's format: `format` is `seed`, the name of a preset, or `template`.

`o.NAME` is a variable of a preset; those of a template of one's own are lines, `name=value`.
"""

from typing import Any

import msgspec

from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.formats.format import SEED, TEMPLATE
from hookbundle.engine.formats.presets import NO_RECORD, SEND, SKIP, Preset, presets
from hookbundle.server.console.forms import Form
from hookbundle.server.console.pages.decoding import json_of
from hookbundle.storage.database.settings import Webhook

OPTION = "o."
OPTIONS = "options"
TICKED = "on"
RECORDS = (SEND, SKIP)
EXAMPLE = {"name": "{{ chat.full_name }}", "note": "{{ messages | text }}"}


def chosen_of(webhook: Webhook) -> str:
    """What the webhook has now: `seed`, the name of a preset, or `template`."""
    setting = msgspec.json.decode(webhook.format) if webhook.format else SEED
    return setting if isinstance(setting, str) else TEMPLATE


def known(choice: str) -> bool:
    return choice in (SEED, TEMPLATE) or choice in presets()


def shown(webhook: Webhook, choice: str) -> dict[str, str]:
    """The fields of this choice, as the webhook has them, if it is what it has."""
    is_own = chosen_of(webhook) == choice
    given = _given(webhook) if is_own else {}
    found = {"format": choice, "webhook_version": str(webhook.version), "also": ""}
    if choice == TEMPLATE:
        template = msgspec.json.decode(webhook.format)[TEMPLATE] if is_own else EXAMPLE
        found[TEMPLATE] = msgspec.json.format(msgspec.json.encode(template)).decode()
        found[OPTIONS] = "\n".join(f"{name}={value}" for name, value in given.items())
    elif preset := presets().get(choice):
        for each in preset.variables:
            found[OPTION + each.name] = "" if each.secret else given.get(each.name, "")
        if preset.record:
            found[OPTION + NO_RECORD] = given.get(NO_RECORD, preset.no_record)
        found["also"] = "" if is_own else TICKED
    return found


def typed(form: Form, choice: str) -> dict[str, str]:
    """What was typed, to be shown again; no secret."""
    preset = presets().get(choice)
    secrets = {OPTION + name for name in preset.secrets} if preset else set()
    found = {name: text for name, text in form.items() if name not in secrets}
    return {"also": "", **found}


def secrets_set(webhook: Webhook, choice: str) -> frozenset[str]:
    """The secret variables that the webhook has."""
    preset = presets().get(choice)
    if preset is None or chosen_of(webhook) != choice:
        return frozenset()
    return preset.secrets & _given(webhook).keys()


def wanted(form: Form, webhook: Webhook) -> tuple[Any, dict[str, str]]:
    """The setting and its variables, as the API takes both. Raises: InvalidInput for no JSON."""
    choice = form.get("format", SEED)
    if choice == TEMPLATE:
        template = json_of(form.get(TEMPLATE, ""), f"format.{TEMPLATE}")
        return {TEMPLATE: template}, _lines(form.get(OPTIONS, ""))
    preset = presets().get(choice)
    return choice, {} if preset is None else _of_preset(form, preset, webhook)


def faults_of(error: InvalidInput) -> dict[str, list[Fault]]:
    """What is wrong, by the field of the form; of a template all of it."""
    found: dict[str, list[Fault]] = {}
    for each in error.faults:
        outer, _, name = each.path.partition(".")
        place = TEMPLATE
        if outer == "format_options":
            is_option = OPTION + name in _names()
            place = OPTION + name if is_option else OPTIONS
        found.setdefault(place, []).append(each)
    return found


def _names() -> frozenset[str]:
    return frozenset(OPTION + name for each in presets().values() for name in each.option_names)


def _of_preset(form: Form, preset: Preset, webhook: Webhook) -> dict[str, str]:
    kept = _given(webhook) if chosen_of(webhook) == preset.name else {}
    found: dict[str, str] = {}
    for name in preset.option_names:
        text = form.get(OPTION + name, "").strip()
        if not text and name in preset.secrets:
            text = kept.get(name, "")
        if text and not (name == NO_RECORD and text == preset.no_record and name not in kept):
            found[name] = text
    return found


def _lines(text: str) -> dict[str, str]:
    """A line without `=` is a name without a value."""
    parts = (line.partition("=") for line in text.splitlines() if line.strip())
    return {name.strip(): value.strip() for name, _, value in parts}


def _given(webhook: Webhook) -> dict[str, str]:
    return msgspec.json.decode(webhook.format_options or b"{}", type=dict[str, str])
