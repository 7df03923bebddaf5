"""What came of a request: a `Response` if a status line was read, else why there is none."""

from hookbundle.actors.outbound.connector import RequestProgress
from hookbundle.actors.outbound.errors import classify
from hookbundle.actors.outbound.tokens import TokenError
from hookbundle.engine.delivery.outcomes import (
    OURS,
    TIME_LIMITS,
    ErrorClass,
    HttpResult,
    NoResponse,
    Response,
)

BODY_STORED_BYTES_MAX = 4 * 1024
TOKEN_TOO_LATE = ErrorClass.AUTH, "the token endpoint did not answer within the time limit"


def result_of(
    progress: RequestProgress, cause: tuple[ErrorClass, str], duration_ms: int, in_time: bool
) -> HttpResult:
    requests = max(progress.sent, 1)
    answer = progress.answer
    if answer is not None and answer.head is not None:
        read = bytes(answer.body)
        return Response(
            status=answer.head.status,
            headers=tuple(answer.head.headers),
            body=read[:BODY_STORED_BYTES_MAX],
            read=read,
            is_complete=answer.is_complete,
            truncated=not answer.is_complete or len(answer.body) > BODY_STORED_BYTES_MAX,
            duration_ms=duration_ms,
            requests=requests,
            tokens=tuple(progress.tokens),
            in_time=in_time,
        )
    error, detail = cause
    return NoResponse(
        error=error,
        detail=detail,
        sent=progress.connected,
        duration_ms=duration_ms,
        requests=requests,
        in_time=in_time,
    )


def cause_of(exc: BaseException, progress: RequestProgress) -> tuple[ErrorClass, str]:
    if progress.refusals and not progress.sockets:
        kinds = ", ".join(sorted(set(progress.refusals)))
        return ErrorClass.FORBIDDEN_ADDRESS, f"the address may not be called: {kinds}"
    return classify(exc)


def token_error(error: ErrorClass, detail: str) -> TokenError:
    """What is a fault of this machine stays one; all else is the token endpoint's."""
    if error in OURS:
        return TokenError(error, detail)
    in_time = error not in TIME_LIMITS
    return TokenError(ErrorClass.AUTH, f"the token endpoint: {detail}", in_time=in_time)
