"""A condition on the present version is honoured wherever something is changed, or refused."""

import re
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.workspace_view import WorkspaceView
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import System, event

ACME = "/v1/workspaces/acme"
HOOK, CRM = f"{ACME}/webhook", f"{ACME}/webhooks/crm"
WAHA = f"{ACME}/sources/waha-1"
SWITCHES = ["enable", "disable", "test", "rotate-secret"]
HONOURING = {
    *((method, path) for method in ("PUT", "PATCH", "DELETE") for path in (ACME, CRM)),
    *(("POST", f"{path}/{what}") for path in (HOOK, CRM) for what in (*SWITCHES, "merge")),
    *(("PATCH", WAHA), ("DELETE", WAHA), ("POST", f"{WAHA}/rotate-token")),
}
CODES = {CRM: "webhook_changed", WAHA: "source_changed"}  # of all others: changed_meanwhile
PARAMETER = re.compile(r"{\w+}")
KNOWN = {"{ws}": "acme", "{chat}": "10010001", "{wh}": "crm", "{source}": "waha-1"}


async def changing(system: System) -> list[tuple[str, str, Any]]:
    """Every operation that is not only looked at, with its parameters filled in."""
    document = await system.get("/openapi.json")
    return [
        (method.upper(), PARAMETER.sub(lambda name: KNOWN.get(name[0], "x"), path), operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method not in ("parameters", "get")
    ]


async def test_every_change_honours_a_condition_or_refuses_it(
    system: System, receiver: HookReceiver
) -> None:
    url = {"url": receiver.url("crm")}
    assert (await system.ask("PUT", CRM, url)).status == 201
    assert (await system.ask("POST", f"{ACME}/sources", {"kind": "waha"})).status == 201
    operations = await changing(system)
    before = await system.show(), await system.get(CRM)

    honouring = set()
    for method, path, operation in operations:
        body = url if (method, path) == ("PUT", CRM) else {}
        answer = await system.ask(method, path, body, headers={"If-Match": '"7"'})
        declared = {
            each["name"] for each in operation.get("parameters", ()) if each["in"] != "query"
        }
        if "If-Match" in declared:
            honouring.add((method, path))
            codes = (code for begin, code in CODES.items() if path.startswith(begin))
            code = next(codes, "changed_meanwhile")
            assert (answer.status, answer.document["code"]) == (412, code), path
            continue
        assert answer.status == 422, (method, path, answer)
        (fault,) = answer.document["errors"]
        assert (fault["path"], fault["code"]) == ("If-Match", "no_condition")

    assert honouring == HONOURING
    assert len(operations) > 15
    assert (await system.show(), await system.get(CRM)) == before


async def test_a_stale_tag_does_not_enable_what_was_disabled_meanwhile(
    system: System, receiver: HookReceiver
) -> None:
    seen = await system.ask("GET", ACME)
    receiver.answers(500)
    await system.accept("acme", event("m1"))
    await system.facts.until("webhook.disabled")

    stale = {"If-Match": seen.headers["etag"]}
    refused = await system.ask("POST", f"{HOOK}/enable", headers=stale)
    dropped = await system.ask("POST", f"{HOOK}/enable", {"discard": True}, headers=stale)

    assert (refused.status, dropped.status) == (412, 412)
    shown = await system.ask("GET", ACME)
    assert shown.document["webhook"]["state"] == "disabled"
    assert len((await system.get(f"{ACME}/deliveries"))["deliveries"]) == 1  # it was not dropped
    allowed = {"If-Match": shown.headers["etag"]}
    assert (await system.ask("POST", f"{HOOK}/enable", headers=allowed)).status == 200


@pytest.mark.parametrize("what", SWITCHES)
async def test_the_present_tag_lets_it_be_done(system: System, what: str) -> None:
    answer = await system.ask("POST", f"{HOOK}/{what}", headers={"If-Match": '"1"'})

    assert answer.status == 200


@pytest.mark.parametrize("what", SWITCHES)
async def test_nothing_is_done_with_another_tag(
    system: System, receiver: HookReceiver, what: str
) -> None:
    before = await system.get(ACME), await system.get(f"{ACME}/activity")

    stale = await system.ask("POST", f"{HOOK}/{what}", headers={"If-Match": '"2"'})
    other = await system.ask("POST", f"{HOOK}/{what}", headers={"If-None-Match": "*"})
    malformed = await system.ask("POST", f"{HOOK}/{what}", headers={"If-Match": "1"})
    absent = await system.ask(
        "POST", f"/v1/workspaces/absent/webhook/{what}", headers={"If-Match": "*"}
    )

    assert [each.status for each in (stale, other, malformed, absent)] == [412, 412, 422, 404]
    assert (await system.get(ACME), await system.get(f"{ACME}/activity")) == before
    assert receiver.posts == []


async def test_the_tag_after_a_rotation_is_that_of_the_new_secret(system: System) -> None:
    rotated = await system.ask("POST", f"{HOOK}/rotate-secret", headers={"If-Match": '"1"'})

    assert (rotated.headers["etag"], rotated.document["version"]) == ('"2"', 2)
    assert (await system.ask("GET", ACME)).headers["etag"] == '"2"'


async def test_making_one_only_where_none_is_may_be_said_twice(system: System) -> None:
    headers = {"If-None-Match": "*"}

    made = await system.ask("POST", "/v1/workspaces", {"id": "new"}, headers=headers)
    again = await system.ask("POST", "/v1/workspaces", {"id": "new"}, headers=headers)

    assert (made.status, again.status) == (201, 409)


async def test_the_tag_is_of_the_document_that_is_shown(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody changes the workspace between a change and the look at it that is answered."""
    reads = type(system.daemon.partition.reads)
    look, looks = reads.workspace, list[str]()

    def look_later(self: Reads, workspace_id: str) -> WorkspaceView:
        view = look(self, workspace_id)
        looks.append(workspace_id)
        version = view.settings.version + 1
        settings = msgspec.structs.replace(view.settings, name="Later", version=version)
        return replace(view, settings=settings)

    monkeypatch.setattr(reads, "workspace", look_later)
    answer = await system.ask("PATCH", ACME, {"name": "Mine"})

    assert looks == ["acme"]
    assert answer.document["name"] == "Later"
    assert answer.headers["etag"] == f'"{answer.document["version"]}"' == '"3"'
