"""The OpenAPI document as people read it: by groups, with its fields in rows and a call by curl.

The page at /docs and docs/reference/api.md are both made of this, so that they say the same.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote
from typing import Any
from urllib.parse import quote as percent_encoded

from hookbundle.server.http.contract.document import CODES
from hookbundle.server.http.contract.fields import is_event
from hookbundle.server.http.contract.operations import SHARED
from hookbundle.server.http.contract.types import Part, limits_of, type_of

LINE_CHARS_MAX = 90  # of JSON in one line; what is longer has a line for each value
BASE_URL = "http://127.0.0.1:8470"
# In this order; operations of other groups follow in the order of the document.
GROUPS = {
    "messages": "Messages",
    "chats": "Chats",
    "deliveries": "Deliveries",
    "replay": "Replays",
    "workspaces": "Workspaces",
    "webhooks": "Webhooks",
    "webhook": "The webhook `outbound`",
    "sources": "Sources",
    "activity": "Activity",
    "log": "Detailed log",
    "events": "Events",
    "tokens": "Tokens",
    "status": "Status",
    "daemon": "Daemon",
    "backup": "Backup",
    "check": "Check",
    "cluster": "Cluster",
}


SHARED_BY_STATUS = {str(status): codes for status, codes in SHARED.items()}


@dataclass(frozen=True, slots=True)
class Row:
    """A field or a parameter. `needed`: it must be given, or is always there."""

    name: str
    needed: bool
    parts: tuple[Part, ...]
    limits: str
    about: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """`codes`: those of the operation itself, beside what every request may be refused for."""

    status: str
    codes: tuple[str, ...]
    retries: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """`example` is empty if there is none."""

    status: str
    about: str
    media: tuple[str, ...]
    parts: tuple[Part, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    method: str
    path: str
    summary: str
    about: str
    is_open: bool
    parameters: tuple[Row, ...]
    body: tuple[Part, ...]
    answers: tuple[Answer, ...]
    refusals: tuple[Refusal, ...]
    curl: str


@dataclass(frozen=True, slots=True)
class Type:
    name: str
    about: str
    rows: tuple[Row, ...]


def grouped(document: dict[str, Any]) -> list[tuple[str, str, list[Operation]]]:
    """Each group of operations: its tag, its title, and its operations in the document's order."""
    found: dict[str, list[Operation]] = {tag: [] for tag in GROUPS}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                read = _operation(path, method, operation, item.get("parameters", []))
                found.setdefault(operation["tags"][0], []).append(read)
    return [(tag, GROUPS.get(tag, tag), read) for tag, read in found.items() if read]


def types(document: dict[str, Any]) -> list[Type]:
    """All types by their names, but not the envelopes of events."""
    schemas = document["components"]["schemas"]
    return [
        Type(name, schemas[name].get("description", ""), tuple(_fields(schemas[name])))
        for name in sorted(schemas)
        if not is_event(schemas[name])
    ]


def _operation(
    path: str, method: str, operation: dict[str, Any], of_path: list[dict[str, Any]]
) -> Operation:
    parameters = [*of_path, *operation.get("parameters", [])]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    answers = operation["responses"]
    is_open = operation.get("security") == []
    return Operation(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        about=operation["description"],
        is_open=is_open,
        parameters=tuple(map(_parameter, parameters)),
        body=type_of(body["schema"]) if body else (),
        answers=tuple(_answer(*each) for each in answers.items() if CODES not in each[1]),
        refusals=tuple(_refusal(*each) for each in answers.items() if CODES in each[1]),
        curl=_curl(path, method.upper(), parameters, body.get("example"), is_open=is_open),
    )


def _parameter(parameter: dict[str, Any]) -> Row:
    where = "" if parameter["in"] == "query" else f" ({parameter['in']})"
    schema = parameter["schema"]
    return Row(
        name=f"{parameter['name']}{where}",
        needed=parameter["required"],
        parts=type_of(schema),
        limits=limits_of(schema),
        about=parameter["description"],
    )


def _answer(status: str, answer: dict[str, Any]) -> Answer:
    content = answer.get("content", {})
    first: dict[str, Any] = next(iter(content.values()), {})
    example = first.get("example")
    return Answer(
        status=status,
        about=answer["description"],
        media=tuple(content),
        parts=type_of(first["schema"]) if first else (),
        example="" if example is None else shown(example),
    )


def _refusal(status: str, answer: dict[str, Any]) -> Refusal:
    shared = SHARED_BY_STATUS.get(status, ())
    own = tuple(str(code) for code in answer[CODES] if code not in shared)
    return Refusal(status, own, "Retry-After" in answer.get("headers", {}))


def _fields(schema: dict[str, Any]) -> Iterator[Row]:
    needed = schema.get("required", [])
    for name, value in schema.get("properties", {}).items():
        about = value.get("description", "")
        yield Row(name, name in needed, type_of(value), limits_of(value), about)


def shown(example: Any) -> str:
    """The example as people read it: JSON, what is short in one line; a text as it is."""
    return example if isinstance(example, str) else _json(example, "")


def _json(value: Any, margin: str) -> str:
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(margin) + len(line) <= LINE_CHARS_MAX:
        return line
    inner = f"{margin}  "
    if isinstance(value, list):
        items = [_json(each, inner) for each in value]
    else:
        items = [f"{json.dumps(name)}: {_json(each, inner)}" for name, each in value.items()]
    begin, end = "[]" if isinstance(value, list) else "{}"
    return begin + f"\n{inner}" + f",\n{inner}".join(items) + f"\n{margin}" + end


def _curl(
    path: str, method: str, parameters: list[dict[str, Any]], body: Any, *, is_open: bool
) -> str:
    """The call as a command for a shell, on lines that are not too long."""
    asked = []
    for parameter in parameters:
        value = percent_encoded(str(parameter.get("example", "TEXT")), safe="")
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", value)
        elif parameter["in"] == "query" and parameter["required"]:
            asked.append(f"{parameter['name']}={value}")
    url = f"{BASE_URL}{path}" + (f"?{'&'.join(asked)}" if asked else "")
    words = [f"curl{'' if method == 'GET' else f' -X {method}'} {quote(url)}"]
    if not is_open:
        words.append('-H "Authorization: Bearer $TOKEN"')
    if body is not None:
        words.append("-H 'Content-Type: application/json'")
        words.append(f"-d {quote(shown(body))}")
    return " \\\n  ".join(words)
