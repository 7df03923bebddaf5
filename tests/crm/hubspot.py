"""HubSpot: the notes of its CRM.

From https://developers.hubspot.com/docs/api-reference/crm-notes-v3/guide: `POST
/crm/v3/objects/notes` (dated form `/crm/objects/2026-03/notes`); `hs_timestamp` is required, in
milliseconds or as ISO 8601 in UTC; `hs_note_body` is limited to 65,536 characters; an association
has `to.id` and `types` with `associationCategory` and `associationTypeId`, 202 for a contact; the
scope is crm.objects.contacts.write. The answer is 201 with id and properties.
From .../docs/api/usage-details and /handling-errors: 401 without a token, 403 with MISSING_SCOPES;
the form of errors (`status`, `message`, `correlationId`, `category`); 429 with `policyName`, and
X-HubSpot-RateLimit-* on every answer; 100 requests within 10 s for a private app of the free and
starter tiers. It names no Retry-After for this limit, so there is none here.
Not documented: that a contact that is not there is a 400 VALIDATION_ERROR; and that a time in
seconds is taken, which is then one of January 1970.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from hookbundle.tests.crm.stand_in import Rate, Refusal, StandIn, answered, document_of, length_of

PATHS = ("/crm/v3/objects/notes", "/crm/objects/2026-03/notes")
BODY_CHARS_MAX = 65_536
NOTE_TO_CONTACT = 202
CORRELATION = "c033cdaa-2c40-4a64-ae48-b4cec88dad24"
PROPERTIES = frozenset({"hs_timestamp", "hs_note_body", "hubspot_owner_id", "hs_attachment_ids"})
DAILY = 250_000


@dataclass(frozen=True, slots=True)
class Note:
    """`contacts`: those it is put to. `at_ms`: its place on their timelines."""

    id: str
    at_ms: int
    html: str
    owner: str
    contacts: tuple[str, ...]


class HubSpot(StandIn):
    """A portal with some contacts. `token`: that of its private app."""

    def __init__(
        self,
        contacts: Iterable[str] = (),
        token: str = "pat-eu1-11111111-2222",
        scopes: Iterable[str] = ("crm.objects.contacts.write",),
    ) -> None:
        super().__init__()
        self.contacts = set(contacts)
        self.token = token
        self.scopes = set(scopes)
        self.taken: list[Note] = []
        self.rate = Rate(most=100, span_s=10.0)

    @property
    def url(self) -> str:
        return self.origin + PATHS[0]

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> web.Response:
        if path not in PATHS:
            raise Refusal(404, _error("OBJECT_NOT_FOUND", "resource not found"))
        if method != "POST":
            raise Refusal(405, _error("METHOD_NOT_ALLOWED", "method not allowed"))
        self._authorize(headers.get("authorization", ""))
        if self.rate.wait_s(self.now()) > 0:
            raise Refusal(429, _rate_limited(), self._limits())
        if not headers.get("content-type", "").startswith("application/json"):
            raise Refusal(415, _error("VALIDATION_ERROR", "unsupported media type"))
        note = self._note(document_of(body, _invalid("Invalid input JSON")))
        self.taken.append(note)
        return answered(201, _shown(note), self._limits())

    def _authorize(self, given: str) -> None:
        if given != f"Bearer {self.token}":
            raise Refusal(401, _error("INVALID_AUTHENTICATION", "Authentication not found"))
        if "crm.objects.contacts.write" not in self.scopes:
            raise Refusal(403, _error("MISSING_SCOPES", "This app hasn't been granted the scopes"))

    def _note(self, document: dict[str, Any]) -> Note:
        unknown = document.keys() - {"properties", "associations", "objectWriteTraceId"}
        properties = document.get("properties")
        if unknown or not isinstance(properties, dict):
            raise _invalid("Invalid input JSON: Unrecognized field, or no properties")
        if properties.keys() - PROPERTIES:
            raise _invalid("Property values were not valid: PROPERTY_DOESNT_EXIST")
        text = str(properties.get("hs_note_body", ""))
        if length_of(text) > BODY_CHARS_MAX:
            raise _invalid("hs_note_body has a value that is too long; the most is 65536")
        return Note(
            id=str(39_000_000_000 + len(self.taken)),
            at_ms=_at_ms(properties.get("hs_timestamp")),
            html=text,
            owner=str(properties.get("hubspot_owner_id", "")),
            contacts=tuple(self._contact(each) for each in document.get("associations") or ()),
        )

    def _contact(self, association: Any) -> str:
        match association:
            case {"to": {"id": str() | int() as given}, "types": [dict() as kind]}:
                category, number = kind.get("associationCategory"), kind.get("associationTypeId")
            case _:
                raise _invalid("Invalid input JSON: an association has a to.id and types")
        if category != "HUBSPOT_DEFINED" or number != NOTE_TO_CONTACT:
            raise _invalid(f"the association type {number} is not one of a note and a contact")
        if str(given) not in self.contacts:
            raise _invalid(f"no CONTACT with ID {given} exists")
        return str(given)

    def _limits(self) -> dict[str, str]:
        return {
            "X-HubSpot-RateLimit-Daily": str(DAILY),
            "X-HubSpot-RateLimit-Daily-Remaining": str(DAILY - len(self.heard)),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(self.rate.span_s * 1_000)),
            "X-HubSpot-RateLimit-Max": str(self.rate.most),
            "X-HubSpot-RateLimit-Remaining": str(self.rate.left),
        }


def _at_ms(given: Any) -> int:
    """Milliseconds as number or digits, or ISO 8601."""
    if given in (None, ""):
        raise _invalid("Required properties are missing: hs_timestamp")
    if isinstance(given, int) or str(given).isdigit():
        return int(given)
    try:
        return round(datetime.fromisoformat(str(given)).timestamp() * 1_000)
    except ValueError:
        raise _invalid("hs_timestamp was not a valid long") from None


def _error(category: str, message: str) -> dict[str, Any]:
    return {
        "status": "error",
        "message": message,
        "correlationId": CORRELATION,
        "category": category,
    }


def _invalid(message: str) -> Refusal:
    return Refusal(400, _error("VALIDATION_ERROR", message))


def _rate_limited() -> dict[str, Any]:
    return {
        "status": "error",
        "message": "You have reached your ten_secondly_rolling limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": CORRELATION,
        "policyName": "TEN_SECONDLY_ROLLING",
    }


def _shown(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "properties": {"hs_timestamp": str(note.at_ms), "hs_note_body": note.html[:200]},
        "createdAt": "2026-11-01T00:00:00.000Z",
        "updatedAt": "2026-11-01T00:00:00.000Z",
        "archived": False,
    }
