"""Reads the filter that somebody wrote: a compiled one, or every fault at once with its path.

    {"direction": "received", "labels": {"any": ["vip", "new"], "none": ["spam"]},
     "any": [{"account": "+972500000000"}, {"text_contains": ["invoice", "offer"]}]}

Nothing is guessed. What would match nothing or say nothing by its shape (an empty list, text or
group, a field that is not known) is a fault: its writer meant something else.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec

from hookbundle.engine import checked, limits
from hookbundle.engine.errors import Fault, InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault, given, not_one_of
from hookbundle.engine.filters.conditions import (
    Condition,
    Contains,
    Filter,
    Group,
    Labels,
    Lacks,
    OneOf,
)
from hookbundle.engine.filters.subject import Subject, folded, plain_label, plain_phone
from hookbundle.engine.filters.verdicts import FilterCode
from hookbundle.engine.messages import spelling
from hookbundle.engine.messages.phones import PHONE_DIGITS_MAX

NAMED_MAX = limits.FAULTS_LISTED_MAX + 1  # of the unknown fields of an object

Plain = str | bool
Read = Callable[[Any, str], Plain | Fault]
"""A value as it is compared, or what is wrong with it."""


def parse(value: Any, path: str = "filter") -> Filter:
    """The filter that the decoded JSON value is; None and `{}` keep every message.

    Raises: InvalidInput with every fault.
    """
    if value is None:
        return Filter()
    if not isinstance(value, dict):
        raise InvalidInput((fault(path, FaultCode.NOT_AN_OBJECT, given=given(value)),))
    size, most = len(msgspec.json.encode(value)), limits.FILTER_BYTES_MAX
    if size > most:
        raise InvalidInput((fault(path, FaultCode.TOO_LONG_AS_BYTES, most=most, size=size),))
    reader = _Reader()
    conditions = reader.group(value, path, (*FIELDS, "any"))
    groups = reader.groups(value["any"], f"{path}.any") if "any" in value else ()
    if reader.faults:
        raise InvalidInput.with_faults(reader.faults)
    return Filter(conditions, groups)


def written(value: Any) -> bytes:
    """The filter as it is stored: compact JSON, its fields in one order; empty if it keeps all."""
    return msgspec.json.encode(_in_order(value)) if value else b""


def _in_order(value: dict[str, Any]) -> dict[str, Any]:
    ordered = {name: value[name] for name in FIELDS if name in value}
    labels = ordered.get("labels")
    if isinstance(labels, dict):
        ordered["labels"] = {name: labels[name] for name in LABELS if name in labels}
    if "any" in value:
        ordered["any"] = [_in_order(group) for group in value["any"]]
    return ordered


@dataclass(slots=True)
class _Reader:
    """Reads the parts of a filter, and goes on after a fault."""

    faults: list[Fault] = field(default_factory=list)

    def group(self, value: dict[str, Any], path: str, known: tuple[str, ...]) -> Group:
        """The conditions of an object, in the order in which they are judged."""
        self.faults += islice(spelling.unknown_faults(value, known, path), NAMED_MAX)
        found = []
        for name, read in FIELDS.items():
            if name in value:
                found += read(self, value[name], f"{path}.{name}", name)
        return tuple(found)

    def groups(self, value: Any, path: str) -> tuple[Group, ...]:
        if not isinstance(value, list):
            self.faults.append(fault(path, FaultCode.NOT_AN_ARRAY, given=given(value)))
            return ()
        groups = []
        for at, item in checked.items(value, path, limits.FILTER_GROUPS_MAX, self.faults):
            if not isinstance(item, dict):
                self.faults.append(fault(at, FaultCode.NOT_AN_OBJECT, given=given(item)))
            elif not item:
                self.faults.append(fault(at, FaultCode.EMPTY))
            else:
                if "any" in item:
                    self.faults.append(fault(f"{at}.any", FaultCode.NESTED_ANY))
                rest = {name: each for name, each in item.items() if name != "any"}
                groups.append(self.group(rest, at, tuple(FIELDS)))
        return tuple(groups)

    def plain(
        self, value: Any, path: str, read: Read, most: int = limits.FILTER_VALUES_MAX
    ) -> tuple[Plain, ...]:
        """One value, or those of a list, each once, as they are compared."""
        is_list = isinstance(value, list)
        several = checked.items(value, path, most, self.faults) if is_list else ((path, value),)
        found: dict[Plain, None] = {}
        for at, item in several:
            one = read(item, at)
            if isinstance(one, Fault):
                self.faults.append(one)
            else:
                found[one] = None
        return tuple(found)


def _one_of(
    code: FilterCode, get: Callable[[Subject], Plain], read: Read
) -> Callable[[_Reader, Any, str, str], list[Condition]]:
    def condition(reader: _Reader, value: Any, path: str, name: str) -> list[Condition]:
        return [OneOf(name, code, get, frozenset(reader.plain(value, path, read)))]

    return condition


def _labels(reader: _Reader, value: Any, path: str, name: str) -> list[Condition]:
    """`any`, `all` and `none` of an object; a plain value or a list is `any`."""
    if not isinstance(value, dict):
        return [Labels(frozenset(_texts(reader, value, path, _label)), frozenset(), frozenset())]
    reader.faults += islice(spelling.unknown_faults(value, LABELS, path), NAMED_MAX)
    if not value:
        reader.faults.append(fault(path, FaultCode.EMPTY))
    some, every, none = (
        frozenset(_texts(reader, value[each], f"{path}.{each}", _label) if each in value else ())
        for each in LABELS
    )
    return [Labels(some, every, none)]


def _contains(reader: _Reader, value: Any, path: str, name: str) -> list[Condition]:
    return [Contains(_texts(reader, value, path, _word, limits.FILTER_WORDS_MAX))]


def _lacks(reader: _Reader, value: Any, path: str, name: str) -> list[Condition]:
    return [Lacks(_texts(reader, value, path, _word, limits.FILTER_WORDS_MAX))]


def _texts(
    reader: _Reader, value: Any, path: str, read: Read, most: int = limits.FILTER_VALUES_MAX
) -> tuple[str, ...]:
    return tuple(each for each in reader.plain(value, path, read, most) if isinstance(each, str))


def _choice(*allowed: str) -> Read:
    def read(value: Any, path: str) -> Plain | Fault:
        if isinstance(value, str) and value in allowed:
            return value
        return not_one_of(path, allowed, value)

    return read


def _flag(value: Any, path: str) -> Plain | Fault:
    if isinstance(value, bool):
        return value
    return fault(path, FaultCode.NOT_TRUE_OR_FALSE, given=given(value))


def _text(value: Any, path: str, most: int) -> Fault | None:
    if not isinstance(value, str):
        return fault(path, FaultCode.NOT_TEXT, given=given(value))
    if not value.strip():
        return fault(path, FaultCode.EMPTY)
    if len(value) > most:
        return fault(path, FaultCode.TOO_LONG, most=most, size=len(value))
    return None


def _label(value: Any, path: str) -> Plain | Fault:
    return _text(value, path, limits.LABEL_CHARS_MAX) or plain_label(value)


def _word(value: Any, path: str) -> Plain | Fault:
    return _text(value, path, limits.FILTER_WORD_CHARS_MAX) or folded(value)


def _email(value: Any, path: str) -> Plain | Fault:
    wrong = _text(value, path, limits.NAME_CHARS_MAX)
    if wrong is not None:
        return wrong
    address: str = value.strip()
    name, _, host = address.rpartition("@")
    return folded(address) if name and host else fault(path, FaultCode.NO_ADDRESS)


def _phone(value: Any, path: str) -> Plain | Fault:
    wrong = _text(value, path, limits.NAME_CHARS_MAX)
    if wrong is not None:
        return wrong
    most = PHONE_DIGITS_MAX
    return plain_phone(value) or fault(path, FaultCode.NO_PHONE, got=quoted(value), most=most)


def _chat_id(value: Any, path: str) -> Plain | Fault:
    if not isinstance(value, str) or not value:
        return _text(value, path, limits.CHAT_ID_BYTES_MAX) or value
    size, most = len(value.encode()), limits.CHAT_ID_BYTES_MAX
    if size > most:
        return fault(path, FaultCode.TOO_LONG_AS_BYTES, most=most, size=size)
    return value


LABELS = ("any", "all", "none")
# In the order in which they are judged: what costs least and drops most comes first.
FIELDS: dict[str, Callable[[_Reader, Any, str, str], list[Condition]]] = {
    "direction": _one_of(
        FilterCode.DIRECTION, lambda it: it.direction, _choice("received", "sent")
    ),
    "kind": _one_of(FilterCode.KIND, lambda it: it.kind, _choice("direct", "group")),
    "is_new_chat": _one_of(FilterCode.IS_NEW_CHAT, lambda it: it.is_new_chat, _flag),
    "chat_ids": _one_of(FilterCode.CHAT_IDS, lambda it: it.chat_id, _chat_id),
    "account": _one_of(FilterCode.ACCOUNT, lambda it: it.account, _phone),
    "responsible": _one_of(FilterCode.RESPONSIBLE, lambda it: it.responsible, _email),
    "labels": _labels,
    "text_contains": _contains,
    "text_lacks": _lacks,
}
