"""Applies edits and deletions of a chat's messages, for each webhook by itself.

Where a message is in an open window, it is changed there or taken out. Where it was sealed, that is
counted and told, and nothing is sent: a body that was sealed never changes. What the chat does not
know yet is kept until it comes. Filters are not judged again.

Windows of many webhooks may be large: what is more than a step is done in several, each of which
tells what it has changed. What is late is told, and what is to wait is kept, by the last one.
"""

from collections.abc import Sequence

import msgspec

from hookbundle.engine.limits import STEP_WEIGHT
from hookbundle.engine.messages import payload
from hookbundle.engine.messages.changes import Change, with_text
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.chat_records import ChatRecord, Collecting
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import seen_ids, windows
from hookbundle.storage.tables.changing import details, early, sealed
from hookbundle.storage.tables.changing.opened import OpenWindow, Slot
from hookbundle.storage.tables.routing import quotas
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions import sealing
from hookbundle.storage.transitions.changing.telling import One, Telling
from hookbundle.storage.transitions.unfinished import Unfinished


class Looked(msgspec.Struct, frozen=True, gc=False):
    """What former steps did. `webhooks`: in whose windows they looked, `wake`: which became ready.

    `applied`, `unchanged`: the number of a change, and a webhook that had its message open.
    """

    webhooks: frozenset[int] = frozenset()
    applied: tuple[tuple[int, int], ...] = ()
    unchanged: tuple[tuple[int, int], ...] = ()
    wake: tuple[int, ...] = ()


class ChangeMessages(msgspec.Struct, frozen=True, kw_only=True):
    """Edits and deletions of one request and chat, in the order of the request."""

    workspace_number: int
    chat_id: str
    changes: tuple[Change, ...]
    now_ms: int
    product_name: str
    quota: Quota = Quota()
    looked: Looked = Looked()


class ChangesMade(msgspec.Struct, frozen=True):
    """`edited`, `deleted`: in an open window or more. `late`: sealed before by a webhook or more.

    `waiting`: kept for their messages. `wake`: webhooks that became ready.
    """

    edited: int = 0
    deleted: int = 0
    late: int = 0
    waiting: int = 0
    wake: tuple[int, ...] = ()


def change_messages(unit: Unit, transition: ChangeMessages) -> ChangesMade | Unfinished:
    """Raises: NotFound if the workspace is gone; CorruptRecord."""
    settings = unit.workspace_numbered(transition.workspace_number)
    number, chat = settings.workspace.number, transition.chat_id.encode()
    key = keyspace.owned(keyspace.CHATS, number, chat)
    record = unit.find_chat(key)
    digests = [each.digest for each in transition.changes]
    known = seen_ids.known(unit, number, chat, record, digests) if record else set()
    telling = Telling(unit, settings, transition.chat_id, transition.now_ms)
    found, unknown = _found(transition, known)
    looked, wake = {*transition.looked.webhooks}, list[int]()
    heavy = unit.weight + STEP_WEIGHT
    for collecting in record.collecting if record and found else ():
        webhook = settings.webhook_or_none(collecting.webhook)
        if record is None or webhook is None or collecting.window is None:
            continue
        if webhook.number in looked:
            continue
        if unit.weight >= heavy:
            telling.tell_step(found)
            return Unfinished(_rest(transition, looked, found, wake))
        looked.add(webhook.number)
        if _in_window(unit, settings, webhook, key, record, collecting, found, transition):
            wake.append(webhook.number)
    for change in unknown:
        told = telling.of(change)
        is_kept = early.keep(unit, number, chat, change, transition.now_ms)
        (told.waiting if is_kept else told.not_kept).append(change.message_id)
    if record is not None and found:
        _look_for_late(unit, settings, chat, found)
    telling.tell_all(found)
    return ChangesMade(
        edited=sum(bool(one.change.text and one.applied) for one in found),
        deleted=sum(bool(not one.change.text and one.applied) for one in found),
        late=sum(bool(one.late) for one in found),
        waiting=len(telling.edits.waiting) + len(telling.deletions.waiting),
        wake=transition.looked.wake + tuple(wake),
    )


