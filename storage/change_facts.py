"""The facts of edits, deletions and closes; facts.py says how facts are stored."""

from msgspec import UNSET, UnsetType

from hookbundle.storage.daemon_facts import Fact


class MessagesChanged(Fact, frozen=True, kw_only=True):
    """Edits, or deletions, of one request and chat, by the ids of their messages."""

    applied: dict[str, list[str]] | UnsetType = UNSET
    late: dict[str, list[str]] | UnsetType = UNSET
    early: list[str] | UnsetType = UNSET
    waiting: list[str] | UnsetType = UNSET
    not_kept: list[str] | UnsetType = UNSET
    unchanged: list[str] | UnsetType = UNSET
    nowhere: list[str] | UnsetType = UNSET


class MessageEdited(MessagesChanged, frozen=True, kw_only=True):
    """Edits of one request and chat have come, by the ids of their messages: `applied` in open
    windows, by webhook; `late`: sealed before, by webhook, and nothing is sent; `early`: kept until
    their message came, and applied to it; `waiting`: kept for their messages; `not_kept`: there was
    no room for these; `unchanged`: the text was so already, or of a later edit; `nowhere`: in no
    window and no recent delivery."""


class MessageDeleted(MessagesChanged, frozen=True, kw_only=True):
    """Deletions of one request and chat have come: as `message.edited`. What was `applied`, or came
    `early`, is sent to nobody; an edit to an empty text is a deletion."""


class MessageUnmatched(Fact, frozen=True, kw_only=True):
    """Edits and deletions were kept for a minute, and their messages did not come."""

    edits: list[str]
    deletions: list[str]


class ChatClosed(Fact, frozen=True, kw_only=True):
    """Open windows of a chat were closed on somebody's wish. `reason`: as it was given."""

    reason: str
    windows: int
    messages: int
