"""What the newest delivery of a webhook is rendered of: to see what a format would make of it."""

from functools import partial
from itertools import islice

import msgspec

from hookbundle.engine.errors import CorruptRecord
from hookbundle.engine.formats.jobs import BundleFacts, Job
from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.delivery_view import is_erased
from hookbundle.storage.reads.workspace_view import settings_of, usage_in, view_in
from hookbundle.storage.tables import bodies, history, queue
from hookbundle.storage.tables.rendering.previous import previous_id

LOOKED_AT_MAX = 64  # deliveries of deleted chats, and damaged ones, are passed over


def last_job(env: Environment, workspace_id: str, webhook_id: str) -> Job | None:
    """With the webhook's own format; None if nothing is there to be rendered. Raises: NotFound."""
    with env.read() as txn:
        settings = settings_of(txn, workspace_id)
        webhook = view_in(txn, workspace_id).named(webhook_id).webhook
        usage, get = usage_in(txn, settings.number), partial(rows.get_raw, txn)
        prefix = keyspace.owned(keyspace.DELIVERIES, webhook.number)
        newest = rows.rows_before(txn, prefix, history.key_of(webhook.number, 2**63))
        for key, value in islice(newest, LOOKED_AT_MAX):
            delivery = damaged.without(key, value, Delivery)
            if delivery is None or is_erased(txn, usage, settings.number, delivery):
                continue
            try:
                body = bodies.read(get, webhook.number, delivery.number, delivery.body_bytes)
                msgspec.json.decode(body, type=msgspec.Raw)
            except CorruptRecord as exc:
                damaged.say(exc)
                continue
            except msgspec.MsgspecError:  # 0.1 may have stored such a one
                continue
            before = partial(rows.rows_before, txn)
            return Job(
                format=webhook.format,
                options=webhook.format_options,
                body=body,
                bundle=BundleFacts(
                    id=queue.delivery_id(webhook.number, delivery),
                    sequence=delivery.number,
                    previous_id=previous_id(before, get, webhook, delivery),
                    part=delivery.part,
                    reason=delivery.reason,
                    is_bundle=delivery.bundle,
                ),
                extra=delivery.extra,
                zone=settings.time_zone,
                bytes_max=webhook.bytes_max,
                permalink=delivery.permalink,
            )
    return None
