"""The parts of a composite request, run one after the other on a copy of the records."""

import copy
import re
from dataclasses import dataclass, field
from typing import Any, Self

from hookbundle.tests.crm.stand_in import Refusal, length_of

REFERENCE = re.compile(r"@\{(\w+)\.([\w.\[\]]+)\}")
TEXTS_MAX = {"Description": 32_000, "Subject": 255, "LastName": 80}
CONTACT_FIELDS = frozenset({"LastName", "FirstName", "Phone", "MobilePhone", "Description"})
TASK_FIELDS = frozenset(
    {*("Subject", "Description", "Status", "Priority", "ActivityDate", "WhoId", "OwnerId")}
)
CREATED_FROM = 46.0  # the version from which an upsert says whether it created

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    method: str
    url: str
    reference: str
    body: Fields

    @classmethod
    def of(cls, given: Any) -> Self:
        match given:
            case {"method": str() as method, "url": str() as url, "referenceId": str() as name}:
                if not re.fullmatch(r"\w+", name, re.ASCII):
                    raise _malformed("referenceId: letters, digits and underscores only")
                return cls(method, url, name, dict(given.get("body") or {}))
            case _:
                raise _malformed("a subrequest has method, url and referenceId")


@dataclass(slots=True)
class Records:
    """`external_id`: the field of contacts that is it. `contacts`: by id."""

    external_id: str
    contacts: dict[str, Fields] = field(default_factory=dict)
    tasks: dict[str, Fields] = field(default_factory=dict)

    def add_contact(self, value: str, fields: Fields) -> str:
        id = f"003{len(self.contacts):015d}"
        self.contacts[id] = {**fields, self.external_id: value}
        return id

    def with_external(self, value: str) -> list[str]:
        return [id for id, fields in self.contacts.items() if fields.get(self.external_id) == value]


class Failed(Exception):
    """A part is not done."""

    def __init__(self, status: int, code: str, message: str, *fields: str) -> None:
        super().__init__(code)
        self.status = status
        self.errors = [{"message": message, "errorCode": code, "fields": list(fields)}]


def run(
    parts: list[Part], all_or_none: bool, base: str, records: Records
) -> tuple[list[dict[str, Any]], Records]:
    """The answers of the parts, and the records after them."""
    after = copy.deepcopy(records)
    answers: dict[str, tuple[int, Any]] = {}
    failed: list[str] = []
    for part in parts:
        if all_or_none and failed:
            continue
        try:
            answers[part.reference] = _done(_filled(part, answers), base, after)
        except Failed as failure:
            answers[part.reference] = (failure.status, failure.errors)
            failed.append(part.reference)
    if all_or_none and failed:
        halted = Failed(
            400,
            "PROCESSING_HALTED",
            "The transaction was rolled back since another operation in it failed.",
        )
        for part in parts:
            if part.reference not in failed:
                answers[part.reference] = (halted.status, halted.errors)
        after = records
    return [_answer(part, *answers[part.reference]) for part in parts], after


def _answer(part: Part, status: int, body: Any) -> dict[str, Any]:
    return {
        "body": body,
        "httpHeaders": {},
        "httpStatusCode": status,
        "referenceId": part.reference,
    }


def _filled(part: Part, answers: dict[str, tuple[int, Any]]) -> Part:
    """The part with the values of earlier answers."""

    def value(found: re.Match[str]) -> str:
        _, body = answers.get(found[1], (0, None))
        if not isinstance(body, dict) or found[2] not in body:
            message = f"Invalid reference specified. No value for {found[1]}.{found[2]} found"
            raise Failed(400, "PROCESSING_HALTED", message)
        return str(body[found[2]])

    def filled(given: Any) -> Any:
        return REFERENCE.sub(value, given) if isinstance(given, str) else given

    body = {name: filled(given) for name, given in part.body.items()}
    return Part(part.method, filled(part.url), part.reference, body)


def _done(part: Part, base: str, records: Records) -> tuple[int, Any]:
    if not part.url.startswith(base):
        raise Failed(404, "NOT_FOUND", "The requested resource does not exist")
    path = part.url.removeprefix(base).split("/")
    for name, given in part.body.items():
        most = TEXTS_MAX.get(name)
        if most is not None and length_of(str(given)) > most:
            message = f"{name}: data value too large (max length={most})"
            raise Failed(400, "STRING_TOO_LONG", message, name)
    match part.method, path:
        case "PATCH", ["Contact", name, value] if name == records.external_id:
            has_created = float(base.split("/v")[1].split("/")[0]) >= CREATED_FROM
            return _upserted(value, part.body, records, has_created)
        case "POST", ["Task"]:
            return _task(part.body, records)
        case _:
            raise Failed(404, "NOT_FOUND", "Provided external ID field does not exist")


def _upserted(value: str, body: Fields, records: Records, has_created: bool) -> tuple[int, Any]:
    if body.keys() - CONTACT_FIELDS:
        unknown = sorted(body.keys() - CONTACT_FIELDS)
        raise Failed(400, "INVALID_FIELD", "No such column on Contact", *unknown)
    if not value:
        raise Failed(404, "NOT_FOUND", "The requested resource does not exist")
    found = records.with_external(value)
    if len(found) > 1:
        return 300, [f"/sobjects/Contact/{id}" for id in found]
    if not found:
        if not body.get("LastName"):
            missing = "Required fields are missing: [LastName]"
            raise Failed(400, "REQUIRED_FIELD_MISSING", missing, "LastName")
        id = records.add_contact(value, body)
        return 201, {"id": id, "success": True, "errors": [], "created": True}
    records.contacts[found[0]].update(body)
    if not has_created:
        return 204, None
    return 200, {"id": found[0], "success": True, "errors": [], "created": False}


def _task(body: Fields, records: Records) -> tuple[int, Any]:
    unknown = sorted(body.keys() - TASK_FIELDS)
    if unknown:
        raise Failed(400, "INVALID_FIELD", "No such column on Task", *unknown)
    who = body.get("WhoId")
    if who is not None and who not in records.contacts:
        raise Failed(400, "MALFORMED_ID", f"Name ID: id value of incorrect type: {who}", "WhoId")
    id = f"00T{len(records.tasks):015d}"
    records.tasks[id] = body
    return 201, {"id": id, "success": True, "errors": []}


def _malformed(message: str) -> Refusal:
    return Refusal(400, [{"message": message, "errorCode": "INVALID_INPUT"}])
