"""A webhook's filter as its owner builds it: chips come and go, it is tried, and saved."""

import json
import re
from typing import Any

import pytest

from hookbundle.server.console.pages.filter_form import filter_of, pressed, rows_of
from hookbundle.tests.server.console.plain import signed_in
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")

FILTER = "/console/w/acme/webhooks/outbound/filter"
STANDS = re.compile(r'name="filter" value="([^"]*)"')


def stands(page: str) -> str:
    found = STANDS.search(page)
    assert found is not None
    return found[1].replace("&#34;", '"').replace("&quot;", '"')


async def shown_filter(stage: Stage) -> Any:
    return (await stage.system.get("/v1/workspaces/acme/webhooks/outbound"))["filter"]


async def test_chips_are_added_tried_and_saved(stage: Stage) -> None:
    await stage.workspace("acme")
    await stage.system.accept("acme", talk("an invoice", chat="a"), talk("hello", chat="b"))
    async with signed_in(stage) as owner:
        first = await owner.get(FILTER)
        tried = await owner.post(
            FILTER,
            {"filter": stands(first.text), "text_contains": "invoice, offer", "do": "try"},
        )
        before = await shown_filter(stage)
        saved = await owner.post(FILTER, {"filter": stands(tried.text), "do": "save"})

    assert "Of the last 2 messages" in first.text
    assert "1 is dropped" in tried.text
    assert "The text has none of the words of which the filter wants one." in tried.text
    assert before == {}
    assert (saved.status, await shown_filter(stage)) == (
        303,
        {"text_contains": ["invoice", "offer"]},
    )


async def test_a_wrong_value_stands_beside_its_fault_and_nothing_is_lost(stage: Stage) -> None:
    await stage.workspace("acme")
    async with signed_in(stage) as owner:
        wrong = await owner.post(
            FILTER, {"filter": '{"labels":{"any":["vip"]}}', "account": "none", "do": "save"}
        )

    assert wrong.status == 422
    assert 'id="account-fault"' in wrong.text
    assert json.loads(stands(wrong.text)) == {"account": ["none"], "labels": {"any": ["vip"]}}
    assert await shown_filter(stage) == {}


async def test_json_by_hand_is_taken_or_refused_whole(stage: Stage) -> None:
    await stage.workspace("acme")
    good = '{"any": [{"kind": "group"}, {"direction": "sent"}]}'
    async with signed_in(stage) as owner:
        taken = await owner.post(FILTER, {"filter": "{}", "raw": good, "do": "apply_raw"})
        refused = await owner.post(FILTER, {"filter": "{}", "raw": '{"x": 1', "do": "apply_raw"})

    assert json.loads(stands(taken.text)) == json.loads(good)
    assert refused.status == 422
    assert "{&#34;x&#34;: 1" in refused.text


async def test_a_filter_that_somebody_changed_meanwhile_is_not_overwritten(stage: Stage) -> None:
    await stage.workspace("acme")
    async with signed_in(stage) as owner:
        page = await owner.get(FILTER)
        version = re.search(r'name="version" value="(\d+)"', page.text)
        await stage.system.ask(
            "PATCH", "/v1/workspaces/acme/webhooks/outbound", {"filter": {"kind": "group"}}
        )
        assert version is not None
        late = await owner.post(
            FILTER, {"filter": "{}", "kind": "direct", "version": version[1], "do": "save"}
        )

    assert late.status == 412
    assert json.loads(stands(late.text)) == {"kind": "direct"}
    assert await shown_filter(stage) == {"kind": "group"}


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"direction": "sent", "is_new_chat": True, "labels": {"any": ["a"], "none": ["b", "c"]}},
        {"text_lacks": ["x"], "any": [{"account": ["+1"]}, {"kind": "group", "chat_ids": ["c"]}]},
    ],
)
async def test_rows_stand_for_the_filter_that_they_are_made_of(wanted: dict[str, Any]) -> None:
    assert filter_of(rows_of(wanted)) == wanted


async def test_buttons_remove_chips_and_alternatives_and_add_them() -> None:
    rows = rows_of({"account": ["+1", "+2"], "any": [{"kind": "group"}, {"kind": "direct"}]})

    without = pressed(rows, {"remove": "account:0"})
    one = pressed(without, {"remove_group": "0."})
    more = pressed(one, {"do": "add_group"})
    filled = pressed(more, {"1.labels.all": "vip,, new "})

    assert filter_of(filled) == {
        "account": ["+2"],
        "any": [{"kind": "direct"}, {"labels": {"all": ["vip", "new"]}}],
    }


@pytest.mark.parametrize("odd", ["account:9", "account:x", ":", "0.account:0", "nothing:1"])
async def test_a_forged_button_removes_nothing(odd: str) -> None:
    rows = rows_of({"account": ["+1"]})

    assert filter_of(pressed(rows, {"remove": odd})) == {"account": ["+1"]}
