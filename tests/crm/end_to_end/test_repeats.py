"""What a receiver may see twice, and what never: with a format as without one.

HubSpot has no key for "only once", so each repeat is a second note on somebody's timeline.
"""

from pathlib import Path
from typing import Any

import pytest

from hookbundle.tests.crm.end_to_end.setting_up import (
    Setup,
    ended,
    message,
    set_format,
    set_up,
    setup_of,
)
from hookbundle.tests.crm.hubspot import HubSpot
from hookbundle.tests.crm.salesforce import Salesforce
from hookbundle.tests.crm.stand_in import Lost, Refusal
from hookbundle.tests.in_process import MINUTE_MS, System, daemon_in, until

GONE: dict[str, Any] = {"type": "bearer", "token": "pat-eu1-of-somebody-else"}


async def sent_alone(system: System, setup: Setup, *ids: str) -> None:
    """Each message becomes a delivery of its own."""
    await set_up(system, setup, aggregation="none")
    await system.accept("acme", *(message(each) for each in ids))


async def rejected(system: System, errors: int) -> None:
    """So many attempts in a row were; each third one makes a dead letter. The wait is over then."""
    kind = "delivery.failed" if errors % 3 else "delivery.dead_lettered"
    await system.facts.until(kind, 1, errors=errors)
    system.clock.move(10 * 60 * MINUTE_MS)


def texts(setup: Setup) -> list[str]:
    """Of which message each request was, in order."""
    bodies = [body.decode() for _, body in setup.posts]
    return [body[body.index("text of ") + 8 :][:2] for body in bodies]


async def test_an_answer_that_is_lost_repeats_the_same_bytes_once(tmp_path: Path) -> None:
    """The connection was new, so nobody knows whether it was taken: an error, and a step later."""
    setup = setup_of("hubspot-note")
    setup.receiver.troubles.append(Lost())
    async with setup.receiver, daemon_in(tmp_path) as system:
        await sent_alone(system, setup, "m1", "m2")
        await system.facts.until("delivery.failed", 1)
        await set_format(system, "slack")  # what has left keeps its bytes
        await set_format(system, setup.preset)
        system.clock.move(MINUTE_MS)
        await ended(system, 2)

        assert texts(setup) == ["m1", "m1", "m2"]
        assert setup.posts[0] == setup.posts[1]
        assert len(setup.taken) == 3


async def test_a_kept_connection_that_ends_without_an_answer_repeats_once_at_once(
    tmp_path: Path,
) -> None:
    setup = setup_of("hubspot-note")
    setup.receiver.troubles.extend([None, Lost()])
    async with setup.receiver, daemon_in(tmp_path) as system:
        await sent_alone(system, setup, "m1", "m2", "m3")
        await ended(system, 3)

        assert texts(setup) == ["m1", "m2", "m2", "m3"]
        assert setup.posts[1] == setup.posts[2]
        assert system.facts.known("delivery.failed") == []


async def test_a_daemon_that_ends_between_request_and_answer_repeats_the_same_bytes(
    tmp_path: Path,
) -> None:
    """The format is another one by then; what has left is not rendered anew."""
    setup = setup_of("hubspot-note")
    async with setup.receiver as receiver:
        receiver.gate.clear()
        async with daemon_in(tmp_path) as system:
            await sent_alone(system, setup, "m1", "m2")
            await until(lambda: len(setup.taken) == 1)
            await set_format(system, {"template": {"properties": {}}})
            system.daemon.expire()
        receiver.gate.set()
        async with daemon_in(tmp_path, system.clock) as system:
            await system.facts.until("delivery.delivered", 1)
            await set_format(system, setup.preset)
            system.clock.move(10 * MINUTE_MS)
            await ended(system, 2)

    assert texts(setup)[:2] == ["m1", "m1"]
    assert setup.posts[0] == setup.posts[1]


