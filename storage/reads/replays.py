"""Replays as readers see them: what one would send, counted before it begins; how far one is."""

from functools import partial
from itertools import islice

import lmdb

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotFound
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.delivery_records import Delivery, Replay, ReplayFilter
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.records import Meta
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.delivery_view import is_erased
from hookbundle.storage.reads.workspace_view import WorkspaceView, settings_of, view_in
from hookbundle.storage.tables import history, moving
from hookbundle.storage.tables.repeating import candidates, replays
from hookbundle.storage.tables.repeating.matching import matches

LOOKED_AT = 500  # deliveries in a read transaction: some two milliseconds


class Count:
    """What a filter means of what the workspace has: counted in slices, oldest first.

    What changes meanwhile is counted as each slice sees it. `found`, `messages`: so far.
    """

    def __init__(self, env: Environment, workspace_id: str, wanted: ReplayFilter) -> None:
        self.found = self.messages = 0
        self._env = env
        self._workspace_id = workspace_id
        self._wanted = wanted
        self._place: int | None = None
        self._before = 0

    def read_on(self) -> bool:
        """Counts a slice. True if there may be more. Raises: NotFound."""
        with self._env.read() as txn:
            view, of_all = view_in(txn, self._workspace_id), partial(rows.rows, txn)
            webhook, state, wanted = view.webhook, view.state, self._wanted
            if self._place is None:
                meta = rows.get(txn, keyspace.META, Meta) or Meta()
                before = meta.delivery_next
                self._before = candidates.end_of(of_all, webhook, wanted, before)
                self._place = candidates.place_of(of_all, webhook, wanted.since_ms, before)
            found = candidates.numbers(of_all, webhook, state, wanted, self._place, self._before)
            numbers = list(islice(found, LOOKED_AT))
            for number in numbers:
                key = history.key_of(webhook.number, number)
                value = rows.get_raw(txn, key)
                head = None if value is None else damaged.without(key, value, Delivery)
                if head is not None and _is_meant(txn, view, head, wanted):
                    self.found += 1
                    self.messages += head.messages
                self._place = number + 1
            return len(numbers) == LOOKED_AT


def all_of(env: Environment, workspace_id: str) -> list[Replay]:
    """The workspace's last replays, newest first: some twenty. Raises: NotFound."""
    with env.read() as txn:
        number = settings_of(txn, workspace_id).number
        found = rows.rows(txn, keyspace.owned(keyspace.REPLAYS, number))
        read = [damaged.without(key, value, Replay) for key, value in found]
        return [each for each in reversed(read) if each is not None]


def one(env: Environment, workspace_id: str, number: int) -> Replay:
    """Raises: NotFound; CorruptRecord."""
    with env.read() as txn:
        key = replays.key_of(settings_of(txn, workspace_id).number, number)
        value = rows.get_raw(txn, key)
        if value is None:
            raise NotFound.of(Code.NO_REPLAY, replay=number, workspace=workspace_id)
        return codec.unpack(key, value, Replay)


def _is_meant(
    txn: lmdb.Transaction, view: WorkspaceView, head: Delivery, wanted: ReplayFilter
) -> bool:
    """As the replay's steps decide."""
    if head.resending or not matches(head, moving.state_of(view.state, head), wanted):
        return False
    return not is_erased(txn, view.usage, view.settings.number, head)
