"""A source is made: its kind chosen, its settings filled in, its address shown once."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from hookbundle.engine import limits
from hookbundle.engine.sources.kinds import KINDS
from hookbundle.engine.sources.settings import FIELDS, SECRETS
from hookbundle.server.console.pages.sources import fields, steps
from hookbundle.tests.server.console.plain import signed_in
from hookbundle.tests.server.console.stage import Stage
from hookbundle.tests.server.http.resources.sources.posting import SOURCES as API
from hookbundle.tests.server.http.resources.sources.posting import make

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOURCES = "/console/w/acme/sources"
SECRET = "a long random text"


async def test_it_is_made_without_scripts_and_its_address_is_shown_once(
    stage: Stage, plain_page: Page
) -> None:
    page = plain_page
    await stage.workspace("acme")
    await page.goto("/console/w/acme/outbound")
    await page.get_by_role("link", name="Sources").click()
    await page.get_by_role("link", name="Add a source").click()
    await page.get_by_role("link", name="WAHA", exact=True).click()
    await page.get_by_label("Name of the source").fill("sales")
    await page.get_by_label("Name of the WhatsApp account").fill("Nadia Haddad")
    await page.get_by_label("HMAC key").fill(SECRET)

    await page.get_by_role("button", name="Create").click()

    url = await page.locator(".notice code").inner_text()
    assert url.startswith(f"{stage.url}/v1/sources/src_")
    await expect(page.get_by_role("heading", name="What to do over there")).to_be_visible()
    codes = await page.locator("ol code").all_inner_texts()
    assert {"message.any", "message.edited", "message.revoked", "hmac.key"} <= set(codes)
    await page.reload()
    assert "src_" not in await page.content()
    made = await stage.system.get(f"{API}/waha-1")
    assert (made["name"], made["proven"]) == ("sales", True)
    assert made["settings"]["account"] == {"full_name": "Nadia Haddad"}
    async with signed_in(stage) as seen:
        answer = await seen.get(url.removeprefix(stage.url))
    assert answer.status == 200


async def test_a_secret_is_never_shown_and_is_replaced_kept_and_taken_away(
    stage: Stage, plain_page: Page
) -> None:
    page = plain_page
    await stage.workspace("acme")
    await make(stage.system, hmac_key=SECRET)
    before = await stage.system.get(f"{API}/waha-1")
    at = f"{SOURCES}/waha-1/settings"

    await page.goto(at)
    assert SECRET not in await page.content()
    await page.get_by_label("Name of the WhatsApp account").fill("Nadia")
    await page.get_by_role("button", name="Save").click()
    kept = await stage.system.get(f"{API}/waha-1")
    await page.goto(at)
    await page.get_by_label("HMAC key", exact=True).fill("another one")
    await page.get_by_role("button", name="Save").click()
    replaced = await stage.system.get(f"{API}/waha-1")
    await page.goto(at)
    await page.get_by_label("Take it away: HMAC key").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".notice")).to_contain_text("The settings are saved.")

    assert kept["settings"] == before["settings"] | {"account": {"full_name": "Nadia"}}
    assert (kept["proven"], replaced["proven"]) == (True, True)
    assert replaced["version"] == kept["version"] + 1
    after = await stage.system.get(f"{API}/waha-1")
    assert (after["proven"], "hmac_key" in after["settings"]) == (False, False)


@pytest.mark.parametrize(
    ("kind", "settings", "header", "field"),
    [
        ("green-api", {"webhook_token": SECRET}, "authorization", "webhook_token"),
        ("waha", {"header": {"name": "x-own", "value": SECRET}}, "x-own", "header_value"),
    ],
)
async def test_while_a_secret_is_rotated_both_count(
    stage: Stage, kind: str, settings: dict[str, Any], header: str, field: str
) -> None:
    await stage.workspace("acme")
    source = await make(stage.system, kind, **settings)
    texts = (SECRET, "second", "third", "fourth")
    at = f"{SOURCES}/{source.id}/settings"

    async def count_of() -> set[str]:
        answers = {text: await source.post({}, "", **{header: text}) for text in (*texts, "none")}
        return {text for text, answer in answers.items() if answer.status != 401}

    async with signed_in(stage) as owner:

        async def save(**filled: str) -> str:
            """The page that is shown then."""
            values = values_in((await owner.get(at)).text)
            assert (await owner.post(at, values | filled)).status == 303
            return (await owner.get(at)).text

        page = await save(**{field: "second", f"{field}_keep": "on"})
        assert await count_of() == {"second", SECRET}
        assert "Two are set" in page
        assert SECRET not in page
        await save()
        assert await count_of() == {"second", SECRET}
        await save(**{field: "third", f"{field}_keep": "on"})
        assert await count_of() == {"third", "second"}
        page = await save(**{f"{field}_only": "on"})
        assert await count_of() == {"third"}
        assert "Two are set" not in page
        await save(**{field: "fourth"})
        assert await count_of() == {"fourth"}
        await save(**{f"{field}_away": "on", f"{field}_only": "on"})
        assert await count_of() == {*texts, "none"}


async def test_every_kind_is_made_with_no_more_than_it_needs(stage: Stage) -> None:
    await stage.workspace("acme")
    async with signed_in(stage) as owner:
        for kind in KINDS:
            form = await owner.get(f"{SOURCES}/new?kind={kind}")
            posted = {**values_in(form.text), "kind": kind}
            assert (await owner.post(f"{SOURCES}/new", posted)).status == 303, kind
        for number, kind in enumerate(KINDS, 1):
            source = await stage.system.get(f"{API}/{kind}-{number}")
            form = await owner.get(f"{SOURCES}/{kind}-{number}/settings")
            saved = await owner.post(f"{SOURCES}/{kind}-{number}/settings", values_in(form.text))
            assert saved.status == 303
            # What is saved as it was changes nothing.
            assert await stage.system.get(f"{API}/{kind}-{number}") == source


@pytest.mark.parametrize(
    ("kind", "form", "field"),
    [
        ("waha", {"chat_url": "ftp://x/{chat}"}, "chat_url"),
        ("waha", {"numbers": '{"1": {"phones": 1}}'}, "numbers"),
        ("waha", {"numbers": "[1"}, "numbers"),
        ("waha", {"header_name": "x y", "header_value": "v"}, "header_name"),
        ("waha", {"header_name": "x-secret"}, "header_value"),
        ("waha", {"name": "n" * 200}, "name"),
        ("generic", {"fields": '{"text": "a"}'}, "fields"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    stage: Stage, kind: str, form: dict[str, str], field: str
) -> None:
    await stage.workspace("acme")
    typed = {"kind": kind, "account_full_name": "Nadia", "hmac_key": SECRET, "name": "", **form}

    async with signed_in(stage) as owner:
        answer = await owner.post(f"{SOURCES}/new", typed)

    assert answer.status == 422
    assert f'id="{field}-fault"' in answer.text
    assert 'value="Nadia"' in answer.text
    assert SECRET not in answer.text
    assert (await stage.system.get(API))["sources"] == []


async def test_a_form_filled_in_before_another_change_is_refused_and_kept(
    stage: Stage, plain_page: Page
) -> None:
    page = plain_page
    await stage.workspace("acme")
    await make(stage.system)
    await page.goto(f"{SOURCES}/waha-1/settings")
    await page.get_by_label("Name of the source").fill("mine")
    await stage.system.ask("PATCH", f"{API}/waha-1", {"name": "theirs"})

    await page.get_by_role("button", name="Save").click()

    await expect(page.locator(".notice")).to_contain_text("This could not be done.")
    await expect(page.get_by_label("Name of the source")).to_have_value("mine")
    assert (await stage.system.get(f"{API}/waha-1"))["name"] == "theirs"


async def test_one_too_many_is_refused_in_words(stage: Stage) -> None:
    await stage.workspace("acme")
    for _ in range(limits.SOURCES_MAX):
        await make(stage.system)

    async with signed_in(stage) as owner:
        answer = await owner.post(f"{SOURCES}/new", {"kind": "waha", "name": "more"})
        shown = await owner.get(SOURCES)

    assert answer.status == 409
    assert "This could not be done." in answer.text
    assert 'value="more"' in answer.text
    assert "Add a source" not in shown.text


async def test_pages_of_what_is_not_there_are_not_found(stage: Stage) -> None:
    await stage.workspace("acme")
    await make(stage.system)
    wrong = ("new?kind=telegram", "waha-9", "waha-9/settings", "waha-1/requests/1")
    async with signed_in(stage) as owner:
        found = {path: (await owner.get(f"{SOURCES}/{path}")).status for path in wrong}
        deleted = await owner.post(f"{SOURCES}/waha-9/delete", {"agreed": "any"})

    assert found == dict.fromkeys(wrong, 404)
    assert deleted.status == 303
    assert len((await stage.system.get(API))["sources"]) == 1


async def test_every_setting_has_a_field_and_every_secret_is_one() -> None:
    known = {name: fields.OF_SETTING[name] for each in FIELDS.values() for name in each}

    assert set(known) == set(fields.OF_SETTING)
    assert set(steps.KINDS) == set(KINDS) == set(FIELDS)
    for name in SECRETS:
        assert [each.form for each in known[name]] == [fields.Form.SECRET]


def values_in(page: str) -> dict[str, str]:
    """What a browser posts of the page's form as it is."""
    form = re.sub("<button[^>]*>", "", page[page.index('name="ticks"') - 400 :])
    found = dict(re.findall(r'name="(\w+)" (?:type="\w+" )?value="([^"]*)"', form))
    boxes = re.findall(r'type="checkbox" name="(\w+)" value="on" (checked)?', form)
    for name, is_ticked in boxes:
        found.pop(name, None)
        found |= {name: "on"} if is_ticked else {}
    found |= dict(re.findall(r'<textarea id="\w+" name="(\w+)"[^>]*>\n([^<]*)</textarea>', form))
    return {name: value.replace("&#34;", '"') for name, value in found.items()}
