"""Each preset's bodies are taken by a stand-in of its receiver, and its answers read rightly."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest

from hookbundle.engine.formats.jobs import Rendered
from hookbundle.engine.formats.presets import Preset, presets
from hookbundle.engine.formats.rendering import rendered
from hookbundle.tests.crm import conversations
from hookbundle.tests.crm.conversations import (
    BODIES,
    CONTACT,
    HUBSPOT,
    ORGANISATION,
    PERSON,
    PHONE_DIGITS,
    PIPEDRIVE,
    PIPEDRIVE_ALL,
    SALESFORCE,
    SALESFORCE_NEW,
    SLACK,
    ZAPIER,
    Setting,
)
from hookbundle.tests.crm.hubspot import HubSpot
from hookbundle.tests.crm.pipedrive import Pipedrive
from hookbundle.tests.crm.posting import Reply, judged, post
from hookbundle.tests.crm.salesforce import Salesforce
from hookbundle.tests.crm.slack import Slack
from hookbundle.tests.crm.zapier import Zapier

LAST_MS = 1_614_183_961_000  # of the case "direct": 2021-02-24T16:26:01Z
EVERY = [*BODIES, "single", "names"]
KNOWN = (PHONE_DIGITS, {"LastName": "Levi"})


def preset_of(setting: Setting) -> Preset:
    return presets()[setting.preset]


def body_of(setting: Setting, case: str = "direct", *, has_record: bool = True) -> Rendered:
    """As a webhook with the preset's own limits sends it."""
    most = preset_of(setting).limits.bytes or 0
    made = rendered(conversations.of(setting, case, has_record=has_record, bytes_max=most))
    assert isinstance(made, Rendered), made
    return made


def headers_of(stand_in: HubSpot | Salesforce) -> Mapping[str, str]:
    return {"authorization": f"Bearer {stand_in.token}"}


def judged_as(setting: Setting, reply: Reply) -> str:
    return judged(preset_of(setting), reply)


@pytest.mark.parametrize("case", EVERY)
async def test_hubspot_puts_one_note_to_the_contact(case: str) -> None:
    async with HubSpot([CONTACT]) as hubspot:
        reply = await post(hubspot.url, body_of(HUBSPOT, case).body, **headers_of(hubspot))

        assert (reply.status, judged_as(HUBSPOT, reply)) == (201, "delivered")
        assert [note.contacts for note in hubspot.taken] == [(CONTACT,)]


async def test_hubspot_puts_a_note_where_its_last_message_was() -> None:
    async with HubSpot([CONTACT]) as hubspot:
        await post(hubspot.url, body_of(HUBSPOT).body, **headers_of(hubspot))

        assert hubspot.taken[0].at_ms == LAST_MS
        assert "<strong>Dana Levi</strong>: Good morning<br/>" in hubspot.taken[0].html


async def test_a_text_longer_than_hubspot_takes_is_cut_with_a_mark() -> None:
    made = body_of(HUBSPOT, "long")
    async with HubSpot([CONTACT]) as hubspot:
        await post(hubspot.url, made.body, **headers_of(hubspot))

        assert made.cut == 1
        assert "characters more)<br/>" in hubspot.taken[0].html
        assert hubspot.taken[0].html.count("<br/>") == 4
        assert "short" in hubspot.taken[0].html


async def test_hubspot_takes_a_note_of_a_chat_without_a_record_that_stands_alone() -> None:
    async with HubSpot() as hubspot:
        body = body_of(HUBSPOT, has_record=False).body
        reply = await post(hubspot.url, body, **headers_of(hubspot))

        assert judged_as(HUBSPOT, reply) == "delivered"
        assert [note.contacts for note in hubspot.taken] == [()]


async def test_hubspot_without_the_contact_or_the_token_is_a_rejection() -> None:
    async with HubSpot() as hubspot:
        absent = await post(hubspot.url, body_of(HUBSPOT).body, **headers_of(hubspot))
        wrong = await post(hubspot.url, body_of(HUBSPOT).body, authorization="Bearer other")

        assert [judged_as(HUBSPOT, each) for each in (absent, wrong)] == ["rejected", "rejected"]
        assert hubspot.taken == []


@pytest.mark.parametrize("case", EVERY)
async def test_pipedrive_puts_one_note_to_the_person(case: str) -> None:
    async with Pipedrive([int(PERSON)]) as pipedrive:
        body = body_of(PIPEDRIVE, case).body
        reply = await post(pipedrive.url, body, x_api_token=pipedrive.token)

        assert (reply.status, judged_as(PIPEDRIVE, reply)) == (201, "delivered")
        assert [note.person for note in pipedrive.taken] == [int(PERSON)]


async def test_pipedrive_gets_a_chat_without_a_person_only_where_an_organisation_is_set() -> None:
    async with Pipedrive(organisations=[int(ORGANISATION)]) as pipedrive:
        body = body_of(PIPEDRIVE_ALL, has_record=False).body
        reply = await post(pipedrive.url, body, x_api_token=pipedrive.token)
        alone = replace(PIPEDRIVE, options={"no_record": "send"})
        refused = await post(
            pipedrive.url, body_of(alone, has_record=False).body, x_api_token=pipedrive.token
        )

        assert [judged_as(PIPEDRIVE, each) for each in (reply, refused)] == [
            "delivered",
            "rejected",
        ]
        assert [note.organisation for note in pipedrive.taken] == [int(ORGANISATION)]


