"""The guides of receivers, followed against the stand-ins of tests/crm/."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from hookbundle.tests.crm.hubspot import HubSpot
from hookbundle.tests.crm.pipedrive import Pipedrive
from hookbundle.tests.crm.salesforce import Salesforce
from hookbundle.tests.crm.slack import Slack
from hookbundle.tests.crm.stand_in import TIMEOUT_S, StandIn
from hookbundle.tests.docs.following import follow

TEXT = "Are you open today?"
TEST_TEXT = "This is a test request."


@contextmanager
def beside(stand_in: StandIn) -> Iterator[str]:
    """Its origin. It runs in a thread of its own, as the page is followed without a loop."""
    ready, done = Event(), Event()

    async def serve() -> None:
        async with stand_in:
            ready.set()
            await asyncio.to_thread(done.wait)

    serving = Thread(target=asyncio.run, args=(serve(),))
    serving.start()
    try:
        assert ready.wait(TIMEOUT_S)
        yield stand_in.origin
    finally:
        done.set()
        serving.join(TIMEOUT_S)


def test_the_guide_of_hubspot_makes_a_note_of_the_contact() -> None:
    hubspot = HubSpot(["512"])

    with beside(hubspot) as origin:
        follow("guides/hubspot.md", receiver={"https://api.hubapi.com": origin})

    tested, note = hubspot.taken
    assert (tested.contacts, TEST_TEXT in tested.html) == ((), True)
    assert (note.contacts, TEXT in note.html) == (("512",), True)


def test_the_guide_of_pipedrive_makes_a_note_of_the_person() -> None:
    pipedrive = Pipedrive([412])

    with beside(pipedrive) as origin:
        follow("guides/pipedrive.md", receiver={"https://api.pipedrive.com": origin})

    (note,) = pipedrive.taken
    assert (note.person, TEXT in note.html) == (412, True)


def test_the_guide_of_salesforce_makes_a_task_of_the_contact_with_the_phone() -> None:
    salesforce = Salesforce(contacts=[("972501234567", {"LastName": "Levi"})])

    with beside(salesforce) as origin:
        follow("guides/salesforce.md", receiver={"https://acme.my.salesforce.com": origin})

    (task,) = [each for each in salesforce.taken if TEXT in each.fields["Description"]]
    assert task.who


def test_the_guide_of_slack_writes_into_the_channel() -> None:
    slack = Slack()

    with beside(slack) as origin:
        follow("guides/slack.md", receiver={"https://hooks.slack.com": origin})

    assert TEST_TEXT in slack.taken[0].text
    assert TEXT in slack.taken[-1].text
