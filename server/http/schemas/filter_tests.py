"""What a filter would do with the last messages: asked, and answered."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET

from hookbundle.engine.filters.conditions import Filter
from hookbundle.engine.filters.verdicts import SENTENCES
from hookbundle.server.http.schemas.times import iso, iso_or_none
from hookbundle.storage.reads.past.messages import PastMessage, PastMessages

LAST_MOST = 1_000
EXAMPLE = {
    "filter": {
        "direction": "received",
        "labels": {"any": ["VIP"], "none": ["spam"]},
        "any": [{"account": "+972500000000"}, {"text_contains": ["invoice", "offer"]}],
    },
    "last": 200,
}


class FilterTestIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`filter`: left out, the webhook's own. `last`: so many of the newest messages are judged."""

    filter: Any = UNSET
    last: Annotated[int, msgspec.Meta(ge=1, le=LAST_MOST)] = 200


class JudgedOut(msgspec.Struct, frozen=True):
    """A message, without its text. If it is dropped: the first condition that does not hold.

    `condition`: where it stands in the filter; `code`: which sentence `why` is. Null if it is kept.
    """

    chat_id: str
    message_id: str
    arrived_at: str
    kept: bool
    condition: str | None = None
    code: str | None = None
    why: str | None = None


class FilterTestedOut(msgspec.Struct, frozen=True):
    """The newest messages that the workspace still has, newest first; those that no webhook
    wanted are not among them.

    `by_newest`: so many were judged by account, chat and labels of the newest message of their
    bundle, as far as the filter asks for these: a bundle has no others. `searched_to`: older
    messages were not looked for; null if there are no more, or enough were found.
    """

    tested: int
    kept: int
    dropped: int
    by_newest: int
    searched_to: str | None
    messages: list[JudgedOut]


def judged_out(wanted: Filter, message: PastMessage) -> JudgedOut:
    failed = wanted.failed(message.subject)
    arrived_at = iso(message.arrived_ms)
    if failed is None:
        return JudgedOut(message.chat_id, message.message_id, arrived_at, kept=True)
    return JudgedOut(
        message.chat_id,
        message.message_id,
        arrived_at,
        kept=False,
        condition=f"filter.{failed.path}",
        code=failed.code,
        why=SENTENCES[failed.code],
    )


def tested_out(wanted: Filter, past: PastMessages, judged: list[JudgedOut]) -> FilterTestedOut:
    kept = sum(each.kept for each in judged)
    is_of_chat = wanted.asks_of_chat()
    return FilterTestedOut(
        tested=len(judged),
        kept=kept,
        dropped=len(judged) - kept,
        by_newest=sum(not each.is_alone for each in past.found) if is_of_chat else 0,
        searched_to=iso_or_none(past.searched_to_ms),
        messages=judged,
    )
