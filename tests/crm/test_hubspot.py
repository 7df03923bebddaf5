"""The stand-in of HubSpot takes and refuses what HubSpot's documents say."""

from typing import Any

import pytest

from hookbundle.tests.crm.hubspot import HubSpot
from hookbundle.tests.crm.posting import Reply, post


def association(contact: str = "512", kind: int = 202) -> dict[str, Any]:
    kinds = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}]
    return {"to": {"id": contact}, "types": kinds}


def note(text: str = "hi", at: Any = "1614183961000", *associations: Any) -> dict[str, Any]:
    properties = {"hs_timestamp": at, "hs_note_body": text}
    return {"properties": properties, "associations": list(associations)}


async def sent(hubspot: HubSpot, body: Any, token: str = "") -> Reply:
    return await post(hubspot.url, body, authorization=f"Bearer {token or hubspot.token}")


async def test_a_note_is_made_on_the_contacts_timeline() -> None:
    async with HubSpot(["512"]) as hubspot:
        reply = await sent(hubspot, note("hi", "1614183961000", association()))

        assert (reply.status, reply.document["id"]) == (201, hubspot.taken[0].id)
        (taken,) = hubspot.taken
        assert (taken.contacts, taken.at_ms, taken.html) == (("512",), 1_614_183_961_000, "hi")


@pytest.mark.parametrize("at", [1_614_183_961_000, "2021-02-24T16:26:01Z"])
async def test_a_time_is_milliseconds_or_iso_8601(at: Any) -> None:
    async with HubSpot() as hubspot:
        await sent(hubspot, note("hi", at))

        assert hubspot.taken[0].at_ms == 1_614_183_961_000


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "JSON"),
        ({"properties": {"hs_note_body": "hi"}}, "hs_timestamp"),
        (note("hi", "yesterday"), "hs_timestamp"),
        (note("x" * 65_537), "65536"),
        (note("hi", 1, association("513")), "513"),
        (note("hi", 1, association(kind=190)), "190"),
        (note("hi", 1, {"to": {"id": "512"}}), "types"),
        ({"properties": {"hs_timestamp": 1, "hs_body": "hi"}}, "PROPERTY_DOESNT_EXIST"),
        ({"text": "hi"}, "Unrecognized"),
    ],
)
async def test_what_is_not_valid_is_refused_and_makes_no_note(body: Any, said: str) -> None:
    async with HubSpot(["512"]) as hubspot:
        reply = await sent(hubspot, body)

        assert (reply.status, reply.document["category"]) == (400, "VALIDATION_ERROR")
        assert said in reply.document["message"]
        assert hubspot.taken == []


async def test_a_body_of_the_largest_size_is_taken() -> None:
    async with HubSpot() as hubspot:
        assert (await sent(hubspot, note("x" * 65_536))).status == 201


async def test_a_wrong_token_is_a_401_and_a_missing_scope_a_403() -> None:
    async with HubSpot(scopes=["tickets"]) as hubspot:
        wrong = await sent(hubspot, note(), "pat-wrong")
        without = await sent(hubspot, note())

        assert (wrong.status, wrong.document["category"]) == (401, "INVALID_AUTHENTICATION")
        assert (without.status, without.document["category"]) == (403, "MISSING_SCOPES")


async def test_more_than_100_requests_in_10_seconds_are_a_429_that_says_which_limit() -> None:
    at = 0.0
    async with HubSpot() as hubspot:
        hubspot.now = lambda: at
        for _ in range(hubspot.rate.most - 1):
            hubspot.rate.wait_s(at)
        last = await sent(hubspot, note())
        over = await sent(hubspot, note())
        at = 10.0
        later = await sent(hubspot, note())

        assert [last.status, over.status, later.status] == [201, 429, 201]
        assert last.headers["x-hubspot-ratelimit-remaining"] == "0"
        assert over.headers["x-hubspot-ratelimit-interval-milliseconds"] == "10000"
        assert over.document["policyName"] == "TEN_SECONDLY_ROLLING"
        assert len(hubspot.taken) == 2
