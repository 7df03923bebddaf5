"""Reads the format that somebody set for a webhook, but for its template: that is read where it
is rendered, as it may take long (`documents.py`).

    "hubspot-note"                                          a preset
    {"template": {"note": "{{ messages | text }}"}}         a template of one's own
    "seed" or null                                          the seed's body, as it is

Beside it stand the options, `{"name": "value"}`, which a template names `options.name`. Options
without a template mean nothing, so both are read together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, quoted
from hookbundle.engine.faults import FaultCode, fault, given, in_brief, not_one_of
from hookbundle.engine.formats.format import SEED, TEMPLATE, Format
from hookbundle.engine.formats.jobs import Reading
from hookbundle.engine.formats.presets import NO_RECORD, SEND, SKIP, Preset, presets
from hookbundle.engine.formats.shapes import REF
from hookbundle.engine.messages import spelling
from hookbundle.engine.near_names import near_name

EXAMPLE = '{"template": {"text": "{{ messages | text }}"}}'


@dataclass(frozen=True, slots=True)
class Outline:
    """A format whose template nobody has read. `faults`: of all else. `template`: what is to be
    read of it; None of the seed, or where it can't be read."""

    format: Format
    faults: tuple[Fault, ...] = ()
    template: Reading | None = None

    def judged(self, of_template: Sequence[Fault]) -> Format | list[Fault]:
        """The format, or all that is wrong with it; `of_template`: what is with its template."""
        faults = [*self.faults, *of_template]
        return faults[: limits.FAULTS_LISTED_MAX] if faults else self.format


def outline(
    value: Any, options: Any = None, path: str = "format", options_path: str = "format_options"
) -> Outline:
    """What the decoded JSON values say. `options`: None is the same as none given."""
    given_options, faults = _options(options, options_path)
    if value is None or value == SEED:
        unknown = (
            fault(f"{options_path}.{name}", FaultCode.UNKNOWN_FIELD) for name in given_options
        )
        return Outline(Format(), (*faults, *unknown))
    match value:
        case str():
            preset = presets().get(value)
            if preset is None:
                return Outline(Format(), (*faults, _no_preset(path, value)))
            faults += _faults_of_options(given_options, preset, options_path)
            template, place, names = preset.template, path, preset.option_names
            stored = msgspec.json.encode(value)
        case dict() if TEMPLATE in value:
            preset = None
            faults += [
                fault(f"{path}.{name}", FaultCode.UNKNOWN_FIELD)
                for name in value
                if name != TEMPLATE
            ]
            template, place, names = value[TEMPLATE], f"{path}.{TEMPLATE}", tuple(given_options)
            unsound = _unsound(template, place)
            if unsound is not None:
                return Outline(Format(), (*faults, unsound))
            stored = msgspec.json.encode({TEMPLATE: template})
        case _:
            no_format = fault(path, FaultCode.NO_FORMAT, got=in_brief(value), example=EXAMPLE)
            return Outline(Format(), (*faults, no_format))
    written = msgspec.json.encode(given_options) if given_options else b""
    names = tuple(name for name in names if name != NO_RECORD)
    return Outline(
        Format(format=stored, options=written, preset=preset),
        tuple(faults),
        Reading(msgspec.json.encode(template), place, names),
    )


def _options(options: Any, path: str) -> tuple[dict[str, str], list[Fault]]:
    """Those that can be read, and what is wrong with the others."""
    if options is None:
        return {}, []
    if not isinstance(options, dict):
        return {}, [fault(path, FaultCode.NOT_AN_OBJECT, given=given(options))]
    most = limits.FORMAT_OPTIONS_MAX
    if len(options) > most:
        return {}, [fault(path, FaultCode.TOO_MANY_ENTRIES, most=most, size=len(options))]
    faults: list[Fault] = []
    read: dict[str, str] = {}
    for name, value in options.items():
        at = f"{path}.{name}" if REF.search(name) else path
        most = limits.FORMAT_OPTION_CHARS_MAX
        if not REF.search(name):
            key = quoted(name)
            faults.append(fault(at, FaultCode.BAD_KEY, key=key, most=limits.REF_KEY_CHARS_MAX))
        elif not isinstance(value, str):
            faults.append(fault(at, FaultCode.NOT_TEXT, given=given(value)))
        elif len(value) > most:
            faults.append(fault(at, FaultCode.TOO_LONG, most=most, size=len(value)))
        elif _is_half(value):
            faults.append(fault(at, FaultCode.HALF_A_PAIR))
        else:
            read[name] = value
    return read, faults


def _faults_of_options(options: dict[str, str], preset: Preset, path: str) -> list[Fault]:
    known = preset.option_names
    faults = list(spelling.unknown_faults(options, known, path))
    for each in preset.variables:
        if each.required and not (options.get(each.name) or each.default):
            faults.append(fault(f"{path}.{each.name}", FaultCode.VALUE_WANTED))
    chosen = options.get(NO_RECORD)
    if NO_RECORD in known and chosen is not None and chosen not in (SEND, SKIP):
        faults.append(not_one_of(f"{path}.{NO_RECORD}", (SEND, SKIP), chosen))
    return faults


def _is_half(text: str) -> bool:
    """Whether it has half a surrogate pair, and so is no text that can be stored."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _no_preset(path: str, name: str) -> Fault:
    known = (SEED, *presets())
    near, listed = near_name(name, known), ", ".join(known)
    if near is None:
        return fault(path, FaultCode.NO_PRESET, got=quoted(name), known=listed)
    return fault(path, FaultCode.MISSPELT_PRESET, got=quoted(name), near=near, known=listed)


def _unsound(template: Any, path: str) -> Fault | None:
    """What makes the template one that can't be stored, or is too much to be read."""
    if _depth_of(template) > limits.FORMAT_DEPTH_MAX:
        return fault(path, FaultCode.TOO_DEEP, most=limits.FORMAT_DEPTH_MAX)
    try:
        size, most = len(msgspec.json.encode(template)), limits.FORMAT_BYTES_MAX
    except UnicodeEncodeError:
        return fault(path, FaultCode.HALF_A_PAIR)
    if size > most:
        return fault(path, FaultCode.TOO_LONG_AS_BYTES, most=most, size=size)
    return None


def _depth_of(value: Any) -> int:
    """How deep its objects and arrays are nested, 0 for a text; at most one past the limit."""
    depth, level = 0, [value]
    while depth <= limits.FORMAT_DEPTH_MAX:
        level = [each for each in level if isinstance(each, dict | list)]
        if not level:
            break
        depth += 1
        level = [
            part for each in level for part in (each.values() if isinstance(each, dict) else each)
        ]
    return depth
