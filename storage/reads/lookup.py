"""Look-ups of single records and short lists. Each is one short read transaction."""

from contextlib import suppress
from functools import partial
from heapq import merge
from itertools import islice

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import CorruptRecord, NotFound
from hookbundle.storage.database import codec, key_fields, keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord, Window
from hookbundle.storage.database.delivery_records import Action, Delivery, Exchange
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.mail_records import Mail
from hookbundle.storage.database.records import Meta, WebhookState, WorkspaceName
from hookbundle.storage.database.settings import OUTBOUND, Token, Webhook, Workspace
from hookbundle.storage.reads import damaged, requests_made
from hookbundle.storage.reads.chats.preview import Preview, preview
from hookbundle.storage.reads.requests_made import JoinedAction
from hookbundle.storage.reads.workspace_view import (
    WorkspaceView,
    settings_of,
    view_in,
    view_of,
    webhook_of,
    webhooks_in,
)
from hookbundle.storage.tables import bodies, history, moving, queue
from hookbundle.storage.transitions import tokens

PAGE_BYTES = 512 * 1024  # of what a page of a list shows; it ends with the item that passes this


class WorkspacePage(msgspec.Struct, frozen=True):
    """`after`: where the next page begins; empty after the last one. `size`: bytes of its texts."""

    found: list[WorkspaceView]
    after: str
    size: int = 0


class TokenPage(msgspec.Struct, frozen=True):
    """`after`: where the next page begins; empty after the last one."""

    found: list[Token]
    after: bytes


