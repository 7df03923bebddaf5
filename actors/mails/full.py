"""The e-mail about webhooks that are full: which, why, and what makes room."""

import gettext
from collections.abc import Iterator, Sequence
from typing import Protocol

from hookbundle.actors.mails.causes import said
from hookbundle.engine.error_codes import Code
from hookbundle.storage.database.mail_records import Disabling, Mail

HOW_TO_SWITCH_ON = said("Enable it: then what is held is sent, in order. Or drop what is held.")
REASONS = {
    Code.HELD_FULL: (
        said("It is switched off or has no URL, and holds as many messages as it may."),
        HOW_TO_SWITCH_ON,
    ),
    Code.HELD_TOO_LONG: (
        said("It has been switched off for longer than messages are held."),
        HOW_TO_SWITCH_ON,
    ),
    Code.WAITING_FULL: (
        said("More waits to be sent than it may hold."),
        said("Its page shows why requests don't get through. Or drop what is held."),
    ),
    Code.CHATS_FULL: (
        said("It collects the messages of more chats at once than it may."),
        said("A shorter aggregation sends the messages of a chat sooner."),
    ),
}

# What makes room in one that is disabled, whatever it is full of but chats.
SWITCHED_OFF = {
    "errors": said(
        "Errors in a row have switched it off. Repair the receiver, send it a test request, and "
        "enable it: then what is held is sent, in order. Or drop what is held."
    ),
    "manual": said(
        "Somebody has switched it off. Enable it: then what is held is sent, in order. Or drop "
        "what is held."
    ),
}


class Pen(Protocol):
    """How lines are written in the language of the mail."""

    @property
    def mail(self) -> Mail: ...

    @property
    def words(self) -> gettext.NullTranslations: ...

    def paragraph(self, text: str) -> Iterator[str]: ...

    def line(self, text: str) -> str: ...

    def set_apart(self, text: str) -> str: ...

    def time(self, at_ms: int) -> str: ...

    def left_out(self, listed: Sequence[Disabling]) -> Iterator[str]: ...

    def address_of_page(self) -> Iterator[str]: ...

    def words_of_others(self, disablings: Sequence[Disabling]) -> Iterator[str]: ...


def subject(pen: Pen) -> str:
    """No word of a tenant is in it."""
    gettext, ws = pen.words.gettext, pen.set_apart(pen.mail.workspace_id)
    return gettext("A webhook takes no more messages (workspace %(ws)s)") % {"ws": ws}


def lines(pen: Pen, entries: Sequence[Disabling]) -> Iterator[str]:
    """`entries`: those of the mail, oldest first."""
    gettext, ngettext = pen.words.gettext, pen.words.ngettext
    yield from pen.paragraph(
        gettext(
            "A webhook of workspace %(ws)s holds all it may. What other webhooks of the workspace "
            "take goes on, but this one does not get it, and will not get it later."
        )
        % {"ws": pen.set_apart(pen.mail.workspace_id)}
    )
    for number, each in enumerate(entries, 1):
        yield pen.line(
            gettext("%(number)s. webhook %(id)s, full since %(time)s")
            % {
                "number": number,
                "id": pen.set_apart(each.webhook),
                "time": pen.set_apart(pen.time(each.at_ms)),
            }
        )
        messages = ngettext("%(num)s message", "%(num)s messages", each.held_messages)
        held = gettext("Held until then: %(messages)s.") % {
            "messages": messages % {"num": each.held_messages}
        }
        for text in (*map(gettext, _reason(each)), held):
            yield from pen.paragraph(text)
    yield from pen.left_out(entries)
    yield from pen.address_of_page()
    yield from pen.paragraph(
        gettext(
            "There is at most one mail like this an hour. The next one tells of what becomes full "
            "meanwhile. The activity log counts what a webhook did not get."
        )
    )
    yield from pen.words_of_others(())


def _reason(full: Disabling) -> tuple[str, ...]:
    """What happened, and what makes room."""
    code = Code(full.error)
    told = REASONS.get(code, ())
    advice = SWITCHED_OFF.get(full.disabled_by)
    return told if advice is None or code is Code.CHATS_FULL else (*told[:1], advice)
