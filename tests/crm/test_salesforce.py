"""The stand-in of Salesforce takes and refuses what Salesforce's documents say."""

from typing import Any

import pytest
from aiohttp import encode_basic_auth

from hookbundle.tests.crm.posting import Reply, post
from hookbundle.tests.crm.salesforce import Salesforce

SOBJECTS = "/services/data/v60.0/sobjects"
KNOWN = ("972501234567", {"LastName": "Levi"})


def upsert(
    phone: str = "972501234567", field: str = "WA_Phone__c", base: str = SOBJECTS, **body: Any
) -> dict[str, Any]:
    url = f"{base}/Contact/{field}/{phone}"
    return {"method": "PATCH", "url": url, "referenceId": "c", "body": body}


def task(base: str = SOBJECTS, **body: Any) -> dict[str, Any]:
    whole = {"Subject": "WhatsApp", "WhoId": "@{c.id}", **body}
    return {"method": "POST", "url": f"{base}/Task", "referenceId": "t", "body": whole}


async def sent(salesforce: Salesforce, *parts: Any, all_or_none: bool = True) -> Reply:
    body = {"allOrNone": all_or_none, "compositeRequest": list(parts)}
    return await post(salesforce.url, body, authorization=f"Bearer {salesforce.token}")


def parts_of(reply: Reply) -> list[tuple[int, str]]:
    """The status of each part, and its error's code."""
    return [
        (
            each["httpStatusCode"],
            each["body"][0]["errorCode"] if each["httpStatusCode"] >= 400 else "",
        )
        for each in reply.document["compositeResponse"]
    ]


async def test_a_contact_and_its_task_are_made_in_one_request() -> None:
    async with Salesforce() as salesforce:
        reply = await sent(salesforce, upsert(LastName="Levi"), task())

        assert (reply.status, parts_of(reply)) == (200, [(201, ""), (201, "")])
        made = reply.document["compositeResponse"][0]["body"]
        assert made["created"] is True
        assert [each.who for each in salesforce.taken] == [made["id"]]


async def test_a_contact_that_is_there_is_updated_and_keeps_its_id() -> None:
    async with Salesforce(contacts=[KNOWN]) as salesforce:
        reply = await sent(salesforce, upsert(FirstName="Dana"), task())

        assert parts_of(reply) == [(200, ""), (201, "")]
        (contact,) = salesforce.records.contacts.values()
        assert (contact["LastName"], contact["FirstName"]) == ("Levi", "Dana")


@pytest.mark.parametrize(
    ("parts", "statuses"),
    [
        ([upsert(), task()], ["REQUIRED_FIELD_MISSING", "PROCESSING_HALTED"]),
        (
            [upsert(LastName="Levi"), task(Description="x" * 32_001)],
            ["PROCESSING_HALTED", "STRING_TOO_LONG"],
        ),
        ([upsert(LastName="x" * 81), task()], ["STRING_TOO_LONG", "PROCESSING_HALTED"]),
        ([upsert(field="Other__c", LastName="Levi"), task()], ["NOT_FOUND", "PROCESSING_HALTED"]),
        ([upsert(LastName="Levi", Color="red"), task()], ["INVALID_FIELD", "PROCESSING_HALTED"]),
        (
            [upsert(LastName="Levi"), task(WhoId="@{d.id}")],
            ["PROCESSING_HALTED", "PROCESSING_HALTED"],
        ),
        (
            [upsert(LastName="Levi"), task(Description="look: @{x.y}")],
            ["PROCESSING_HALTED", "PROCESSING_HALTED"],
        ),
    ],
)
async def test_a_part_that_fails_undoes_all_within_a_200(parts: Any, statuses: list[str]) -> None:
    async with Salesforce() as salesforce:
        reply = await sent(salesforce, *parts)

        assert reply.status == 200
        assert [code for _, code in parts_of(reply)] == statuses
        assert (salesforce.taken, salesforce.records.contacts) == ([], {})


async def test_without_all_or_none_the_parts_that_need_nothing_of_it_are_done() -> None:
    async with Salesforce() as salesforce:
        await sent(salesforce, upsert(), task(WhoId=None), all_or_none=False)

        assert len(salesforce.taken) == 1


async def test_two_contacts_with_one_external_id_are_a_300_and_no_task() -> None:
    async with Salesforce(contacts=[KNOWN, KNOWN]) as salesforce:
        await sent(salesforce, upsert(LastName="Levi"), task())

        assert salesforce.taken == []


async def test_before_version_46_an_update_says_nothing_so_nothing_can_refer_to_it() -> None:
    base = "/services/data/v45.0/sobjects"
    async with Salesforce(contacts=[KNOWN]) as salesforce:
        body = {"compositeRequest": [upsert(base=base, FirstName="Dana")]}
        url = salesforce.url.replace("60.0", "45.0")
        reply = await post(url, body, authorization=f"Bearer {salesforce.token}")

        (part,) = reply.document["compositeResponse"]
        assert (part["httpStatusCode"], part["body"]) == (204, None)


async def test_a_session_that_has_ended_is_a_401_until_another_token_is_fetched() -> None:
    async with Salesforce() as salesforce:
        old = salesforce.token
        salesforce.end_session()
        ended = await post(salesforce.url, {}, authorization=f"Bearer {old}")
        form = b"grant_type=client_credentials&client_id=3MVG9.client&client_secret=client+secret"
        given = await post(salesforce.token_url, form)
        again = await sent(salesforce, upsert(LastName="Levi"), task())

        assert (ended.status, ended.document[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
        assert given.document["access_token"] == salesforce.token
        assert "expires_in" not in given.document
        assert again.status == 200


async def test_the_client_may_stand_in_the_header_too() -> None:
    async with Salesforce() as salesforce:
        basic = encode_basic_auth(*salesforce.client)
        reply = await post(
            salesforce.token_url, b"grant_type=client_credentials", authorization=basic
        )

        assert reply.document["access_token"] == salesforce.token


async def test_a_wrong_client_gets_no_token() -> None:
    async with Salesforce() as salesforce:
        form = b"grant_type=client_credentials&client_id=3MVG9.client&client_secret=wrong"
        reply = await post(salesforce.token_url, form)

        assert (reply.status, reply.document["error"]) == (400, "invalid_client")


async def test_what_is_no_composite_request_is_a_400_and_past_the_day_a_403() -> None:
    async with Salesforce() as salesforce:
        none = await sent(salesforce)
        many = await sent(salesforce, *[upsert(LastName="Levi")] * 26)
        named = await sent(salesforce, {**upsert(), "referenceId": "a-b"})
        salesforce.calls_left = 0
        over = await sent(salesforce, upsert(LastName="Levi"))

        assert [none.status, many.status, named.status, over.status] == [400, 400, 400, 403]
        assert over.document[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
