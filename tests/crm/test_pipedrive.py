"""The stand-in of Pipedrive takes and refuses what Pipedrive's documents say."""

from typing import Any

import pytest

from hookbundle.tests.crm.pipedrive import Pipedrive
from hookbundle.tests.crm.posting import Reply, post


async def sent(pipedrive: Pipedrive, body: Any, token: str = "") -> Reply:
    return await post(pipedrive.url, body, x_api_token=token or pipedrive.token)


async def test_a_note_is_put_to_the_person() -> None:
    async with Pipedrive([412]) as pipedrive:
        reply = await sent(pipedrive, {"content": "<b>hi</b>", "person_id": 412})

        assert (reply.status, reply.document["success"]) == (201, True)
        assert [(note.person, note.html) for note in pipedrive.taken] == [(412, "<b>hi</b>")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[]", 400),
        ({"person_id": 412}, 400),
        ({"content": "", "person_id": 412}, 400),
        ({"content": "hi"}, 400),
        ({"content": "hi", "person_id": "412"}, 400),
        ({"content": "hi", "lead_id": "412"}, 400),
        ({"content": "x" * 100_001, "person_id": 412}, 400),
        ({"content": "hi", "person_id": 412, "text": "hi"}, 400),
        ({"content": "hi", "person_id": 413}, 404),
    ],
)
async def test_what_is_not_valid_is_refused_and_makes_no_note(body: Any, status: int) -> None:
    async with Pipedrive([412]) as pipedrive:
        reply = await sent(pipedrive, body)

        assert (reply.status, reply.document["success"]) == (status, False)
        assert pipedrive.taken == []


async def test_a_wrong_token_is_a_401() -> None:
    async with Pipedrive([412]) as pipedrive:
        reply = await sent(pipedrive, {"content": "hi", "person_id": 412}, "wrong")

        assert (reply.status, reply.document["success"]) == (401, False)


async def test_a_burst_past_20_in_two_seconds_is_a_429_that_says_when_it_is_over() -> None:
    at = 0.0
    async with Pipedrive([412]) as pipedrive:
        pipedrive.now = lambda: at
        for _ in range(pipedrive.rate.most):
            pipedrive.rate.wait_s(at)
        over = await sent(pipedrive, {"content": "hi", "person_id": 412})
        at = 2.0
        later = await sent(pipedrive, {"content": "hi", "person_id": 412})

        assert [over.status, later.status] == [429, 201]
        assert over.headers["x-ratelimit-reset"] == "2"
