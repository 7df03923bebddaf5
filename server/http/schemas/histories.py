"""What became of messages, as the API shows it."""

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.engine.messages import became
from hookbundle.engine.messages.became import Became, What
from hookbundle.server.http.schemas.attempts import AttemptOut, attempt_out
from hookbundle.server.http.schemas.times import iso_or_none
from hookbundle.storage.reads.paths.members import Seen
from hookbundle.storage.reads.paths.message_path import MessagePath, OfWebhook
from hookbundle.storage.reads.paths.of_chat import Group

EXAMPLE_OF_GROUP = {
    "became": {
        "what": "dead_letter",
        "code": "dead_letter.rejected",
        "detail": (
            "It is a dead letter: the receiver rejected it 3 times. The last answer: status 404"
        ),
        "advice": (
            "See the answer, repair the receiver, then retry it (`hookbundle deliveries retry`)."
        ),
        "status": 404,
        "error": "status 404",
        "rejections": 3,
    },
    "webhook": "outbound",
    "opened_at": "2027-01-31T14:41:07.120Z",
    "sealed_at": "2027-01-31T15:41:07.120Z",
    "reason": "time",
    "delivery_id": "dlv_43cc8079b600000001000000000001",
    "attempts": 3,
    "count": 1,
    "messages": [
        {
            "message_id": "wamid.HBgLMTIzNDU2Nzg5MA",
            "direction": "received",
            "timestamp": "2027-01-31T14:41:05.000Z",
            "arrived_at": "2027-01-31T14:41:07.120Z",
        }
    ],
}
SINCE = {
    "history_since": "2027-01-17T00:00:00.000Z",
    "feed_since": "2027-01-28T00:00:00.000Z",
}
EXAMPLE_OF_HISTORY = {
    "workspace": "acme",
    "chat_id": "10010001",
    "groups": [EXAMPLE_OF_GROUP],
    "cursor": None,
    "searched_to": None,
    **SINCE,
}
EXAMPLE_OF_PATH = {
    "workspace": "acme",
    "chat_id": "10010001",
    "message_id": "wamid.HBgLMTIzNDU2Nzg5MA",
    "became": EXAMPLE_OF_GROUP["became"],
    "group": EXAMPLE_OF_GROUP,
    "attempts": [
        {
            "attempt": 1,
            "at": "2027-01-31T15:41:07.240Z",
            "url": "https://receiver.example/in",
            "outcome": "rejected",
            "status": 404,
            "error": "status 404",
            "duration_ms": 87,
            "request_headers": {"webhook-id": "dlv_43cc8079b600000001000000000001"},
            "response": {
                "status": 404,
                "headers": [["content-type", "text/plain"]],
                "body": "no such contact",
                "truncated": False,
            },
            "hint": None,
            "method": "POST",
        }
    ],
    "came": [],
    "around": [],
    "cursor": None,
    "searched_to": None,
    **SINCE,
}


class BecameOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a message. `detail` says it in one sentence, `advice` what may be done.

    `code`: which sentence it is; `what` is what the code begins with. The others are in the
    sentence, and are left out where it does not have them: `at`, since when it is so; `due_at`,
    when the window closes; `status` and `error` of the last answer; `errors`, in a row;
    `rejections`; `by` and `reason` of who discarded or deleted it; `webhook`, which did not get it:
    it was full (`overflowed`), or its filter did not keep it (`filtered`).
    """

    what: What
    code: str
    detail: str
    advice: str | None = None
    at: str | None = None
    due_at: str | None = None
    next_attempt_at: str | None = None
    status: int | None = None
    error: str | None = None
    errors: int | None = None
    rejections: int | None = None
    by: str | None = None
    reason: str | None = None
    webhook: str | None = None


class PassedOut(msgspec.Struct, frozen=True, kw_only=True):
    """A message, without its text. `timestamp`: its own; `arrived_at`: when it was accepted, or
    came and was not stored. Null where it is not known."""

    message_id: str
    direction: str | None
    timestamp: str | None
    arrived_at: str | None


class GroupOut(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of which the same became: those of a window or delivery, or that were not stored.

    `messages`: those that were asked for, of `count`. `opened_at`, `sealed_at`, `reason`: of their
    window. `delivery_id`: null without a delivery; `attempts`: how many were made.
    """

    became: BecameOut
    webhook: str | None
    opened_at: str | None
    sealed_at: str | None
    reason: str | None
    delivery_id: str | None
    attempts: int
    count: int
    messages: list[PassedOut]


class HistoryOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a chat's history, newest first; `cursor` is null after the last one.

    `searched_to`: the page ended because its work was used up, and looked back so far. Deliveries
    are known since `history_since`, what was skipped, came again, or was not kept by a filter since
    `feed_since`; null: an earlier version wrote the database, and since when is not known.
    """

    workspace: str
    chat_id: str
    groups: list[GroupOut]
    cursor: str | None
    searched_to: str | None
    history_since: str | None
    feed_since: str | None


class WebhookPathOut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message at a webhook: its window or delivery, and the attempts.

    Of a webhook that did not get it `became` says why, and the group has no window or delivery.
    """

    webhook: str
    became: BecameOut
    group: GroupOut
    attempts: list[AttemptOut]


class MessagePathOut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message; null if the search is not over, and goes on at `cursor`.

    `group`: its window or delivery, with this message alone; of several that of `outbound`, or of
    the oldest webhook. `webhooks`: where the workspace has several, all that got it, and those that
    did not, as long as the feed knows why; the answers of one search have one list together.
    `attempts`: the last hundred, oldest first. `came`: when it came and was not stored, newest
    first. `around`: the newest groups of its chat, if it is nowhere. The rest is as in a chat's
    history.
    """

    workspace: str
    chat_id: str
    message_id: str
    became: BecameOut | None
    group: GroupOut | None
    attempts: list[AttemptOut]
    came: list[BecameOut]
    around: list[GroupOut]
    cursor: str | None
    searched_to: str | None
    history_since: str | None
    feed_since: str | None
    webhooks: list[WebhookPathOut] | UnsetType = UNSET


def became_out(found: Became) -> BecameOut:
    return BecameOut(
        what=became.what_of(found.code),
        code=found.code.value,
        detail=became.sentence(found, _time),
        advice=became.ADVICE.get(found.code),
        at=iso_or_none(found.at_ms),
        due_at=iso_or_none(found.due_ms),
        next_attempt_at=iso_or_none(found.next_ms),
        status=found.status or None,
        error=found.error or None,
        errors=found.errors or None,
        rejections=found.rejections or None,
        by=found.by or None,
        reason=found.reason or None,
        webhook=found.webhook or None,
    )


def group_out(group: Group) -> GroupOut:
    return GroupOut(
        became=became_out(group.became),
        webhook=group.webhook or None,
        opened_at=iso_or_none(group.opened_ms),
        sealed_at=iso_or_none(group.sealed_ms),
        reason=group.reason or None,
        delivery_id=group.delivery_id or None,
        attempts=group.attempts,
        count=group.count,
        messages=list(map(_passed_out, group.messages)),
    )


def path_out(
    workspace_id: str,
    chat_id: str,
    message_id: str,
    path: MessagePath,
    around: list[Group],
    cursor: str | None,
) -> MessagePathOut:
    return MessagePathOut(
        workspace=workspace_id,
        chat_id=chat_id,
        message_id=message_id,
        became=None if path.became is None else became_out(path.became),
        group=None if path.group is None else group_out(path.group),
        attempts=list(map(attempt_out, path.attempts)),
        came=list(map(became_out, path.came)),
        around=list(map(group_out, around)),
        cursor=cursor,
        searched_to=iso_or_none(path.searched_to_ms),
        history_since=iso_or_none(path.known.history_ms or 0),
        feed_since=iso_or_none(path.known.feed_ms or 0),
        webhooks=list(map(_webhook_out, path.webhooks)) or UNSET,
    )


def _webhook_out(found: OfWebhook) -> WebhookPathOut:
    return WebhookPathOut(
        webhook=found.group.webhook,
        became=became_out(found.group.became),
        group=group_out(found.group),
        attempts=list(map(attempt_out, found.attempts)),
    )


def _passed_out(seen: Seen) -> PassedOut:
    return PassedOut(
        message_id=seen.message_id,
        direction=seen.direction or None,
        timestamp=iso_or_none(seen.sent_ms),
        arrived_at=iso_or_none(seen.arrived_ms),
    )


def _time(at_ms: int) -> str:
    return iso_or_none(at_ms) or "-"
