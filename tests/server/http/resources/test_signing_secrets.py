"""A signing secret rotated: receivers that know the old one, or the new one, are both served."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hookbundle.tests.hook_receiver import HookReceiver, Post, verified
from hookbundle.tests.in_process import HOUR_MS, System, daemon_in, event

ROTATE = "/v1/workspaces/acme/webhook/rotate-secret"


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    async with daemon_in(tmp_path) as system:
        yield system


async def rotated(system: System, receiver: HookReceiver, document: object = None) -> Any:
    answer = await system.ask("POST", ROTATE, document)
    assert answer.status == 200, answer
    receiver.trust(answer.document["secret"])
    return answer.document


async def sent(system: System, receiver: HookReceiver, message_id: str) -> Post:
    await system.accept("acme", event(message_id))
    await receiver.until(len(receiver.posts) + 1)
    return receiver.posts[-1]


async def test_both_secrets_sign_while_the_old_one_is_kept(
    system: System, receiver: HookReceiver
) -> None:
    old = await system.make("acme", receiver)
    new = await rotated(system, receiver, {"keep": "2h"})

    first = await sent(system, receiver, "m1")
    system.clock.move(2 * HOUR_MS)
    second = await sent(system, receiver, "m2")

    assert [verified(first, [old]), verified(first, [new["secret"]])] == [True, True]
    assert [verified(second, [old]), verified(second, [new["secret"]])] == [False, True]


async def test_the_old_secret_is_kept_for_a_day_if_nobody_says_otherwise(
    system: System, receiver: HookReceiver
) -> None:
    old = await system.make("acme", receiver)
    new = await rotated(system, receiver)

    system.clock.move(23 * HOUR_MS)

    assert new["previous_until"] is not None
    assert verified(await sent(system, receiver, "m1"), [old])


async def test_an_old_secret_that_is_not_kept_signs_no_more(
    system: System, receiver: HookReceiver
) -> None:
    old = await system.make("acme", receiver)
    new = await rotated(system, receiver, {"keep": "0s"})

    post = await sent(system, receiver, "m1")

    assert new["previous_until"] is None
    assert (verified(post, [old]), verified(post, [new["secret"]])) == (False, True)


async def test_a_rotation_is_a_change_and_shows_its_secret_once(
    system: System, receiver: HookReceiver
) -> None:
    await system.make("acme", receiver)
    new = await rotated(system, receiver)

    shown = await system.ask("GET", "/v1/workspaces/acme")
    activity = await system.ask("GET", "/v1/workspaces/acme/activity")

    assert shown.headers["etag"] == f'"{new["version"]}"'
    assert new["secret"].encode() not in shown.body + activity.body
    assert activity.document[0]["action"] == "secret rotated"
    await system.facts.until("workspace.secret_rotated", workspace="acme")
    assert new["secret"] not in str(system.facts.seen)


@pytest.mark.parametrize("keep", ["a day", "31d", "-1h", 24, None])
async def test_a_secret_is_not_kept_for_a_time_that_is_none(
    system: System, receiver: HookReceiver, keep: Any
) -> None:
    old = await system.make("acme", receiver)

    refused = await system.ask("POST", ROTATE, {"keep": keep})

    assert (refused.status, refused.document["errors"][0]["path"]) == (422, "keep")
    assert verified(await sent(system, receiver, "m1"), [old])


async def test_a_workspace_that_is_not_there_has_no_secret(system: System) -> None:
    assert (await system.ask("POST", ROTATE)).status == 404
