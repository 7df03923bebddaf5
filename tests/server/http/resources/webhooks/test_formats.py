"""The format of a webhook is set over the API, with its variables and what a preset brings."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hookbundle.engine.formats import documents
from hookbundle.tests.in_process import Answer, System, daemon_in, event, receiving

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOG = "/v1/workspaces/acme/log"
OWN = {"template": {"note": "{{ messages | text }}", "team": "{{ options.team }}"}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with daemon_in(tmp_path_factory.mktemp("formats")) as system:
        yield system


async def change(system: System, ws: str, body: dict[str, Any], method: str = "PATCH") -> Answer:
    """Of the workspace's webhook `crm`, which is made at first."""
    path = f"/v1/workspaces/{ws}/webhooks/crm"
    if (await system.ask("GET", path)).status == 404:
        await system.ask("PUT", f"/v1/workspaces/{ws}", {"name": ws})
        made = {"url": "http://crm.example/in"}
        assert (await system.ask("PUT", path, made)).status == 201
    return await system.ask(method, path, body, headers={"If-Match": "*"})


async def test_a_preset_is_set_with_what_its_receiver_wants(system: System) -> None:
    before = (await change(system, "a", {})).document
    changed = await change(system, "a", {"format": "pipedrive-note"})

    assert (before["format"], before["format_options"]) == ("seed", {})
    assert changed.status == 200, changed
    hook = changed.document
    assert (hook["format"], hook["format_options"]) == ("pipedrive-note", {})
    assert hook["success"] == [200, 201]
    assert hook["success_rules"] == [{"pointer": "/success", "equals": True, "else": "rejected"}]
    assert hook["limits"] == {"messages": 1_000, "bytes": 90_000}
    assert hook["rate"] == "10/2s"


async def test_the_daemon_itself_reads_no_template(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(reading: object) -> None:
        raise AssertionError("it takes the processor from everybody")

    monkeypatch.setattr(documents, "read_as_asked", read)

    hook = (await change(system, "read", {"format": OWN, "format_options": {"team": "a"}})).document
    wrong = await change(system, "read", {"format": {"template": "{{ nobody }}"}})

    assert hook["format"] == OWN
    assert [each["path"] for each in wrong.document["errors"]] == ["format.template"]


async def test_what_is_named_beside_a_preset_is_as_it_was_named(system: System) -> None:
    wanted: dict[str, Any] = {
        "format": "pipedrive-note",
        "success": "2xx",
        "success_rules": [],
        "rate": None,
        "limits": {"messages": 10},
    }
    hook = (await change(system, "b", wanted)).document

    assert (hook["success"], hook["success_rules"], hook["rate"]) == ("2xx", [], None)
    assert hook["limits"]["messages"] == 10


async def test_settings_stay_where_the_preset_is_the_same_or_the_seed_is_back(
    system: System,
) -> None:
    await change(system, "c", {"format": "pipedrive-note"})
    await change(system, "c", {"rate": "3/1s"})

    again = (await change(system, "c", {"format": "pipedrive-note"})).document
    seed = (await change(system, "c", {"format": "seed"})).document

    assert again["rate"] == "3/1s"
    assert (seed["format"], seed["rate"], seed["success"]) == ("seed", "3/1s", [200, 201])


async def test_variables_belong_to_their_format(system: System) -> None:
    first = await change(system, "d", {"format": OWN, "format_options": {"team": "north"}})
    only = await change(system, "d", {"format_options": {"team": "south"}})
    same = await change(system, "d", {"format": OWN})
    other = await change(system, "d", {"format": "text"})
    alone = await change(system, "d", {"format_options": {"team": "north"}})

    assert first.status == 200, first
    assert first.document["format"] == OWN
    assert only.document["format_options"] == {"team": "south"}
    assert same.document["format_options"] == {"team": "south"}
    assert (other.document["format"], other.document["format_options"]) == ("text", {})
    assert [each["path"] for each in alone.document["errors"]] == ["format_options.team"]


async def test_what_was_read_may_be_put_back(system: System) -> None:
    await change(system, "e", {"format": "hubspot-note", "format_options": {"owner_id": "7"}})
    path = "/v1/workspaces/e/webhooks/crm"
    read = await system.get(path)
    settings = (
        *("url", "window", "filter", "request", "format", "format_options", "success"),
        *("success_rules", "limits", "rate", "budget", "warnings", "enabled"),
    )

    put = await change(system, "e", {name: read[name] for name in settings}, "PUT")

    assert put.status == 200, put
    assert {name: put.document[name] for name in settings} == {
        name: read[name] for name in settings
    }


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"format": "hubspot-nte"}, ["format"]),
        ({"format": {"template": {"a": ["{{ chat.nme }}", "{{ x"]}}},
         ["format.template/a/0", "format.template/a/1"]),
        ({"format": {"template": {}, "more": 1}}, ["format.more"]),
        ({"format": 7, "url": "ftp://x"}, ["format", "url"]),
        ({"format": "text", "format_options": {"x": "1"}}, ["format_options.x"]),
        ({"format": "text", "format_options": [1]}, ["format_options"]),
        ({"format": OWN, "format_options": {"team": 1}},
         ["format.template/team", "format_options.team"]),
    ],
)  # fmt: skip
async def test_every_fault_is_told_by_its_path(
    system: System, body: dict[str, Any], paths: list[str]
) -> None:
    answer = await change(system, "f", body)

    assert answer.status == 422, answer
    assert sorted({each["path"] for each in answer.document["errors"]}) == sorted(paths)
    assert (await system.get("/v1/workspaces/f/webhooks/crm"))["format"] == "seed"


