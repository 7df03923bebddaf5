"""Nothing turns English when it fails: every error and every fault, on every page that can show it.

A page is Arabic if no three Latin words stand in a row in it, but for VALUE, which fills all gaps:
an id or a name may be English. It has to be isolated (`bdi`). What stands in `code` is a code.
"""

import re
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hookbundle.engine.error_codes import Code, Term, Value
from hookbundle.engine.error_table import MEANINGS
from hookbundle.engine.errors import (
    Conflict,
    Fault,
    HookbundleError,
    InvalidInput,
    NotFound,
    TooManyRequests,
)
from hookbundle.engine.faults import SENTENCES, FaultCode, fault
from hookbundle.server.console.catalogues import ARABIC, translations
from hookbundle.server.console.visits import AccessCheck, Page, Visit
from hookbundle.server.console.wording import ShownError, Wording
from hookbundle.server.http.resources.workspaces import Workspaces
from hookbundle.storage.reads.lookup import Reads
from hookbundle.tests.reliability.harness.battery import size
from hookbundle.tests.server.console.plain import Seen, Visitor, visitor
from hookbundle.tests.server.console.stage import Stage, on_stage

VALUE = "a value of three English words"
ISOLATED = re.compile(rf"<bdi>{VALUE}</bdi>|<code\b[^>]*>.*?</code>", re.DOTALL)
TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL)
IN_A_ROW = re.compile(r"[A-Za-z][\w'-]*(?:[ \n]+[A-Za-z][\w'-]*){2,}")
COMMANDS = re.compile(r"hookbundle [a-z]+( [a-z]+)?|HTTP POST")
SPEAKS = {"Accept-Language": "ar"}
PAGES = (
    *("/", "/sign-in", "/nothing", "/workspaces", "/workspaces/new", "/overview"),
    *("/w/acme/outbound", "/w/acme/outbound/state", "/w/acme/windows", "/w/acme/windows/c"),
    *("/w/acme/deliveries", "/w/acme/deliveries/d", "/w/acme/requests/1"),
    *("/w/acme/deliveries/d/body", "/w/acme/find?q=c", "/w/acme/chats/c", "/w/acme/message"),
    *("/w/acme/messages/m?chat=c", "/w/acme/replay", "/w/acme/replay/1"),
    *("/w/acme/webhooks", "/w/acme/webhooks/new", "/w/acme/webhooks/outbound/filter"),
    *("/w/acme/sources", "/w/acme/sources/new", "/w/acme/sources/new?kind=waha"),
    *("/w/acme/sources/s", "/w/acme/sources/s/settings", "/w/acme/sources/s/requests/1"),
)
ACTIONS = {
    "/w/acme/webhook/test": "outbound",
    "/w/acme/webhook/enable": "outbound",
    "/w/acme/webhook/merge": "outbound",
    "/w/acme/webhook/rotate-secret": "outbound",
    "/w/acme/windows/flush": "windows",
    "/w/acme/windows/c/flush": "windows",
    "/w/acme/deliveries/retry": "deliveries",
    "/w/acme/deliveries/d/retry": "deliveries",
    "/w/acme/deliveries/d/discard": "deliveries",
    "/w/acme/deliveries/d/resend": "deliveries",
    "/w/acme/replay/1/cancel": "replay",
    **dict.fromkeys(
        (f"/w/acme/sources/waha-1/{act}" for act in ("rotate-token", "keep-apart", "delete")),
        "sources/waha-1",
    ),
}
# One place words all errors for all pages and actions. Each page and action takes one in eight.
TURNS = size(8, 1)
FIELDS = ("id", "name", "owner_email", "time_zone", "webhook.url", "webhook.aggregation")


def english_in(page: str) -> list[str]:
    text = TAG.sub("|", ISOLATED.sub("|", page))
    return [match[0] for match in IN_A_ROW.finditer(COMMANDS.sub(" ", text))]


def filled(text: str) -> dict[str, Value]:
    names = {name for _, name, _, _ in string.Formatter().parse(text) if name}
    return {name: Term.LISTS if name == "what" else VALUE for name in names}


def error_of(code: Code) -> HookbundleError:
    meaning = MEANINGS[code]
    return HookbundleError.of(code, **filled(meaning.sentence + meaning.remedy))


def fault_of(path: str, code: FaultCode) -> Fault:
    if code is FaultCode.INVALID:
        return Fault(path, "Expected `str`, got `int` there")
    values = {name: str(value) for name, value in filled(SENTENCES[code]).items()}
    return fault(path, code, **(values | {"given": "array"} if "given" in values else values))


@dataclass(slots=True)
class Failing:
    """What every page and every action fails with, after the checks that come before it."""

    error: HookbundleError | None = None

    async def admit(self, check: AccessCheck, visit: Visit, page: Page) -> Any:
        if visit.request.method == "POST":
            visit.form = await check._form(visit)
        if self.error is None:
            return await page(visit)
        raise self.error


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    made = Failing()
    admit = AccessCheck._admit

    async def failing_admit(check: AccessCheck, visit: Visit, page: Page, who: Any) -> Any:
        if made.error is None or visit.session is None:
            return await admit(check, visit, page, who)
        return await made.admit(check, visit, page)

    monkeypatch.setattr(AccessCheck, "_admit", failing_admit)
    return made


async def arabic(stage: Stage, seen: Visitor) -> None:
    await stage.workspace("acme")
    seen.session.headers.update(SPEAKS)
    assert (await seen.sign_in(await stage.token())).status == 303


def check(seen: Seen, *status: int) -> None:
    assert seen.status in status, seen
    assert 'lang="ar"' in seen.text
    assert english_in(seen.text) == []


