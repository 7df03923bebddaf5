"""The two logs and the list of workspaces, asked for a part of what they have."""

import pytest

from hookbundle.server.http import lists
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import HOUR_MS, System, event

LOG = "/v1/workspaces/acme/log"
ACTIVITY = "/v1/workspaces/acme/activity"


async def logged(system: System, receiver: HookReceiver) -> None:
    """Chat a got 503 and then 200, and an hour later chat b 200."""
    receiver.answers(503, 200)
    await system.accept("acme", event("m1", "a"))
    await system.facts.until("delivery.delivered")
    system.clock.move(HOUR_MS)
    await system.accept("acme", event("m2", "b"))
    await system.facts.until("delivery.delivered", 2)


async def test_the_log_is_asked_for_a_part_of_it(hasty: System, receiver: HookReceiver) -> None:
    await logged(hasty, receiver)

    for query, wanted in {
        "": [("b", 200), ("a", 200), ("a", 503)],
        "?chat=a": [("a", 200), ("a", 503)],
        "?status=5xx": [("a", 503)],
        "?status=200&chat=a": [("a", 200)],
        "?status=none": [],
        "?since=-30m": [("b", 200)],
        "?since=-30m&chat=a": [],
        "?webhook=outbound&since=-2h&status=2xx": [("b", 200), ("a", 200)],
    }.items():
        found = await hasty.get(f"{LOG}{query}")
        assert [(each["chat_id"], each["response"]["status"]) for each in found] == wanted, query


@pytest.mark.parametrize(
    ("query", "code"), [("status=ok", "no_status"), ("since=now", "no_time_or_age")]
)
async def test_a_part_that_is_none_is_refused(system: System, query: str, code: str) -> None:
    answer = await system.ask("GET", f"{LOG}?{query}")

    assert [fault["code"] for fault in answer.document["errors"]] == [code]


async def test_the_activity_is_that_of_a_webhook(hasty: System, receiver: HookReceiver) -> None:
    await logged(hasty, receiver)

    of_webhook = await hasty.get(f"{ACTIVITY}?webhook=outbound")

    assert of_webhook == await hasty.get(ACTIVITY)
    assert [each["outcome"] for each in of_webhook[:3]] == ["delivered", "delivered", "failed"]
    assert {each["webhook"] for each in of_webhook} == {"outbound"}
    assert [each["attempt"] for each in of_webhook[:3]] == [1, 2, 1]
    for path in (ACTIVITY, LOG):
        answer = await hasty.ask("GET", f"{path}?webhook=second")
        assert (answer.status, answer.document["code"]) == (404, "unknown_webhook")


# ---- workspaces


async def test_workspaces_are_found_by_id_name_and_state(
    system: System, receiver: HookReceiver
) -> None:
    await system.make("zoo", receiver, "zoo")
    await system.ask("PATCH", "/v1/workspaces/zoo", {"name": "Straße der ACME"})
    await system.ask("PUT", "/v1/workspaces/none", {})
    await system.switch("zoo", "disable")

    for query, wanted in {
        "q=acme": ["acme", "zoo"],
        "q=STRASSE": ["zoo"],
        "q=nobody": [],
        "state=disabled": ["zoo"],
        "state=unconfigured": ["none"],
        "state=enabled": ["acme"],
        "q=acme&state=disabled&limit=1": ["zoo"],
    }.items():
        found = await system.get(f"/v1/workspaces?{query}")
        assert [each["id"] for each in found["workspaces"]] == wanted, query
        assert found["searched_to"] is None
    answer = await system.ask("GET", "/v1/workspaces?state=parked")
    assert [fault["code"] for fault in answer.document["errors"]] == ["not_one_of"]


async def test_a_search_of_workspaces_that_was_cut_says_so(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        await system.ask("PUT", f"/v1/workspaces/w{number:02}", {})
    monkeypatch.setattr(lists, "ROWS_MOST", 32)

    first = await system.get("/v1/workspaces?q=w39")
    second = await system.get(f"/v1/workspaces?q=w39&cursor={first['cursor']}")

    assert (first["workspaces"], first["searched_to"]) == ([], "w30")
    assert [each["id"] for each in second["workspaces"]] == ["w39"]
    assert second["searched_to"] is None
