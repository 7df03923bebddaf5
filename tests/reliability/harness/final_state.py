"""Reads the database after the last run of a daemon."""

import msgspec

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.tables.outbox import DISABLED
from hookbundle.tests import folding
from hookbundle.tests.reliability.harness.recording_peers import contents
from hookbundle.tests.reliability.harness.seen import Seen
from hookbundle.tests.storage.logs import log_of

EVERYTHING = 1_000_000
LOGGED = {"rejected": "error", "failed": "error"}


def read_final_state(env: Environment, seen: Seen) -> None:
    """The final content of the database is in `seen`, and the database is closed."""
    with env.read_long() as txn:
        seen.findings = [f"{finding.where}: {finding.what}" for finding in check(txn)]
    reader, page = FeedReader(env), None
    while page is None or page.events:
        page = reader.read(page.after if page else 0, EVERYTHING)
        seen.feed += msgspec.to_builtins(page.events)
    stored, reads = folding.stored(env), Reads(env)
    seen.stored, seen.totals = dict(stored.workspaces), stored.totals
    deleted = {each.ws for each in seen.deleted}
    for ws, state in stored.workspaces.items():
        bodies = [reads.preview(ws, chat, "")[1] for chat in state.windows]
        for prefix in (keyspace.QUEUED, keyspace.DEAD_LETTERS):
            found = reads.deliveries(ws, prefix, EVERYTHING)
            bodies += [reads.body(reads.workspace_number(ws), each.number) for each in found]
        for body in bodies:
            chat, members = contents(msgspec.json.decode(body))
            seen.held.update((ws, chat, message_id) for message_id, _ in members)
        # Deleting a chat deletes its part of the log, so such a log is not comparable.
        if ws not in deleted:
            seen.logs[ws] = [
                (each.delivery_id, each.attempt, LOGGED.get(outcome, outcome))
                for each in log_of(reads, ws)
                for outcome in (each.result.outcome,)
            ]
    for number in range(1, reads.meta().mail_next):
        mail = reads.mail(number)
        if mail is not None and mail.kind in ("", DISABLED):
            seen.mails_waiting[mail.workspace_id] = mail.total
    env.close()
