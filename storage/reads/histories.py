"""How much history each workspace has."""

from itertools import islice
from typing import NamedTuple

import msgspec

from hookbundle.storage.database import codec, key_fields, keyspace, rows
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.records import Usage

READ_AT_ONCE = 1_000  # workspaces in one read transaction, some 2 ms


class HistorySize(NamedTuple):
    history_bytes: int
    workspace: int


class HistoryPage(msgspec.Struct, frozen=True):
    """`after`: where the next page begins; None after the last one."""

    sizes: list[HistorySize]
    after: bytes | None


def page(env: Environment, after: bytes = b"") -> HistoryPage:
    """Some workspaces, in the order of their numbers; those with damaged records are left out."""
    with env.read() as txn:
        found = list(islice(rows.rows(txn, keyspace.USAGES, after), READ_AT_ONCE))
    sizes = []
    for key, value in found:
        usage = codec.readable(key, value, Usage)
        if usage is not None:  # `check` names the others
            sizes.append(HistorySize(usage.history_bytes, key_fields.owner(key)))
    return HistoryPage(sizes, found[-1][0] if len(found) == READ_AT_ONCE else None)
