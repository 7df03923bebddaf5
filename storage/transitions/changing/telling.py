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


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told of the edits and deletions of one request and chat."""

    unit: Unit
    settings: Settings
    chat_id: str
    now_ms: int
    edits: Told = field(default_factory=Told)
    deletions: Told = field(default_factory=Told)

    def of(self, change: Change) -> Told:
        return self.edits if change.text else self.deletions

    def tell_step(self, found: Sequence[One]) -> None:
        """What this step has applied."""
        for one in found:
            self._add_applied(one)
        self._write(found)

    def tell_all(self, found: Sequence[One]) -> None:
        """What this step has applied, and all that is known when the last one is done."""
        for one in found:
            self._add_applied(one)
            told, message_id = self.of(one.change), one.change.message_id
            for webhook in self.settings.webhooks:
                if webhook.number in one.late:
                    told.late.setdefault(webhook.id, []).append(message_id)
            if not one.applied and not one.late:
                (told.unchanged if one.unchanged else told.nowhere).append(message_id)
        self._write(found)

    def _add_applied(self, one: One) -> None:
        applied = self.of(one.change).applied
        for webhook in self.settings.webhooks:
            if webhook.number in one.applied - one.told:
                applied.setdefault(webhook.id, []).append(one.change.message_id)

    def _write(self, found: Sequence[One]) -> None:
        """Writes the facts, which the chat finds, and the counters."""
        unit, number, chat = self.unit, self.settings.workspace.number, self.chat_id.encode()
        totals = unit.meta.totals
        counted = {one.change.message_id for one in found if one.told}
        totals.edited += len(_ids(self.edits.applied) - counted)
        totals.removed += len(_ids(self.deletions.applied) - counted)
        for kind, told in ((MessageEdited, self.edits), (MessageDeleted, self.deletions)):
            totals.late += len(_ids(told.late))
            totals.unmatched += len(told.not_kept)
            given = {name: ids for name in Told.__slots__ if (ids := getattr(told, name))}
            if given:
                feed_rows.found_by_chat(unit, number, chat)
                unit.tell(self.settings.workspace, kind(**given), self.now_ms, self.chat_id)


def _ids(by_webhook: dict[str, list[str]]) -> set[str]:
    return {each for ids in by_webhook.values() for each in ids}
