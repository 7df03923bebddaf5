"""The form of a source: its settings as it shows them, and as the API takes what was filled in.

Secrets are never in it. A field for one that is left empty leaves it as it is. Ticks beside it take
it away; keep the former beside the one that is written, while the other system changes over; and
end that.
"""

from typing import Any

import msgspec

from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.sources import settings as source_settings
from hookbundle.engine.sources.settings import Secret, SourceSettings, secrets_of
from hookbundle.server.console import forms
from hookbundle.server.console.pages.decoding import json_of
from hookbundle.server.console.pages.sources import fields
from hookbundle.server.console.pages.sources.fields import Form, Input

TICKED = "on"
AWAY = "_away"  # behind the name of a secret's field: the tick that takes it away
KEEP = "_keep"  # likewise: beside what is written the newest of those that are set counts, too
ONLY = "_only"  # likewise: of two that are set only the newer is left
UNSHOWN = "_unshown"
BODY = "body"  # the field of what settings are tried on
JSON_CHARS_MAX = 16_384  # of one that is shown; a form has 64 KiB
APART = "{account}-{chat}"
PARTED = ("account", "accept")  # settings with a field of the form for each of their parts
EXAMPLE = {"message_id": "data.id", "chat_id": "data.chat", "text": "data.text"}  # generic


def shown(kind: str, name: str = "", settings: SourceSettings | None = None) -> dict[str, str]:
    """What the fields show of the settings; of a new source without any."""
    said = msgspec.to_builtins(settings or SourceSettings())
    if settings is None and kind == "generic":
        said["fields"] = EXAMPLE
    found = {"name": name, BODY: ""}
    for each in fields.inputs_of(kind):
        found |= _shown(each, said, settings or SourceSettings())
    return found


def filled(kind: str, form: forms.Form, present: SourceSettings | None) -> dict[str, Any]:
    """The settings as the API takes them: of a source that is `present` only what may change,
    null for what is to go. Raises: InvalidInput for what is no JSON."""
    wanted: dict[str, Any] = {}
    header = _header(form, present)
    for each in fields.inputs_of(kind):
        if each.path.startswith("header.") or not _is_told(each, form):
            continue
        value = _filled(each, form, present)
        outer, _, inner = each.path.partition(".")
        if inner:
            wanted.setdefault(outer, {})[inner] = value
        else:
            wanted[outer] = value
    for outer in PARTED:
        known = getattr(present or SourceSettings(), outer)
        if wanted.get(outer) == {name: getattr(known, name) for name in known.__struct_fields__}:
            del wanted[outer]  # as it is, or as it is without being told
    if header is not None:
        wanted["header"] = header or None
    wanted = {name: value if value not in ("", []) else None for name, value in wanted.items()}
    if present is None:
        return {name: value for name, value in wanted.items() if value is not None}
    return wanted


def parsed(kind: str, form: forms.Form, present: SourceSettings | None) -> dict[str, Any]:
    """As `filled`, judged with all its faults. Raises: InvalidInput."""
    wanted = filled(kind, form, present)
    source_settings.parse(kind, wanted, present)
    return wanted


def typed(kind: str, form: forms.Form) -> dict[str, str]:
    """What was typed, to be shown again, secrets never; a box without a tick is told, too."""
    if not form:
        return {}
    found = dict(form)
    for each in fields.inputs_of(kind):
        if each.form is Form.TICK and "ticks" in form:
            found.setdefault(each.name, "")
    return found


def faults_of(error: InvalidInput, kind: str) -> dict[str, Fault]:
    """What is wrong, by the field of the form; under an empty name what is of none."""
    found: dict[str, Fault] = {}
    for each in error.faults:
        path = each.path.removeprefix("settings.")
        names = (
            one.name
            for one in fields.inputs_of(kind)
            if path == one.path or path.startswith((f"{one.path}.", f"{one.path}["))
        )
        found.setdefault(next(names, path if path in ("name", BODY) else ""), each)
    return found


def _shown(each: Input, said: dict[str, Any], settings: SourceSettings) -> dict[str, str]:
    outer, _, inner = each.path.partition(".")
    value = getattr(settings, outer)
    value = getattr(value, inner, "") if inner else value
    match each.form:
        case Form.SECRET:
            return {
                each.name: "",
                f"{each.name}_set": TICKED if value else "",
                f"{each.name}_two": TICKED if len(secrets_of(value or None)) > 1 else "",
                each.name + AWAY: "",
                each.name + KEEP: "",
                each.name + ONLY: "",
            }
        case Form.TICK:
            is_on = value == APART if each.name == "chat_id" else value
            return {each.name: TICKED if is_on else ""}
        case Form.LIST:
            return {each.name: ", ".join(value)}
        case Form.JSON:
            known = said.get(outer)
            text = msgspec.json.format(msgspec.json.encode(known)).decode() if known else ""
            is_long = len(text) > JSON_CHARS_MAX
            return {
                each.name: "" if is_long else text,
                each.name + UNSHOWN: TICKED if is_long else "",
            }
        case _:
            return {each.name: value}


def _is_told(each: Input, form: forms.Form) -> bool:
    """Whether the form says anything of it."""
    match each.form:
        case Form.SECRET:
            return _has_secret(each.name, form)
        case Form.TICK:  # a box without a tick is not in what a browser posts
            return "ticks" in form
        case Form.JSON:
            is_empty = not form.get(each.name, "").strip()
            return each.name in form and not (is_empty and form.get(each.name + UNSHOWN) == TICKED)
        case _:
            return each.name in form


def _filled(each: Input, form: forms.Form, present: SourceSettings | None) -> Any:
    text = form.get(each.name, "")
    match each.form:
        case Form.SECRET:
            return _secret(each.name, form, getattr(present, each.path, None))
        case Form.TICK:
            is_on = text == TICKED
            return (APART if is_on else None) if each.name == "chat_id" else is_on
        case Form.LIST:
            return [part.strip() for part in text.split(",") if part.strip()]
        case Form.JSON:
            return json_of(text, f"settings.{each.path}") if text.strip() else None
        case _:
            return text.strip()


def _has_secret(name: str, form: forms.Form) -> bool:
    """Whether one is written, or a tick says what becomes of the present ones."""
    ticks = (form.get(name + tick) == TICKED for tick in (AWAY, ONLY))
    return bool(form.get(name)) or any(ticks)


def _secret(name: str, form: forms.Form, present: Secret | None) -> list[str] | str | None:
    """What is written, or what is left of the present ones; the newest is the first."""
    text, known = form.get(name, ""), secrets_of(present)
    if text:
        kept = known[:1] if form.get(name + KEEP) == TICKED else ()
        return [text, *kept] if kept else text
    return known[0] if known and form.get(name + AWAY) != TICKED else None


def _header(form: forms.Form, present: SourceSettings | None) -> dict[str, Any] | None:
    """The header as it is to be; empty: none any more; None: as it is.

    Raises: InvalidInput if it would have another name, but no value: the present one is not known.
    """
    known = present.header if present else None
    was = known.name if known else ""
    name = form.get("header_name", was).strip().lower()
    if _has_secret("header_value", form):
        value = _secret("header_value", form, known.value if known else None)
        return {"name": name, "value": value} if value else {}
    if name == was:
        return None
    raise InvalidInput((fault("settings.header.value", FaultCode.MISSING),))
