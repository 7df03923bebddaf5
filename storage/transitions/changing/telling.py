"""Tells what became of edits and deletions: facts that the chat finds, and counters."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hookbundle.engine.messages.changes import Change
from hookbundle.storage.change_facts import MessageDeleted, MessageEdited
from hookbundle.storage.database import feed_rows
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.unit import Unit


@dataclass(slots=True)
class Told:
    """What became of one kind of changes, by the ids of their messages, as the facts have it."""

    applied: dict[str, list[str]] = field(default_factory=dict)
    late: dict[str, list[str]] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    not_kept: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    nowhere: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class One:
    """A change whose message the chat knows: which webhooks had it where.

    `number`: of the transition's changes. `told`: of `applied`, what former steps have told.
    """

    number: int
    change: Change
    told: frozenset[int] = frozenset()
    applied: set[int] = field(default_factory=set)
    unchanged: set[int] = field(default_factory=set)
    late: set[int] = field(default_factory=set)


def tell_applied(told: Told, settings: Settings, one: One) -> None:
    """What this step has applied."""
    for webhook in settings.webhooks:
        if webhook.number in one.applied - one.told:
            told.applied.setdefault(webhook.id, []).append(one.change.message_id)


def tell_one(told: Told, settings: Settings, one: One) -> None:
    """What this step has applied, and all that is known when the last one is done."""
    message_id = one.change.message_id
    tell_applied(told, settings, one)
    for webhook in settings.webhooks:
        if webhook.number in one.late:
            told.late.setdefault(webhook.id, []).append(message_id)
    if not one.applied and not one.late:
        (told.unchanged if one.unchanged else told.nowhere).append(message_id)


def tell(
    unit: Unit,
    settings: Settings,
    chat_id: str,
    now_ms: int,
    edits: Told,
    deletions: Told,
    found: Sequence[One],
) -> None:
    """Writes the facts, which the chat finds, and the counters."""
    totals, chat = unit.meta.totals, chat_id.encode()
    counted = {one.change.message_id for one in found if one.told}
    totals.edited += len(_ids(edits.applied) - counted)
    totals.removed += len(_ids(deletions.applied) - counted)
    for kind, told in ((MessageEdited, edits), (MessageDeleted, deletions)):
        totals.late += len(_ids(told.late))
        totals.unmatched += len(told.not_kept)
        given = {name: ids for name in Told.__slots__ if (ids := getattr(told, name))}
        if given:
            feed_rows.found_by_chat(unit, settings.workspace.number, chat)
            unit.tell(settings.workspace, kind(**given), now_ms, chat_id)


def _ids(by_webhook: dict[str, list[str]]) -> set[str]:
    return {each for ids in by_webhook.values() for each in ids}