async def test_every_error_on_every_page(tmp_path: Path, failing: Failing) -> None:
    async with on_stage(tmp_path) as stage, visitor(stage.url) as seen:
        await arabic(stage, seen)
        for number, code in enumerate(Code):
            for path in PAGES[number % TURNS :: TURNS]:
                failing.error = error_of(code)
                check(await seen.get(f"/console{path}"), MEANINGS[code].status)


async def test_every_error_of_every_action(tmp_path: Path, failing: Failing) -> None:
    async with on_stage(tmp_path) as stage, visitor(stage.url) as seen:
        await arabic(stage, seen)
        source = {"kind": "waha"}
        made = await stage.system.ask("POST", "/v1/workspaces/acme/sources", source)
        assert made.status == 201
        actions = list(ACTIONS.items())
        for number, code in enumerate(Code):
            for action, back in actions[number % TURNS :: TURNS]:
                failing.error = error_of(code)
                assert (await seen.post(f"/console{action}")).status == 303
                failing.error = None
                shown = await seen.get(f"/console/w/acme/{back}")
                check(shown, 200)
                assert (
                    Wording(translations(ARABIC)).worded(ShownError.of(error_of(code)))
                    in shown.text
                )


@pytest.mark.parametrize("path", ["/console/w/acme/outbound", "/console/workspaces/new"])
async def test_every_error_and_every_fault_of_a_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    raised: list[HookbundleError] = [error_of(code) for code in Code]
    raised += [InvalidInput(tuple(fault_of(field, code) for field in FIELDS)) for code in FaultCode]

    async def fail(*_: object, **__: object) -> None:
        raise raised[0]

    async with on_stage(tmp_path) as stage, visitor(stage.url) as seen:
        await arabic(stage, seen)
        monkeypatch.setattr(Workspaces, "change", fail)
        while raised:
            shown = await seen.post(path, {"id": "new"})
            check(shown, raised[0].status)
            if isinstance(raised[0], InvalidInput) and raised[0].faults:
                assert shown.text.count('class="fault"') >= 4
            raised.pop(0)


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/console/w/acme/outbound", {"url": "ftp://me@x:22/#f", "aggregation": "xyz"}, 422),
        ("/console/w/acme/outbound", {"name": "n" * 5_000, "time_zone": "Asia/Riyad"}, 422),
        ("/console/w/acme/outbound", {"owner_email": "not an address"}, 422),
        ("/console/w/acme/outbound", {"version": "1", "url": ""}, 412),
        ("/console/workspaces/new", {"id": ""}, 422),
        ("/console/workspaces/new", {"id": "acme"}, 422),
        ("/console/sign-in", {"token": ""}, 403),
        ("/console/w/acme/webhook/test", {"form_token": "of another session"}, 403),
    ],
)
async def test_what_really_goes_wrong(
    tmp_path: Path, path: str, form: dict[str, str], status: int
) -> None:
    async with on_stage(tmp_path) as stage, visitor(stage.url) as seen:
        await arabic(stage, seen)
        await stage.system.ask("PATCH", "/v1/workspaces/acme", {"name": "Acme"})

        check(await seen.post(path, form), status)


async def test_a_bug_is_told_in_arabic_with_the_number_to_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with on_stage(tmp_path) as stage, visitor(stage.url) as seen:
        await arabic(stage, seen)

        def fail(*_: object) -> None:
            raise RuntimeError("three English words")

        monkeypatch.setattr(Reads, "workspace", fail)
        shown = await seen.get("/console/w/acme/outbound")

    check(shown, 500)
    found = re.search(r"رقم هذا الطلب: <bdi>([0-9a-f]{16})</bdi>", shown.text)
    assert found
    assert found[1] in capsys.readouterr().out


async def test_the_list_of_errors_is_arabic(tmp_path: Path) -> None:
    async with on_stage(tmp_path) as stage, visitor(stage.url) as seen:
        shown = await seen.get("/docs/errors", headers=SPEAKS)

    check(shown, 200)
    assert all(f'id="{code}"' in shown.text for code in (*Code, *FaultCode))


def test_a_free_text_is_told_by_its_code_alone() -> None:
    wording = Wording(translations(ARABIC))

    assert english_in(wording.worded(ShownError.of(Conflict("three English words")))) == []
    assert (
        english_in(wording.worded(ShownError.of(HookbundleError("a b c", Code.QUARANTINED)))) == []
    )
    assert english_in(wording.worded(Fault("url", "three English words"))) == []
    assert english_in(wording.worded(Fault("url", "three English words", "new_code"))) == []
    english = Wording(None).worded(ShownError.of(Conflict("three English words")))
    assert english == "<bdi>three English words</bdi>"
    assert english_in(english) == ["three English words"]


def test_a_hostile_value_is_isolated_bounded_and_escaped() -> None:
    hostile = "\u202e<script>{workspace}" + "x" * 5_000
    for words in (None, translations(ARABIC)):
        shown = Wording(words).worded(
            ShownError.of(NotFound.of(Code.NO_WORKSPACE, workspace=hostile))
        )

        assert len(shown) < 400
        assert "<script>" not in shown
        assert "\u202e" not in shown
        assert "&lt;script&gt;{workspace}" in shown


def test_the_number_of_a_limit_stays_a_number() -> None:
    told = ShownError.of(TooManyRequests.of(Code.TOO_MANY_LIVE_PAGES, count=8))

    assert "(<bdi>8</bdi>)" in Wording(translations(ARABIC)).worded(told)


def test_english_is_found_where_it_stands() -> None:
    assert english_in("<p>three English words</p>") == ["three English words"]
    assert english_in(f"<p>نفّذ hookbundle token list <bdi>{VALUE}</bdi></p>") == []
