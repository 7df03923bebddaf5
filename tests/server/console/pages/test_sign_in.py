"""Who is admitted, for how long, and what a request without a session gets. By plain HTTP."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hookbundle.tests.in_process import HOUR_MS, MINUTE_MS
from hookbundle.tests.server.console.plain import Visitor, visitor
from hookbundle.tests.server.console.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = (
    "/console/",
    "/console/workspaces",
    "/console/workspaces/new",
    "/console/overview",
    "/console/w/acme/outbound",
    "/console/w/acme/outbound/state",
    "/console/w/acme/activity",
    "/console/w/acme/news",
    "/console/w/acme/log",
    "/console/w/acme/requests/0",
    "/console/w/acme/windows",
    "/console/w/acme/windows/1",
    "/console/w/acme/deliveries",
    "/console/w/acme/deliveries/dlv_1",
)
CHANGES = (
    "/console/w/acme/outbound",
    "/console/w/acme/webhook/test",
    "/console/w/acme/webhook/enable",
    "/console/w/acme/webhook/rotate-secret",
    "/console/w/acme/windows/flush",
    "/console/w/acme/windows/1/flush",
    "/console/w/acme/deliveries/retry",
    "/console/w/acme/deliveries/dlv_1/retry",
    "/console/w/acme/deliveries/dlv_1/discard",
    "/console/workspaces/new",
    "/console/sign-out",
)


@pytest_asyncio.fixture(loop_scope="session")
async def anonymous(stage: Stage) -> AsyncIterator[Visitor]:
    async with visitor(stage.url) as anonymous:
        yield anonymous


@pytest_asyncio.fixture(loop_scope="session")
async def operator(stage: Stage) -> AsyncIterator[Visitor]:
    await stage.workspace("acme")
    async with visitor(stage.url) as operator:
        assert (await operator.sign_in(await stage.token())).status == 303
        yield operator


async def test_the_root_leads_to_the_console_and_the_console_to_the_sign_in(
    anonymous: Visitor,
) -> None:
    root, start = await anonymous.get("/"), await anonymous.get("/console/")

    assert (root.status, root.headers["location"]) == (303, "/console/")
    assert (start.status, start.headers["location"]) == (303, "/console/sign-in")


async def test_an_anonymous_client_sees_no_page_and_comes_back_to_it_after_the_sign_in(
    stage: Stage, anonymous: Visitor
) -> None:
    await stage.workspace("acme")
    for path in PAGES[1:]:
        seen = await anonymous.get(path)
        assert (seen.status, seen.text) == (303, ""), path
        assert seen.headers["location"] == f"/console/sign-in?next={path}"

    form = await anonymous.get("/console/sign-in?next=/console/w/acme/windows")
    assert 'name="next" value="/console/w/acme/windows"' in form.text


async def test_an_anonymous_client_changes_nothing(anonymous: Visitor) -> None:
    for path in CHANGES:
        seen = await anonymous.post(path)
        assert seen.status in (303, 403), path
        assert "sign-in" in seen.headers.get("location", "sign-in")


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_of_other_sites(
    stage: Stage, anonymous: Visitor
) -> None:
    seen = await anonymous.sign_in(await stage.token())

    (cookie,) = [cookie for cookie in seen.cookies if cookie.startswith("hookbundle_session=")]
    assert {"HttpOnly", "SameSite=Strict", "Path=/console/"} <= set(cookie.split("; "))


async def test_what_is_no_admin_token_opens_nothing(stage: Stage, anonymous: Visitor) -> None:
    for token in ("", "guessed", await stage.token(scope="intake")):
        seen = await anonymous.sign_in(token)
        assert seen.status == 403
        assert "hookbundle_session" not in "".join(seen.cookies)


async def test_the_right_token_is_never_refused_for_wrong_ones_before_it(
    stage: Stage, anonymous: Visitor
) -> None:
    """All who come through one proxy have one address: nobody locks the others out."""
    before = stage.system.daemon.meters.wrong_tokens["console",]
    wrong = [(await anonymous.sign_in(f"guessed {number}")).status for number in range(120)]

    admitted = await anonymous.sign_in(await stage.token())

    assert (set(wrong), admitted.status) == ({403}, 303)
    assert stage.system.daemon.meters.wrong_tokens["console",] == before + 120


@pytest.mark.parametrize("token", ["👋", "é", "x" * 300, "\0"])
async def test_a_text_that_can_be_no_token_is_a_wrong_token(anonymous: Visitor, token: str) -> None:
    assert (await anonymous.sign_in(token)).status == 403


async def test_a_change_needs_the_forms_own_token(
    stage: Stage, operator: Visitor, anonymous: Visitor
) -> None:
    await anonymous.sign_in(await stage.token())

    for token in ("", "guessed", anonymous.form_token):
        seen = await operator.post("/console/w/acme/webhook/rotate-secret", {"form_token": token})
        assert seen.status == 403
    agreed = {"keep": "1h", "agreed": "resigned:0"}
    done = await operator.post("/console/w/acme/webhook/rotate-secret", agreed)
    assert done.status == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_change_asked_for_by_a_foreign_page_is_refused(
    operator: Visitor, headers: dict[str, str]
) -> None:
    seen = await operator.post("/console/w/acme/webhook/rotate-secret", headers=headers)

    assert seen.status == 403
    assert "whsec_" not in seen.text


async def test_a_foreign_name_for_this_machine_is_refused(operator: Visitor) -> None:
    for path in ("/", "/console/workspaces", "/console/static/base.css"):
        assert (await operator.get(path, headers={"Host": "evil.example"})).status == 421


async def test_a_change_comes_as_a_form_of_modest_size(operator: Visitor) -> None:
    path = "/console/w/acme/outbound"

    as_json = await operator.ask("POST", path, json={"form_token": operator.form_token})
    too_large = await operator.post(path, {"name": "x" * 70_000})

    assert (as_json.status, too_large.status) == (415, 413)


async def test_every_answer_bears_the_policy(operator: Visitor) -> None:
    for path in (*PAGES[:3], PAGES[4], *PAGES[9:], "/console/nothing", "/console/sign-in"):
        headers = (await operator.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store", path


async def test_a_session_ends_with_its_token(stage: Stage, anonymous: Visitor) -> None:
    token = await stage.token()
    await anonymous.sign_in(token)

    before = await anonymous.get("/console/workspaces")
    await stage.revoke(token)
    after = await anonymous.get("/console/workspaces")

    assert (before.status, after.status) == (200, 303)


async def test_a_session_ends_after_two_idle_hours_and_after_twelve_in_any_case(
    stage: Stage, operator: Visitor
) -> None:
    statuses = []
    for _ in range(7):
        stage.system.clock.move(HOUR_MS + 55 * MINUTE_MS)
        statuses.append((await operator.get("/console/workspaces")).status)
    await operator.sign_in(await stage.token())
    stage.system.clock.move(2 * HOUR_MS + 1)
    idle = (await operator.get("/console/workspaces")).status

    assert statuses == [200] * 6 + [303]
    assert idle == 303


async def test_signing_out_ends_the_session_also_for_who_kept_the_cookie(
    operator: Visitor,
) -> None:
    kept = {cookie.key: cookie.value for cookie in operator.session.cookie_jar}
    await operator.post("/console/sign-out")

    seen = await operator.get("/console/workspaces", cookies=kept)

    assert seen.status == 303


async def test_a_token_has_sixteen_sessions_at_most_and_the_oldest_gives_way(
    stage: Stage, operator: Visitor
) -> None:
    token = await stage.token()
    sessions = stage.system.daemon.sessions

    names = [sessions.begin(token) for _ in range(17)]

    assert sessions.find(names[0] or "") is None
    assert all(sessions.find(name or "") for name in names[1:])
    assert (await operator.get("/console/workspaces")).status == 200


async def test_a_workspaces_token_sees_its_workspace_and_no_other(
    stage: Stage, anonymous: Visitor
) -> None:
    await stage.workspace("acme", "Acme Ltd")
    await stage.workspace("globex", "Globex")
    await anonymous.sign_in(await stage.token("acme"))

    start = await anonymous.get("/console/")
    listed = await anonymous.get("/console/workspaces?q=globex")
    hidden = ["/console/overview", "/console/overview/now", "/console/workspaces/new"]
    hidden += [path.replace("acme", "globex") for path in PAGES if "acme" in path]

    assert start.headers["location"] == "/console/w/acme/outbound"
    assert "Acme Ltd" in listed.text
    assert "Globex" not in listed.text
    for path in hidden:
        seen = await anonymous.get(path)
        assert (seen.status, "Globex" in seen.text) == (404, False), path
    for path in (path.replace("acme", "globex") for path in CHANGES if "acme" in path):
        assert (await anonymous.post(path)).status == 404, path


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "/v1/status", "/console/\n"],
)
async def test_the_sign_in_leads_back_into_the_console_only(
    stage: Stage, anonymous: Visitor, target: str
) -> None:
    anonymous.form_token = (await anonymous.get("/console/sign-in")).form_token

    form = {"token": await stage.token(), "next": target}
    seen = await anonymous.post("/console/sign-in", form)
    language = await anonymous.get("/console/language/ar", params={"next": target})

    assert seen.headers["location"] == "/console/"
    assert language.headers["location"] == "/console/"


async def test_the_consoles_cookie_opens_no_api_and_a_token_opens_no_page(
    stage: Stage, operator: Visitor, anonymous: Visitor
) -> None:
    bearer = {"Authorization": f"Bearer {await stage.token()}"}

    assert (await operator.get("/v1/workspaces")).status == 401
    assert (await operator.get("/console/../v1/workspaces")).status in (401, 404)
    assert (await anonymous.get("/console/workspaces", headers=bearer)).status == 303


async def test_files_are_kept_by_the_browser_and_nothing_else_is_a_file(
    anonymous: Visitor,
) -> None:
    style = await anonymous.get("/console/static/base.css")

    assert "immutable" in style.headers["cache-control"]
    for name in ("NOTICE", "..%2f..%2fconsole.py", "%2e%2e/rendering.py", "nothing.css"):
        assert (await anonymous.get(f"/console/static/{name}")).status in (404, 303), name


async def test_news_stop_when_the_session_ends(stage: Stage, anonymous: Visitor) -> None:
    await stage.workspace("acme")
    token = await stage.token()
    await anonymous.sign_in(token)
    async with anonymous.session.get(f"{stage.url}/console/w/acme/news") as stream:
        assert (await stream.content.readline()).startswith(b":")
        await stage.revoke(token)
        await stage.system.switch("acme", "disable")

        rest = await stream.content.read()

    assert b"changed" not in rest
