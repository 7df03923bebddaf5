"""A body tried with the settings of a source, before anything is made: what would come of it.

It is read by the pure adapter with a memory that holds nothing: nothing is stored, nothing learned,
and no proof is asked for. What a source in use remembers (the phone of a hidden id, the name of a
chat) is missing here.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import assert_never

import msgspec

from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.messages import message
from hookbundle.engine.messages.message import Account, ChatIn, Event, Message
from hookbundle.engine.messages.message import Skipped as SkippedMessage
from hookbundle.engine.messages.timestamps import rfc_3339
from hookbundle.engine.sources.intake.sorting import FAULTS_MAX, INVALID, faults_of_chat
from hookbundle.engine.sources.kinds import KINDS, translate
from hookbundle.engine.sources.memory import NoMemory
from hookbundle.engine.sources.outcomes import (
    Delete,
    Edit,
    Ignored,
    Invalid,
    MessageEvent,
    Outcome,
    Skipped,
    Unreadable,
)
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import SourceSettings

EVENTS_MAX = 50  # that are told of one body; all are counted
UNREADABLE = "unreadable"


class TriedMessage(msgspec.Struct, frozen=True):
    """A message as it would be taken, every field filled in."""

    whatsapp_account: Account
    chat: ChatIn
    message: Message


class TriedEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an event would come to. What it does not have is left out.

    `event`: its name in the body, of what is ignored or invalid. `text`, `edited_at`: of an edit.
    `message`: of one that is accepted.
    """

    outcome: str
    event: str = ""
    chat_id: str = ""
    message_id: str = ""
    text: str = ""
    edited_at: str = ""
    deleted_at: str = ""
    message: TriedMessage | None = None


@dataclass(slots=True)
class Tried:
    """`events`: the first EVENTS_MAX, in the order of the body. `counts`: of all, by outcome.
    `faults`: of what is invalid, or of a body that can't be read."""

    events: list[TriedEvent] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    _accepted: set[tuple[str, str]] = field(default_factory=set)

    def take(self, outcome: Outcome) -> None:
        try:
            found = self._event(outcome)
        except InvalidInput as exc:
            found = self._refused(exc.faults)
        self.counts[found.outcome] += 1
        if len(self.events) < EVENTS_MAX:
            self.events.append(found)

    def _event(self, outcome: Outcome) -> TriedEvent:
        """Raises: InvalidInput if intake would not take it."""
        match outcome:
            case MessageEvent(event):
                return self._message(event)
            case Skipped(chat_id, message_id, reason):
                _check(chat_id)
                return TriedEvent(f"skipped.{reason}", chat_id=chat_id, message_id=message_id)
            case Edit(chat_id, message_id, text, edited_ms):
                _check(chat_id)
                return TriedEvent(
                    "edited",
                    chat_id=chat_id,
                    message_id=message_id,
                    text=text,
                    edited_at=_time(edited_ms),
                )
            case Delete(chat_id, message_id, deleted_ms):
                _check(chat_id)
                return TriedEvent(
                    "deleted", chat_id=chat_id, message_id=message_id, deleted_at=_time(deleted_ms)
                )
            case Ignored(reason, name):
                return TriedEvent(f"ignored.{reason}", name)
            case Invalid(faults, name):
                return self._refused(faults, name)
            case _:
                assert_never(outcome)

    def _message(self, event: Event) -> TriedEvent:
        kept, chat_id = message.incoming(event), event.chat.chat_id
        if isinstance(kept, SkippedMessage):
            return TriedEvent(f"skipped.{kept.reason}", chat_id=chat_id, message_id=kept.message_id)
        ids = (chat_id, kept.message_id)
        outcome = "duplicate" if ids in self._accepted else "accepted"
        self._accepted.add(ids)
        if len(self.events) >= EVENTS_MAX:
            return TriedEvent(outcome)
        beside = msgspec.json.decode(kept.extra) if kept.extra else {}
        shown = TriedMessage(
            msgspec.json.decode(kept.account, type=Account),
            msgspec.convert({**msgspec.json.decode(kept.chat), **beside}, ChatIn),
            msgspec.json.decode(kept.message, type=Message),
        )
        return TriedEvent(outcome, "", chat_id, kept.message_id, message=shown)

    def _refused(self, faults: tuple[Fault, ...], name: str = "") -> TriedEvent:
        self.faults.extend(faults[: FAULTS_MAX - len(self.faults)])
        return TriedEvent(INVALID, name)


def tried(kind: str, settings: SourceSettings, request: SourceRequest) -> Tried:
    """What would come of the request if a source of this kind, with these settings, had it."""
    found = Tried()
    match translate(KINDS[kind], settings, NoMemory(), request):
        case Unreadable(fault):
            found.counts[UNREADABLE] += 1
            found.faults.append(fault)
        case translation:
            for outcome in translation.outcomes:
                request.rest()
                found.take(outcome)
    return found


def _check(chat_id: str) -> None:
    """Raises: InvalidInput if the chat's id is over a limit."""
    if faults := faults_of_chat(chat_id):
        raise InvalidInput(faults)


def _time(at_ms: int | None) -> str:
    return rfc_3339(at_ms) if at_ms else ""
