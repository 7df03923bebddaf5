"""The text of e-mails to owners: what the daemon says first, what a tenant chose last.

It is in the workspace's language, with times in its time zone. The translations are those of the
console, so that a button has one name; they are handed in, because a mail knows no page.

Name, host and last error are a tenant's words, or its receiver's. Mails go out under our name, so
these are short, marked as quoted, and made so that no mail program turns them into links. An error
as it was stored is English: in another language only its code is quoted.
"""

import gettext
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from textwrap import wrap
from unicodedata import bidirectional
from urllib.parse import quote

from hookbundle.actors.mails import full, warning
from hookbundle.actors.mails.causes import explanation_of, status_or_code
from hookbundle.engine import time_zones
from hookbundle.engine.error_codes import bounded
from hookbundle.engine.messages.timestamps import utc
from hookbundle.storage.database.mail_records import Disabling, Mail
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.tables.outbox import DISABLED, FULL, WARNING, disablings_of

LINE_CHARS = 76
ENGLISH = "en"
FROM_RIGHT = ("ar",)
# Invisible characters of Unicode's bidirectional algorithm.
ISOLATE, ISOLATE_END, RIGHT_TO_LEFT_MARK = "\u2068", "\u2069", "\u200f"
STRONG_FROM_RIGHT = ("R", "AL")  # classes of letters by the same algorithm: Hebrew, Arabic
# What mail programs take for the inside of an address or a link: a dot, also of other scripts, an
# at sign or a colon with something after it.
LINKING = re.compile(r"[.@:\u3002\uff0e\uff61\uff20\uff1a](?=[^\s.])")
DEFUSED = {"@": "[at]", "\uff20": "[at]", ":": "[:]", "\uff1a": "[:]"}

# The words of a language, by its code; those of English for a code that is not known.
Translations = Callable[[str], gettext.NullTranslations]


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What all mails of a daemon have in common. `epoch`: that of the database."""

    sender: str
    console_url: str
    epoch: str
    translations: Translations


def compose(mail: Mail, head: Letterhead) -> EmailMessage:
    """The mail as it is sent: plain text, one recipient. As long as it says the same it has the
    same Message-ID, on every try."""
    disablings = disablings_of(mail)
    writer = _Writer(mail, head, head.translations(mail.language))
    other = {FULL: full, WARNING: warning}.get(mail.kind)
    message = EmailMessage()
    message["From"] = head.sender
    message["To"] = mail.to
    message["Subject"] = other.subject(writer) if other else writer.subject()
    message["Date"] = format_datetime(utc(disablings[-1].at_ms))
    number = mail.told + mail.total
    message["Message-ID"] = (
        f"<{mail.kind or DISABLED}-{head.epoch}-{mail.number}-{number}@hookbundle>"
    )
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: don't answer with a vacation note
    lines = other.lines(writer, disablings) if other else writer.lines(disablings)
    message.set_content("\n".join(lines) + "\n")
    message["Content-Language"] = mail.language  # last: new content takes such headers off
    return message


def defused(text: str) -> str:
    """A tenant's words: one line, short, with nothing in it that becomes a link."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = LINKING.sub(lambda match: DEFUSED.get(match[0], "[.]"), line)
    return bounded(line)


def page_of(console_url: str, workspace_id: str, webhooks: Iterable[str] = (OUTBOUND,)) -> str:
    """The address of the page where the webhook is seen to, or of all if the mail is of several.

    Empty if nobody said where the console is.
    """
    base, several = console_url.rstrip("/").removesuffix("/console"), frozenset(webhooks)
    if several == {OUTBOUND}:
        page = "outbound"
    else:
        page = f"webhooks/{quote(*several)}" if len(several) == 1 else "webhooks"
    return f"{base}/console/w/{quote(workspace_id)}/{page}" if base else ""


