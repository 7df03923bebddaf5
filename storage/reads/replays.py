"""Replays as readers see them: what one would send, counted before it begins; how far one is."""

from functools import partial
from itertools import islice
from typing import NamedTuple

import lmdb

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotFound
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.delivery_records import Delivery, Replay, ReplayFilter
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.records import Meta, WebhookState
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.delivery_view import is_erased
from hookbundle.storage.reads.workspace_view import (
    WorkspaceView,
    settings_of,
    view_in,
    webhooks_in,
)
from hookbundle.storage.tables import history, moving
from hookbundle.storage.tables.repeating import candidates, replays
from hookbundle.storage.tables.repeating.matching import matches

LOOKED_AT = 500  # deliveries in a read transaction: some two milliseconds


class Count:
    """What a filter means of what the webhook has: counted in slices, oldest first.

    What changes meanwhile is counted as each slice sees it. `found`, `messages`: so far.
    """

    def __init__(
        self,
        env: Environment,
        workspace_id: str,
        wanted: ReplayFilter,
        webhook_id: str = OUTBOUND,
    ) -> None:
        self.found = self.messages = 0
        self.webhook_id = webhook_id
        self._env = env
        self._workspace_id = workspace_id
        self._wanted = wanted
        self._place: int | None = None
        self._before = 0

    def read_on(self) -> bool:
        """Counts a slice. True if there may be more. Raises: NotFound."""
        with self._env.read() as txn:
            view, of_all = view_in(txn, self._workspace_id), partial(rows.rows, txn)
            named, wanted = view.named(self.webhook_id), self._wanted
            webhook, state = named.webhook, named.state
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
                if head is not None and _is_meant(txn, view, state, head, wanted):
                    self.found += 1
                    self.messages += head.messages
                self._place = number + 1
            return len(numbers) == LOOKED_AT


class OfWebhook(NamedTuple):
    """A replay, and the id of its webhook."""

    replay: Replay
    webhook_id: str


def all_of(env: Environment, workspace_id: str) -> list[OfWebhook]:
    """The last replays of the workspace's webhooks, newest first: some twenty. Raises: NotFound.

    Those of a deleted webhook are gone with it.
    """
    with env.read() as txn:
        settings = settings_of(txn, workspace_id)
        names = {each.number: each.id for each in webhooks_in(txn, settings)}
        found = rows.rows(txn, keyspace.owned(keyspace.REPLAYS, settings.number))
        read = [damaged.without(key, value, Replay) for key, value in found]
        return [
            OfWebhook(each, names[each.webhook])
            for each in reversed(read)
            if each is not None and each.webhook in names
        ]


def one(env: Environment, workspace_id: str, number: int) -> OfWebhook:
    """Raises: NotFound, also for one of a deleted webhook; CorruptRecord."""
    with env.read() as txn:
        settings = settings_of(txn, workspace_id)
        key = replays.key_of(settings.number, number)
        value = rows.get_raw(txn, key)
        replay = None if value is None else codec.unpack(key, value, Replay)
        for webhook in webhooks_in(txn, settings) if replay else ():
            if replay and webhook.number == replay.webhook:
                return OfWebhook(replay, webhook.id)
        raise NotFound.of(Code.NO_REPLAY, replay=number, workspace=workspace_id)


def _is_meant(
    txn: lmdb.Transaction,
    view: WorkspaceView,
    state: WebhookState,
    head: Delivery,
    wanted: ReplayFilter,
) -> bool:
    """As the replay's steps decide."""
    if head.resending or not matches(head, moving.state_of(state, head), wanted):
        return False
    return not is_erased(txn, view.usage, view.settings.number, head)
