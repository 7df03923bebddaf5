"""Deliveries found over the API: by every filter, page by page, and refused in words."""

from typing import Any

import pytest

from hookbundle.server.http import lists
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import HOUR_MS, MINUTE_MS, System, event
from hookbundle.tests.server.http.resources.rejecting import DELIVERIES, in_flight, listed, rejected


def of_chat(message_id: str, chat: str, **contact: Any) -> dict[str, Any]:
    sent = event(message_id, chat)
    sent["chat"].update(contact)
    return sent


async def held(system: System, *events: dict[str, Any]) -> list[str]:
    """The ids of the messages' deliveries, in the order of sealing; none of them is sent."""
    await system.switch("acme", "disable")
    known = len(system.facts.known("delivery.sealed"))
    for each in events:
        system.clock.move(MINUTE_MS)
        await system.accept("acme", each)
    sealed = await system.facts.until("delivery.sealed", known + len(events))
    return [fact["data"]["delivery"] for fact in sealed[known:]]


async def ids(system: System, query: str = "") -> list[str]:
    return [one["id"] for one in await listed(system, query)]


async def test_every_state_is_listed_newest_first_with_what_became_of_it(
    hasty: System, receiver: HookReceiver
) -> None:
    receiver.answers(200)
    await hasty.accept("acme", event("m1"))
    (delivered,) = await hasty.facts.until("delivery.delivered")
    (dead_letter,) = await rejected(hasty, receiver, "m2")
    queued, discarded = await held(hasty, event("m3"), event("m4"))
    assert (await hasty.ask("DELETE", f"{DELIVERIES}/{discarded}?reason=x")).status == 200

    found = await listed(hasty)

    first = delivered["data"]["delivery"]
    assert [one["id"] for one in found] == [discarded, queued, dead_letter, first]
    assert [one["state"] for one in found] == ["discarded", "queued", "dead_letter", "delivered"]
    assert [one["http_status"] for one in found] == [None, None, 404, 200]
    assert found[3]["delivered_at"]
    assert not found[3]["discarded_at"]
    assert found[0]["discarded_at"]
    assert not found[0]["delivered_at"]
    assert {one["webhook"] for one in found} == {"outbound"}
    assert (found[1]["chat_name"], found[1]["phone"]) == ("John Doe", "+97254000000")
    assert await ids(hasty, "?state=parked") == await ids(hasty, "?state=dead_letter")
    assert await ids(hasty, "?state=pending") == await ids(hasty, "?state=queued") == [queued]
    assert await ids(hasty, "?state=delivered,discarded") == [discarded, first]
    assert await ids(hasty, "?order=queue") == [dead_letter, queued]
    assert await ids(hasty, "?order=queue&state=queued") == [queued]


async def test_that_which_is_being_sent_is_queued_as_well(
    system: System, receiver: HookReceiver
) -> None:
    delivery, answer = await in_flight(system, receiver)

    states = [(await listed(system, query))[0]["state"] for query in ("", "?state=queued")]

    assert states == ["sending", "sending"]
    assert await ids(system, "?state=sending") == [delivery]
    answer.set()


async def test_a_delivery_is_found_by_what_people_know_of_it(system: System) -> None:
    zoe = {"full_name": "Zoë Straße", "phone": "+972 54-111"}
    one, two, three = await held(
        system,
        of_chat("m1", "a/1", **zoe),
        of_chat("m2", "b", full_name="Amnon", phone="+97255222"),
        of_chat("m3", "a/1", **zoe),
    )

    for query, wanted in {
        "chat=a/1": [three, one],
        "chat=a%2F1": [three, one],
        "phone=%2B972%2054%20111": [three, one],
        "phone=0097254111": [three, one],
        "phone=97255222": [two],
        "phone=97254": [],
        "q=STRASSE": [three, one],
        "q=zo%C3%AB": [three, one],
        "q=amn&chat=b": [two],
        "q=amn&chat=a/1": [],
        "since=-1m": [three],
        "until=-1m": [two, one],
        "since=-2m&until=-1m": [two],
        "since=1h": None,
        "since=-99999d": [three, two, one],
        "until=-99999d": [],
        "webhook=outbound": [three, two, one],
        "http_status=none": [],
    }.items():
        answer = await system.ask("GET", f"{DELIVERIES}?{query}")
        if wanted is None:
            assert answer.status == 422
        else:
            assert [each["id"] for each in answer.document["deliveries"]] == wanted, query


async def test_a_point_in_time_is_one_with_any_offset(system: System) -> None:
    one, two = await held(system, event("m1"), event("m2"))
    sealed_at = (await system.get(f"{DELIVERIES}/{two}"))["sealed_at"]
    elsewhere = sealed_at.replace("Z", "%2B00:00")

    assert await ids(system, f"?since={sealed_at}") == await ids(system, f"?since={elsewhere}")
    assert await ids(system, f"?since={sealed_at}") == [two]
    assert await ids(system, f"?until={sealed_at}") == [one]