@dataclass(frozen=True, slots=True)
class _Writer:
    mail: Mail
    head: Letterhead
    words: gettext.NullTranslations

    def subject(self) -> str:
        """In it is no word but ours and the id, which the operator gave when he made the
        workspace."""
        gettext, ngettext = self.words.gettext, self.words.ngettext
        ws = self.set_apart(defused(self.mail.workspace_id))
        if self.mail.total == 1:
            return gettext("A webhook was disabled (workspace %(ws)s)") % {"ws": ws}
        return ngettext(
            "Webhooks were disabled %(num)s time (workspace %(ws)s)",
            "Webhooks were disabled %(num)s times (workspace %(ws)s)",
            self.mail.total,
        ) % {"num": self.mail.total, "ws": ws}

    def lines(self, disablings: tuple[Disabling, ...]) -> Iterator[str]:
        gettext, ngettext = self.words.gettext, self.words.ngettext
        ws = self.set_apart(self.mail.workspace_id)
        yield from self.paragraph(
            ngettext(
                "A webhook of workspace %(ws)s was disabled, because too many attempts in a row "
                "had failed.",
                "Webhooks of workspace %(ws)s were disabled, because too many attempts in a row "
                "had failed.",
                self.mail.total,
            )
            % {"ws": ws}
        )
        for number, each in enumerate(disablings, 1):
            yield from self._entry(number, each)
        yield from self.left_out(disablings)
        yield from self._way_back()
        yield from self.paragraph(
            gettext(
                "There is at most one mail like this an hour. The next one tells of what is "
                "disabled meanwhile."
            )
        )
        yield from self.words_of_others(disablings)

    def _entry(self, number: int, disabling: Disabling) -> Iterator[str]:
        """What became of one webhook, why, and what helps."""
        gettext, ngettext = self.words.gettext, self.words.ngettext
        cause = explanation_of(disabling.error)
        messages, deliveries = disabling.held_messages, disabling.held_deliveries
        yield self.line(
            gettext("%(number)s. webhook %(id)s, disabled at %(time)s")
            % {
                "number": number,
                "id": self.set_apart(disabling.webhook),
                "time": self.set_apart(self.time(disabling.at_ms)),
            }
        )
        held = gettext("Held until then: %(messages)s (%(requests)s).") % {
            "messages": ngettext("%(num)s message", "%(num)s messages", messages)
            % {"num": messages},
            "requests": ngettext("%(num)s request", "%(num)s requests", deliveries)
            % {"num": deliveries},
        }
        happened = gettext(cause.happened) % cause.gaps
        for text in (held, happened, gettext(cause.advice)):
            for line in wrap(text, LINE_CHARS, break_on_hyphens=False, break_long_words=False):
                yield self.line(f"   {line}")
        yield ""

    def left_out(self, listed: Sequence[Disabling]) -> Iterator[str]:
        """How many of the mail are not listed, if there are more."""
        ngettext, more = self.words.ngettext, self.mail.total - len(listed)
        if more > 0:
            earlier = ngettext(
                "and %(num)s earlier, which is not listed.",
                "and %(num)s earlier, which are not listed.",
                more,
            )
            yield from self.paragraph(earlier % {"num": more})

    def _way_back(self) -> Iterator[str]:
        gettext = self.words.gettext
        yield from self.paragraph(
            gettext("Nothing is lost: messages are still accepted and held, in order.")
        )
        yield from self.address_of_page()
        buttons = {
            "test": gettext("Send a test request"),
            "enable": gettext("Enable"),
            "held": gettext("Held messages"),
        }
        yield from self.paragraph(
            gettext(
                "“%(test)s” there shows at once whether the receiver works again. Then choose "
                "“%(enable)s”, and everything is sent from where it stopped. To drop what is held "
                "instead, choose so under “%(held)s”."
            )
            % buttons
        )

    def address_of_page(self) -> Iterator[str]:
        """Where the webhook is seen to, or how to find it."""
        gettext = self.words.gettext
        webhooks = {each.webhook for each in disablings_of(self.mail)}
        page = page_of(self.head.console_url, self.mail.workspace_id, webhooks)
        if page:
            yield from self.paragraph(gettext("To go on, open the page of the webhook:"))
            yield from (f"    {page}", "")
            return
        where = gettext(
            "To go on, sign in to the console and open “%(outbound)s” of workspace %(ws)s. If "
            "you don't know where the console is, ask the operator of this service."
        )
        ws = self.set_apart(self.mail.workspace_id)
        place = gettext("Outbound") if webhooks == {OUTBOUND} else gettext("Webhooks")
        yield from self.paragraph(where % {"outbound": place, "ws": ws})

    def words_of_others(self, disablings: Sequence[Disabling]) -> Iterator[str]:
        gettext = self.words.gettext
        yield self.line(
            gettext("--- What follows was not written by hookbundle. A [.] in it is a dot. ---")
        )
        yield ""
        for number, each in enumerate(disablings, 1):
            is_english = self.mail.language == ENGLISH
            error = defused(each.error if is_english else status_or_code(each.error)) or "-"
            yield self.line(
                gettext("%(number)s. host %(host)s; last error: %(error)s")
                % {
                    "number": number,
                    "host": self.set_apart(defused(each.host)),
                    "error": self.set_apart(error),
                }
            )
        name = self.set_apart(defused(self.mail.workspace_name))
        yield self.line(gettext("Name of the workspace: %(name)s") % {"name": name})

    def time(self, at_ms: int) -> str:
        zone = time_zones.zone(self.mail.time_zone)
        local = utc(at_ms).astimezone(zone)
        written = f"{local:%Y-%m-%d %H:%M}"
        return f"{written} UTC" if zone.key == "UTC" else f"{written} ({zone.key})"

    def paragraph(self, text: str) -> Iterator[str]:
        lines = wrap(text, LINE_CHARS, break_on_hyphens=False, break_long_words=False)
        yield from map(self.line, lines)
        yield ""

    def line(self, text: str) -> str:
        """The line, running from the right in a language that is written so."""
        return RIGHT_TO_LEFT_MARK + text if self._is_from_right else text

    def set_apart(self, text: str) -> str:
        """A text that may be in another script than the one around it: neither turns the other."""
        turns = self._is_from_right or any(bidirectional(c) in STRONG_FROM_RIGHT for c in text)
        return f"{ISOLATE}{text}{ISOLATE_END}" if turns else text

    @property
    def _is_from_right(self) -> bool:
        return self.mail.language in FROM_RIGHT
