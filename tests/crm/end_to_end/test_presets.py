"""A conversation becomes one note at its receiver, with no program between.

A whole daemon, the presets as they are shipped, and stand-ins that behave as the receivers' own
documents say.
"""

from pathlib import Path

import pytest

from hookbundle.tests.crm.conversations import CONTACT, PERSON
from hookbundle.tests.crm.end_to_end.setting_up import (
    DANA,
    GROUP,
    NO_PHONE,
    ended,
    message,
    set_up,
    setup_of,
)
from hookbundle.tests.crm.stand_in import Refusal
from hookbundle.tests.in_process import HOUR_MS, MINUTE_MS, daemon_in

PRESETS = ("zapier", "hubspot-note", "salesforce-task", "pipedrive-note", "slack", "text")
LATER = {"hubspot-note": 201, "pipedrive-note": 201}


@pytest.mark.parametrize("preset", PRESETS)
async def test_a_conversation_is_one_note_also_after_a_receiver_that_was_down(
    tmp_path: Path, preset: str
) -> None:
    """First a 503, then a 429 that says when; then it is well."""
    setup = setup_of(preset)
    setup.receiver.troubles.extend([Refusal(503, "down"), Refusal(429, {}, {"Retry-After": "40"})])
    async with setup.receiver as receiver, daemon_in(tmp_path) as system:
        await set_up(system, setup)
        await system.accept("acme", message("m1"), message("m2", direction="sent"), message("m3"))
        system.clock.move(HOUR_MS)
        await system.facts.until("delivery.failed", 1)
        system.clock.move(MINUTE_MS)
        await system.facts.until("delivery.failed", 2)
        assert setup.taken == []
        system.clock.move(MINUTE_MS)
        await ended(system, 1)

        assert len(setup.taken) == 1
        assert len(set(setup.posts)) == 1
        assert len(setup.posts) == 3
        hook = await system.hook()
        assert (hook["enabled"], hook["consecutive_errors"]) == (True, 0)
        body = setup.posts[0][1].decode()
        places = [body.index(f"text of m{number}") for number in (1, 2, 3)]
        assert places == sorted(places)
        statuses = [each.status for each in receiver.heard if each.delivery_id]
        assert statuses == [503, 429, LATER.get(preset, 200)]


@pytest.mark.parametrize("preset", ["hubspot-note", "pipedrive-note", "salesforce-task"])
async def test_a_group_is_told_as_a_direct_chat_is(tmp_path: Path, preset: str) -> None:
    """A group may have record ids; it has no phone, so its task is nobody's."""
    setup = setup_of(preset)
    async with setup.receiver, daemon_in(tmp_path) as system:
        await set_up(system, setup)
        await system.accept("acme", message("m1", DANA), message("m2", GROUP))
        system.clock.move(HOUR_MS)
        await ended(system, 2)

        match preset:
            case "hubspot-note":
                assert [each.contacts for each in setup.taken] == [(CONTACT,)] * 2
            case "pipedrive-note":
                assert [each.person for each in setup.taken] == [int(PERSON)] * 2
            case _:
                assert sorted(bool(each.who) for each in setup.taken) == [False, True]


@pytest.mark.parametrize("no_record", ["send", "skip"])
@pytest.mark.parametrize("preset", ["hubspot-note", "salesforce-task"])
async def test_without_a_record_it_is_sent_or_skipped_as_the_option_says(
    tmp_path: Path, preset: str, no_record: str
) -> None:
    setup = setup_of(preset, no_record=no_record)
    async with setup.receiver, daemon_in(tmp_path) as system:
        await set_up(system, setup)
        await system.accept("acme", message("m1", NO_PHONE, refs=False))
        system.clock.move(HOUR_MS)
        if no_record == "send":
            await ended(system, 1)
            assert len(setup.taken) == 1
        else:
            await system.facts.until("delivery.discarded", 1, reason="no_record")
            system.clock.move(HOUR_MS)
        await system.accept("acme", message("m2"))
        system.clock.move(HOUR_MS)
        await ended(system, 2 if no_record == "send" else 1)

        (at_the_end,) = [body for _, body in setup.posts if b"text of m2" in body]
        assert at_the_end == setup.posts[-1][1]
        assert len(setup.posts) == (2 if no_record == "send" else 1)
        counted = (await system.ask("GET", "/metrics")).body.decode()
        skipped = [line for line in counted.splitlines() if "no_record" in line and line[0] != "#"]
        assert [float(line.split()[-1]) for line in skipped] == [float(no_record == "skip")], (
            skipped
        )
        assert (await system.hook())["consecutive_errors"] == 0


async def test_pipedrive_refuses_a_note_of_nobody_so_the_preset_skips_it_or_puts_it_to_the_company(
    tmp_path: Path,
) -> None:
    skipping, sending = (
        setup_of("pipedrive-note"),
        setup_of("pipedrive-note", no_record="send", org_id="77"),
    )
    async with skipping.receiver, sending.receiver, daemon_in(tmp_path) as system:
        for ws, setup in (("skips", skipping), ("sends", sending)):
            await set_up(system, setup, ws)
            await system.accept(ws, message("m1", refs=False))
        system.clock.move(HOUR_MS)
        await ended(system, 1, "sends")
        await system.facts.until("delivery.discarded", 1, reason="no_record", workspace="skips")

        assert [each.organisation for each in sending.taken] == [77]
        assert skipping.posts == []
