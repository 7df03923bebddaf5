"""What every fact of the event feed is, and the facts about the daemon itself.

And those about e-mails; the facts about workspaces, chats and deliveries are in facts.py.
"""

import re
from functools import cache
from typing import Any

import msgspec

from hookbundle.storage.instants import Instant

WORD = re.compile("[A-Z][a-z]*")


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """The data of one fact. A field that is UNSET is left out of the feed."""


class SettingsFact(Fact, frozen=True, kw_only=True):
    """`changes`: the settings that changed, with their new values; see docs/feed.md."""

    caller: str
    changes: dict[str, Any]


class Noted(Fact, frozen=True, kw_only=True):
    """Something about the daemon itself, in words."""

    detail: str


class DaemonStarted(Noted, frozen=True, kw_only=True):
    """The daemon is ready."""


class DaemonStopped(Noted, frozen=True, kw_only=True):
    """The daemon stops in good order."""


class DaemonUpgraded(Noted, frozen=True, kw_only=True):
    """A database of an earlier version was brought to the shape of this one."""


class DaemonRestored(Noted, frozen=True, kw_only=True):
    """The database is a restored backup, or a copy with which its partition's log begins anew;
    sequence numbers are those of a new epoch."""


class ClockHeld(Noted, frozen=True, kw_only=True):
    """The wall clock is behind a time that was stored: no timer fires until it has caught up."""


class ClockReleased(Noted, frozen=True, kw_only=True):
    """The wall clock has caught up; timers fire again."""


class ClockStepped(Noted, frozen=True, kw_only=True):
    """Somebody set the wall clock by more than a second; no window moves with it."""


class ActorQuarantined(Noted, frozen=True, kw_only=True):
    """An actor failed too often and handles nothing for a while."""


class MailSent(Fact, frozen=True, kw_only=True):
    """The SMTP server took an e-mail to the owner. `disablings`: how many it told of."""

    tries: int
    disablings: int


class MailFailed(Fact, frozen=True, kw_only=True):
    """The SMTP server did not take an e-mail; `next`: when it is tried again."""

    tries: int
    error: str
    next: Instant


class MailDropped(Fact, frozen=True, kw_only=True):
    """An e-mail was not sent, because its workspace was deleted, or has no owner any more."""

    tries: int
    disablings: int


@cache
def type_of(kind: type[Fact]) -> str:
    """The `type` under which the fact stands in the feed."""
    subject, *verb = WORD.findall(kind.__name__)
    return f"{subject}.{'_'.join(verb)}".lower()