@pytest.mark.parametrize("preset", ["hubspot-note", "salesforce-task", "pipedrive-note"])
async def test_switched_off_and_on_each_conversation_is_one_note_in_order(
    tmp_path: Path, preset: str
) -> None:
    setup = setup_of(preset)
    async with setup.receiver, daemon_in(tmp_path) as system:
        await set_up(system, setup, aggregation="none")
        await system.accept("acme", message("m1"))
        await ended(system, 1)
        await system.switch("acme", "disable")
        await system.accept("acme", *(message(f"m{number}") for number in range(2, 6)))
        assert len(setup.taken) == 1
        await system.switch("acme", "enable")
        await ended(system, 5)

        assert texts(setup) == ["m1", "m2", "m3", "m4", "m5"]
        assert len(setup.taken) == 5


async def test_a_token_that_hubspot_does_not_know_is_named_and_disables_in_the_end(
    tmp_path: Path,
) -> None:
    setup = setup_of("hubspot-note")
    async with setup.receiver as receiver, daemon_in(tmp_path) as system:
        assert isinstance(receiver, HubSpot)
        await set_up(system, setup, aggregation="none", request={"auth": GONE})
        await system.accept("acme", *(message(f"m{number}") for number in range(1, 6)))
        for count in range(1, 12):
            await rejected(system, count)
        await system.facts.until("webhook.disabled", 1)

        hook = await system.hook()
        assert (hook["enabled"], hook["counts"]["dead_letters"]) == (False, 3)
        assert "401" in hook["last_error"]
        assert setup.taken == []
        assert len(setup.posts) == 11

        changed = {"webhook": {"request": {"auth": setup.auth}}}
        assert (await system.ask("PATCH", "/v1/workspaces/acme", changed)).status == 200
        await system.switch("acme", "enable")
        await ended(system, 5)
        assert len(setup.taken) == 5
        assert texts(setup)[11:] == ["m1", "m2", "m3", "m4", "m5"]


async def test_a_part_that_fails_within_salesforces_200_is_no_delivery(tmp_path: Path) -> None:
    """Nobody has the phone, and contacts are not to be made: nothing was done of the request."""
    setup = setup_of("salesforce-task")
    async with setup.receiver as receiver, daemon_in(tmp_path) as system:
        assert isinstance(receiver, Salesforce)
        contacts = dict(receiver.records.contacts)
        receiver.records.contacts.clear()
        await sent_alone(system, setup, "m1")
        for count in (1, 2, 3):
            await rejected(system, count)
        (fact, _) = system.facts.known("delivery.failed")
        assert "/compositeResponse/0/body/0/errorCode is there" in fact["data"]["error"]
        assert setup.taken == []
        assert [each.status for each in receiver.heard if each.delivery_id] == [200] * 3

        receiver.records.contacts.update(contacts)
        await system.accept("acme", message("m2"))
        await ended(system, 1)
        assert [each.who for each in setup.taken] == list(contacts)


async def test_a_session_of_salesforce_that_has_ended_is_begun_anew_within_the_attempt(
    tmp_path: Path,
) -> None:
    setup = setup_of("salesforce-task")
    async with setup.receiver as receiver, daemon_in(tmp_path) as system:
        assert isinstance(receiver, Salesforce)
        await sent_alone(system, setup, "m1")
        await ended(system, 1)
        receiver.end_session()
        await system.accept("acme", message("m2"))
        await ended(system, 2)

        assert texts(setup) == ["m1", "m2", "m2"]
        assert [each.status for each in receiver.heard if each.delivery_id] == [200, 401, 200]
        assert len(setup.taken) == 2
        assert system.facts.known("delivery.failed") == []


async def test_a_receiver_that_is_down_counts_and_is_not_called_for_what_it_never_got(
    tmp_path: Path,
) -> None:
    """Eleven answers 500: disabled; then one note each."""
    setup = setup_of("zapier")
    setup.receiver.troubles.extend([Refusal(500, "down")] * 11)
    async with setup.receiver, daemon_in(tmp_path) as system:
        await sent_alone(system, setup, "m1")
        for count in range(1, 12):
            await system.facts.until("delivery.failed", count)
            system.clock.move(10 * 60 * MINUTE_MS)
        await system.facts.until("webhook.disabled", 1)
        assert len(setup.posts) == 11

        await system.switch("acme", "enable")
        await ended(system, 1)
        assert len(set(setup.posts)) == 1
        assert len(setup.taken) == 1
