"""What a body of a format is made of: the sealed body, and what stands beside it."""

from hookbundle.engine.formats.jobs import BundleFacts, Job
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import bodies, queue
from hookbundle.storage.tables.rendering.previous import GetRaw, RowsBefore, previous_id


def is_wanted(webhook: Webhook, delivery: Delivery) -> bool:
    """Whether a body has to be rendered before the delivery is sent.

    What was sent before keeps its bytes, also those of the seed, whatever the format is now.
    """
    return bool(webhook.format) and not delivery.rendered_bytes and not delivery.attempts


def job_of(unit: Unit, settings: Settings, webhook: Webhook, delivery: Delivery) -> Job:
    """With the format of this moment. The name of the product is the caller's.

    Raises: CorruptRecord.
    """
    zone = settings.workspace.time_zone
    return job_with(unit.get_raw, unit.rows_before, zone, webhook, delivery)


def job_with(
    get: GetRaw, rows_before: RowsBefore, zone: str, webhook: Webhook, delivery: Delivery
) -> Job:
    """The same, read from a unit or a read transaction."""
    return Job(
        format=webhook.format,
        options=webhook.format_options,
        body=bodies.read(get, webhook.number, delivery.number, delivery.body_bytes),
        bundle=BundleFacts(
            id=queue.delivery_id(webhook.number, delivery),
            sequence=delivery.number,
            previous_id=previous_id(rows_before, get, webhook, delivery),
            part=delivery.part,
            reason=delivery.reason,
            is_bundle=delivery.bundle,
        ),
        extra=delivery.extra,
        zone=zone,
        bytes_max=webhook.bytes_max,
        permalink=delivery.permalink,
    )
