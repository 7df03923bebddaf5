"""Pipedrive: its notes.

From https://developers.pipedrive.com/docs/api/v1/Notes#addNote: `POST /v1/notes` (also under
`/api`); `content` is required, in HTML; one of `lead_id` (a UUID), `deal_id`, `person_id`, `org_id`
(integers) is required. From https://pipedrive.readme.io/docs/core-api-concepts-authentication: the
header `x-api-token`, or `api_token` in the query. From .../core-api-concepts-rate-limiting: 429
past the burst of two seconds, which is 20 requests with an API token in the smallest plan, and past
the tokens of a day; every answer has x-ratelimit-limit, -remaining and -reset. Answers have
`success`, and errors `error` and `error_info`.
Not documented: that content is limited to 100,000 characters, that a person who is not there is a
404 with `success: false`, and that an id as a text is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aiohttp import web

from hookbundle.tests.crm.stand_in import Rate, Refusal, StandIn, answered, document_of, length_of

PATHS = ("/v1/notes", "/api/v1/notes")
CONTENT_CHARS_MAX = 100_000
OWNERS = ("lead_id", "deal_id", "person_id", "org_id")
FIELDS = frozenset({*OWNERS, "content", "user_id", "add_time"})


@dataclass(frozen=True, slots=True)
class Note:
    id: int
    html: str
    person: int | None
    organisation: int | None


class Pipedrive(StandIn):
    """A company with some persons and organisations. `token`: that of a user."""

    def __init__(
        self,
        persons: Iterable[int] = (),
        organisations: Iterable[int] = (),
        token: str = "0123456789abcdef0123456789abcdef01234567",
    ) -> None:
        super().__init__()
        self.records = {"person_id": set(persons), "org_id": set(organisations)}
        self.token = token
        self.taken: list[Note] = []
        self.rate = Rate(most=20, span_s=2.0)

    @property
    def url(self) -> str:
        return self.origin + PATHS[0]

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> web.Response:
        if path not in PATHS or method != "POST":
            raise _refused(404, "Unknown method .")
        if headers.get("x-api-token") != self.token:
            raise _refused(401, "unauthorized access")
        wait_s = self.rate.wait_s(self.now())
        if wait_s > 0:
            raise Refusal(
                429,
                {"success": False, "error": "request over limit", "errorCode": 429},
                self._limits(wait_s),
            )
        note = self._note(document_of(body, _refused(400, "Bad request")))
        self.taken.append(note)
        return answered(201, _shown(note), self._limits(self.rate.span_s))

    def _note(self, document: dict[str, Any]) -> Note:
        content = document.get("content")
        if not isinstance(content, str) or not content:
            raise _refused(400, "Content cannot be blank.")
        if length_of(content) > CONTENT_CHARS_MAX:
            raise _refused(400, "The content is too long.")
        if document.keys() - FIELDS:
            raise _refused(400, "Validation failed: unrecognized key")
        if not document.keys() & set(OWNERS):
            raise _refused(400, "Note must be associated with a lead, deal, person, or org.")
        for name in OWNERS:
            if name in document:
                self._check(name, document[name])
        person, organisation = document.get("person_id"), document.get("org_id")
        return Note(len(self.taken) + 1, content, person, organisation)

    def _check(self, name: str, given: Any) -> None:
        if name == "lead_id":
            try:
                UUID(given)
            except (ValueError, TypeError, AttributeError):
                raise _refused(400, "Validation failed: lead_id: not a UUID") from None
        elif not isinstance(given, int) or isinstance(given, bool):
            raise _refused(400, f"Validation failed: {name}: expected an integer")
        elif given not in self.records.get(name, set()):
            raise _refused(404, f"{name}: not found")

    def _limits(self, wait_s: float) -> dict[str, str]:
        return {
            "x-ratelimit-limit": str(self.rate.most),
            "x-ratelimit-remaining": str(self.rate.left),
            "x-ratelimit-reset": str(max(1, round(wait_s))),
        }


def _refused(status: int, error: str) -> Refusal:
    info = "Please check developers.pipedrive.com for more information about Pipedrive API."
    answer = {"success": False, "error": error, "error_info": info, "data": None}
    return Refusal(status, answer)


def _shown(note: Note) -> dict[str, Any]:
    return {
        "success": True,
        "data": {"id": note.id, "person_id": note.person, "org_id": note.organisation},
    }
