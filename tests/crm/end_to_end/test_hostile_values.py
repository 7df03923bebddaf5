"""What somebody writes into a message, a chat, an option or a header stays a value."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.tests.crm.conversations import CONTACT, PERSON
from hookbundle.tests.crm.end_to_end.setting_up import (
    DANA,
    Setup,
    ended,
    message,
    set_format,
    set_up,
    setup_of,
)
from hookbundle.tests.crm.requests.oauth_server import oauth_server
from hookbundle.tests.in_process import MINUTE_MS, daemon_in, until

HOOK = "/v1/workspaces/acme/webhooks/outbound"
INJECTED = "x\r\nX-Injected: 1\r\n\r\nGET / HTTP/1.1"
LIQUID = '{{ options.secret }}{% raw %}"}],"x":[{"'


OAUTH = {
    "type": "oauth2",
    "token_url": "https://id.example/token",
    "client_id": "hooks",
    "client_secret": "a secret",
    "scope": "notes",
}
OWNERS = {"hubspot-note": "contacts", "pipedrive-note": "person"}
HASTY = BackoffPolicy(steps_ms=(1,) * 10)


WRONG: list[dict[str, Any]] = [
    {"headers": {"X-A": INJECTED}},
    {"headers": {f"X-A: 1\r\nX-B{INJECTED}": "1"}},
    {"headers": {"X-A": "a\u0085b"}},
    {"headers": {"X-A": "a\x00b"}},
    {"headers": {"Transfer-Encoding": "chunked"}},
    {"headers": {"content-length": "0"}},
    {"headers": {f"X-{number}": "1" for number in range(21)}},
    {"method": "GET"},
    {"method": "POST / HTTP/1.1\r\nX: 1"},
    {"auth": {"type": "bearer", "token": INJECTED}},
    {"auth": {"type": "basic", "username": "a\r\nb", "password": "c"}},
    {"auth": {"type": "header", "name": "Host", "value": "inside.example"}},
    {"auth": {"type": "header", "name": "X-A", "value": INJECTED}},
    *({"auth": OAUTH | {name: INJECTED}} for name in OAUTH if name != "type"),
    {"auth": OAUTH | {"token_url": "http://169.254.169.254/latest/meta-data/"}},
    {"auth": OAUTH | {"token_url": "http://[::ffff:10.0.0.1]/token"}},
    {"auth": OAUTH | {"token_url": "file:///etc/passwd"}},
    {"auth": OAUTH | {"token_url": "https://id.example/t\r\nX: 1"}},
]
REFS = (
    *(" ", "0", "-1", "1e5", "null", "../../contacts", "@{c.id}", LIQUID, "512 OR 1=1"),
    *('512","x":"', "5" * 128, "٥١٢", "\u202e512", "\U0001f44d", "412abc", "0x19c", "nan", "true"),
)


@pytest.mark.parametrize(
    ("preset", "name"),
    [("hubspot-note", "hubspot_contact_id"), ("pipedrive-note", "pipedrive_person_id")],
)
async def test_a_record_id_that_makes_no_sense_costs_its_own_delivery_alone(
    tmp_path: Path, preset: str, name: str
) -> None:
    """Its receiver refuses it, or it is no id at all; the next conversation arrives."""
    setup = setup_of(preset)
    setup.receiver.now = iter(range(0, 10**9, 60)).__next__  # no rate is reached
    async with setup.receiver as receiver, daemon_in(tmp_path, policy=HASTY) as system:
        await set_up(system, setup, aggregation="none")
        for number, ref in enumerate(REFS):
            bad = message("bad", refs=False)
            bad["message"]["message_id"] = f"bad{number}"
            bad["chat"]["refs"] = {name: ref}
            await system.accept("acme", bad, message(f"m{number}"))
            await until(lambda at=number: is_there(setup, f"text of m{at}"))  # type: ignore[misc]

        assert (await system.hook())["enabled"]
        owners = {getattr(each, OWNERS[preset]) for each in setup.taken}
        assert owners <= {(CONTACT,), (), int(PERSON)}
        for each in receiver.heard:
            fields = set(msgspec.json.decode(each.body))
            assert fields <= {"properties", "associations", "content", "person_id"}


def is_there(setup: Setup, text: str) -> bool:
    return any(text in each.html for each in setup.taken)


async def test_options_and_texts_are_never_read_as_a_template(tmp_path: Path) -> None:
    setup = setup_of("zapier")
    template = {"template": {"text": "{{ messages | text }}", "a": "{{ options.a }}"}}
    async with setup.receiver, daemon_in(tmp_path) as system:
        await set_up(system, setup, aggregation="none")
        await set_format(system, template, {"a": LIQUID, "secret": "not shown"})
        await system.accept("acme", message("m1", text=LIQUID, chat={**DANA, "full_name": LIQUID}))
        await ended(system, 1)

        (posted,) = [msgspec.json.decode(body) for _, body in setup.posts]
        assert posted["a"] == LIQUID
        assert posted["text"].endswith(LIQUID)
        assert "not shown" not in repr(posted)


async def test_a_request_that_would_be_another_one_is_refused(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        url = {"url": "https://crm.example/", "enabled": False}
        made = {"name": "Acme", "owner_email": "owner@acme.example", "webhook": url}
        assert (await system.ask("PUT", "/v1/workspaces/acme", made)).status == 201
        before = await system.get(HOOK)
        for wrong in WRONG:
            refused = await system.ask("PATCH", HOOK, {"request": wrong})
            assert refused.status == 422, (wrong, refused)
        assert await system.get(HOOK) == before


async def test_a_token_endpoint_that_answers_anything_fails_the_attempt_and_no_more(
    tmp_path: Path,
) -> None:
    """Redirects to a secret place, tokens with a line break, 16 KiB of brackets, a slow answer."""
    setup = setup_of("zapier")
    answers: list[dict[str, Any]] = [
        {"status": 302},
        {"fields": {"access_token": INJECTED}},
        {"fields": {"access_token": "a" * 9_000}},
        {"fields": {"padding": nested(2_000)}},
        {"fields": {"expires_in": 10**400, "access_token": None}},
    ]
    async with (
        setup.receiver as receiver,
        oauth_server() as endpoint,
        daemon_in(tmp_path) as system,
    ):
        await set_up(system, setup, aggregation="none", request={"auth": endpoint.auth()})
        await system.accept("acme", message("m1"))
        for count, answer in enumerate(answers, 1):
            endpoint.status, endpoint.fields = 200, {}
            for name, value in answer.items():
                setattr(endpoint, name, value)
            if count > 1:
                system.clock.move(10 * 60 * MINUTE_MS)
            (fact, *_) = (await system.facts.until("delivery.failed", count))[count - 1 :]
            assert fact["data"]["error"].startswith("auth: the "), answer
            assert "X-Injected" not in repr(fact)
        assert receiver.heard == []

        endpoint.status, endpoint.fields = 200, {"expires_in": 10**400}
        system.clock.move(10 * 60 * MINUTE_MS)
        await ended(system, 1)
        assert len(setup.taken) == 1
        assert system.facts.known("actor.quarantined") == []


def nested(depth: int) -> Any:
    found: Any = []
    for _ in range(depth):
        found = [found]
    return found
