"""One form for times and names, wherever the API shows them; and what joins the two logs."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import HOUR_MS, System, event

ACME = "/v1/workspaces/acme"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TIMES = {"at", "time", "now", "due", "expires", "keep_until", "next_attempt", "previous_until"}
EPOCH = range(1_500_000_000, 5_000_000_000)


def members(document: Any) -> Iterator[tuple[str, Any]]:
    """All members of the document, at any depth, but those of what others have sent."""
    if isinstance(document, list):
        for each in document:
            yield from members(each)
    if isinstance(document, dict):
        for name, value in document.items():
            yield name, value
            if name not in ("request", "response"):
                yield from members(value)


def assert_one_form(document: Any, *, is_event: bool = False) -> None:
    for name, value in members(document):
        if name in TIMES or name.endswith("_at"):
            assert value is None or TIME.fullmatch(value), (name, value)
        elif isinstance(value, int) and not isinstance(value, bool):
            assert value not in EPOCH, (name, value)
            assert value // 1_000 not in EPOCH, (name, value)
        assert is_event or name != "chat", document


@pytest.fixture
async def lived(hasty: System, receiver: HookReceiver) -> System:
    """A daemon with something to show of everything."""
    receiver.answers(404)
    await hasty.accept("acme", event("m1", "dead"))
    await hasty.facts.until("delivery.dead_lettered")
    receiver.answers(200)
    await hasty.accept("acme", event("m2", "sent"))
    await hasty.facts.until("delivery.delivered")
    await hasty.switch("acme", "test")
    await hasty.ask("PATCH", ACME, {"webhook": {"aggregation": "6h"}})
    await hasty.accept("acme", event("m3", "open"))
    await hasty.switch("acme", "rotate-secret", {"keep": "1h"})
    await hasty.ask("POST", "/v1/tokens", {"scope": "intake", "workspace": "acme"})
    return hasty


@pytest.mark.parametrize(
    "path",
    [
        "/v1/workspaces",
        ACME,
        f"{ACME}/activity",
        f"{ACME}/log",
        f"{ACME}/chats",
        f"{ACME}/chats/open",
        f"{ACME}/deliveries",
        "/v1/chats",
        "/v1/tokens",
        "/v1/status",
    ],
)
async def test_documents_have_it(lived: System, path: str) -> None:
    document = await lived.get(path)

    assert document
    assert_one_form(document)


async def test_events_have_it_on_the_socket_and_over_http(lived: System) -> None:
    await lived.facts.until("token.created")
    seen = {fact["type"] for fact in lived.facts.seen}

    for fact in lived.facts.seen:
        assert_one_form(fact, is_event=True)
        assert fact["chat_id"] == fact["chat"]
    assert {"message.received", "delivery.dead_lettered", "workspace.secret_rotated"} <= seen
    url = "http://hookbundle/v1/events?since=oldest&type=message.received"
    async with lived.session.get(url) as answer:
        async for line in answer.content:
            if line.startswith(b"data: "):
                sent = msgspec.json.decode(line.removeprefix(b"data: "))
                break
    (first, *_) = await lived.facts.until("message.received")
    assert sent == first


async def test_a_window_s_end_is_the_same_in_its_fact_and_in_its_document(lived: System) -> None:
    (shown,) = (await lived.get(f"{ACME}/chats"))["chats"]
    (told,) = await lived.facts.until("message.received", chat_id="open")

    assert told["data"]["due"] == shown["due_at"]


async def test_a_line_of_the_activity_is_found_in_the_detailed_log(lived: System) -> None:
    activity = await lived.get(f"{ACME}/activity")
    log = await lived.get(f"{ACME}/log")
    waiting = await lived.get(f"{ACME}/deliveries?order=queue")

    requests = {(each["webhook"], each["delivery_id"], each["attempt"]): each for each in log}
    joined = {
        (each["action"], each["chat_id"]): requests[
            each["webhook"], each["delivery_id"], each["attempt"]
        ]
        for each in activity
        if each["attempt"]
    }
    assert {key: each["outcome"] for key, each in joined.items()} == {
        ("message", "dead"): "rejected",
        ("message", "sent"): "delivered",
        ("test", None): "delivered",
    }
    assert joined["message", "dead"]["delivery_id"] == waiting["deliveries"][0]["id"]
    assert {each["webhook"] for each in [*activity, *log]} == {"outbound"}
    settings = [each for each in activity if each["action"] == "settings changed"]
    assert [(each["delivery_id"], each["attempt"]) for each in settings] == [(None, None)]


async def test_a_line_about_a_delivery_without_a_request_names_it(lived: System) -> None:
    (dead,) = (await lived.get(f"{ACME}/deliveries?state=dead_letter"))["deliveries"]
    await lived.switch("acme", "disable")
    await lived.ask("POST", f"{ACME}/deliveries/{dead['id']}/retry")

    line = (await lived.get(f"{ACME}/activity"))[0]

    assert (line["action"], line["delivery_id"], line["attempt"]) == ("retried", dead["id"], None)


async def test_what_is_gone_with_its_chat_joins_nothing(lived: System) -> None:
    await lived.ask("DELETE", f"{ACME}/chats/dead")
    await lived.facts.until("chat.erased")
    lived.clock.move(HOUR_MS)

    activity = await lived.get(f"{ACME}/activity")

    ids = {each["delivery_id"] for each in await lived.get(f"{ACME}/log")}
    assert {each["delivery_id"] for each in activity} - {None} <= ids
