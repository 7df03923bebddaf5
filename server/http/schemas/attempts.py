"""An attempt, as the API shows it: in the detailed log, and in the history of its delivery."""

import msgspec

from hookbundle.engine.delivery import too_large
from hookbundle.engine.delivery.outcomes import Cause, code_of
from hookbundle.server.http.schemas.times import iso
from hookbundle.storage.database.delivery_records import Attempt
from hookbundle.storage.reads.delivery_view import KeptAttempt

# What may help, by the code of the error. Which one does, a test request can tell.
HINTS: dict[str, str] = {
    Cause.NOT_SUCCESS: (
        "if every status from 200 to 299 is a success, set `success: 2xx`, or list those that are"
    ),
    Cause.ANSWER: "if such an answer is a success, change `success_rules`",
}
UNREADABLE = "unreadable"
DAMAGED = "the record of this request is damaged; `hookbundle check` names it"


class ResponseOut(msgspec.Struct, frozen=True):
    """`body` as far as it is kept; `truncated`: it was longer."""

    status: int
    headers: list[tuple[str, str]]
    body: str
    truncated: bool


class AttemptOut(msgspec.Struct, frozen=True, kw_only=True):
    """A request of a delivery; its body is the delivery's.

    `attempt`: its number. `status`: of the answer, null if none came. `outcome`: `delivered`,
    `rejected`, `failed`, `unknown`; `unreadable` if its record is damaged. `error` begins with a
    code (docs/operations.md). `hint`: a setting that would help.
    """

    attempt: int
    at: str | None
    url: str
    outcome: str
    status: int | None
    error: str | None
    duration_ms: int
    request_headers: dict[str, str]
    response: ResponseOut | None
    hint: str | None
    method: str


def attempt_out(kept: KeptAttempt) -> AttemptOut:
    result = kept.result
    return AttemptOut(
        attempt=kept.number,
        at=iso(result.at_ms) if result else None,
        url=result.url if result else "",
        outcome=result.outcome if result else UNREADABLE,
        status=(result.status or None) if result else None,
        error=(result.error or None) if result else DAMAGED,
        duration_ms=result.duration_ms if result else 0,
        request_headers=dict(result.request_headers) if result else {},
        response=response_out(result) if result else None,
        hint=hint_for(result) if result else None,
        method=result.method if result else "POST",
    )


def response_out(result: Attempt) -> ResponseOut | None:
    """The answer; bytes that are not UTF-8 show as U+FFFD. None if none came."""
    if not result.status:
        return None
    return ResponseOut(
        status=result.status,
        headers=list(result.response_headers),
        body=result.response_body.decode(errors="replace"),
        truncated=result.truncated,
    )


def hint_for(result: Attempt) -> str | None:
    if result.status == too_large.STATUS:
        return too_large.HINT
    return HINTS.get(code_of(result.error))
