"""What counts as delivered, chosen on the page of a webhook, and set as a test request proposes."""

import html
import re
from pathlib import Path

from hookbundle.tests.server.console.plain import signed_in
from hookbundle.tests.server.console.stage import on_stage

PAGE = "/console/w/acme/outbound"
RULE = {"pointer": "/ok", "equals": True}


def value_of(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return html.unescape(found[1])


async def test_a_list_and_rules_are_set_shown_and_refused_at_their_fields(tmp_path: Path) -> None:
    async with on_stage(tmp_path) as stage, signed_in(stage) as seen:
        await stage.workspace("acme")
        form = {
            "url": f"{stage.receiver.url}/hook",
            "success": "list",
            "success_list": "200، 409 201",
            "success_rules": "/ok equals true\r\n\r\n/errors absent else rejected",
        }
        saved = await seen.post(PAGE, form)
        hook = (await stage.system.show())["webhook"]
        page = await seen.get(PAGE)
        wrong = {"success_list": "200, x", "success_rules": "/ok is true"}
        refused = [await seen.post(PAGE, {**form, name: text}) for name, text in wrong.items()]

    assert saved.status == 303
    assert hook["success"] == [200, 201, 409]
    assert hook["success_rules"] == [
        RULE,
        {"pointer": "/errors", "absent": True, "else": "rejected"},
    ]
    assert "/ok equals true\n/errors absent else rejected</textarea>" in page.text
    for name, each in zip(wrong, refused, strict=True):
        assert each.status == 422
        assert f'id="{name}-fault"' in each.text


async def test_a_button_sets_what_a_test_request_proposes(tmp_path: Path) -> None:
    async with on_stage(tmp_path) as stage, signed_in(stage) as seen:
        await stage.workspace("acme")
        stage.receiver.statuses["/hook"], stage.receiver.answer = 201, '{"ok": false}'
        tested = await seen.post("/console/w/acme/webhook/test")
        answer = await seen.get(tested.headers["location"])
        form = {name: value_of(answer.text, name) for name in ("webhook_version", "proposal")}
        done = await seen.post("/console/w/acme/webhooks/outbound/success", form)
        hook = (await stage.system.show())["webhook"]
        late = await seen.post("/console/w/acme/webhooks/outbound/success", form)

    assert (done.status, late.status) == (303, 303)
    assert (hook["success"], hook["success_rules"]) == ("2xx", [RULE])
    assert hook["url"] == f"{stage.receiver.url}/hook"
