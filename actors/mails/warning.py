"""What an e-mail says that warns: so many errors in a row, and soon the webhook is disabled."""

from collections.abc import Iterator
from gettext import NullTranslations

from hookbundle.storage.database.mail_records import Disabling, Mail


def subject(words: NullTranslations, mail: Mail, ws: str) -> str:
    gettext, ngettext = words.gettext, words.ngettext
    if mail.total == 1:
        text = gettext("A webhook is about to be disabled (workspace %(ws)s)")
        return text % {"ws": ws}
    return ngettext(
        "%(num)s warning: webhooks are about to be disabled (workspace %(ws)s)",
        "%(num)s warnings: webhooks are about to be disabled (workspace %(ws)s)",
        mail.total,
    ) % {"num": mail.total, "ws": ws}


def opening(words: NullTranslations, mail: Mail, ws: str) -> str:
    ngettext = words.ngettext
    return ngettext(
        "A webhook of workspace %(ws)s fails again and again, and will soon be disabled.",
        "Webhooks of workspace %(ws)s fail again and again, and will soon be disabled.",
        mail.total,
    ) % {"ws": ws}


def heading(
    words: NullTranslations, number: int, webhook: str, time: str, warned: Disabling
) -> str:
    gettext = words.gettext
    text = gettext("%(number)s. webhook %(id)s, %(errors)s errors in a row at %(time)s")
    return text % {"number": number, "id": webhook, "errors": warned.errors, "time": time}


def what_comes(words: NullTranslations, warned: Disabling) -> str:
    """What will happen, and after how many errors more."""
    ngettext = words.ngettext
    left = warned.errors_max + 1 - warned.errors
    return ngettext(
        "After %(num)s more error in a row it is disabled, and you get another mail.",
        "After %(num)s more errors in a row it is disabled, and you get another mail.",
        left,
    ) % {"num": left}


def ways(words: NullTranslations, test: str) -> Iterator[str]:
    """What keeps it from being disabled, and how these mails are stopped."""
    gettext = words.gettext
    yield gettext(
        "Nothing is lost: messages are still accepted and sent, in order. One success is enough, "
        "and the count begins anew. “%(test)s” on the page of the webhook shows whether the "
        "receiver works again."
    ) % {"test": test}
    yield gettext(
        "There is at most one mail like this an hour. To get none, switch off the warnings of the "
        "webhook (`warnings`)."
    )
