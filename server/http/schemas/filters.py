"""Trying a filter on messages that are here already: what is asked, and the answer."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.engine.filters.conditions import Filter
from hookbundle.engine.filters.verdicts import SENTENCES
from hookbundle.server.http.schemas.times import iso, iso_or_none
from hookbundle.storage.reads.past.messages import PastMessage

LAST_MAX = 1_000


class FilterTestIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`filter`: the one to try, or if left out the webhook's own. `last`: so many at most."""

    filter: dict[str, Any] | UnsetType | None = UNSET
    last: int = 200


class JudgedOut(msgspec.Struct, frozen=True):
    """A message and the verdict. `code`, `why`: of the condition that dropped it, at `path`.

    `by_newest`: account and chat are those of the newest message of its window or bundle, because
    no others are kept.
    """

    chat_id: str
    message_id: str
    arrived_at: str
    kept: bool
    path: str | None
    code: str | None
    why: str | None
    by_newest: bool


class FilterTestOut(msgspec.Struct, frozen=True):
    """The newest messages first. `searched_to`: older ones were not looked at; null: all were."""

    tested: int
    kept: int
    dropped: int
    messages: list[JudgedOut]
    searched_to: str | None


def judged_out(message: PastMessage, wanted: Filter) -> JudgedOut:
    failed = wanted.failed(message.subject)
    return JudgedOut(
        chat_id=message.chat_id,
        message_id=message.message_id,
        arrived_at=iso(message.arrived_ms),
        kept=failed is None,
        path=f"filter.{failed.path}" if failed else None,
        code=failed.code.value if failed else None,
        why=SENTENCES[failed.code] if failed else None,
        by_newest=not message.is_alone,
    )


def tested_out(judged: list[JudgedOut], searched_to_ms: int) -> FilterTestOut:
    kept = sum(each.kept for each in judged)
    return FilterTestOut(
        tested=len(judged),
        kept=kept,
        dropped=len(judged) - kept,
        messages=judged,
        searched_to=iso_or_none(searched_to_ms),
    )
