"""E-mails to owners that wait to be sent: at most one of a workspace and kind, and one an hour.

A kind tells of webhooks that were disabled, another of those that are full, a third of those that
soon will be disabled. The first disabling makes a mail, which is due at once. What is disabled
while a mail waits, because the hour is not over or the mail server is down, joins it. The hour
begins when the mail server has taken a mail; what joined while that was being sent becomes the next
one. So no disabling is left out, whatever stops in between, and a workspace has one mail of a kind
in the outbox, however long the server is down.
"""

from hookbundle.engine.delivery.urls import host_of
from hookbundle.storage import daemon_facts
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.mail_records import Disabling, Mail, MailHour
from hookbundle.storage.database.rows import READ_WEIGHT
from hookbundle.storage.database.settings import Webhook, Workspace
from hookbundle.storage.database.unit import Unit

HOUR_MS = 3_600_000
LISTED_MAX = 20  # the newest; the others are counted
DISABLED, FULL, WARNING = "disabled", "full", "warning"
KINDS = (DISABLED, FULL, WARNING)


def add_disabling(unit: Unit, workspace: Workspace, webhook: Webhook, now_ms: int) -> None:
    """An e-mail to the owner, if there is one, says that the webhook was disabled by errors."""
    error = unit.state(webhook.number).last_error
    add(unit, workspace, webhook, DISABLED, error, now_ms)


def add_warning(
    unit: Unit, workspace: Workspace, webhook: Webhook, errors_max: int, now_ms: int
) -> None:
    """An e-mail to the owner, if there is one, says that the webhook is about to be disabled."""
    error = unit.state(webhook.number).last_error
    add(unit, workspace, webhook, WARNING, error, now_ms, errors_max=errors_max)


def add(
    unit: Unit,
    workspace: Workspace,
    webhook: Webhook,
    kind: str,
    error: str,
    now_ms: int,
    *,
    errors_max: int = 0,
) -> None:
    """An e-mail of this kind to the owner, if there is one, tells of the webhook as it is now."""
    if not workspace.owner_email:
        return
    state = unit.state(webhook.number)
    disabling = Disabling(
        webhook=webhook.id,
        at_ms=now_ms,
        host=host_of(webhook.url),
        error=error,
        held_messages=state.queued_messages + state.buffered_messages,
        held_deliveries=state.queued + state.dead_letters,
        errors=state.consecutive_errors,
        errors_max=errors_max,
        disabled_by=state.disabled_reason if kind == FULL and not state.enabled else "",
    )
    hour = _hour(unit, workspace.number, kind)
    mail = _waiting(unit, hour)
    if mail is None:
        mail = _new(unit, workspace, hour, kind, now_ms)
    _address(mail, workspace)
    mail.disablings = (*mail.disablings, disabling)[-LISTED_MAX:]
    mail.total += 1
    unit.put(keyspace.numbered(keyspace.MAILS, mail.number), mail)


def taken(unit: Unit, mail: Mail, told: int, now_ms: int) -> None:
    """The mail server has taken the mail, when `told` disablings stood in it: the hour begins."""
    key = keyspace.numbered(keyspace.MAILS, mail.number)
    hour = _hour(unit, mail.workspace, mail.kind or DISABLED)
    if mail.kind:
        hour.until_ms = now_ms + HOUR_MS
        hour.mail = mail.number if mail.total > told else 0
        _keep_hour(unit, mail.workspace, mail.kind, hour)
    unit.delete_due(Due(mail.next_ms, DueKind.MAIL, mail.number))
    if mail.total <= told:
        unit.delete(key)
        unit.meta.mails -= 1
        return
    mail.told, mail.total = mail.told + told, mail.total - told
    mail.disablings = mail.disablings[-min(mail.total, LISTED_MAX) :]
    mail.tries, mail.next_ms, mail.last_failure = 0, hour.until_ms, ""
    unit.put(key, mail)
    unit.put_due(Due(mail.next_ms, DueKind.MAIL, mail.number))


