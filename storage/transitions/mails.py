"""The outcome of an e-mail: the SMTP server took it, or it is tried again."""

import msgspec

from hookbundle.storage import daemon_facts
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.mail_records import Mail
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import outbox


class MailAccepted(msgspec.Struct, frozen=True):
    """The SMTP server has taken the mail, which told of `told` disablings."""

    number: int
    told: int
    now_ms: int


class MailFailed(msgspec.Struct, frozen=True):
    """The mail is to be tried again at `next_ms`."""

    number: int
    failure: str
    next_ms: int
    now_ms: int


def mail_accepted(unit: Unit, transition: MailAccepted) -> None:
    key = keyspace.numbered(keyspace.MAILS, transition.number)
    mail = unit.get(key, Mail)
    if mail is None:
        return
    workspace = unit.workspace_numbered(mail.workspace).workspace  # a deleted one has no mails
    fact = daemon_facts.MailSent(tries=mail.tries + 1, disablings=transition.told)
    outbox.taken(unit, mail, transition.told, transition.now_ms)
    unit.tell(workspace, fact, transition.now_ms)


def mail_failed(unit: Unit, transition: MailFailed) -> None:
    key = keyspace.numbered(keyspace.MAILS, transition.number)
    mail = unit.get(key, Mail)
    if mail is None:
        return
    unit.delete_due(Due(mail.next_ms, DueKind.MAIL, mail.number))
    mail.tries += 1
    mail.next_ms = transition.next_ms
    mail.last_failure = transition.failure
    unit.put(key, mail)
    unit.put_due(Due(mail.next_ms, DueKind.MAIL, mail.number))
    workspace = unit.workspace_numbered(mail.workspace).workspace
    fact = daemon_facts.MailFailed(tries=mail.tries, error=mail.last_failure, next=mail.next_ms)
    unit.tell(workspace, fact, transition.now_ms)
