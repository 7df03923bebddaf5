"""How an attempt ends: first what the network gave back, then what that means.

`HttpResult` is the network's word: a `Response` if a status line was read, else `NoResponse`.
`Outcome` is the product's word, which the queue, the error count, the feed and the log go by:
`Delivered`, `Rejected`, `Failed` or `Unknown`. `judged` turns the first into the second.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, assert_never

import msgspec

from hookbundle.engine.delivery import backoff
from hookbundle.engine.delivery.answers import rules
from hookbundle.engine.delivery.success import OF_2XX, Success
from hookbundle.engine.errors import ConfigError


class ErrorClass(StrEnum):
    INVALID_URL = "invalid_url"
    FORBIDDEN_ADDRESS = "forbidden_address"
    DNS = "dns"
    CONNECT_REFUSED = "connect_refused"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT_CONNECT = "timeout_connect"
    TIMEOUT_TOTAL = "timeout_total"
    RESET = "reset"  # the connection ended before the status line
    PROTOCOL = "protocol"  # the bytes received are not HTTP
    LOCAL = "local"  # this machine's fault, not the receiver's: no descriptors
    NO_ROUTE = "no_route"  # the receiver's, unless routes.py says that nobody can be reached
    LOOK_UPS_FULL = "look_ups_full"  # the look-up did not start: the daemon has too many
    AUTH = "auth"  # no access token: its endpoint failed, or the secret is missing
    PROXY = "proxy"  # the operator's: it could not be reached, or did not let us in
    PROXY_REFUSED = "proxy_refused"  # the proxy answered that it can't or won't connect


# Never the receiver's. A time limit is ours only while the loop stood still, see `judged`.
OURS = frozenset({ErrorClass.LOCAL, ErrorClass.LOOK_UPS_FULL, ErrorClass.PROXY})
TIME_LIMITS = frozenset({ErrorClass.TIMEOUT_CONNECT, ErrorClass.TIMEOUT_TOTAL})
# Of those that had no answer: the receiver's machine was there all the same.
REACHED = frozenset(
    {ErrorClass.CONNECT_REFUSED, ErrorClass.TLS, ErrorClass.RESET, ErrorClass.PROTOCOL}
)
# So many attempts of a webhook in a row may end by a fault of this machine; the next one counts.
OWN_FAULTS_MAX = 3
# Answers that say that something stands before the receiver, or that it is busy: not the body.
NOT_THE_BODY = frozenset({502, 503, 504})


class Cause(StrEnum):
    """With what a stored error may begin, beside an `ErrorClass`; see `code_of`."""

    STATUS = "status"  # any other answer; its number follows
    NOT_SUCCESS = "not_success"  # a 2xx that this webhook does not take for a success
    ANSWER = "answer"  # the status was a success, and the answer was not: a rule, or unreadable
    STOOD_STILL = "stood_still"  # a time limit passed while this machine stood still
    GAVE_WAY = "gave_way"  # ended before its time limit, because others waited for this machine
    RECEIVER_FAILS = "receiver_fails"  # of the activity log: see tables/failing.py
    STOPPED = "stopped"  # the daemon stopped before the outcome was known


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLimits:
    connect_timeout_ms: int = 5_000
    total_timeout_ms: int = 15_000

    def __post_init__(self) -> None:
        if not 0 < self.connect_timeout_ms <= self.total_timeout_ms:
            raise ConfigError(
                "delivery.connect_timeout: must be more than 0 and at most total_timeout"
            )


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """A status line was read. It decides the outcome, even if reading the body failed later.

    `truncated`: `body`, as it is stored, is only the beginning of the response's body. `read`: all
    that was read of it, None if that is `body`. `is_complete`: the body ended there. `requests`:
    how many went out. `tokens`: access tokens they were sent with, which must not be shown.
    `in_time`: false where the attempt's time limit ended the body.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool
    duration_ms: int
    requests: int = 1
    tokens: tuple[str, ...] = ()
    read: bytes | None = None
    is_complete: bool = True
    in_time: bool = True

    def header(self, name: str) -> str | None:
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


class NoResponse(msgspec.Struct, frozen=True, kw_only=True):
    """No status line was read. `sent`: the receiver may have seen the request all the same.

    `detail` is shown to the owner of the webhook, who may not be trusted with the operator's
    network: it holds no resolved address and no bytes the receiver sent. `requests`: how many went
    out; 1 also where there was no connection. `in_time`: false where the attempt's time limit, or
    that of a token, ended it.
    """

    error: ErrorClass
    detail: str
    sent: bool
    duration_ms: int
    requests: int = 1
    in_time: bool = True


CODES = frozenset({*ErrorClass, *Cause})
# Where a status was read: its body decided, by what it said or because it did not come whole.
OF_THE_ANSWER = frozenset(
    {Cause.ANSWER, Cause.STOOD_STILL, Cause.GAVE_WAY, ErrorClass.TIMEOUT_TOTAL}
)

HttpResult: TypeAlias = Response | NoResponse


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver accepted the delivery."""

    status: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """The receiver refused this delivery, so that a retry will hardly change that: with a 4xx, or
    in its answer (`why`), if the webhook has a rule that says so."""

    status: int
    why: str = ""

    @property
    def error(self) -> str:
        return self.why or f"status {self.status}"


@dataclass(frozen=True, slots=True)
class Failed:
    """Any other error. `retry_after_ms` is the wait the receiver asked for, None if it did not."""

    error: str
    status: int = 0
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The attempt was ended by a fault of this machine.

    It does not count as an error of the receiver, unless too many in a row did so before it.
    """

    error: str


