"""The e-mail that warns: so many errors in a row, and soon the webhook is disabled."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from hookbundle.actors.mails.causes import explanation_of
from hookbundle.actors.mails.full import Pen
from hookbundle.storage.database.mail_records import Disabling

LINE_CHARS = 73  # what stands under a line that names a webhook is indented


def subject(pen: Pen) -> str:
    """No word of a tenant is in it."""
    gettext, ngettext = pen.words.gettext, pen.words.ngettext
    ws, total = pen.set_apart(pen.mail.workspace_id), pen.mail.total
    if total == 1:
        return gettext("A webhook is about to be disabled (workspace %(ws)s)") % {"ws": ws}
    return ngettext(
        "%(num)s warning: webhooks are about to be disabled (workspace %(ws)s)",
        "%(num)s warnings: webhooks are about to be disabled (workspace %(ws)s)",
        total,
    ) % {"num": total, "ws": ws}


def lines(pen: Pen, entries: Sequence[Disabling]) -> Iterator[str]:
    """`entries`: those of the mail, oldest first."""
    gettext, ngettext = pen.words.gettext, pen.words.ngettext
    yield from pen.paragraph(
        ngettext(
            "A webhook of workspace %(ws)s fails again and again, and will soon be disabled.",
            "Webhooks of workspace %(ws)s fail again and again, and will soon be disabled.",
            pen.mail.total,
        )
        % {"ws": pen.set_apart(pen.mail.workspace_id)}
    )
    for number, each in enumerate(entries, 1):
        yield from _entry(pen, number, each)
    yield from pen.left_out(entries)
    yield from pen.address_of_page()
    yield from pen.paragraph(
        gettext(
            "Nothing is lost: messages are still accepted and sent, in order. One success is "
            "enough, and the count begins anew. “%(test)s” on the page of the webhook shows "
            "whether the receiver works again."
        )
        % {"test": gettext("Send a test request")}
    )
    yield from pen.paragraph(
        gettext(
            "There is at most one mail like this an hour. To get none, switch off the warnings of "
            "the webhook (`warnings`)."
        )
    )
    yield from pen.words_of_others(entries)


def _entry(pen: Pen, number: int, warned: Disabling) -> Iterator[str]:
    """What the last error was, what helps, and what will happen after how many errors more."""
    gettext, ngettext = pen.words.gettext, pen.words.ngettext
    cause = explanation_of(warned.error)
    yield pen.line(
        gettext("%(number)s. webhook %(id)s, %(errors)s errors in a row at %(time)s")
        % {
            "number": number,
            "id": pen.set_apart(warned.webhook),
            "errors": warned.errors,
            "time": pen.set_apart(pen.time(warned.at_ms)),
        }
    )
    left = warned.errors_max + 1 - warned.errors
    comes = ngettext(
        "After %(num)s more error in a row it is disabled, and you get another mail.",
        "After %(num)s more errors in a row it is disabled, and you get another mail.",
        left,
    )
    for text in (
        gettext(cause.happened) % cause.gaps,
        gettext(cause.advice),
        comes % {"num": left},
    ):
        for line in wrap(text, LINE_CHARS, break_on_hyphens=False, break_long_words=False):
            yield pen.line(f"   {line}")
    yield ""
