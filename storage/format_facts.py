"""The facts of formats and the bodies rendered by them; facts.py says how facts are stored."""

from hookbundle.storage.daemon_facts import Fact
from hookbundle.storage.instants import Instant


class DeliveryNotRendered(Fact, frozen=True, kw_only=True):
    """It is a dead letter of reason `format`: nothing was sent, and no error counts.

    `pointer`: the JSON pointer of the place in the template, or "". `code`, `why`: what is wrong.
    """

    delivery: str
    messages: int
    pointer: str
    code: str
    why: str


class DeliveryReturned(Fact, frozen=True, kw_only=True):
    """Another format: dead letters of reasons `format` and `receiver_fails` are queued again."""

    deliveries: int
    messages: int
    caller: str


class WebhookRenderingRests(Fact, frozen=True, kw_only=True):
    """No body is rendered, and nothing sent, before `until`; no error counts.

    `cause`: `limits`, three bodies in a row took too much; `machine`, which concerns all webhooks.
    """

    until: Instant
    cause: str
