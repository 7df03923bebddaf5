"""Whom an address of WhatsApp means, written the same by every kind.

A direct chat is the digits of its phone, as every API takes them back. `<n>@lid` hides a phone; its
number looks like one and is none, so without a known phone the suffix stays. A group keeps
`<n>@g.us`. What ends in `@broadcast` or `@newsletter` is no chat. A message that came through
somebody's broadcast list has an ordinary address.
"""

import re

import msgspec

from hookbundle.engine.errors import InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.sources.memory import Notes
from hookbundle.engine.sources.outcomes import Reason

PHONE_DIGITS = "[1-9][0-9]{4,14}"
PHONE = re.compile(
    rf"(?:whatsapp:)?\+?({PHONE_DIGITS})(?:(?:\.[0-9]+)?(?::[0-9]+)?@(?:c\.us|s\.whatsapp\.net|hosted))?"
)
LID = re.compile(r"([0-9]{1,30})(?:\.[0-9]+)?(?::[0-9]+)?@(?:lid|hosted\.lid)")
GROUP = re.compile(r"[0-9]{1,40}(?:-[0-9]{1,40})?@g\.us")
USER = re.compile(r"(?:whatsapp:)?([A-Z]{2}\.[A-Za-z0-9.]{1,128})")
NO_CHAT = {
    "status@broadcast": Reason.STATUS_BROADCAST,
    "@broadcast": Reason.BROADCAST,
    "@newsletter": Reason.NEWSLETTER,
}
# The digit that some write behind the country's code of a mobile phone, and some leave out.
SPELLINGS = (
    (re.compile(r"(55[1-9][0-9])9([6-9][0-9]{7})"), r"\1\2"),
    (re.compile(r"(52)1([0-9]{10})"), r"\1\2"),
    (re.compile(r"(54)9([0-9]{10})"), r"\1\2"),
)


class Address(msgspec.Struct, frozen=True):
    """Of a person or a group. `id`: as above, before the settings make a chat's id of it.

    `phone`: `+` and digits; empty where it is not known. `lid`, `user_id`: known beside it.
    """

    id: str
    phone: str = ""
    is_group: bool = False
    lid: str = ""
    user_id: str = ""


class NoChat(Exception):
    """The address is that of a broadcast list, of somebody's status or of a channel."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def of(text: str, notes: Notes, *, also: str = "", path: str = "chat") -> Address:
    """The address. `also`: the other one of the same person, which some events have beside it.

    Raises: NoChat; InvalidInput if it is no address that is known here.
    """
    digits = digits_of(text) or digits_of(also)
    lid = lid_of(text) or lid_of(also)
    if LID.fullmatch(text) and not digits:
        digits = notes.phone_of_lid(lid) or ""
    if PHONE.fullmatch(text) or LID.fullmatch(text):
        return Address(digits or lid, with_plus(digits), lid=lid)
    if GROUP.fullmatch(text):
        return Address(text, is_group=True)
    for ending, reason in NO_CHAT.items():
        if text.endswith(ending):
            raise NoChat(reason)
    raise InvalidInput((fault(path, FaultCode.NOT_IN_FORM, value=quoted(text)),))


def found(text: str, notes: Notes) -> Address | None:
    """The address; None if it is none of a person or a group."""
    try:
        return of(text, notes)
    except (NoChat, InvalidInput):
        return None


def of_user(phone: str, user_id: str, notes: Notes, *, path: str = "chat") -> Address:
    """Of a contact that has a phone, or a business-scoped user id, or both.

    Raises: InvalidInput if it has neither.
    """
    match = USER.fullmatch(user_id)
    user = match[1] if match else ""
    digits = digits_of(phone) or (notes.phone_of_user(user) if user else "") or ""
    if not digits and not user:
        raise InvalidInput((fault(path, FaultCode.NOT_IN_FORM, value=quoted(phone or user_id)),))
    return Address(digits or user, with_plus(digits), user_id=user)


def is_of_whatsapp(text: str) -> bool:
    """Whether it is written as WhatsApp writes addresses, of whatever it is one."""
    return text.endswith(("@c.us", "@s.whatsapp.net", "@lid", "@g.us", *NO_CHAT))


def digits_of(text: str) -> str:
    """The digits of the phone that the address is; empty if it is none."""
    match = PHONE.fullmatch(text)
    return match[1] if match else ""


def phone_of(text: str) -> str:
    """The phone with its `+`; empty if the address is none."""
    return with_plus(digits_of(text))


def with_plus(digits: str) -> str:
    """The phone; empty if there are no digits."""
    return f"+{digits}" if digits else ""


def lid_of(text: str) -> str:
    """`<n>@lid` without the number of a device; empty if the address is none."""
    match = LID.fullmatch(text)
    return f"{match[1]}@lid" if match else ""


def folded(digits: str) -> str:
    """One spelling of the digits of a phone in Brazil, Mexico or Argentina; others as they are."""
    for spelling, one in SPELLINGS:
        if spelling.fullmatch(digits):
            return spelling.sub(one, digits)
    return digits
