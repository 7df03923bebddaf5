"""The members of an open window, of which some are changed or taken out.

All of them are read, because what is left decides on account, chat and link of the bundle. Only
those parts of the window are written in which something changes.
"""

from dataclasses import dataclass, field

import msgspec

from hookbundle.engine.messages import payload
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.chat_records import Details, Kept, Member, Part, Window
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.rows import BYTES_PER_WEIGHT, READ_WEIGHT
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import windows
from hookbundle.storage.tables.changing import details

MEMBERS_PER_WEIGHT = 2  # whose ids are read


class _Id(msgspec.Struct, frozen=True, gc=False):
    message_id: str = ""


_ids = msgspec.json.Decoder(_Id)


@dataclass(slots=True, eq=False)
class Slot:
    """A member, the part in which it is, and its details. The last part is the window's tail."""

    member: Member
    part: int
    details: Details


@dataclass(slots=True)
class OpenWindow:
    """`changed`: the parts that are to be written. `left`: members were taken out;
    `tells_of_gone`: and the window may still tell of them.

    `knows_links`: those of its members are known, as in all but windows of earlier versions.
    """

    unit: Unit
    webhook: Webhook
    state: WebhookState
    chat: bytes
    window: Window
    slots: list[Slot]
    knows_links: bool
    changed: set[int] = field(default_factory=set)
    left: bool = False
    tells_of_gone: bool = False

    @classmethod
    def read(
        cls, unit: Unit, webhook: Webhook, state: WebhookState, chat: bytes, window: Window
    ) -> "OpenWindow":
        """Raises: CorruptRecord."""
        found: list[tuple[Member, int]] = []
        for number in range(window.parts):
            key = keyspace.part(webhook.workspace, chat, webhook.number, number)
            value = unit.get_raw(key) or b""
            unit.weight += READ_WEIGHT + len(value) // BYTES_PER_WEIGHT
            found += [(each, number) for each in codec.unpack(key, value, Part).members]
        found += [(each, window.parts) for each in window.tail]
        unit.weight += len(found) // MEMBERS_PER_WEIGHT
        own = details.each(window, [member for member, _ in found])
        slots = [Slot(*one, each) for one, each in zip(found, own, strict=True)]
        first = min(slots, key=_sent_ms, default=None)
        knows_links = first is not None and details.link_of(first.member) == window.permalink
        return cls(unit, webhook, state, chat, window, slots, knows_links)

    def places(self) -> dict[str, Slot]:
        """The members by their ids."""
        return {_ids.decode(each.member.message).message_id: each for each in self.slots}

    def replace(self, slot: Slot, message: bytes, edited_ms: int) -> None:
        """The member has another text. `message`: the whole of it, as JSON."""
        self._weigh(payload.weight(message) - payload.weight(slot.member.message))
        self._count(slot, len(message) - len(slot.member.message), 0)
        kept = msgspec.structs.replace(slot.member.kept or Kept(), edited_ms=edited_ms)
        slot.member = msgspec.structs.replace(slot.member, message=message, kept=kept)

    def remove(self, slot: Slot) -> None:
        member, beside = slot.member, details.bytes_of(slot.member.kept)
        self._weigh(-payload.weight(member.message))
        self._count(slot, -len(member.message) - beside, -beside)
        self.window.count -= 1
        self.state.buffered_messages -= 1
        self.slots.remove(slot)
        self.left = self.tells_of_gone = True

    def tell_of_the_rest(self) -> None:
        """The window, which has members left, tells of them alone; nothing is stored."""
        if self.tells_of_gone:
            self._tell_of_the_rest()
            self.tells_of_gone = False

    def write(self) -> None:
        """What was changed is stored; the window, which has members left, tells of them alone."""
        window = self.window
        if self.left:
            self._pass_on()
            self.tell_of_the_rest()
        changed: dict[int, list[Member]] = {number: [] for number in sorted(self.changed)}
        for each in self.slots:
            if each.part in changed:
                changed[each.part].append(each.member)
        for number, members in changed.items():
            if number == window.parts:
                window.tail = members
            else:
                self._put(number, members)
        if window.tail_bytes > windows.TAIL_BYTES_MAX:
            self._put(window.parts, window.tail)
            window.parts += 1
            window.tail, window.tail_bytes = [], 0
        self.changed, self.left = set(), False

    def _put(self, number: int, members: list[Member]) -> None:
        webhook = self.webhook
        key = keyspace.part(webhook.workspace, self.chat, webhook.number, number)
        self.unit.put(key, Part(members=members))

    def _weigh(self, more: int) -> None:
        self.window.weight += more
        self.state.buffered_bytes += more

    def _count(self, slot: Slot, size: int, beside: int) -> None:
        """A member has so many bytes more, of which `beside` are not in the bundle."""
        self.changed.add(slot.part)
        if self.window.apart is not None:
            self.window.apart.beside += beside
            self.state.buffered_bytes += beside
        if slot.part == self.window.parts:
            self.window.tail_bytes += size

    def _pass_on(self) -> None:
        """Who had the details of a member that is gone has them itself."""
        before = details.of_first(self.window)
        for slot in self.slots:
            if details.own_of(slot.member) is None and slot.details != before:
                kept = msgspec.structs.replace(slot.member.kept or Kept(), details=slot.details)
                slot.member = msgspec.structs.replace(slot.member, kept=kept)
                size = details.size_of(slot.details)
                self._count(slot, size, size)
            before = slot.details

    def _tell_of_the_rest(self) -> None:
        """`max` and `min` take the first of equals: of the newest ones the last to arrive."""
        window, slots = self.window, self.slots
        newest, first = max(reversed(slots), key=_sent_ms), min(slots, key=_sent_ms)
        account, chat, extra = msgspec.structs.astuple(newest.details)
        window.newest_ms, window.first_ms = newest.member.sent_ms, first.member.sent_ms
        window.account, window.chat, window.extra = account, chat, extra
        if self.knows_links:
            window.permalink = details.link_of(first.member)
        apart, last = window.apart, slots[-1].details
        if apart is not None and apart.oldest is not None:  # else all have the same
            apart.last = last if last != newest.details else None
            window.is_new_chat = any(map(details.has_new_chat, {each.details for each in slots}))


def _sent_ms(slot: Slot) -> int:
    return slot.member.sent_ms
