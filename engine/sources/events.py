"""Makes outcomes of what an adapter found: the message event, checked, with every name filled in.

One `Maker` serves one request: it knows the source's settings and what the request has taught.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages.message import ChatId, Event, MessageId, rule_faults
from hookbundle.engine.messages.phones import digits_of
from hookbundle.engine.sources import addresses, bodies, reading
from hookbundle.engine.sources.addresses import Address, NoChat
from hookbundle.engine.sources.contents import Content, Nothing, Skip
from hookbundle.engine.sources.memory import Memory, Notes
from hookbundle.engine.sources.outcomes import (
    EVENT_NAME_CHARS_MAX,
    Delete,
    Edit,
    Ignored,
    Invalid,
    MessageEvent,
    Outcome,
    Reason,
    Skipped,
    Translation,
)
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import AccountSettings, SourceSettings

NO_FAMILIES: Mapping[str, Reason] = {}


class Ids(msgspec.Struct, frozen=True):
    """What a change, or a message that is skipped, has of a message."""

    chat_id: ChatId
    message_id: MessageId


class LeftOut(Exception):
    """The source's settings leave it out."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a source says of one message. A msgspec Struct because it is made often.

    `chat_name`: of the contact or the group, never our own; with `remembers_name` the chat keeps it
    until another one is told. `sender_name`, `sender_phone`: in a group those of the participant,
    of a sent message the name of the teammate. `sent_ms`: None where the source does not say.
    """

    chat: Address
    message_id: str
    content: Content
    is_sent: bool
    sent_ms: int | None
    account: AccountSettings
    chat_name: str = ""
    remembers_name: bool = True
    sender_name: str = ""
    sender_phone: str = ""
    chat_url: str = ""
    is_new_chat: bool = False
    responsible_name: str = ""
    responsible_email: str = ""
    username: str = ""
    labels: tuple[str, ...] = ()


class Maker(msgspec.Struct):
    """`event`: the name of the event, as outcomes say it."""

    settings: SourceSettings
    notes: Notes
    arrived_ms: int
    rest: Callable[[], None]
    event: str = ""
    outcomes: list[Outcome] = []

    @classmethod
    def of(cls, settings: SourceSettings, memory: Memory, request: SourceRequest) -> "Maker":
        return cls(settings, Notes(memory), request.arrived_ms, request.rest)

    def named(self, event: str) -> None:
        """What follows comes of the event of this name."""
        self.event = event[:EVENT_NAME_CHARS_MAX]

    def done(self) -> Translation:
        if not self.outcomes:  # an empty batch: every request is counted as something
            self.ignore(Reason.UNKNOWN_SHAPE)
        return Translation(tuple(self.outcomes), tuple(self.notes.learned))

    def ignore(self, reason: Reason) -> None:
        self.outcomes.append(Ignored(reason, self.event))

    def ignore_by_name(
        self, name: str, names: Mapping[str, Reason], families: Mapping[str, Reason] = NO_FAMILIES
    ) -> None:
        """By the event's name, or by how it begins, whichever is known."""
        reason = names.get(name) or next(
            (reason for start, reason in families.items() if name.startswith(start)), None
        )
        self.ignore(reason or (Reason.UNKNOWN_EVENT if name else Reason.UNKNOWN_SHAPE))

    def each(self, parts: Iterable[Any], make: Callable[[Any], Outcome]) -> None:
        """An outcome for each part, whatever one of them is."""
        for part in parts:
            self.one(part, make)

    def one(self, part: Any, make: Callable[[Any], Outcome]) -> None:
        self.rest()
        if len(self.outcomes) >= limits.REQUEST_MESSAGES_MAX:
            if len(self.outcomes) == limits.REQUEST_MESSAGES_MAX:
                self.ignore(Reason.OVERSIZE)  # once, for all that follow
            return
        try:
            outcome = make(part)
        except (NoChat, LeftOut) as exc:
            outcome = self.ignored(exc.reason)
        except InvalidInput as exc:
            outcome = Invalid(exc.faults, self.event)
        self.outcomes.append(outcome)

    def ignored(self, reason: Reason) -> Ignored:
        return Ignored(reason, self.event)

    def account(self, phone: str = "", key: str = "") -> AccountSettings:
        """The account with the phone that the source says, which counts more than a setting.

        `key`: what the source calls this number; one that `numbers` does not name is `account`.
        """
        numbers = self.settings.numbers
        found = numbers.get(key) or numbers.get(digits_of(phone)) or self.settings.account
        if not phone:
            return found
        return AccountSettings(full_name=found.full_name, email=found.email, phone=phone)

    def chat_id(self, chat: Address, account: AccountSettings) -> str:
        """The chat's id as the settings want it. What is known of its hidden ids is remembered."""
        digits = chat.phone.removeprefix("+")
        own = addresses.folded(chat.id) if self.settings.fold_numbers else chat.id
        of_account = digits_of(account.phone)
        keeps_apart = self.settings.chat_id != "{chat}" and of_account
        chat_id = f"{of_account}-{own}" if keeps_apart else own
        if digits and not chat.is_group:
            if chat.lid:
                self.notes.lid_is(chat.lid, digits, chat_id)
            if chat.user_id:
                self.notes.user_is(chat.user_id, digits, chat_id)
        return chat_id

    def message(self, said: Said) -> Outcome:
        """The message that is said, or why it is none.

        Raises: InvalidInput with every fault of it; LeftOut.
        """
        if isinstance(said.content, Nothing):
            return self.ignored(said.content.reason)
        self.refuse_unwanted(said.chat, is_sent=said.is_sent)
        chat_id = self.chat_id(said.chat, said.account)
        if said.remembers_name:
            self.notes.chat_is_called(chat_id, said.chat_name)
        if isinstance(said.content, Skip):
            ids = bodies.part({"chat_id": chat_id, "message_id": said.message_id}, Ids, "")
            return Skipped(ids.chat_id, ids.message_id, said.content.reason)
        return self.checked(self._event(said, chat_id, said.content.text))

    def checked(self, value: dict[str, Any]) -> Outcome:
        """The message event that is written as JSON in intake's shape.

        Raises: InvalidInput with every fault of it.
        """
        event = bodies.part(value, Event, "")
        faults = tuple(rule_faults(event.chat.chat_id, event.message.timestamp))
        if faults:
            raise InvalidInput(faults)
        self.notes.chat_has_begun(event.chat.chat_id)
        return MessageEvent(event)

    def edit(self, chat_id: str, message_id: str, text: str | None, at_ms: int | None) -> Outcome:
        """Raises: InvalidInput if the ids or the text are over a limit."""
        if not text or not text.strip():
            return self.ignored(Reason.EDIT_WITHOUT_TEXT)
        ids = bodies.part({"chat_id": chat_id, "message_id": message_id}, Ids, "")
        if len(text) > limits.TEXT_CHARS_MAX:
            most, size = limits.TEXT_CHARS_MAX, len(text)
            raise InvalidInput((fault("edit.text", FaultCode.TOO_LONG, most=most, size=size),))
        return Edit(ids.chat_id, ids.message_id, text, at_ms)

    def delete(self, chat_id: str, message_id: str, at_ms: int | None) -> Outcome:
        """Raises: InvalidInput if the ids are over a limit."""
        ids = bodies.part({"chat_id": chat_id, "message_id": message_id}, Ids, "")
        return Delete(ids.chat_id, ids.message_id, at_ms)

    def refuse_unwanted(self, chat: Address, *, is_sent: bool) -> None:
        """Of a message, and of an edit or a deletion of one. Raises: LeftOut."""
        if chat.is_group and not self.settings.accept.groups:
            raise LeftOut(Reason.GROUPS_OFF)
        if is_sent and not self.settings.accept.sent:
            raise LeftOut(Reason.SENT_OFF)

    def _event(self, said: Said, chat_id: str, text: str) -> dict[str, Any]:
        chat, account = said.chat, said.account
        known = self.notes.name_of(chat_id) or ""
        full_name = reading.first_of(said.chat_name, known, chat.phone, chat_id)
        ours = {"full_name": account.full_name, "phone": account.phone}
        theirs = {"full_name": full_name, "phone": "" if chat.is_group else chat.phone}
        if said.is_sent:
            sender, recipient = {**ours, "full_name": said.sender_name or ours["full_name"]}, theirs
        elif chat.is_group:
            name = reading.first_of(said.sender_name, said.sender_phone)
            sender, recipient = {"full_name": name, "phone": said.sender_phone}, theirs
        else:
            sender, recipient = theirs, ours
        beside = {"lid": chat.lid, "user_id": chat.user_id, "username": said.username}
        return {
            "whatsapp_account": {**ours, "email": account.email},
            "chat": {
                "full_name": full_name,
                "responsible_name": said.responsible_name,
                "responsible_email": said.responsible_email,
                "chat_url": said.chat_url or self._chat_url(chat_id, chat.phone, account),
                "chat_id": chat_id,
                "is_new_chat": said.is_new_chat or self.notes.is_new(chat_id),
                "is_group": chat.is_group,
                "phone": theirs["phone"],
                **{name: value for name, value in beside.items() if value},
                **({"labels": list(said.labels)} if said.labels else {}),
            },
            "message": {
                "direction": "sent" if said.is_sent else "received",
                "timestamp": self.arrived_ms if said.sent_ms is None else said.sent_ms,
                "message_id": said.message_id,
                "sender": sender,
                "recipient": recipient,
                "text": text,
            },
        }

    def _chat_url(self, chat_id: str, phone: str, account: AccountSettings) -> str:
        """By the settings' template; empty if it would be longer than a URL may be."""
        url = self.settings.chat_url
        for place, value in (
            ("{chat_id}", chat_id),
            ("{phone}", phone.removeprefix("+")),
            ("{account}", digits_of(account.phone)),
        ):
            if place in url:
                url = url.replace(place, quote(value, safe="@"))
        return url if len(url) <= limits.URL_CHARS_MAX else ""