def test_a_success_that_pipedrive_denies_is_not_one() -> None:
    assert judged_as(PIPEDRIVE, Reply(200, {}, b'{"success":false}')) == "rejected"


@pytest.mark.parametrize("case", EVERY)
async def test_salesforce_makes_one_task_of_the_contact_with_the_phone(case: str) -> None:
    """A group has no phone, so its task is nobody's."""
    async with Salesforce(contacts=[KNOWN]) as salesforce:
        reply = await post(salesforce.url, body_of(SALESFORCE, case).body, **headers_of(salesforce))

        assert (reply.status, judged_as(SALESFORCE, reply)) == (200, "delivered")
        owners = [] if case == "group" else [*salesforce.records.contacts]
        assert [task.who for task in salesforce.taken] == (owners or [""])
        assert [each["LastName"] for each in salesforce.records.contacts.values()] == ["Levi"]


@pytest.mark.parametrize(("case", "name"), [("direct", "Dana Levi"), ("names", "👩🏽 👩🏽 ")])
async def test_salesforce_makes_a_contact_for_a_new_phone_where_that_is_wanted(
    case: str, name: str
) -> None:
    async with Salesforce() as salesforce:
        body = body_of(SALESFORCE_NEW, case).body
        first = await post(salesforce.url, body, **headers_of(salesforce))
        again = await post(salesforce.url, body, **headers_of(salesforce))

        assert [judged_as(SALESFORCE, each) for each in (first, again)] == ["delivered"] * 2
        (contact,) = salesforce.records.contacts.values()
        assert (contact["LastName"][: len(name)], contact["WA_Phone__c"]) == (name, PHONE_DIGITS)
        assert len(salesforce.taken) == 2


@pytest.mark.parametrize("setting", [SALESFORCE, SALESFORCE_NEW], ids=["contact", "task"])
async def test_a_part_that_salesforce_refuses_within_its_200_is_not_delivered(
    setting: Setting,
) -> None:
    """Once the contact, which is not there; once the task, whose subject is too long."""
    async with Salesforce() as salesforce:
        body = body_of(setting).body
        if setting is SALESFORCE_NEW:
            body = body.replace(b'"WhatsApp: Dana Levi"', msgspec.json.encode("x" * 256))
        reply = await post(salesforce.url, body, **headers_of(salesforce))

        assert (reply.status, judged_as(setting, reply)) == (200, "rejected")
        assert (salesforce.taken, salesforce.records.contacts) == ([], {})


async def test_a_task_without_a_contact_that_salesforce_refuses_is_not_delivered() -> None:
    async with Salesforce() as salesforce:
        body = body_of(SALESFORCE, has_record=False).body
        refused = body.replace(b'"Status"', b'"Colour"')
        reply = await post(salesforce.url, refused, **headers_of(salesforce))

        assert (reply.status, judged_as(SALESFORCE, reply)) == (200, "rejected")


async def test_an_answer_that_is_no_composite_one_is_not_delivered() -> None:
    assert judged_as(SALESFORCE, Reply(200, {}, b"{}")) == "failed"


async def test_a_text_that_looks_like_a_reference_of_salesforce_stays_a_text() -> None:
    async with Salesforce(contacts=[KNOWN]) as salesforce:
        body = body_of(SALESFORCE_NEW, "reference").body
        reply = await post(salesforce.url, body, **headers_of(salesforce))

        assert judged_as(SALESFORCE, reply) == "delivered"
        description = salesforce.taken[0].fields["Description"]
        assert "pay @{c.id} or {{ chat.phone }} or @{x.y}" in description.replace("\u200b", "")


@pytest.mark.parametrize("case", EVERY)
async def test_zapier_sees_the_conversation_in_flat_fields(case: str) -> None:
    async with Zapier() as zapier:
        reply = await post(zapier.url, body_of(ZAPIER, case).body)

        assert judged_as(ZAPIER, reply) == "delivered"
        (fields,) = zapier.taken
        assert list(fields)[:4] == ["text", "title", "name", "phone"]
        assert all(isinstance(fields[name], str) for name in ("text", "title", "phone", "link"))
        assert fields["refs__hubspot_contact_id"] == CONTACT


async def test_zapier_gets_the_messages_as_line_items_too() -> None:
    async with Zapier() as zapier:
        await post(zapier.url, body_of(ZAPIER).body)

        (fields,) = zapier.taken
        assert fields["messages__text"] == ["Good morning", "Hello Dana"]
        assert (
            fields["text"]
            == "2021-02-24 18:25 Dana Levi: Good morning\n2021-02-24 18:26 Avi: Hello Dana"
        )
        assert fields["last_message_ms"] == LAST_MS


@pytest.mark.parametrize("case", EVERY)
async def test_slack_shows_the_text_whole_and_reads_no_markup_in_it(case: str) -> None:
    async with Slack() as slack:
        reply = await post(slack.url, body_of(SLACK, case).body)

        assert judged_as(SLACK, reply) == "delivered"
        assert [(shown.cut, shown.markup) for shown in slack.taken] == [(False, ())]