Outcome: TypeAlias = Delivered | Rejected | Failed | Unknown


def judged(
    result: HttpResult,
    success: Success,
    now_s: int,
    *,
    stood_still: bool = False,
    hidden: Callable[[str], str] = str,
) -> Outcome:
    """The outcome of the attempt. `now_s` is the wall clock, for a Retry-After with a date.

    `stood_still`: this machine did, during the attempt, so that its time limits say nothing.
    `hidden` takes the secrets of the request out of what its receiver wrote.
    """
    if isinstance(result, Response):
        outcome = judge(result.status, result.header("retry-after"), success, now_s)
        if success.rules and isinstance(outcome, Delivered):
            return _by_rules(result, success, hidden, stood_still=stood_still)
        return outcome
    if result.error in OURS:
        return Unknown(f"{result.error}: {result.detail}")
    if stood_still and was_late(result, success):
        return Unknown(f"{Cause.STOOD_STILL}: {result.detail}; this machine stood still meanwhile")
    return Failed(f"{result.error}: {result.detail}")


def _by_rules(
    response: Response, success: Success, hidden: Callable[[str], str], *, stood_still: bool
) -> Outcome:
    """The outcome by what the answer says, which the status alone would call a success."""
    body = response.body if response.read is None else response.read
    unmet = rules.unmet(success.rules, body, is_complete=response.is_complete)
    if unmet is None:
        return Delivered(response.status)
    if unmet.unreadable == rules.IS_CUT_OFF and stood_still:
        return Unknown(f"{Cause.STOOD_STILL}: {rules.IS_CUT_OFF}; this machine stood still")
    error = f"{Cause.ANSWER}: {unmet.words(hidden)}"
    if unmet.rule is not None and unmet.rule.rejects:
        return Rejected(response.status, error)
    return Failed(error, response.status)


def counted(outcome: Outcome, own_faults: int) -> Outcome:
    """The outcome after `own_faults` in a row that were faults of this machine.

    One that is so always gets no more credit: else a receiver that hangs, and keeps this machine
    busy at the same time, would be called for ever.
    """
    if isinstance(outcome, Unknown) and own_faults >= OWN_FAULTS_MAX:
        return Failed(f"{outcome.error}; it counts, after {own_faults} in a row that did not")
    return outcome


def was_late(result: HttpResult, success: Success) -> bool:
    """Whether a time limit ended the attempt before what decides about it had come.

    That is the status, and the body too if there are rules for it.
    """
    if isinstance(result, NoResponse):
        return result.error in TIME_LIMITS or not result.in_time
    return bool(success.rules) and result.status in success.statuses and not result.in_time


def was_reached(result: HttpResult) -> bool:
    """Whether the receiver's machine was there, as an answer, a refusal or a reset shows."""
    return isinstance(result, Response) or result.sent or result.error in REACHED


def is_of_the_body(outcome: Outcome) -> bool:
    """Whether the receiver failed in a way that the body of this one delivery may have caused."""
    status = outcome.status if isinstance(outcome, Failed) else 0
    return 500 <= status <= 599 and status not in NOT_THE_BODY


def judge(
    status: int, retry_after: str | None, success: Success, now_s: int
) -> Delivered | Rejected | Failed:
    """The outcome by the response's status."""
    if status in success.statuses:
        return Delivered(status)
    if backoff.is_definite_rejection(status):
        return Rejected(status)
    # RFC 9110 defines Retry-After for 503, RFC 6585 for 429; elsewhere it says nothing about when
    # to repeat a POST.
    asked = retry_after if status in (429, 503) else None
    retry_after_ms = backoff.parse_retry_after(asked, now_s) if asked else None
    if status in OF_2XX:
        text = f"answered {status}; this webhook takes only {success.taken} as success"
        return Failed(f"{Cause.NOT_SUCCESS}: {text}", status)
    return Failed(f"status {status}", status, retry_after_ms)


def code_of(error: str) -> str:
    """With what a stored error begins: an `ErrorClass` or a `Cause`; empty if with neither.

    Pages and mails word errors by it, in any language; the rest is English.
    """
    word = error.partition(":")[0].partition(" ")[0]
    return word if word in CODES else ""


def outcome_name(outcome: Outcome) -> str:
    """The outcome as the feed, the log and the metrics spell it."""
    match outcome:
        case Delivered():
            return "delivered"
        case Rejected():
            return "rejected"
        case Failed():
            return "failed"
        case Unknown():
            return "unknown"
        case _:
            assert_never(outcome)


def reason_of(result: HttpResult, outcome: Outcome) -> str:
    """The class of the status (`2xx`), or of the error if there was no response (`dns`).

    `answer` if the status was a success, and what the answer said was not, or did not come whole.
    """
    if not isinstance(result, Response):
        return str(result.error)
    if not isinstance(outcome, Delivered) and code_of(outcome.error) in OF_THE_ANSWER:
        return Cause.ANSWER
    return f"{result.status // 100}xx"