@pytest.mark.parametrize(
    ("query", "path", "code"),
    [
        ("state=gone", "state", "not_one_of"),
        ("state=queued,,", "state", "not_one_of"),
        ("http_status=abc", "http_status", "no_status"),
        ("http_status=6xx", "http_status", "no_status"),
        ("http_status=99", "http_status", "no_status"),
        ("http_status=0200", "http_status", "no_status"),
        ("since=-1h&until=-2h", "until", "ends_before"),
        ("phone=none", "phone", "no_phone"),
        ("phone=00", "phone", "no_phone"),
        (f"phone={'1' * 40}", "phone", "no_phone"),
        ("since=yesterday", "since", "no_time_or_age"),
        ("since=2026-01-01T00:00:00", "since", "no_time_or_age"),
        ("until=-1y", "until", "no_time_or_age"),
        ("order=oldest", "order", "not_one_of"),
        ("order=queue&chat=a", "chat", "no_filter_of_queue"),
        ("order=queue&state=delivered", "state", "no_filter_of_queue"),
        ("order=queue&state=sending", "state", "no_filter_of_queue"),
        ("limit=0", "limit", "no_limit"),
        ("cursor=%2A", "cursor", "no_cursor"),
        ("cursor=AAAA", "cursor", "no_cursor"),
    ],
)
async def test_a_filter_that_is_none_is_refused_in_words(
    system: System, query: str, path: str, code: str
) -> None:
    answer = await system.ask("GET", f"{DELIVERIES}?{query}")

    assert answer.status == 422
    assert [(each["path"], each["code"]) for each in answer.document["errors"]] == [(path, code)]


async def test_every_wrong_filter_is_named_at_once(system: System) -> None:
    answer = await system.ask("GET", f"{DELIVERIES}?state=x&http_status=y&since=z&phone=-")

    paths = {fault["path"] for fault in answer.document["errors"]}
    assert paths == {"state", "http_status", "since", "phone"}


async def test_a_webhook_that_is_not_there_is_not_found(system: System) -> None:
    answer = await system.ask("GET", f"{DELIVERIES}?webhook=outbound,second")

    assert (answer.status, answer.document["code"]) == (404, "unknown_webhook")


# ---- pages


async def test_a_cursor_is_good_for_its_own_question_alone(
    system: System, receiver: HookReceiver
) -> None:
    await system.make("other", receiver, "other")
    await held(system, *(event(f"m{n}") for n in range(3)))
    cursor = (await system.get(f"{DELIVERIES}?limit=1&state=queued"))["cursor"]

    for path in (
        f"{DELIVERIES}?cursor={cursor}",
        f"{DELIVERIES}?state=dead_letter&cursor={cursor}",
        f"{DELIVERIES}?state=queued&order=queue&cursor={cursor}",
        f"/v1/workspaces/other/deliveries?state=queued&cursor={cursor}",
    ):
        answer = await system.ask("GET", path)
        assert [fault["code"] for fault in answer.document["errors"]] == ["no_cursor"]
    assert len(await ids(system, f"?state=queued&limit=2&cursor={cursor}")) == 2


async def test_an_age_means_the_same_on_every_page(system: System) -> None:
    sealed = await held(system, *(event(f"m{n}") for n in range(4)))
    first = await system.get(f"{DELIVERIES}?since=-3m&limit=1")
    system.clock.move(HOUR_MS)

    rest = await system.get(f"{DELIVERIES}?since=-3m&cursor={first['cursor']}")

    assert [one["id"] for one in first["deliveries"]] == sealed[3:]
    assert [one["id"] for one in rest["deliveries"]] == sealed[2:0:-1]
    assert await ids(system, "?since=-3m") == []


async def test_a_page_that_was_cut_says_how_far_it_looked(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = await held(
        system, of_chat("m0", "rare", full_name="Zoë"), *(event(f"m{n}") for n in range(1, 200))
    )
    monkeypatch.setattr(lists, "ROWS_MOST", 100)

    page = await system.get(f"{DELIVERIES}?q=zo%C3%AB")
    pages = [page]
    while page["cursor"]:
        page = await system.get(f"{DELIVERIES}?q=zo%C3%AB&cursor={page['cursor']}")
        pages.append(page)

    assert [one["id"] for page in pages for one in page["deliveries"]] == sealed[:1]
    assert len(pages) == 2
    looked_to = [page["searched_to"] for page in pages]
    oldest = (await system.get(f"{DELIVERIES}/{sealed[0]}"))["sealed_at"]
    assert looked_to[0] > oldest
    assert looked_to[1] is None


async def test_a_full_page_was_not_cut(system: System) -> None:
    await held(system, *(event(f"m{n}") for n in range(3)))

    page = await system.get(f"{DELIVERIES}?limit=2")

    assert (len(page["deliveries"]), page["searched_to"]) == (2, None)