class Reads:
    """Reads of one environment, from any thread."""

    def __init__(self, env: Environment) -> None:
        self.env = env

    # ---- workspaces

    def workspace(self, workspace_id: str) -> WorkspaceView:
        """Raises: NotFound."""
        with self.env.read() as txn:
            return view_in(txn, workspace_id)

    def workspace_number(self, workspace_id: str) -> int:
        """Raises: NotFound."""
        with self.env.read() as txn:
            return settings_of(txn, workspace_id).number

    def webhook_and_owner(self, workspace_id: str, webhook_id: str) -> tuple[Webhook | None, int]:
        """Its settings, and the number of its workspace; None and 0 for what there is not."""
        with self.env.read() as txn:
            name = rows.get(txn, keyspace.workspace(workspace_id), Workspace)
            if name is None:
                return None, 0
            found = rows.webhooks(txn, name.number)
            return next((each for each in found if each.id == webhook_id), None), name.number

    def workspace_numbered(self, number: int) -> WorkspaceView:
        """Raises: NotFound."""
        with self.env.read() as txn:
            name = rows.get(txn, keyspace.owned(keyspace.NAMES, number), WorkspaceName)
            if name is None:
                raise NotFound.of(Code.WORKSPACE_DELETED, number=number)
            return view_in(txn, name.id)

    def workspaces(self, limit: int, after: str = "") -> WorkspacePage:
        """The workspaces whose ids follow `after`, sorted by id; fewer if they are large.

        Those with a damaged record are left out, and named in the daemon's log.
        """
        with self.env.read() as txn:
            found: list[WorkspaceView] = []
            size, after_key = 0, keyspace.workspace(after) if after else b""
            for key, value in rows.rows(txn, keyspace.WORKSPACES, after_key):
                try:
                    view = view_of(txn, codec.unpack(key, value, Workspace))
                except CorruptRecord as exc:
                    damaged.say(exc)
                    continue
                found.append(view)
                size += len(value)
                size += sum(len(e.webhook.url) + len(e.state.last_error) for e in view.webhooks)
                if len(found) == limit or size >= PAGE_BYTES:
                    return WorkspacePage(found, view.settings.id, size)
            return WorkspacePage(found, "", size)

    def disabled(self, limit: int) -> list[str]:
        """Disabled webhooks, as `acme/crm`; `outbound` by its workspace alone.

        Without those that can't be read.
        """
        with self.env.read() as txn:
            found: list[str] = []
            for key, _ in rows.rows(txn, keyspace.DISABLED):
                with suppress(CorruptRecord):  # the status is wanted most when something is damaged
                    owner = webhook_of(txn, key_fields.owner(key))
                    found += [_name_of(*owner)] if owner else []
                if len(found) == limit:
                    break
            return found

    def activity(self, workspace_id: str, webhook_id: str = OUTBOUND) -> list[Action]:
        """The webhook's activity log, newest first. Raises: NotFound."""
        with self.env.read() as txn:
            webhook = view_in(txn, workspace_id).named(webhook_id).webhook
            return requests_made.actions(txn, webhook.number)

    def activity_joined(
        self, workspace_id: str, webhook_ids: tuple[str, ...] = ()
    ) -> list[JoinedAction]:
        """The newest lines of the webhooks' activity logs, with what joins them to the other log.

        Without ids: of all webhooks of the workspace. Newest first. Raises: NotFound.
        """
        with self.env.read() as txn:
            settings = settings_of(txn, workspace_id)
            of_each = [
                [requests_made.joined(txn, webhook, line) for line in lines]
                for webhook in webhooks_in(txn, settings, webhook_ids)
                if (lines := requests_made.actions(txn, webhook.number))
            ]
        found = merge(*of_each, key=lambda each: each.action.at_ms, reverse=True)
        return list(islice(found, limits.ACTIVITY_ENTRIES))

    def exchange(self, workspace_id: str, number: int, webhook_id: str = OUTBOUND) -> Exchange:
        """An entry of the webhook's detailed log by its number. Raises: NotFound."""
        with self.env.read() as txn:
            webhook = view_in(txn, workspace_id).named(webhook_id).webhook.number
            key = keyspace.owned_numbered(keyspace.LOG, webhook, number)
            value = rows.get_raw(txn, key)
            found = None if value is None else requests_made.entry(txn, webhook, key, value)
            if found is None:
                raise NotFound.of(Code.NO_REQUEST, number=number)
            return found

    # ---- chats and windows

    def window(self, workspace_number: int, chat_id: str, webhook: int = 0) -> Window | None:
        """The chat's open window of the webhook with that number, or None; 0: of `outbound`."""
        with self.env.read() as txn:
            key = keyspace.owned(keyspace.CHATS, workspace_number, chat_id.encode())
            record = rows.get(txn, key, ChatRecord)
            return record.window_of(webhook or workspace_number) if record else None

    def preview(
        self, workspace_id: str, chat_id: str, product_name: str, webhook_id: str = ""
    ) -> Preview:
        """As preview.py has it. Raises: NotFound."""
        with self.env.read() as txn:
            return preview(txn, workspace_id, chat_id, product_name, webhook_id)

    # ---- queues

    def state(self, webhook: int) -> WebhookState | None:
        """The state of the webhook with this number, or None if it was deleted."""
        with self.env.read() as txn:
            return rows.get(txn, keyspace.owned(keyspace.STATES, webhook), WebhookState)

    def ready(self, after: int, limit: int) -> list[int]:
        """Numbers, greater than `after`, of the webhooks that are ready to send."""
        with self.env.read() as txn:
            found = []
            for key, _ in rows.rows(txn, keyspace.READY, keyspace.owned(keyspace.READY, after)):
                found.append(key_fields.owner(key))
                if len(found) == limit:
                    break
            return found

    def head(self, webhook: int) -> Delivery | None:
        """The oldest queued delivery of the webhook with this number; None without one."""
        with self.env.read() as txn:
            owner = webhook_of(txn, webhook)
            state = rows.get(txn, keyspace.owned(keyspace.STATES, webhook), WebhookState)
            if owner is None or state is None:
                return None
            queued = moving.numbers(partial(rows.rows, txn), state, webhook, keyspace.QUEUED)
            return rows.get(txn, history.key_of(webhook, next(queued, 0)), Delivery)

    def deliveries(
        self,
        workspace_id: str,
        prefix: bytes,
        limit: int,
        after: int = 0,
        webhook_id: str = OUTBOUND,
    ) -> list[Delivery]:
        """The webhook's under QUEUED or DEAD_LETTERS with a number above `after`, oldest first.

        Raises: NotFound.
        """
        with self.env.read() as txn:
            view = view_in(txn, workspace_id).named(webhook_id)
            number, found = view.webhook.number, list[Delivery]()
            of_all = partial(rows.rows, txn)
            for each in moving.numbers(of_all, view.state, number, prefix, after):
                delivery = rows.get(txn, history.key_of(number, each), Delivery)
                found += [moving.as_seen(view.state, delivery)] if delivery else []
                if len(found) == limit:
                    break
            return found

    def body(self, webhook: int, delivery: int) -> bytes:
        """The sealed body of a delivery. Raises: NotFound if there is no such delivery."""
        with self.env.read() as txn:
            head = rows.get(txn, history.key_of(webhook, delivery), Delivery)
            if head is None:
                delivery_id = queue.id_of(self.env.identity.epoch, webhook, delivery)
                raise NotFound.of(Code.NO_DELIVERY, delivery=delivery_id)
            return bodies.read(partial(rows.get_raw, txn), webhook, delivery, head.body_bytes)

    def token(self, digest: bytes) -> Token | None:
        """The token with that SHA-256, or None."""
        with self.env.read() as txn:
            return rows.get(txn, keyspace.TOKENS + digest, Token)

    def token_named(self, token_id: str) -> Token:
        """The token with that id. Raises: NotFound."""
        with self.env.read() as txn:
            for key, value in rows.rows(txn, tokens.prefix_of(token_id)):
                token = codec.unpack(key, value, Token)
                if token.id == token_id:
                    return token
        raise NotFound.of(Code.UNKNOWN_TOKEN, token=token_id)

    def tokens(self, limit: int, after: bytes = b"") -> TokenPage:
        """Tokens in the order of their digests, of which `after` is one; no damaged ones."""
        with self.env.read() as txn:
            found: list[Token] = []
            after_key = keyspace.TOKENS + after if after else b""
            for key, value in rows.rows(txn, keyspace.TOKENS, after_key):
                token = damaged.without(key, value, Token)
                found += [token] if token else []
                if len(found) == limit:
                    return TokenPage(found, key.removeprefix(keyspace.TOKENS))
            return TokenPage(found, b"")

    def mail(self, number: int) -> Mail | None:
        with self.env.read() as txn:
            return rows.get(txn, keyspace.numbered(keyspace.MAILS, number), Mail)

    def meta(self) -> Meta:
        with self.env.read() as txn:
            return rows.get(txn, keyspace.META, Meta) or Meta()


def _name_of(workspace: Workspace, webhook: Webhook) -> str:
    return workspace.id if webhook.id == OUTBOUND else f"{workspace.id}/{webhook.id}"