def readdress(unit: Unit, workspace: Workspace, now_ms: int) -> None:
    """What waits goes to the owner as he is now, in his language, or nowhere if there is none."""
    for kind in KINDS:
        hour = _hour(unit, workspace.number, kind)
        mail = _waiting(unit, hour)
        if mail is None:
            continue
        if workspace.owner_email:
            _address(mail, workspace)
            unit.put(keyspace.numbered(keyspace.MAILS, mail.number), mail)
            continue
        _drop(unit, workspace, mail, now_ms)
        hour.mail = 0
        _keep_hour(unit, workspace.number, kind, hour)


def drop_all(unit: Unit, workspace: Workspace, now_ms: int) -> None:
    """The workspace is being deleted: it has no mails any more."""
    waiting = [_waiting(unit, _hour(unit, workspace.number, kind)) for kind in KINDS]
    for mail in [*_before_hours(unit, workspace.number), *waiting]:
        if mail is not None:
            _drop(unit, workspace, mail, now_ms)
    for kind in KINDS:
        unit.delete(hour_key(workspace.number, kind))


def disablings_of(mail: Mail) -> tuple[Disabling, ...]:
    """What stands in the mail, oldest first."""
    return mail.disablings or (
        Disabling(  # of a mail that was written before mails had a list
            webhook="outbound",
            at_ms=mail.created_ms,
            host=host_of(mail.url),
            error=mail.last_error,
            held_messages=mail.held_messages,
            held_deliveries=mail.held_deliveries,
        ),
    )


def hour_key(workspace: int, kind: str = DISABLED) -> bytes:
    return keyspace.owned(keyspace.MAIL_HOURS, workspace, kind.encode())


def _new(unit: Unit, workspace: Workspace, hour: MailHour, kind: str, now_ms: int) -> Mail:
    number = unit.meta.mail_next
    unit.meta.mail_next += 1
    unit.meta.mails += 1
    # The clock may have been ahead once: nothing waits longer than an hour.
    next_ms = max(now_ms, min(hour.until_ms, now_ms + HOUR_MS))
    mail = Mail(
        number=number,
        workspace=workspace.number,
        to=workspace.owner_email,
        created_ms=now_ms,
        workspace_id=workspace.id,
        workspace_name=workspace.name,
        next_ms=next_ms,
        kind=kind,
        total=0,
    )
    unit.put_due(Due(next_ms, DueKind.MAIL, number))
    hour.mail = number
    _keep_hour(unit, workspace.number, kind, hour)
    return mail


def _address(mail: Mail, workspace: Workspace) -> None:
    """To whom it goes, under which name, and how it is written."""
    mail.to, mail.workspace_name = workspace.owner_email, workspace.name
    mail.language, mail.time_zone = workspace.language, workspace.time_zone


def _drop(unit: Unit, workspace: Workspace, mail: Mail, now_ms: int) -> None:
    unit.delete(keyspace.numbered(keyspace.MAILS, mail.number))
    unit.delete_due(Due(mail.next_ms, DueKind.MAIL, mail.number))
    unit.meta.mails -= 1
    unit.tell(workspace, daemon_facts.MailDropped(tries=mail.tries, disablings=mail.total), now_ms)


def _hour(unit: Unit, workspace: int, kind: str) -> MailHour:
    """A damaged record counts as none: it must not keep an attempt's outcome from being stored."""
    return unit.readable(hour_key(workspace, kind), MailHour) or MailHour()


def _before_hours(unit: Unit, workspace: int) -> list[Mail]:
    """The workspace's mails that were written before there were kinds, and so by no hour.

    They have the lowest numbers: a look at the first one that has a kind says that there are none.
    """
    found = []
    for key, value in unit.rows(keyspace.MAILS):
        unit.weight += READ_WEIGHT
        mail = codec.readable(key, value, Mail)
        if mail is not None and mail.kind:
            break
        if mail is not None and mail.workspace == workspace:
            found.append(mail)
    return found


def _waiting(unit: Unit, hour: MailHour) -> Mail | None:
    if not hour.mail:
        return None
    return unit.readable(keyspace.numbered(keyspace.MAILS, hour.mail), Mail)


def _keep_hour(unit: Unit, workspace: int, kind: str, hour: MailHour) -> None:
    unit.put(hour_key(workspace, kind), hour)
