"""A start that trusts a wall clock behind the last stored time: the stored time was wrong.

What was stored under it is due in years, and would wait for them. So every open window is timed
anew, as by a change of its workspace's aggregation, and no attempt and no e-mail waits longer.
Arrivals of a day that has not come are trimmed.
What is kept until a time (ids, idempotency keys, rotated secrets) is kept for longer, not less.
"""

from contextlib import suppress

import msgspec

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.mail_records import Mail
from hookbundle.storage.database.settings import Webhook, Workspace
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import readiness
from hookbundle.storage.tables.arrivals import rows as arrivals
from hookbundle.storage.tables.pacing import pace
from hookbundle.storage.transitions.webhooks import changing


class TrustClock(msgspec.Struct, frozen=True):
    """True time is `now_ms`, whatever later times were stored."""

    now_ms: int


def trust_clock(unit: Unit, transition: TrustClock) -> None:
    now_ms = transition.now_ms
    unit.meta.last_ms = min(unit.meta.last_ms, now_ms)
    for key, value in list(unit.rows(keyspace.WORKSPACES)):
        with suppress(CorruptRecord):  # `check` names it; the others need not wait for it
            workspace = codec.unpack(key, value, Workspace)
            for webhook in unit.workspace_numbered(workspace.number).all:
                _end_waits(unit, workspace, webhook, now_ms)
            if unit.usage(workspace.number).arrivals_due_ms >= 0:
                arrivals.schedule(unit, workspace.number, 0)
    for key, value in list(unit.rows(keyspace.MAILS)):
        with suppress(CorruptRecord):
            _mail_soon(unit, key, codec.unpack(key, value, Mail), now_ms)


def _end_waits(unit: Unit, workspace: Workspace, webhook: Webhook, now_ms: int) -> None:
    state = unit.state(webhook.number)
    if state.windows:
        changing.retime_windows(unit, webhook, state)
    pace.trust(workspace, state, now_ms)
    if state.next_attempt_ms > now_ms:
        state.next_attempt_ms = 0
    readiness.reconcile(unit, webhook, state)


def _mail_soon(unit: Unit, key: bytes, mail: Mail, now_ms: int) -> None:
    unit.delete_due(Due(mail.next_ms, DueKind.MAIL, mail.number))
    mail.next_ms = min(mail.next_ms, now_ms)
    unit.put(key, mail)
    unit.put_due(Due(mail.next_ms, DueKind.MAIL, mail.number))
