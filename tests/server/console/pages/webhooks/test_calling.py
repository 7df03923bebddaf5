"""How a webhook is called, set on a page of its own, which shows names and never a value."""

import re
from pathlib import Path
from typing import Any

from hookbundle.tests.server.console.plain import Visitor, signed_in
from hookbundle.tests.server.console.stage import Stage, on_stage
from hookbundle.tests.server.console.test_arabic_errors import english_in

PAGE = "/console/w/acme/webhooks/outbound/request"
OUTBOUND = "/console/w/acme/outbound"
API = "/v1/workspaces/acme/webhooks/outbound"
CANARY = "canary-7f3b9d21e8"
FIELD = re.compile(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"')
CHOSEN = re.compile(r'<select id="([^"]+)".*?<option value="([^"]*)" selected', re.DOTALL)


async def called(stage: Stage, **request: Any) -> None:
    assert (await stage.system.ask("PATCH", API, {"request": request})).status == 200


async def request_of(stage: Stage) -> Any:
    return (await stage.system.hook())["request"]


async def stored_of(stage: Stage) -> str:
    view = stage.system.daemon.partition.reads.workspace("acme")
    return view.named("outbound").webhook.request.decode()


async def filled(seen: Visitor) -> dict[str, str]:
    """What a browser would post if nothing was touched."""
    page = (await seen.get(PAGE)).text
    form = {}
    for tag in re.findall(r"<input[^>]*>", page):
        found = FIELD.search(tag)
        is_box = 'type="checkbox"' in tag or 'type="radio"' in tag
        if found and (not is_box or " checked" in tag):
            form[found[1]] = found[2]
    form |= {name: value for name, value in CHOSEN.findall(page)}
    del form["form_token"]
    return form


async def test_what_was_typed_is_set_and_what_is_left_empty_stays(tmp_path: Path) -> None:
    async with on_stage(tmp_path) as stage, signed_in(stage) as seen:
        await stage.workspace("acme")
        form = await filled(seen)
        first = await seen.post(
            PAGE,
            form
            | {"method": "PUT", "h0_name": "X-Tenant", "h0_value": "acme"}
            | {"h1_name": "X-Key", "h1_value": CANARY, "auth": "bearer", "bearer_token": "t-1"},
        )
        set_so, kept = await request_of(stage), await stored_of(stage)
        again = await seen.post(PAGE, await filled(seen))
        untouched = await stored_of(stage)
        await seen.post(PAGE, await filled(seen) | {"h0_value": "globex"})
        replaced = await stored_of(stage)
        await seen.post(PAGE, await filled(seen) | {"h1_away": "on", "auth": "none"})
        taken = await request_of(stage)

    assert (first.status, again.status) == (303, 303)
    assert set_so == {
        "method": "PUT",
        "headers": {"X-Tenant": {"set": True}, "X-Key": {"set": True}},
        "auth": {"type": "bearer", "set": True},
    }
    assert CANARY in kept
    assert "t-1" in kept
    assert untouched == kept
    assert replaced == kept.replace('"acme"', '"globex"')
    assert taken["headers"] == {"X-Tenant": {"set": True}}
    assert taken["auth"] == {"type": "none"}


async def test_each_kind_of_credentials_is_set_and_a_part_of_it_changed(tmp_path: Path) -> None:
    oauth = {
        "auth": "oauth2",
        "oauth2_token_url": "https://id.example.com/token",
        "oauth2_client_id": "hooks",
        "oauth2_client_secret": CANARY,
    }
    async with on_stage(tmp_path) as stage, signed_in(stage) as seen:
        await stage.workspace("acme")
        await seen.post(PAGE, await filled(seen) | oauth)
        await seen.post(PAGE, await filled(seen) | {"oauth2_scope": "notes"})
        scoped, kept = await request_of(stage), await stored_of(stage)
        moved = await seen.post(
            PAGE, await filled(seen) | {"oauth2_token_url": "https://other.example/token"}
        )
        told = await seen.get(moved.headers["location"])
        dropped = await stored_of(stage)
        basic = {"auth": "basic", "basic_username": "key-1", "basic_password": "p"}
        await seen.post(PAGE, await filled(seen) | basic)
        await seen.post(PAGE, await filled(seen) | {"basic_password_away": "on"})
        emptied = await stored_of(stage)
        header = {"auth": "header", "header_name": "X-Api-Token", "header_value": "v-1"}
        await seen.post(PAGE, await filled(seen) | header)
        named = await request_of(stage)

    assert scoped["auth"]["scope"] == "notes"
    assert CANARY in kept
    assert "the secret of the client was dropped" in told.text
    assert CANARY not in dropped
    assert '"username":"key-1","password":""' in emptied
    assert named["auth"] == {"type": "header", "set": True, "name": "X-Api-Token"}


async def test_faults_are_told_at_their_fields_and_nothing_typed_is_shown(tmp_path: Path) -> None:
    async with on_stage(tmp_path) as stage, signed_in(stage) as seen:
        await stage.workspace("acme")
        form = await filled(seen)
        wrong = {
            "h0": {"h0_name": "Host", "h0_value": CANARY},
            "h1": {"h0_name": "X-A", "h0_value": CANARY, "h1_name": "X-A", "h1_value": "b"},
            "h2": {"h2_name": "X-Empty", "h2_value": ""},
            "bearer_token": {"auth": "bearer", "bearer_token": f"{CANARY} with spaces"},
            "oauth2_token_url": {
                "auth": "oauth2",
                "oauth2_token_url": "nowhere",
                "oauth2_client_id": "a",
                "oauth2_client_secret": CANARY,
            },
            "header_name": {"auth": "header", "header_name": "Host", "header_value": CANARY},
            "method": {"method": "GET"},
        }
        refused = {name: await seen.post(PAGE, form | each) for name, each in wrong.items()}
        old = await seen.post(PAGE, form | {"webhook_version": "999", "method": "PUT"})
        unchanged = await request_of(stage)

    for name, each in refused.items():
        assert each.status == 422, name
        assert f'id="{name}-fault"' in each.text, name
        assert CANARY not in each.text, name
    assert old.status == 412
    assert unchanged == {"method": "POST", "headers": {}, "auth": {"type": "none"}}


async def test_no_page_shows_a_value(tmp_path: Path) -> None:
    hostile = "X-\u202eName"
    async with on_stage(tmp_path) as stage, signed_in(stage) as seen:
        await stage.workspace("acme", aggregation="none")
        await called(
            stage,
            headers={"X-Key": CANARY},
            auth={"type": "basic", "username": f"u-{CANARY}", "password": f"p-{CANARY}"},
        )
        await stage.system.switch("acme", "test")
        paths = (PAGE, OUTBOUND, "/console/w/acme/webhooks/outbound/format")
        pages = [await seen.get(path) for path in (*paths, "/console/w/acme/requests/0")]
        typed = await seen.post(PAGE, {"h0_name": hostile, "h0_value": "<script>"})

    assert [each.status for each in pages] == [200] * 4
    for each in pages:
        assert CANARY not in each.text
    assert "X-Key" in pages[0].text
    assert typed.status == 422
    assert "<script>" not in typed.text.replace("<script src", "")


async def test_a_url_of_another_host_asks_before_values_are_dropped(tmp_path: Path) -> None:
    async with on_stage(tmp_path) as stage, signed_in(stage) as seen:
        await stage.workspace("acme")
        await called(stage, headers={"X-Key": CANARY}, auth={"type": "bearer", "token": "t"})
        same = await seen.post(OUTBOUND, {"url": f"{stage.receiver.url}/other"})
        asked = await seen.post(OUTBOUND, {"url": "https://other.example/hook"})
        before = await request_of(stage)
        agreed = re.search(r'name="agreed" value="([^"]*)"', asked.text)
        assert agreed
        form = {"url": "https://other.example/hook", "agreed": agreed[1]}
        done = await seen.post(OUTBOUND, form)
        after = await request_of(stage)

    assert same.status == 303
    assert asked.status == 200
    assert "the values of the headers and the credentials are dropped" in asked.text
    assert before["headers"] == {"X-Key": {"set": True}}
    assert done.status == 303
    assert after == {"method": "POST", "headers": {}, "auth": {"type": "none"}}


async def test_it_is_said_in_arabic(tmp_path: Path) -> None:
    async with on_stage(tmp_path) as stage, signed_in(stage) as seen:
        await stage.workspace("acme")
        await called(stage, headers={"X-Key": "v"}, auth={"type": "bearer", "token": "t"})
        arabic = {"Accept-Language": "ar"}
        shown = await seen.get(PAGE, headers=arabic)
        card = await seen.get(OUTBOUND, headers=arabic)
        wrong = {"h0_name": "Host", "h0_value": "v", "auth": "basic"}
        refused = await seen.post(PAGE, wrong, headers=arabic)
        asked = await seen.post(OUTBOUND, {"url": "https://other.example/"}, headers=arabic)

    for each in (shown, card, refused, asked):
        assert 'lang="ar"' in each.text
        assert english_in(each.text) == []
    assert refused.status == 422
