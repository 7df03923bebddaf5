"""A schema of the document in words: its type, with links to others, and its limits."""

from dataclasses import dataclass
from typing import Any

LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "maxProperties": "at most {} of them",
}
FEW = 12  # of values that a row lists, and of types that one may be


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a type in words. `links`: it is the name of a type that the document has."""

    text: str
    links: bool = False


def type_of(schema: dict[str, Any]) -> tuple[Part, ...]:
    """The type in words, as `array of WebhookOut or null`."""
    if "$ref" in schema:
        return (Part(schema["$ref"].rsplit("/", 1)[1], links=True),)
    several = schema.get("anyOf") or schema.get("oneOf")
    if several:
        if len(several) > FEW:
            return (Part("one of the events of the feed"),)
        parts: list[Part] = []
        for each in several:
            parts += [Part(" or "), *type_of(each)] if parts else type_of(each)
        return tuple(parts)
    if "enum" in schema:
        return (Part(_values(schema["enum"])),)
    match schema.get("type"):
        case "array" if "prefixItems" in schema:
            return (Part(f"array of {len(schema['prefixItems'])} texts"),)
        case "array" if "items" in schema:
            return (Part("array of "), *type_of(schema["items"]))
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return (Part("object of "), *type_of(schema["additionalProperties"]))
        case str(name):
            return (Part({"integer": "whole number", "null": "null"}.get(name, name)),)
        case _:
            return (Part("any JSON"),)


def _values(values: list[Any]) -> str:
    shown = ", ".join(f"`{each}`" for each in values[:FEW])
    return shown if len(values) <= FEW else f"{shown} and {len(values) - FEW} more"


def limits_of(schema: dict[str, Any]) -> str:
    """The limits of a value and its default in words; empty if there are none."""
    found: list[str] = []
    for each in (schema, *schema.get("anyOf", ())):
        least, most = each.get("minLength"), each.get("maxLength")
        if least and most:
            found.append(f"{least:,} to {most:,} characters")
        elif most:
            found.append(f"at most {most:,} characters")
        found += [text.format(f"{each[key]:,}") for key, text in LIMITS.items() if key in each]
    default = schema.get("default")
    if default not in (None, "", [], {}) and not isinstance(default, dict):
        found.append(f"default `{_plain(default)}`")
    return ", ".join(dict.fromkeys(found))


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
