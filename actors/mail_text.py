"""The text of e-mails to owners: what the daemon says first, what a tenant chose last.

Name, host and last error are a tenant's words, or its receiver's. Mails go out under our name, so
these are short, marked as quoted, and made so that no mail program turns them into links.
"""

import re
from email.message import EmailMessage
from email.utils import format_datetime

from hookbundle.engine.messages.timestamps import utc
from hookbundle.storage.database.mail_records import Disabling, Mail
from hookbundle.storage.tables.outbox import disablings_of

QUOTED_CHARS_MAX = 80
# What mail programs take for the inside of an address or a link: a dot, also of other scripts, an
# at sign or a colon with something after it.
LINKING = re.compile(r"[.@:\u3002\uff0e\uff61\uff20\uff1a](?=[^\s.])")
DEFUSED = {"@": "[at]", "\uff20": "[at]", ":": "[:]", "\uff1a": "[:]"}


def compose(mail: Mail, sender: str, console_url: str, epoch: str) -> EmailMessage:
    """The mail as it is sent: plain text, one recipient. As long as it says the same it has the
    same Message-ID, on every try."""
    disablings = disablings_of(mail)
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = _subject(mail)
    message["Date"] = format_datetime(utc(disablings[-1].at_ms))
    number = mail.told + mail.total
    message["Message-ID"] = f"<disabled-{epoch}-{mail.number}-{number}@hookbundle>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: don't answer with a vacation note
    message.set_content(_text(mail, disablings, console_url))
    return message


def quoted(text: str) -> str:
    """A tenant's words: one line, short, with nothing in it that becomes a link."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = LINKING.sub(lambda match: DEFUSED.get(match[0], "[.]"), line)
    return line if len(line) <= QUOTED_CHARS_MAX else f"{line[: QUOTED_CHARS_MAX - 1]}…"


def _subject(mail: Mail) -> str:
    """In it is no word but ours and the id, which the operator gave when he made the workspace."""
    what = "A webhook was disabled"
    if mail.total > 1:
        what = f"Webhooks were disabled {mail.total} times"
    return f"{what} (workspace {quoted(mail.workspace_id)})"


def _text(mail: Mail, disablings: tuple[Disabling, ...], console_url: str) -> str:
    one = mail.total == 1
    left_out = mail.total - len(disablings)
    lines = [
        f"{'A webhook' if one else 'Webhooks'} of workspace {mail.workspace_id} "
        f"{'was' if one else 'were'} disabled, because too many attempts in a row had failed.",
        "",
        *(_fact(number, each) for number, each in enumerate(disablings, 1)),
        *([f"and {left_out} earlier, which are not listed."] if left_out else []),
        "",
        "Nothing is lost: messages are still accepted and held, in order. Once the receiver works",
        "again, enable the webhook, and everything is sent from where it stopped:",
        "",
        *([f"    in the console: {console_url}", ""] if console_url else []),
        f"    hookbundle workspace test {mail.workspace_id}",
        f"    hookbundle workspace enable {mail.workspace_id}",
        "",
        "To drop what is held instead, choose so in the console, or add --discard.",
        "",
        "There is at most one mail like this an hour. The next one tells of what is disabled",
        "meanwhile.",
        "",
        "--- What follows was not written by hookbundle. A [.] in it is a dot. ---",
        "",
        *(_words(number, each) for number, each in enumerate(disablings, 1)),
        f"Name of the workspace: {quoted(mail.workspace_name)}",
    ]
    return "\n".join(lines) + "\n"


def _fact(number: int, disabling: Disabling) -> str:
    return (
        f"{number}. webhook {disabling.webhook}, "
        f"disabled at {utc(disabling.at_ms):%Y-%m-%d %H:%M:%S} UTC; held until then: "
        f"{disabling.held_messages} messages, {disabling.held_deliveries} requests"
    )


def _words(number: int, disabling: Disabling) -> str:
    return f"{number}. host {quoted(disabling.host)}; last error: {quoted(disabling.error)}"
