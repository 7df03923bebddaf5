"""Sorts the outcomes of a request: what goes to intake, by chat, and what is only counted."""

from collections.abc import Callable
from typing import assert_never

import msgspec

from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.messages import message
from hookbundle.engine.messages.changes import Change, ChangesByChat
from hookbundle.engine.messages.message import Incoming, PartsByChat
from hookbundle.engine.messages.message import Skipped as SkippedMessage
from hookbundle.engine.sources.outcomes import (
    Delete,
    Edit,
    Ignored,
    Invalid,
    MessageEvent,
    Outcome,
    Skipped,
    Translation,
)
from hookbundle.engine.sources.request import go_on

INVALID = "invalid"
FAULTS_MAX = 10  # of a request, that its owner is shown


class Sorted(msgspec.Struct):
    """`chats`, `changes`: as intake takes them; `size`: the bytes of the messages.

    `counts`: of what does not go there, by outcome: `ignored.ack`, `invalid`. `skipped`: by reason.
    `faults`: of what is invalid.
    """

    chats: PartsByChat = {}
    changes: ChangesByChat = {}
    size: int = 0
    counts: dict[str, int] = {}
    skipped: dict[str, int] = {}
    faults: list[Fault] = []

    @property
    def is_ours(self) -> bool:
        """Whether anything goes to intake."""
        return bool(self.chats or self.changes)

    @property
    def named(self) -> tuple[str, ...]:
        """The chats of which something is in the request."""
        return tuple(dict.fromkeys((*self.chats, *self.changes)))


def sort(translation: Translation, rest: Callable[[], None] = go_on) -> Sorted:
    """Each outcome, in the order of the request. `rest`: as a request's."""
    found = Sorted()
    for outcome in translation.outcomes:
        rest()
        _take(found, outcome)
    return found


def faults_of_chat(chat_id: str) -> tuple[Fault, ...]:
    """Why intake would not take what names this chat, if it would not."""
    return tuple(message.rule_faults(chat_id, None))


def _take(found: Sorted, outcome: Outcome) -> None:
    match outcome:
        case MessageEvent(event):
            try:
                kept = message.incoming(event)
            except InvalidInput as exc:  # an adapter has checked it; the rest is taken all the same
                _refuse(found, exc.faults)
                return
            accepted, skipped = found.chats.setdefault(event.chat.chat_id, ([], []))
            if isinstance(kept, Incoming):
                accepted.append(kept)
                found.size += len(kept.message)
            else:
                skipped.append(kept)
                _count(found.skipped, kept.reason)
        case Skipped(chat_id, message_id, reason):
            if faults := faults_of_chat(chat_id):
                _refuse(found, faults)
                return
            skips = found.chats.setdefault(chat_id, ([], []))[1]
            skips.append(SkippedMessage(message_id, reason))
            _count(found.skipped, reason)
        case Edit(chat_id, message_id, text, edited_ms):
            _change(found, chat_id, message_id, text, edited_ms or 0)
        case Delete(chat_id, message_id, _):
            _change(found, chat_id, message_id, "", 0)
        case Ignored(reason, _):
            _count(found.counts, f"ignored.{reason}")
        case Invalid(faults, _):
            _refuse(found, faults)
        case _:
            assert_never(outcome)


def _change(found: Sorted, chat_id: str, message_id: str, text: str, edited_ms: int) -> None:
    if faults := faults_of_chat(chat_id):
        _refuse(found, faults)
        return
    before = len(found.chats[chat_id][0]) if chat_id in found.chats else 0
    change = Change(message_id, message.digest_of(message_id), text, edited_ms)
    found.changes.setdefault(chat_id, []).append((before, change))


def _refuse(found: Sorted, faults: tuple[Fault, ...]) -> None:
    _count(found.counts, INVALID)
    found.faults.extend(faults[: FAULTS_MAX - len(found.faults)])


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1
