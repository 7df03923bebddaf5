"""The translation of a database of schema 1 to schema 2, record by record.

Everything that is held is written in its new form. Counters, flags, and the rows of the due index
are made anew from what is written, so that the new database has no contradiction even if records of
the old one can't be read. Those are left out, and named.

Of a deleted workspace that is still being erased only its erasure is written: the first step of
erasing it then finds nothing, and ends it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import lmdb
import msgspec

from hookbundle.engine.delivery.urls import hidden, host_of
from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.chat_records import Erasure
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.mail_records import Disabling, Mail, MailHour
from hookbundle.storage.database.records import Identity, Meta, Totals
from hookbundle.storage.maintenance.migration import schema_1 as old
from hookbundle.storage.maintenance.migration import schema_1_keys as old_keys
from hookbundle.storage.maintenance.migration.feed import Share, move_feed
from hookbundle.storage.maintenance.migration.source import Source
from hookbundle.storage.maintenance.migration.target import Target
from hookbundle.storage.maintenance.migration.workspaces import move_workspace
from hookbundle.storage.tables import outbox

R = TypeVar("R", bound=msgspec.Struct)

OF_A_WORKSPACE = (
    old_keys.STATES,
    old_keys.ACTIVITIES,
    old_keys.CHATS,
    old_keys.PARTS,
    old_keys.SEEN_PARTS,
    old_keys.QUEUED,
    old_keys.DEAD_LETTERS,
    old_keys.LOG,
    old_keys.REQUESTS,
    old_keys.ERASURES,
)


@dataclass(frozen=True, slots=True)
class Translated:
    """How many records were written; the names of those that were left out."""

    records: int
    unreadable: tuple[str, ...]


def translate(
    env: Environment,
    into: lmdb.Environment,
    identity: Identity,
    now_ms: int,
    tick: Callable[[], None],
) -> Translated:
    """All of the old database `env` is in the new one, which was empty, with this identity.

    `tick` is called for each record of the old one, and may raise to stop.

    Raises: CorruptRecord if a record can't be read without which nothing makes sense.
    """
    with env.read_long() as txn, Target.of(into, tick) as target:
        source = Source(txn, tick)
        meta = _meta(source)
        numbers = _workspaces(source)
        live = set(numbers.values())
        shares = move_feed(source, target, meta, numbers)
        for workspace_id, number in numbers.items():
            source.tick()
            was = source.find(old_keys.workspace(workspace_id), old.Workspace)
            assert was is not None  # it was read before
            move_workspace(source, target, was, shares.get(number, Share()), meta, now_ms)
        _move_mails(source, target, live, meta)
        _move_tokens(source, target, numbers)
        _name_the_ownerless(source, live | _move_erasures(source, target, live))
        _balance(meta)
        target.put(keyspace.META, meta)
        target.put(keyspace.IDENTITY, identity)
    return Translated(into.stat()["entries"], source.unreadable)


def _needed(key: bytes, value: bytes, kind: type[R]) -> R:
    """Raises: CorruptRecord if it can't be read, because a database without it is another one."""
    try:
        return codec.unpack(key, value, kind)
    except CorruptRecord as exc:
        raise CorruptRecord(
            f"{exc}; the database can't be upgraded without it. Nothing was changed; restore a "
            "backup into a new directory"
        ) from exc


def _meta(source: Source) -> Meta:
    """The counters, without those of what is counted anew."""
    value = rows.get_raw(source.txn, old_keys.META)
    # A database in which nothing has happened yet has no counters.
    was = old.Meta() if value is None else _needed(old_keys.META, value, old.Meta)
    return Meta(
        workspace_next=was.workspace_next,
        delivery_next=was.delivery_next,
        mail_next=was.mail_next,
        feed_next=was.feed_next,
        feed_oldest=was.feed_oldest,
        feed_oldest_ms=was.feed_oldest_ms,
        last_ms=was.last_ms,
        totals=Totals(
            accepted=was.totals.accepted,
            duplicate=was.totals.duplicate,
            skipped=was.totals.skipped,
            sealed=was.totals.sealed,
            delivered=was.totals.delivered,
            failed=was.totals.failed,
            dead_letters=was.totals.dead_letters,
            discarded=was.totals.discarded,
            disabled=was.totals.disabled,
        ),
    )