def _found(transition: ChangeMessages, known: set[bytes]) -> tuple[list[One], list[Change]]:
    """The changes whose messages the chat knows, with what former steps did; and the others."""
    before = transition.looked
    found, unknown = list[One](), list[Change]()
    for number, change in enumerate(transition.changes):
        applied = frozenset(webhook for at, webhook in before.applied if at == number)
        unchanged = {webhook for at, webhook in before.unchanged if at == number}
        if change.digest in known or applied or unchanged:
            found.append(One(number, change, applied, {*applied}, unchanged))
        else:
            unknown.append(change)
    return found, unknown


def _rest(
    transition: ChangeMessages, looked: set[int], found: Sequence[One], wake: Sequence[int]
) -> ChangeMessages:
    """What is left, with what was done."""
    done = Looked(
        frozenset(looked),
        tuple((one.number, webhook) for one in found for webhook in sorted(one.applied)),
        tuple((one.number, webhook) for one in found for webhook in sorted(one.unchanged)),
        transition.looked.wake + tuple(wake),
    )
    return msgspec.structs.replace(transition, looked=done)


def _in_window(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    key: bytes,
    record: ChatRecord,
    collecting: Collecting,
    found: Sequence[One],
    transition: ChangeMessages,
) -> bool:
    """The changes are made in the webhook's open window. True if it became ready.

    Raises: CorruptRecord.
    """
    window, chat, now_ms = collecting.window, transition.chat_id.encode(), transition.now_ms
    assert window is not None
    state = unit.state(webhook.number)
    opened = OpenWindow.read(unit, webhook, state, chat, window)
    places = opened.places()
    for one in found:
        slot = places.get(one.change.message_id)
        if slot is None:
            continue
        edit = _edit_of(slot, one.change, now_ms)
        if edit is not None and not edit.is_new:
            one.unchanged.add(webhook.number)
            continue
        unit.keep_chat(key, record)
        if edit is None:
            opened.remove(slot)
            del places[one.change.message_id]
        elif _has_room(opened, settings, edit.more, transition):
            opened.replace(slot, edit.message, edit.at_ms)
        else:
            # It is late for this webhook, and so is what comes after it: see `_look_for_late`.
            opened.write()
            return sealing.seal(
                unit, settings, webhook, chat, record, collecting, "size", transition
            )
        one.applied.add(webhook.number)
        if not window.count:
            return sealing.seal(
                unit, settings, webhook, chat, record, collecting, "deleted", transition
            )
    opened.write()
    return False


def _has_room(
    opened: OpenWindow, settings: Settings, more: int, transition: ChangeMessages
) -> bool:
    """Whether a member may be so many bytes longer."""
    if opened.webhook.bytes_max:  # account and chat of those that are left may be longer
        opened.tell_of_the_rest()
    return windows.fits(
        opened.webhook, opened.window, more, transition.product_name
    ) and quotas.takes_text(settings, opened.state, more, transition.quota)


class _Edit(msgspec.Struct, frozen=True, gc=False):
    """`message`: with the new text, as JSON; so many bytes `more` in the bundle."""

    message: bytes
    at_ms: int
    more: int
    is_new: bool


def _edit_of(slot: Slot, change: Change, now_ms: int) -> _Edit | None:
    """What the member becomes; None if it is deleted.

    A time in the future is that of the arrival: else one wrong clock would have the last word.
    """
    if not change.text:
        return None
    member, at_ms = slot.member, min(change.edited_ms or now_ms, now_ms)
    message = with_text(member.message, change.text)
    more = payload.weight(message) - payload.weight(member.message)
    before_ms = details.edited_ms(member)
    is_same = message == member.message and at_ms == before_ms
    return _Edit(message, at_ms, more, at_ms >= before_ms and not is_same)


def _look_for_late(unit: Unit, settings: Settings, chat: bytes, found: Sequence[One]) -> None:
    """Notes who had sealed the messages before."""
    wanted: dict[str, set[int]] = {}
    for one in found:
        others = {each.number for each in settings.webhooks} - one.applied - one.unchanged
        if others:
            wanted.setdefault(one.change.message_id, set()).update(others)
    late = sealed.webhooks_with(unit, settings, chat, wanted) if wanted else {}
    for one in found:
        one.late = late.get(one.change.message_id, set()) - one.applied - one.unchanged
