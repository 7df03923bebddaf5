"""A search through what became of messages: newest first, a page of a page at a time.

A page is one short read transaction, as in listing.py, and its position is the number of the last
delivery looked at. Numbers are given once and never change, and so nothing that is there all the
time is skipped or seen twice, whatever moves between two pages.

A chat is found by its latest name, which is that of its newest delivery. A chat that is met for the
first time costs a look-up; what came of it is remembered for as long as the page is being read.
"""

from functools import partial

import lmdb

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import rows
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.chats.names import newest_delivery
from hookbundle.storage.reads.delivery_view import DeliveryView, delivery_of, is_erased, seen_as
from hookbundle.storage.reads.listing import FLAT_BYTES, READ_BYTES_MAX, ROWS_MOST, Page
from hookbundle.storage.reads.paths import members
from hookbundle.storage.reads.searching.bounds import Bounds, bounds_of
from hookbundle.storage.reads.searching.candidates import Candidate, candidates, had_phone
from hookbundle.storage.reads.searching.wanted import Wanted
from hookbundle.storage.reads.workspace_view import settings_of, state_in, usage_in, webhooks_in
from hookbundle.storage.tables import bodies, history
from hookbundle.storage.tables.repeating.resends import is_waiting

NUMBER_BYTES = 8
BODIES_A_PAGE = 16  # so many times the bytes of a page may be read of bodies for it


class Search:
    """One page of a search; another one, for the next page, begins anew.

    `alive_since_ms`: an attempt that began before it ended with the daemon that made it.
    """

    def __init__(
        self,
        env: Environment,
        workspace_id: str,
        wanted: Wanted,
        alive_since_ms: int,
        *,
        rows_most: int = ROWS_MOST,
        bytes_most: int = READ_BYTES_MAX,
    ) -> None:
        self._env = env
        self._workspace_id = workspace_id
        self._wanted = wanted
        self._alive_since_ms = alive_since_ms
        self._rows_most = rows_most
        self._bytes_most = bytes_most
        self._bounds: Bounds | None = None
        self._verdicts: dict[str, bool] = {}  # of names, by chat
        self._body_bytes = 0  # read in this transaction

    def read(self, limit: int, position: bytes = b"") -> Page[DeliveryView]:
        """The wanted ones of some deliveries that are older than the position.

        Raises: NotFound for an unknown workspace or webhook.
        """
        with self._env.read() as txn:
            scope = _Scope(txn, self._workspace_id, self._wanted)
            if self._bounds is None:
                self._bounds = bounds_of(txn, tuple(scope.states), self._wanted)
            bounds = self._bounds
            if position:
                end = min(bounds.end, int.from_bytes(position, "big"))
                bounds = Bounds(bounds.first, end)
            found: list[DeliveryView] = []
            seen = looked_at = read_bytes = size = reached_ms = 0
            known_before, self._body_bytes = len(self._verdicts), 0
            of_all = candidates(txn, scope.workspace, scope.states, self._wanted, bounds)
            for seen, candidate in enumerate(of_all, 1):
                delivery = _read(txn, candidate)
                if delivery is not None:
                    reached_ms = delivery.placed_ms
                    view = self._taken(txn, scope, candidate.webhook, delivery)
                    if view is not None:
                        found.append(view)
                        size += _size(delivery)
                    read_bytes += _size(delivery)
                looked_at = seen + len(self._verdicts) - known_before
                read = read_bytes + self._body_bytes
                is_enough = looked_at >= self._rows_most or read >= self._bytes_most
                if len(found) == limit or is_enough:
                    last = candidate.number.to_bytes(NUMBER_BYTES, "big")
                    size += self._body_bytes // BODIES_A_PAGE
                    return Page(found, last, looked_at, size, reached_ms)
            return Page(found, None, looked_at, size, reached_ms)

    def _taken(
        self, txn: lmdb.Transaction, scope: "_Scope", webhook: int, delivery: Delivery
    ) -> DeliveryView | None:
        """The delivery as it is seen, if it is wanted."""
        state, wanted = scope.states[webhook], self._wanted
        resends = wanted.resending and is_waiting(state, delivery)
        seen = seen_as(state, delivery, self._alive_since_ms)
        if not wanted.takes(delivery, seen, resends=resends):
            return None
        if is_erased(txn, scope.usage, scope.workspace, delivery):
            return None
        chat = delivery.chat_id.encode()
        if wanted.phones is not None and not had_phone(txn, scope.workspace, chat, wanted.phones):
            return None
        if wanted.name and not self._is_named(txn, scope.workspace, delivery):
            return None
        if wanted.message and not self._has_message(txn, webhook, delivery):
            return None
        return delivery_of(self._workspace_id, scope.webhooks[webhook], state, delivery)

    def _has_message(self, txn: lmdb.Transaction, webhook: int, delivery: Delivery) -> bool:
        """Whether the message is in the delivery's body; a damaged one has none."""
        get = partial(rows.get_raw, txn)
        try:
            body = bodies.read(get, webhook, delivery.number, delivery.body_bytes)
        except CorruptRecord as exc:
            damaged.say(exc)
            return False
        self._body_bytes += len(body)
        return members.holds(body, self._wanted.message)

    def _is_named(self, txn: lmdb.Transaction, workspace: int, delivery: Delivery) -> bool:
        """Whether the latest name of the delivery's chat has what is looked for in it."""
        verdict = self._verdicts.get(delivery.chat_id)
        if verdict is None:
            newest = newest_delivery(txn, workspace, delivery.chat_id.encode())
            name = newest.chat_name if newest else delivery.chat_name
            verdict = self._verdicts[delivery.chat_id] = self._wanted.name in name.casefold()
        return verdict


class _Scope:
    """What a read transaction sees of the workspace: the webhooks that are meant, by number."""

    def __init__(self, txn: lmdb.Transaction, workspace_id: str, wanted: Wanted) -> None:
        settings = settings_of(txn, workspace_id)
        self.workspace = settings.number
        self.webhooks: dict[int, Webhook] = {
            webhook.number: webhook for webhook in webhooks_in(txn, settings, wanted.webhooks)
        }
        self.states: dict[int, WebhookState] = {
            number: state_in(txn, webhook) for number, webhook in self.webhooks.items()
        }
        self.usage = usage_in(txn, settings.number)


def _read(txn: lmdb.Transaction, candidate: Candidate) -> Delivery | None:
    """The delivery's record; None if it is gone, or damaged, which has been said then."""
    key = history.key_of(candidate.webhook, candidate.number)
    value = candidate.value if candidate.value is not None else rows.get_raw(txn, key)
    return None if value is None else damaged.without(key, value, Delivery)


def _size(delivery: Delivery) -> int:
    texts = len(delivery.chat_id) + len(delivery.last_error) + len(delivery.chat_name)
    return texts + FLAT_BYTES
