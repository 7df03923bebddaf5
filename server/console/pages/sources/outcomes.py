"""What came of the events of a source, in words: each outcome, and the few groups of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

OUTCOMES = {
    "accepted": "taken as a message",
    "duplicate": "a message that had come already",
    "edited": "an edit of a message that still waits",
    "deleted": "a message that still waits was taken back",
    "late": "an edit or deletion of what is already on its way: nothing was changed",
    "waiting": "an edit or deletion whose message has not come: it waits for that for a minute",
    "skipped.attachment": "a message with an attachment, which is not carried",
    "skipped.no_text": "a message without a text, such as a location or a contact card",
    "ignored.ack": "a receipt: sent, delivered, read",
    "ignored.reaction": "a reaction to a message",
    "ignored.presence": "somebody is online, or types",
    "ignored.call": "a call",
    "ignored.poll_vote": "a vote in a poll",
    "ignored.label": "a label was changed",
    "ignored.chat": "a chat was made, archived or renamed",
    "ignored.contact": "a contact was changed",
    "ignored.group": "a group was made, or its members changed",
    "ignored.conversation": "the other system's own record of a conversation",
    "ignored.session": "the connection or the account over there has changed",
    "ignored.system": "a notice that WhatsApp itself writes into a chat",
    "ignored.protocol": "what phones tell each other",
    "ignored.waiting": "a message that is not decrypted yet: its text comes later",
    "ignored.history": "an old message that was imported; the setting for history is off",
    "ignored.status_broadcast": "somebody's status, which is no chat",
    "ignored.broadcast": "a broadcast list, which is no chat",
    "ignored.newsletter": "a channel, which is no chat",
    "ignored.private_note": "a private note of the team",
    "ignored.not_whatsapp": "not of WhatsApp: another channel of the other system",
    "ignored.not_a_text": "a form, a survey or cards",
    "ignored.edit_without_text": "an edit whose new text is not in it",
    "ignored.edit_of_media": "an edit of a caption, whose message was skipped",
    "ignored.chat_unknown": "an edit or deletion that does not say of which chat it is",
    "ignored.groups_off": "a message of a group; the setting for groups is off",
    "ignored.sent_off": "a message that was sent; the setting for sent messages is off",
    "ignored.unsupported": "a message that the other system could not read itself",
    "ignored.unknown_type": "a kind of message that is not known here",
    "ignored.other_field": "another subject that the other system tells of",
    "ignored.errors": "an error that the other system tells of",
    "ignored.unknown_event": "an event that is not known here",
    "ignored.unknown_shape": "JSON that is not in any form known of this kind of source",
    "ignored.oversize": "too large to be read, such as media in base64",
    "invalid": "an event that says it is a message and can't be one: see its faults",
    "unreadable": "not readable: not JSON",
    "handshake": "the other system asked whether the address is right",
    "refused.header_missing": "refused: the secret header is missing",
    "refused.header_wrong": "refused: the secret header has another value",
    "refused.signature_missing": "refused: the signature is missing",
    "refused.signature_wrong": "refused: the signature is not that of this body and secret",
    "refused.time_wrong": "refused: the time in the signature is too old, in the future or missing",
}
NOT_TAKEN = "not taken at that moment; most systems send it again"
# In the order in which they are shown.
GROUPS = {
    "messages": "Messages",
    "repeats": "Repeats",
    "changes": "Edits and deletions",
    "skipped": "Skipped",
    "ignored": "Ignored",
    "handshakes": "Handshakes",
    "faulty": "Not taken",
}
GROUP_OF = {
    "accepted": "messages",
    "duplicate": "repeats",
    **dict.fromkeys(("edited", "deleted", "late", "waiting"), "changes"),
    "skipped": "skipped",
    "ignored": "ignored",
    "handshake": "handshakes",
}
# Of these the owner has to look at the body to see what they are.
UNKNOWN = ("ignored.unknown_event", "ignored.unknown_shape", "ignored.unknown_type")


@dataclass(frozen=True, slots=True)
class Came:
    """So many events came to an outcome. `text`: the English words, which catalogues know."""

    outcome: str
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class CameGroup:
    name: str
    text: str
    count: int
    parts: tuple[Came, ...]


def grouped(counts: Mapping[str, int]) -> list[CameGroup]:
    """What came, by group, each with its outcomes, the most frequent first."""
    found = []
    for name, text in GROUPS.items():
        parts = sorted(
            (
                Came(outcome, words(outcome), count)
                for outcome, count in counts.items()
                if group_of(outcome) == name
            ),
            key=lambda each: (-each.count, each.outcome),
        )
        if parts:
            found.append(CameGroup(name, text, sum(each.count for each in parts), tuple(parts)))
    return found


def group_of(outcome: str) -> str:
    return GROUP_OF.get(outcome.partition(".")[0], "faulty")


def words(outcome: str) -> str:
    """Empty for an outcome of another version, which shows as its name alone."""
    return NOT_TAKEN if outcome.startswith("not_taken.") else OUTCOMES.get(outcome, "")


def is_unknown(counts: Mapping[str, int]) -> bool:
    """Whether there is an event in it of which only its body tells what it is."""
    return any(outcome in counts for outcome in UNKNOWN)


def texts() -> Iterator[str]:
    """Every text, which each language has to have."""
    yield from OUTCOMES.values()
    yield NOT_TAKEN
    yield from GROUPS.values()