async def test_faults_of_outbound_in_its_workspace_say_so(system: System) -> None:
    path = "/v1/workspaces/g"
    await system.ask("PUT", path, {"name": "g"})

    wrong = await system.ask("PATCH", path, {"webhook": {"format": "hubspot"}})
    right = await system.ask("PATCH", path, {"webhook": {"format": "text"}})

    assert [each["path"] for each in wrong.document["errors"]] == ["webhook.format"]
    assert right.document["webhook"]["format"] == "text"
    assert right.document["webhook"]["success"] == "2xx"


async def test_what_is_set_is_what_is_sent(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        await system.ask("PATCH", "/v1/workspaces/acme", {"webhook": {"format": "text"}})

        await system.accept("acme", event("m1", text="hello there"))
        post = (await receiver.until(1))[0]

    assert json.loads(post.body).keys() == {"text"}
    assert "hello there" in json.loads(post.body)["text"]


async def test_a_format_is_tried_on_the_sample_and_on_the_last_bundles(tmp_path: Path) -> None:
    path = "/v1/workspaces/acme/webhook"
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        for number in range(3):
            await system.accept("acme", event(f"m{number}", text=f"hello {number}"))
        await system.facts.until("delivery.delivered", 3)
        before, log = await system.get(path.replace("/webhook", "")), await system.get(LOG)

        own = {"template": {"at": "{{ chat.full_name | date: '%Y' }}"}}
        tried = await system.ask("POST", f"{path}/format-test", {"format": "text", "last": 2})
        skipping = {"format": "hubspot-note", "format_options": {"no_record": "skip"}, "last": 1}
        skipped = await system.ask("POST", f"{path}/format-test", skipping)
        broken = await system.ask("POST", f"{path}/format-test", {"format": own, "last": 0})
        wrong = await system.ask("POST", f"{path}/format-test", {"format": "txet", "last": 11})
        seed = await system.ask("POST", f"{path}/format-test", {"last": 1})

        assert tried.status == 200, tried
        sample, newest, second = tried.document["bodies"]
        assert "delivery_id" not in sample
        assert "test request" in json.loads(sample["body"])["text"]
        assert "hello 2" in json.loads(newest["body"])["text"]
        assert "hello 1" in json.loads(second["body"])["text"]
        assert newest["bytes"] == len(newest["body"].encode())
        assert any(line.startswith('+  "text"') for line in newest["difference"])
        assert any(line.startswith("-") and "hello 2" in line for line in newest["difference"])
        assert [each["outcome"] for each in skipped.document["bodies"]] == ["skipped", "skipped"]
        assert [each["outcome"] for each in broken.document["bodies"]] == ["not_rendered"]
        assert broken.document["bodies"][0]["pointer"] == "/at"
        assert broken.document["bodies"][0]["code"] == "value_not_taken"
        assert (wrong.status, seed.document["bodies"][1]["difference"]) == (422, [])
        assert await system.get(path.replace("/webhook", "")) == before
        assert await system.get(LOG) == log
        assert len(receiver.posts) == 3
