"""The detailed logs of a workspace's webhooks as one, newest first, an entry at a time.

Each webhook has a log of its own, in the order of its requests. Of several, the one whose next
entry was made last goes first: their times are looked at one entry ahead, not their bodies. The
logs move meanwhile: what one loses before its turn is left out, and what comes after the beginning
is not in it.
"""

from dataclasses import dataclass, field

import lmdb
import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import codec, key_fields, keyspace, rows
from hookbundle.storage.database.delivery_records import Attempt, Exchange, LogRow
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads import requests_made
from hookbundle.storage.reads.workspace_view import settings_of, webhook_of, webhooks_in


class LogLine(msgspec.Struct, frozen=True):
    """An entry of a webhook's log, by its number; `exchange`: None if its record is damaged."""

    webhook_id: str
    number: int
    exchange: Exchange | None
    error: str = ""


@dataclass(slots=True)
class _Log:
    """What is left of a webhook's log: the numbers of its entries, the newest last.

    `at_ms`: when the newest of these was made; of one that can't be read, that of the one before
    it; None: not looked at.
    """

    webhook: int
    webhook_id: str
    numbers: list[int]
    at_ms: int | None = None


@dataclass(slots=True)
class LogWalk:
    """What the logs had when the walk began, a hundred entries at most. From any thread."""

    env: Environment
    workspace_id: str
    _logs: list[_Log]
    _left: int = field(default=limits.LOG_ENTRIES)

    @classmethod
    def begin(
        cls, env: Environment, workspace_id: str, webhook_ids: tuple[str, ...] = ()
    ) -> "LogWalk":
        """Of the webhooks with these ids; none: of all. Raises: NotFound."""
        with env.read() as txn:
            webhooks = webhooks_in(txn, settings_of(txn, workspace_id), webhook_ids)
            logs = [_Log(each.number, each.id, _numbers(txn, each.number)) for each in webhooks]
        return cls(env, workspace_id, logs)

    def next(self) -> LogLine | None:
        """The next entry that is still there; None after the last one."""
        while self._left > 0:
            with self.env.read() as txn:
                log = self._newest(txn)
                if log is None:
                    return None
                number = log.numbers.pop()
                line = self._read(txn, log, number)
                if len(self._logs) > 1:
                    _look_ahead(txn, log)
            if line is not None:
                self._left -= 1
                return line
        return None

    def _newest(self, txn: lmdb.Transaction) -> _Log | None:
        """The log whose turn it is."""
        self._logs = [each for each in self._logs if each.numbers]
        if len(self._logs) > 1:
            for each in self._logs:
                if each.at_ms is None:
                    _look_ahead(txn, each)
        return max(self._logs, key=lambda each: each.at_ms or 0, default=None)

    def _read(self, txn: lmdb.Transaction, log: _Log, number: int) -> LogLine | None:
        owner = webhook_of(txn, log.webhook)
        key = keyspace.owned_numbered(keyspace.LOG, log.webhook, number)
        value = rows.get_raw(txn, key) if owner and owner[0].id == self.workspace_id else None
        if value is None:
            return None
        try:
            found = requests_made.entry(txn, log.webhook, key, value)
        except CorruptRecord as exc:
            return LogLine(log.webhook_id, number, None, str(exc))
        return None if found is None else LogLine(log.webhook_id, number, found)


def _numbers(txn: lmdb.Transaction, webhook: int) -> list[int]:
    keys = rows.first_of(txn, keyspace.owned(keyspace.LOG, webhook), limits.LOG_ENTRIES)
    return list(map(key_fields.number, keys))


def _look_ahead(txn: lmdb.Transaction, log: _Log) -> None:
    """The log knows the time of its next entry; those that are gone are passed over."""
    while log.numbers:
        key = keyspace.owned_numbered(keyspace.LOG, log.webhook, log.numbers[-1])
        value = rows.get_raw(txn, key)
        try:
            at_ms = None if value is None else _time_of(txn, log.webhook, key, value)
        except CorruptRecord:
            log.at_ms = log.at_ms or 0
            return
        if at_ms is not None:
            log.at_ms = at_ms
            return
        log.numbers.pop()


def _time_of(txn: lmdb.Transaction, webhook: int, key: bytes, value: bytes) -> int | None:
    """Raises: CorruptRecord."""
    row = codec.unpack(key, value, LogRow)
    if row.test is not None:
        return row.test.attempt.at_ms
    key = keyspace.of_delivery(keyspace.ATTEMPTS, webhook, row.delivery, row.attempt)
    attempt = rows.get(txn, key, Attempt)
    return None if attempt is None else attempt.at_ms
