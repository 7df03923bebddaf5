"""What a webhook sends, chosen on a page, seen as a request of its last conversation, and saved."""

import html
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.actors.rendering.renderer import Renderer
from hookbundle.actors.rendering.resting import Resting
from hookbundle.engine.formats.jobs import Job, NoRecord, Outcome, Unrenderable, Why
from hookbundle.engine.formats.presets import presets
from hookbundle.server.console.catalogues import LANGUAGES
from hookbundle.tests.server.console.plain import Seen, signed_in
from hookbundle.tests.server.console.stage import Stage, on_stage, talk
from hookbundle.tests.server.console.test_arabic_errors import english_in
from hookbundle.tests.server.console.test_hostile_texts import CORPUS

PAGE = "/console/w/acme/webhooks/outbound/format"
OUTBOUND = "/console/w/acme/outbound"
NOTE = '{"note": "{{ messages | text }}", "team": "{{ options.team }}"}'
CONTENT = re.compile(r"<pre\b.*?</pre>|<ol class=\"chat\">.*?</ol>", re.DOTALL)
BODY = re.compile(r'<pre class="body"[^>]*>(.*?)</pre>', re.DOTALL)


def body_in(seen: Seen) -> Any:
    found = BODY.search(seen.text)
    assert found, seen
    return msgspec.json.decode(html.unescape(found[1]))


def set_of(stage: Stage) -> tuple[bytes, bytes]:
    webhook = stage.system.daemon.partition.reads.workspace("acme").named("outbound").webhook
    return webhook.format, webhook.format_options


async def sent(stage: Stage, *texts: str) -> None:
    await stage.system.accept("acme", *(talk(text, n) for n, text in enumerate(texts)))
    await stage.system.ask("POST", "/v1/workspaces/acme/chats/flush")
    await stage.until("acme", windows=0, queued=0)


async def test_a_template_is_seen_of_the_last_conversation_and_saved(tmp_path: Path) -> None:
    form = {"format": "template", "template": NOTE, "options": "team=north\r\n"}
    async with on_stage(tmp_path) as stage, signed_in(stage) as seen:
        await stage.workspace("acme")
        sample = await seen.post(PAGE, form | {"do": "try"})
        await sent(stage, "Good morning", "Hello")
        tried = await seen.post(PAGE, form | {"do": "try"})
        unsaved = set_of(stage)
        saved = await seen.post(PAGE, form)
        stored = set_of(stage)
        shown = await seen.get(PAGE)
        card = await seen.get(OUTBOUND)
        await stage.system.accept("acme", talk("Later", 9))
        await stage.system.ask("POST", "/v1/workspaces/acme/chats/flush")
        await stage.until("acme", windows=0, queued=0)
        seed = await seen.post(PAGE, {"format": "seed"})
        back = set_of(stage)

    assert "This is a test request" in body_in(sample)["note"]
    assert "Of a sample" in sample.text
    assert body_in(tried)["note"].count("\n") == 1
    assert body_in(tried)["team"] == "north"
    assert "Of the last conversation" in tried.text
    assert '<code dir="ltr">POST</code> <bdi dir="ltr">127.0.0.1</bdi>' in tried.text
    assert '<code dir="ltr">webhook-signature</code>' in tried.text
    assert unsaved == (b"", b"")
    assert (saved.status, seed.status) == (303, 303)
    assert msgspec.json.decode(stored[0]) == {"template": msgspec.json.decode(NOTE)}
    assert msgspec.json.decode(stored[1]) == {"team": "north"}
    assert "team=north</textarea>" in shown.text
    assert "A template of your own" in card.text
    assert msgspec.json.decode(stage.receiver.bodies[-1])["note"].endswith("Later")
    assert back == (b"", b"")


