"""What became of a message: the closed set of answers, and the one sentence in English of each.

An answer is a code and what its sentence tells, as a fault of an input is. The codes are stable:
programs go by them, and other languages word them. Times leave by a function of the caller, because
a page shows those of the workspace's zone.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Literal

import msgspec

What = Literal[
    "collecting",
    "queued",
    "sending",
    "held",
    "delivered",
    "dead_letter",
    "discarded",
    "merged",
    "skipped",
    "duplicate",
    "unrouted",
    "overflowed",
    "filtered",
    "edited",
    "removed",
    "late_edit",
    "unmatched",
    "trimmed",
    "deleted",
    "never_came",
]


class BecameCode(StrEnum):
    """Each is a sentence of its own; what it begins with, up to the dot, is the kind of answer."""

    COLLECTING = "collecting"
    QUEUED = "queued"
    SENDING = "sending"
    DISABLED_BY_ERRORS = "held.disabled_by_errors"
    DISABLED_BY_A_PERSON = "held.disabled_by_a_person"
    NO_URL = "held.no_url"
    BACKING_OFF = "held.backing_off"
    OVER_BUDGET = "held.over_budget"
    RENDERING_RESTS = "held.rendering_rests"
    DELIVERED = "delivered"
    RESENDING = "delivered.resending"
    RESEND_FAILED = "delivered.resend_failed"
    REJECTED = "dead_letter.rejected"
    RECEIVER_FAILS = "dead_letter.receiver_fails"
    NOT_RENDERED = "dead_letter.format"
    DISCARDED = "discarded"
    DISCARDED_BY_SOMEBODY = "discarded.by_somebody"
    NO_RECORD = "discarded.no_record"
    MERGED = "merged"
    ATTACHMENT = "skipped.attachment"
    NO_TEXT = "skipped.no_text"
    DUPLICATE = "duplicate"
    DIFFERS = "duplicate.differs"
    UNROUTED = "unrouted"
    OVERFLOWED = "overflowed"
    OVERFLOWED_BY_ERRORS = "overflowed.disabled_by_errors"
    OVERFLOWED_BY_A_PERSON = "overflowed.disabled_by_a_person"
    FILTERED = "filtered"
    EDITED = "edited"
    REMOVED = "removed"
    LATE_EDIT = "late_edit"
    LATE_DELETION = "late_edit.deletion"
    TOO_LATE = "late_edit.nowhere"
    UNMATCHED = "unmatched"
    TRIMMED = "trimmed"
    DELETED = "deleted"
    NEVER_CAME = "never_came"


SENTENCES: dict[BecameCode, str] = {
    BecameCode.COLLECTING: "It is in an open window, which closes at {due}.",
    BecameCode.QUEUED: "It waits in the queue, and goes when what is before it has gone.",
    BecameCode.SENDING: "It is being sent at this moment.",
    BecameCode.DISABLED_BY_ERRORS: (
        "It is held: the webhook was disabled at {at}, after too many errors in a row. "
        "The last one: {error}"
    ),
    BecameCode.DISABLED_BY_A_PERSON: "It is held: somebody disabled the webhook at {at}.",
    BecameCode.NO_URL: "It is held: the webhook has no URL.",
    BecameCode.BACKING_OFF: (
        "It waits after an error ({errors} in a row); the next attempt is at {next}. "
        "The last one: {error}"
    ),
    BecameCode.OVER_BUDGET: (
        "It waits, because the webhook has used its rate, or its budget of the day. "
        "The next request is sent at {next}."
    ),
    BecameCode.RENDERING_RESTS: (
        "It waits: no body is made for the webhook before {next}, because too many of its format "
        "took too much, or this machine could make none."
    ),
    BecameCode.DELIVERED: "It was delivered at {at}: the receiver answered {status}.",
    BecameCode.RESENDING: "It was delivered at {at}, and is to be sent once more.",
    BecameCode.RESEND_FAILED: (
        "It was delivered at {at}. It was to be sent once more, and did not arrive again. "
        "The last error: {error}"
    ),
    BecameCode.REJECTED: (
        "It is a dead letter: the receiver rejected it {rejections} times. The last answer: {error}"
    ),
    BecameCode.RECEIVER_FAILS: (
        "It is a dead letter: the receiver fails over it, and takes what comes after it. "
        "The last error: {error}"
    ),
    BecameCode.NOT_RENDERED: (
        "It is a dead letter, and was never sent: no body of the webhook's format could be made of "
        "it. {error}"
    ),
    BecameCode.DISCARDED: "It was discarded at {at} by {by}: {reason}",
    BecameCode.DISCARDED_BY_SOMEBODY: (
        "It was discarded at {at}; by whom and why is not known any more."
    ),
    BecameCode.NO_RECORD: (
        "It was not sent: at {at} its chat had no phone and no record of the receiver's, and the "
        "webhook's format skips such ones."
    ),
    BecameCode.MERGED: "It was merged at {at} into delivery {reason}.",
    BecameCode.ATTACHMENT: "It was skipped at {at}: it has an attachment, and only texts are sent.",
    BecameCode.NO_TEXT: "It was skipped at {at}: it has no text.",
    BecameCode.DUPLICATE: "It came again at {at}; it was known, and nothing more is sent for it.",
    BecameCode.DIFFERS: (
        "It came again at {at} with another text; the first text stays, the other one was dropped."
    ),
    BecameCode.UNROUTED: "No webhook got it at {at}: their filters did not let it pass.",
    BecameCode.OVERFLOWED: "The webhook {webhook} did not get it at {at}: it was full.",
    BecameCode.OVERFLOWED_BY_ERRORS: (
        "The webhook {webhook} did not get it at {at}: it was full. Too many errors in a row had "
        "disabled it."
    ),
    BecameCode.OVERFLOWED_BY_A_PERSON: (
        "The webhook {webhook} did not get it at {at}: it was full. Somebody had disabled it."
    ),
    BecameCode.FILTERED: (
        "The webhook {webhook} did not get it at {at}: its filter did not keep it."
    ),
    BecameCode.EDITED: "Its text was changed at {at}, before it was sealed.",
    BecameCode.REMOVED: "It was deleted at {at}, before it was sealed.",
    BecameCode.LATE_EDIT: (
        "An edit came at {at}. The webhook {webhook} had sealed it before; nothing more is sent."
    ),
    BecameCode.LATE_DELETION: (
        "A deletion came at {at}. The webhook {webhook} had sealed it before; nothing more is sent."
    ),
    BecameCode.TOO_LATE: (
        "An edit or a deletion came at {at}, and found it in no window and no recent delivery."
    ),
    BecameCode.UNMATCHED: (
        "An edit or a deletion of it was dropped at {at}: it did not come within a minute."
    ),
    BecameCode.TRIMMED: "It was accepted; its delivery is too old, and is not kept any more.",
    BecameCode.DELETED: "The chat was deleted at {at} by {by}, with all messages that it had.",
    BecameCode.NEVER_CAME: "It never came: nothing is known of it.",
}

ADVICE: dict[BecameCode, str] = {
    BecameCode.COLLECTING: "Wait, or send the window now (`hookbundle chats flush`).",
    BecameCode.QUEUED: "See what is before it (`hookbundle deliveries list`).",
    BecameCode.DISABLED_BY_ERRORS: (
        "Repair the receiver, test it (`hookbundle webhook test`) and enable the webhook."
    ),
    BecameCode.DISABLED_BY_A_PERSON: "Enable the webhook (`hookbundle webhook enable`).",
    BecameCode.NO_URL: "Set the URL (`hookbundle webhook set --url`).",
    BecameCode.BACKING_OFF: (
        "Repair the receiver, then retry at once (`hookbundle deliveries retry`), or wait."
    ),
    BecameCode.OVER_BUDGET: (
        "Wait, or raise rate or budget (`hookbundle webhook set --rate --budget`)."
    ),
    BecameCode.DELIVERED: "Look for it in the receiver, by the delivery's id (`webhook-id`).",
    BecameCode.RESENDING: (
        "Wait, or end the resend; it stays delivered (`hookbundle deliveries discard`)."
    ),
    BecameCode.RESEND_FAILED: (
        "See the answer, repair the receiver, then resend it (`hookbundle deliveries resend`)."
    ),
    BecameCode.REJECTED: (
        "See the answer, repair the receiver, then retry it (`hookbundle deliveries retry`)."
    ),
    BecameCode.RECEIVER_FAILS: (
        "See the answer, repair the receiver, then retry it (`hookbundle deliveries retry`)."
    ),
    BecameCode.NOT_RENDERED: (
        "See what is wrong, change the format (`hookbundle webhook set --format`), and it is made "
        "anew."
    ),
    BecameCode.RENDERING_RESTS: (
        "Wait, or set a format that takes less (`hookbundle webhook set --format`)."
    ),
    BecameCode.NO_RECORD: (
        "Send the chat's phone or record id with its messages, or have the format send without "
        "one (`hookbundle webhook set --format-option`)."
    ),
    BecameCode.MERGED: "See what became of that one (`hookbundle deliveries show`).",
    BecameCode.DIFFERS: "A corrected text has to come as a message with an id of its own.",
    BecameCode.UNROUTED: "See the filters of the webhooks (`hookbundle webhook show`).",
    BecameCode.OVERFLOWED: (
        "See why what it holds does not get through (`hookbundle webhook show`); what it did not "
        "get has to come as a message with an id of its own."
    ),
    BecameCode.OVERFLOWED_BY_ERRORS: (
        "Repair the receiver, test it (`hookbundle webhook test`) and enable the webhook; what it "
        "did not get has to come as a message with an id of its own."
    ),
    BecameCode.OVERFLOWED_BY_A_PERSON: (
        "Enable the webhook (`hookbundle webhook enable`); what it did not get has to come as a "
        "message with an id of its own."
    ),
    BecameCode.FILTERED: (
        "See its filter (`hookbundle webhook show`), and what it keeps now (`hookbundle webhook "
        "filter-test`)."
    ),
    BecameCode.NEVER_CAME: (
        "See whether the sender got an answer 202 for it, for this workspace and chat."
    ),
}

GAPS_OF_TIME = {"at": "at_ms", "due": "due_ms", "next": "next_ms"}


class Became(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, and what its sentence tells; the other fields are empty.

    `at_ms`: since when it is so. `due_ms`: when the window closes. `next_ms`: of the next attempt.
    `webhook`: the id of the one that did not get it.
    """

    code: BecameCode
    at_ms: int = 0
    due_ms: int = 0
    next_ms: int = 0
    status: int = 0
    error: str = ""
    errors: int = 0
    rejections: int = 0
    by: str = ""
    reason: str = ""
    webhook: str = ""


def what_of(code: BecameCode) -> What:
    """The kind of answer."""
    kind: What = code.partition(".")[0]  # type: ignore[assignment]
    return kind


def values_of(became: Became, time: Callable[[int], str]) -> dict[str, str | int]:
    """What fills the gaps of the sentence, in any language."""
    values = msgspec.structs.asdict(became)
    return {**values, **{gap: time(values[name]) for gap, name in GAPS_OF_TIME.items()}}


def sentence(became: Became, time: Callable[[int], str]) -> str:
    return SENTENCES[became.code].format_map(values_of(became, time))
