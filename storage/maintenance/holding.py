"""A restored database whose webhooks are all disabled: nothing is sent before somebody looks."""

from collections.abc import Iterator
from itertools import islice

import lmdb

from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.records import Identity
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.merging import merges
from hookbundle.storage.transitions import switching

AT_ONCE = 1_000
CALLER = "restore --hold"


def hold_all(env: lmdb.Environment, identity: Identity, now_ms: int) -> Iterator[str]:
    """The ids of the workspaces with a webhook that was enabled. All are disabled at the end."""
    after = b""
    while True:
        with env.begin(write=True) as txn:
            found = [key for key, _ in islice(rows.rows(txn, keyspace.WORKSPACES, after), AT_ONCE)]
            unit = Unit(txn, identity)
            at_ms = max(now_ms, unit.meta.last_ms)
            held = [name for key in found if (name := _hold(unit, key[1:].decode(), at_ms))]
            unit.flush()
        yield from held
        if len(found) < AT_ONCE:
            return
        after = found[-1]


def _hold(unit: Unit, workspace_id: str, now_ms: int) -> str:
    """The id, if a webhook of the workspace was enabled; else an empty text."""
    held = ""
    for each in unit.workspace(workspace_id).webhooks:
        settings, webhook = unit.webhook_numbered(each.number)  # as the one before left them
        state = unit.state(webhook.number)
        if webhook.url and state.enabled:
            switching.switch_off(unit, settings, webhook, "manual", now_ms, CALLER)
            held = workspace_id
        elif state.merging is not None:  # it may be enabled at the end of its merge
            merges.stop(unit, settings, webhook, now_ms)
            held = workspace_id
    return held