async def test_a_preset_is_set_with_its_variables_and_what_its_receiver_wants(
    tmp_path: Path,
) -> None:
    """By the page the same as by the API: a limit that the preset does not name is the largest."""
    form = {"format": "pipedrive-note", "o.org_id": "77", "o.no_record": "send"}
    low = {"webhook": {"limits": {"messages": 7, "bytes": 20_000}}}
    async with on_stage(tmp_path) as stage, signed_in(stage) as seen:
        await stage.workspace("acme")
        await stage.system.ask("PATCH", "/v1/workspaces/acme", low)
        page = await seen.get(f"{PAGE}?format=pipedrive-note")
        await seen.post(PAGE, form)
        alone = await stage.system.hook()
        await seen.post(PAGE, form | {"also": "on"})
        both, stored = await stage.system.hook(), set_of(stage)
        shown = await seen.get(PAGE)
        await stage.system.ask(
            "PUT", "/v1/workspaces/other", {"name": "Other", "owner_email": "owner@other.example"}
        )
        by_api = await stage.system.ask(
            "POST",
            "/v1/workspaces/other/webhooks",
            {"id": "crm", "url": both["url"], "aggregation": "1h", "format": "pipedrive-note"},
        )
        lacking = await seen.post(PAGE, {"format": "salesforce-task", "o.status": "Open"})
        unknown = await seen.get(f"{PAGE}?format=nothing")

    assert 'name="also" value="on" checked' in page.text
    assert alone["success"] == "200"
    assert (both["success"], both["rate"]) == ([200, 201], "10/2s")
    assert both["limits"]["bytes"] == 90_000
    assert alone["limits"] == low["webhook"]["limits"]
    wanted = ("success", "success_rules", "limits", "rate")
    assert [both[name] for name in wanted] == [by_api.document[name] for name in wanted]
    assert len(both["success_rules"]) == 1
    assert stored[0] == b'"pipedrive-note"'
    assert msgspec.json.decode(stored[1]) == {"org_id": "77", "no_record": "send"}
    assert 'name="o.org_id" type="text" value="77"' in shown.text
    assert 'name="also" value="on">' in shown.text
    assert lacking.status == 422
    assert 'id="o.external_id_field-fault"' in lacking.text
    assert 'value="Open"' in lacking.text
    assert unknown.status == 404


async def test_faults_of_a_template_have_their_pointers(tmp_path: Path) -> None:
    wrong = '{"a": {"b": "{{ chat.nobody }}"}, "c": "{{ messages | shout }}"}'
    async with on_stage(tmp_path) as stage, signed_in(stage) as seen:
        await stage.workspace("acme")
        form = {"format": "template", "options": ""}
        both = await seen.post(PAGE, form | {"template": wrong})
        broken = await seen.post(PAGE, form | {"template": '{"a": '})
        option = {"template": NOTE, "options": "team=n\nbad!=x"}
        named = await seen.post(PAGE, form | option)
        arabic = [
            await seen.post(PAGE, form | each, headers={"Accept-Language": "ar"})
            for each in ({"template": wrong}, {"template": '{"a": '}, option)
        ]

    assert [each.status for each in (both, broken, named)] == [422] * 3
    assert '<code dir="ltr">/a/b</code>' in both.text
    assert '<code dir="ltr">/c</code>' in both.text
    assert 'id="template-fault"' in broken.text
    assert 'id="options-fault"' in named.text
    for each in arabic:
        assert english_in(each.text) == []


async def test_hostile_texts_stay_text_in_a_preview(tmp_path: Path) -> None:
    async with on_stage(tmp_path) as stage, signed_in(stage) as seen:
        await stage.workspace("acme")
        await sent(stage, *CORPUS)
        form = {"format": "template", "do": "try", "options": f"team={CORPUS[0]}"}
        tried = await seen.post(PAGE, form | {"template": NOTE})
        wrong = await seen.post(PAGE, form | {"template": f'{{"{CORPUS[1]}": "{{{{ x }}}}"}}'})
        await seen.post(PAGE, {"format": "template", "template": f'["{CORPUS[0]}"]'})
        shown = await seen.get(PAGE)

    assert all(text in body_in(tried)["note"] for text in CORPUS)
    assert body_in(tried)["team"] == CORPUS[0]
    for each in (tried, wrong, shown):
        assert "<script>" not in each.text
        assert "<img src=x" not in each.text
    assert wrong.status == 422


