"""A filter as one line that people read: which messages it keeps.

received · Labels: one of: VIP | new · any of: (groups) | (The text has one of: invoice)
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from hookbundle.engine.phrasing import Words

LISTED_MAX = 5  # values of a condition
AND, OR = " · ", " | "
ALL, ANY = "all messages", "any of:"
NAMES = {
    "account": "WhatsApp account, by its phone",
    "responsible": "Responsible, by e-mail",
    "labels.any": "Labels: one of",
    "labels.all": "Labels: all of",
    "labels.none": "Labels: none of",
    "text_contains": "The text has one of",
    "text_lacks": "The text has none of",
    "chat_ids": "Chats, by their ids",
    "direction": "Direction",
    "kind": "Kind of chat",
    "is_new_chat": "New chat",
}
# Of these few values a condition may have, each says it all.
CHOICES = {
    "direction": {"received": "received", "sent": "sent"},
    "kind": {"direct": "direct chats", "group": "groups"},
    "is_new_chat": {"true": "yes", "false": "no"},
}
NOT_CHOSEN = "any"
NAMED = "{name}: {value}"


def summary(document: dict[str, Any] | None, words: Words) -> str:
    """`document`: a filter as it is stored or sent; None and `{}` keep all."""
    document = document or {}
    said = list(_conditions(document, words))
    groups = [words.joined(AND, _conditions(group, words)) for group in document.get("any", ())]
    if groups:
        listed = words.joined(OR, (words.joined("", ("(", each, ")")) for each in groups))
        said.append(words.joined(" ", (words.text(ANY), listed)))
    return words.joined(AND, said) or words.text(ALL)


def name_of(field: str, words: Words) -> str:
    return words.text(NAMES[field])


def choice_of(field: str, value: str, words: Words) -> str:
    """A value of `direction`, `kind` or `is_new_chat`; empty for none."""
    if not value:
        return words.text(NOT_CHOSEN)
    known = CHOICES[field].get(value)
    return words.value(value) if known is None else words.text(known)


def texts() -> Iterator[str]:
    """Every phrase, which each language has to have."""
    yield from (ALL, ANY, NOT_CHOSEN, NAMED)
    yield from NAMES.values()
    for choices in CHOICES.values():
        yield from choices.values()


def _conditions(group: dict[str, Any], words: Words) -> Iterator[str]:
    for field in CHOICES:
        values = _values(group, field)
        if values:
            said = words.joined(OR, (choice_of(field, each, words) for each in values))
            is_named = field == "is_new_chat"
            name = name_of(field, words)
            yield words.text(NAMED, name=name, value=said) if is_named else said
    for field in NAMES:
        values = [] if field in CHOICES else _values(group, field)
        if values:
            said = words.joined(OR, map(words.value, values[:LISTED_MAX]))
            more = " …" if len(values) > LISTED_MAX else ""
            whole = words.joined("", (said, more))
            yield words.text(NAMED, name=name_of(field, words), value=whole)


def _values(group: dict[str, Any], field: str) -> list[str]:
    """Of the condition, as texts; a list of labels without more is `labels.any`."""
    name, _, inner = field.partition(".")
    value = group.get(name)
    if inner:
        if isinstance(value, dict):
            value = value.get(inner)
        elif inner != "any":
            return []
    if value is None:
        return []
    return [
        each if isinstance(each, str) else msgspec.json.encode(each).decode()
        for each in (value if isinstance(value, list) else [value])
    ]
