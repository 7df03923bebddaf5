"""Which partition a record goes to when a database is split: a rule for every kind of key.

A workspace goes where a cluster looks for it, by its id, and takes along all that is its own or of
its webhooks. What belongs to no living workspace goes to the first partition: tokens for all, and
what is being erased, which goes on there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import lmdb

from hookbundle.storage.database import codec, key_fields, keyspace, rows
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.mail_records import Mail
from hookbundle.storage.database.records import WebhookState, WorkspaceName
from hookbundle.storage.database.settings import Token
from hookbundle.storage.database.sources import keys as source_keys
from hookbundle.storage.database.sources.records import SourceToken
from hookbundle.storage.maintenance.check_names import DUE_OF_A_WEBHOOK

NOBODYS = 0  # the partition of what no workspace owns

PartitionOf = Callable[[str], int]
"""Where a cluster looks for the workspace with an id."""


@dataclass(frozen=True, slots=True)
class Places:
    """The partitions of the living workspaces, of webhooks and of e-mails, by their numbers."""

    partition_of: PartitionOf
    workspaces: dict[int, int]
    webhooks: dict[int, int]
    mails: dict[int, int]

    @classmethod
    def of(cls, txn: lmdb.Transaction, partition_of: PartitionOf) -> Self:
        """Raises: CorruptRecord."""
        workspaces = {
            key_fields.owner(key): partition_of(codec.unpack(key, value, WorkspaceName).id)
            for key, value in rows.rows(txn, keyspace.NAMES)
        }
        webhooks = {
            key_fields.owner(key): workspaces.get(
                codec.unpack(key, value, WebhookState).workspace, NOBODYS
            )
            for key, value in rows.rows(txn, keyspace.STATES)
        }
        mails = {
            key_fields.number(key): workspaces.get(
                codec.unpack(key, value, Mail).workspace, NOBODYS
            )
            for key, value in rows.rows(txn, keyspace.MAILS)
        }
        return cls(partition_of, workspaces, webhooks, mails)

    def of_id(self, workspace_id: str) -> int:
        return self.partition_of(workspace_id) if workspace_id else NOBODYS


Rule = Callable[[Places, bytes, bytes], int]


def _by_id(places: Places, key: bytes, value: bytes) -> int:
    return places.of_id(key[1:].decode())


def _by_workspace(places: Places, key: bytes, value: bytes) -> int:
    return places.workspaces.get(key_fields.owner(key), NOBODYS)


def _by_webhook(places: Places, key: bytes, value: bytes) -> int:
    return places.webhooks.get(key_fields.owner(key), NOBODYS)


def _by_mail(places: Places, key: bytes, value: bytes) -> int:
    return places.mails[key_fields.number(key)]


def _by_token(places: Places, key: bytes, value: bytes) -> int:
    return places.of_id(codec.unpack(key, value, Token).workspace_id)


def _by_source_token(places: Places, key: bytes, value: bytes) -> int:
    return places.workspaces.get(codec.unpack(key, value, SourceToken).workspace, NOBODYS)


def _by_due(places: Places, key: bytes, value: bytes) -> int:
    row = key_fields.due(key)
    while row.kind is DueKind.POSTPONED:
        row = key_fields.due(row.subject)
    if row.kind is DueKind.MAIL:
        return places.mails.get(row.number, NOBODYS)
    whose = places.webhooks if row.kind in DUE_OF_A_WEBHOOK else places.workspaces
    return whose.get(row.number, NOBODYS)


RULES: dict[bytes, Rule] = {
    keyspace.WORKSPACES: _by_id,
    **dict.fromkeys(
        (
            keyspace.NAMES,
            keyspace.USAGES,
            keyspace.WEBHOOKS,
            keyspace.MAIL_HOURS,
            keyspace.WORKSPACE_TOKENS,
            keyspace.ERASURES,
            *keyspace.OF_A_WORKSPACE,
            *source_keys.OF_A_WORKSPACE,
        ),
        _by_workspace,
    ),
    **dict.fromkeys((keyspace.STATES, *keyspace.OF_A_WEBHOOK), _by_webhook),
    keyspace.MAILS: _by_mail,
    keyspace.DUES: _by_due,
    keyspace.TOKENS: _by_token,
    source_keys.TOKENS: _by_source_token,
}
# Those that are not copied as they are: each partition gets its own. Of the feed, see parted.py;
# a position is of a copy in a cluster, which is not split.
MADE_ANEW = (keyspace.IDENTITY, keyspace.META, keyspace.FEED, keyspace.POSITION)
