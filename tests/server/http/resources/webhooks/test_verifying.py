"""A request's signature, checked by the daemon: it knows the secrets, and keeps them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hookbundle.engine.clock import SystemClock
from hookbundle.engine.delivery import signing
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import HOUR_MS, Answer, System, daemon_in

CRM = "/v1/workspaces/acme/webhooks/crm"
OF_OUTBOUND = "/v1/workspaces/acme/webhook/verify"
BODY = b'{"text": "hi"}'


@pytest.fixture
async def system(tmp_path: Path, receiver: HookReceiver) -> AsyncIterator[System]:
    async with daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        yield system


async def secret_of_crm(system: System) -> str:
    made = await system.ask("PUT", CRM, {"url": "https://crm.example/in"})
    secret: str = made.document["secret"]
    return secret


async def verified(
    system: System, secret: str, path: str = f"{CRM}/verify", body: bytes = BODY, age_s: int = 0
) -> Answer:
    """What the daemon says of BODY's signature by the secret, over these bytes."""
    wall_s = SystemClock().wall_ms() // 1_000 - age_s
    headers = signing.sign("dlv_1", wall_s, BODY if len(body) < 100 else body, [secret])
    return await system.ask("POST", path, data=body, headers=headers)


async def test_the_webhook_that_sent_it_knows_its_signature_and_another_does_not(
    system: System,
) -> None:
    secret = await secret_of_crm(system)

    own, others = await verified(system, secret), await verified(system, secret, OF_OUTBOUND)

    assert own.document == {
        "authentic": True,
        "code": "authentic",
        "detail": own.document["detail"],
        "age_s": own.document["age_s"],
    }
    assert (others.document["authentic"], others.document["code"]) == (False, "signature_mismatch")
    assert secret.encode() not in own.body


async def test_changed_bytes_and_an_old_signature_are_not_authentic(system: System) -> None:
    secret = await secret_of_crm(system)

    changed = await verified(system, secret, body=BODY + b" ")
    old = await verified(system, secret, age_s=3_600)
    unsigned = await system.ask("POST", f"{CRM}/verify", data=BODY)

    assert changed.document["code"] == "signature_mismatch"
    assert (old.document["code"], old.document["authentic"]) == ("outside_tolerance", False)
    assert unsigned.document["code"] == "header_missing"


async def test_the_old_secret_is_good_for_as_long_as_it_signs(system: System) -> None:
    secret = await secret_of_crm(system)
    await system.ask("POST", f"{CRM}/rotate-secret", {"keep": "1h"})

    before = await verified(system, secret)
    system.clock.move(HOUR_MS + 1)
    after = await verified(system, secret, age_s=-HOUR_MS // 1_000)

    assert before.document["authentic"]
    assert after.document["code"] == "signature_mismatch"


async def test_a_large_body_is_checked_too_and_none_is_refused(system: System) -> None:
    secret = await secret_of_crm(system)

    large = await verified(system, secret, body=b"x" * 1_000_000)
    none = await system.ask("POST", f"{CRM}/verify", data=b"")

    assert large.document["authentic"]
    assert none.status == 422
