"""A URL that leads to another host takes no secret along, neither does a token URL."""

from pathlib import Path

from hookbundle.tests.crm.end_to_end.setting_up import ended, message, set_up, setup_of
from hookbundle.tests.crm.hubspot import HubSpot
from hookbundle.tests.crm.requests.oauth_server import oauth_server
from hookbundle.tests.crm.salesforce import Salesforce
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import MINUTE_MS, daemon_in

HOOK = "/v1/workspaces/acme/webhooks/outbound"
HEADER = "canary-of-a-header"


async def test_a_receiver_on_another_origin_gets_neither_header_nor_credentials(
    tmp_path: Path,
) -> None:
    """Also what was begun before: its next attempt goes to the new host, without them."""
    setup = setup_of("hubspot-note")
    async with setup.receiver as hubspot, HookReceiver() as other, daemon_in(tmp_path) as system:
        assert isinstance(hubspot, HubSpot)
        request = {"headers": {"X-Tenant": HEADER}, "auth": {"type": "bearer", "token": "wrong"}}
        secret = await set_up(system, setup, aggregation="none", request=request)
        other.trust(secret, "elsewhere")
        await system.accept("acme", message("m1"))
        await system.facts.until("delivery.failed", 1)
        assert hubspot.heard[0].headers["x-tenant"] == HEADER

        changed = await system.ask("PATCH", HOOK, {"url": other.url("elsewhere")})
        assert changed.status == 200, changed
        assert changed.document["dropped"] == ["headers", "auth"]
        system.clock.move(10 * MINUTE_MS)
        await ended(system, 1)

        (post,) = other.posts
        assert post.id == hubspot.heard[0].delivery_id
        assert post.body == hubspot.heard[0].body
        assert HEADER not in repr(post.headers)
        assert "authorization" not in post.headers
        assert "x-tenant" not in post.headers


async def test_a_token_endpoint_on_another_origin_never_gets_the_client_secret(
    tmp_path: Path,
) -> None:
    setup = setup_of("salesforce-task")
    async with setup.receiver as receiver, oauth_server() as other, daemon_in(tmp_path) as system:
        assert isinstance(receiver, Salesforce)
        await set_up(system, setup, aggregation="none")
        await system.accept("acme", message("m1"))
        await ended(system, 1)

        moved = {"request": {"auth": {"type": "oauth2", "set": True, "token_url": other.url}}}
        changed = await system.ask("PATCH", HOOK, moved)
        assert (changed.status, changed.document["dropped"]) == (200, ["client_secret"])
        await system.accept("acme", message("m2"))
        await system.facts.until("delivery.failed", 1)

        assert other.asked == []
        assert (await system.hook())["last_error"].startswith("auth")
        back = {"request": {"auth": {**setup.auth, "token_url": receiver.token_url}}}
        assert (await system.ask("PATCH", HOOK, back)).status == 200
        system.clock.move(10 * MINUTE_MS)
        await ended(system, 2)
        assert len(setup.taken) == 2
