"""The newest bodies of a webhook, as they were sealed and as they were sent, to try formats on."""

from functools import partial
from itertools import islice

import msgspec

from hookbundle.engine.errors import CorruptRecord
from hookbundle.engine.formats.jobs import Job
from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.delivery_view import is_erased
from hookbundle.storage.reads.workspace_view import settings_of, usage_in, view_in
from hookbundle.storage.tables import bodies, history
from hookbundle.storage.tables.rendering import jobs

HEADS_MAX = 64  # that are looked at: those of deleted chats, and damaged ones, are passed over
BYTES_MAX = 4 * 1024 * 1024  # of the bodies; the one that passes it is the last


class SealedBody(msgspec.Struct, frozen=True):
    """A delivery: the job that renders it, and the bytes that are or were sent."""

    chat_id: str
    job: Job
    sent: bytes


def newest(env: Environment, workspace_id: str, webhook_id: str, most: int) -> list[SealedBody]:
    """Of the deliveries whose body can be rendered, the newest first. Raises: NotFound."""
    found: list[SealedBody] = []
    size = 0
    with env.read() as txn:
        settings = settings_of(txn, workspace_id)
        webhook = view_in(txn, workspace_id).named(webhook_id).webhook
        usage, get = usage_in(txn, settings.number), partial(rows.get_raw, txn)
        prefix = keyspace.owned(keyspace.DELIVERIES, webhook.number)
        heads = rows.rows_before(txn, prefix, history.key_of(webhook.number, 2**63))
        for key, value in islice(heads, HEADS_MAX):
            head = damaged.without(key, value, Delivery)
            if head is None or is_erased(txn, usage, settings.number, head):
                continue
            before = partial(rows.rows_before, txn)
            try:
                job = jobs.job_with(get, before, settings.time_zone, webhook, head)
                sent = bodies.sent(get, webhook.number, head)
                msgspec.json.decode(job.body, type=msgspec.Raw)
            except CorruptRecord as exc:
                damaged.say(exc)
                continue
            except msgspec.MsgspecError:  # 0.1 may have stored such a one
                continue
            found.append(SealedBody(head.chat_id, job, sent))
            size += len(job.body)
            if len(found) >= most or size > BYTES_MAX:
                break
    return found
