"""The sample: a body in the shape of a webhook's deliveries that is no delivery."""

from hookbundle.engine.formats.jobs import BundleFacts, Job
from hookbundle.engine.messages import message, payload
from hookbundle.engine.messages.message import Account, Chat, Message, Party
from hookbundle.engine.messages.timestamps import format_utc
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.reads.workspace_view import WorkspaceView


def sample_job(view: WorkspaceView, webhook: Webhook, sample_id: str, at_ms: int) -> Job:
    """The sample, to be rendered in the webhook's format."""
    return Job(
        format=webhook.format,
        options=webhook.format_options,
        body=sample_body(view, webhook, at_ms),
        bundle=BundleFacts(id=sample_id, reason="test", is_bundle=webhook.collects),
        zone=view.settings.time_zone,
        bytes_max=webhook.bytes_max,
    )


def sample_body(view: WorkspaceView, webhook: Webhook, at_ms: int) -> bytes:
    """A body in the shape of a delivery, whose text says that it is a test."""
    chat = Chat(full_name="hookbundle test", chat_id="test", phone="+10000000000")
    sample = Message(
        direction="received",
        timestamp=format_utc(at_ms // 1_000),
        message_id="test",
        sender=Party("hookbundle test", "+10000000000"),
        recipient=Party(view.settings.name, ""),
        text="This is a test request. If you can read it, the webhook works.",
    )
    account = Account(view.settings.name, "test@example.com", "")
    parts = message.encode(account), message.encode(chat), message.encode(sample)
    if not webhook.collects:
        return payload.single_body(*parts)
    return payload.bundle_body(
        account=parts[0],
        chat=parts[1],
        is_new_chat=False,
        messages=[parts[2]],
        permalink="",
        product_name="",
    )