def _workspaces(source: Source) -> dict[str, int]:
    """The numbers of the living workspaces, in order of the numbers."""
    found = {}
    for key, value in rows.rows(source.txn, old_keys.WORKSPACES):
        workspace = _needed(key, value, old.Workspace)
        found[workspace.id] = workspace.number
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _move_mails(source: Source, target: Target, live: set[int], meta: Meta) -> None:
    """Those of a workspace are one, which is due when the first of them was."""
    mails: dict[int, Mail] = {}
    for key, value in rows.rows(source.txn, old_keys.MAILS):
        source.tick()
        was = source.decode(key, value, old.Mail)
        if was is None or was.workspace not in live:
            source.leave_out(key)
            continue
        _join(mails, was)
    for mail in mails.values():
        target.put(keyspace.numbered(keyspace.MAILS, mail.number), mail)
        target.put(outbox.hour_key(mail.workspace, mail.kind), MailHour(mail=mail.number))
        target.put_due(Due(mail.next_ms, DueKind.MAIL, mail.number))
        meta.mails += 1


def _join(mails: dict[int, Mail], was: old.Mail) -> None:
    disabling = Disabling(
        webhook="outbound",
        at_ms=was.created_ms,
        host=host_of(was.url),
        error=was.last_error,
        held_messages=was.held_messages,
        held_deliveries=was.held_deliveries,
    )
    mail = mails.get(was.workspace)
    if mail is None:
        mail = mails[was.workspace] = Mail(
            number=was.number,
            workspace=was.workspace,
            to=was.to,
            created_ms=was.created_ms,
            workspace_id=was.workspace_id,
            workspace_name=was.workspace_name,
            tries=was.tries,
            next_ms=was.next_ms,
            last_failure=hidden(was.last_failure, (was.to,)),
            kind=outbox.DISABLED,
            total=0,
        )
    mail.to, mail.workspace_name = was.to, was.workspace_name
    mail.next_ms = min(mail.next_ms, was.next_ms)
    mail.disablings = (*mail.disablings, disabling)[-outbox.LISTED_MAX :]
    mail.total += 1


def _move_tokens(source: Source, target: Target, numbers: dict[str, int]) -> None:
    for key, value in rows.rows(source.txn, old_keys.TOKENS):
        source.tick()
        token = source.decode(key, value, old.Token)
        if token is None or (token.workspace_id and token.workspace_id not in numbers):
            source.leave_out(key)
            continue
        target.put_raw(key, value)


def _move_erasures(source: Source, target: Target, live: set[int]) -> set[int]:
    """Those of whole workspaces. Returns the numbers of these."""
    found = set()
    for key in rows.first_keys(source.txn, old_keys.ERASURES):
        number = old_keys.parse_owner(key)
        if number in live or old_keys.parse_subject(key):
            continue
        source.tick()
        found.add(number)
        was = source.find(key, old.Erasure)
        if was is None:
            continue
        erasure = Erasure(
            workspace_id=was.workspace_id, at_ms=was.at_ms, before=was.before, webhooks=(number,)
        )
        target.put(keyspace.owned(keyspace.ERASURES, number), erasure)
        target.put_due(Due(0, DueKind.ERASE, number))
    return found


def _name_the_ownerless(source: Source, owners: set[int]) -> None:
    """Records of no workspace are left out: their keys are damaged."""
    for prefix in OF_A_WORKSPACE:
        for first in rows.first_keys(source.txn, prefix):
            number = old_keys.parse_owner(first)
            if number not in owners:
                for key, _ in rows.rows(source.txn, old_keys.owned(prefix, number)):
                    source.leave_out(key)


def _balance(meta: Meta) -> None:
    """Deliveries that could not be read count as discarded."""
    totals = meta.totals
    left = meta.queued + meta.dead_letters
    totals.sealed = max(totals.sealed, totals.delivered + left)
    totals.discarded = totals.sealed - totals.delivered - left