@pytest.mark.parametrize("code", LANGUAGES)
async def test_what_can_not_be_made_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    made: list[Outcome] = [NoRecord()]
    made += [Unrenderable("/a/<b>", why, "English that nobody may see") for why in Why]

    async with on_stage(tmp_path) as stage, signed_in(stage) as seen:
        await stage.workspace("acme")
        rendering = stage.system.daemon.traffic.rendering

        async def preview(job: Job, workspace: int) -> Outcome:
            return made[0]

        monkeypatch.setattr(rendering.renderer, "preview", preview)
        found = []
        while made:
            form = {"format": "slack", "do": "try"}
            found.append(await seen.post(PAGE, form, headers={"Accept-Language": code}))
            del made[0]

    sentences = {
        re.sub(r"<code.*?</code>", "", each.text.split('id="preview"')[1]) for each in found
    }
    assert len(sentences) == 1 + len(Why)
    for each in found:
        assert each.status == 200
        assert "English that nobody may see" not in each.text
        assert "<b>" not in each.text
        if code == "ar":
            assert english_in(each.text) == []


async def test_every_format_has_its_page_in_arabic(tmp_path: Path) -> None:
    async with on_stage(tmp_path) as stage, signed_in(stage) as seen:
        await stage.workspace("acme")
        arabic = {"Accept-Language": "ar"}
        pages = [
            await seen.get(f"{PAGE}?format={name}", headers=arabic)
            for name in ("seed", "template", *presets())
        ]

    for each in pages:
        assert each.status == 200
        assert english_in(each.text) == []


async def test_what_its_format_holds_back_is_said_on_its_pages(tmp_path: Path) -> None:
    bad = {"format": "template", "options": "", "template": '{"x": "{{ chat.full_name | ms }}"}'}
    skip = {"format": "hubspot-note", "o.no_record": "skip"}
    async with on_stage(tmp_path) as stage, signed_in(stage) as seen:
        await stage.workspace("acme")
        await seen.post(PAGE, skip)
        await stage.system.accept("acme", talk("Hi", 1))
        await stage.system.ask("POST", "/v1/workspaces/acme/chats/flush")
        await stage.until("acme", windows=0, queued=0)
        skipped = (await stage.system.get("/v1/workspaces/acme/deliveries"))["deliveries"][0]["id"]
        await seen.post(PAGE, bad)
        await stage.system.accept("acme", talk("Hi", 2))
        await stage.system.ask("POST", "/v1/workspaces/acme/chats/flush")
        await stage.until("acme", dead_letters=1)
        dead = (await stage.system.get("/v1/workspaces/acme/deliveries"))["deliveries"][0]["id"]
        paths = [f"/console/w/acme/deliveries/{each}" for each in (skipped, dead)] + [OUTBOUND]
        english = [await seen.get(path) for path in paths]
        arabic = [await seen.get(path, headers={"Accept-Language": "ar"}) for path in paths]

    assert "the format skips such chats" in english[0].text
    assert "A filter got a value that it can" in english[1].text
    assert '<code dir="ltr">/x</code>' in english[1].text
    assert "no body of the format could be made" in english[2].text
    for each in arabic:
        assert english_in(CONTENT.sub("", each.text)) == []
        assert "gives the filter" not in each.text


async def test_that_its_rendering_rests_is_said_in_the_place_of_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with on_stage(tmp_path) as stage, signed_in(stage) as seen:

        async def resting(*_: object) -> Resting:
            return Resting(stage.system.clock.now_ms() + 600_000)

        monkeypatch.setattr(Renderer, "render", resting)
        await stage.workspace("acme")
        await seen.post(PAGE, {"format": "text"})
        await stage.system.accept("acme", talk("Hi", 1))
        await stage.system.ask("POST", "/v1/workspaces/acme/chats/flush")
        await stage.system.facts.until("webhook.rendering_rests")
        hook = await stage.system.hook()
        paths = (OUTBOUND, "/console/w/acme/webhooks")
        english = [await seen.get(path) for path in paths]
        arabic = [await seen.get(path, headers={"Accept-Language": "ar"}) for path in paths]

    assert (hook["state"], hook["consecutive_errors"]) == ("backing_off", 0)
    assert "three in a row took too much" in english[0].text
    assert "No bodies of its format are made" in english[1].text
    for each in english:
        assert '<span class="badge warn">Rests</span>' in each.text
        assert "Waiting to retry" not in each.text
    for each in arabic:
        assert "متوقف مؤقتًا" in each.text
        assert english_in(each.text) == []
