"""What tenants do with their sessions costs no other visitor his, and the daemon no memory."""

import pytest

from hookbundle.server.console.sessions import NOTICES_MAX, SESSIONS_MAX
from hookbundle.tests.server.console.plain import visitor
from hookbundle.tests.server.console.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_tenants_that_sign_in_again_and_again_sign_nobody_else_out(stage: Stage) -> None:
    sessions = stage.system.daemon.sessions
    names = [f"tenant-{n}" for n in range(4)]
    for name in names:
        await stage.workspace(name)
    operator = sessions.begin(await stage.token()) or ""
    alone = sessions.begin(await stage.token(names[0])) or ""

    for _ in range(6):  # tokens of each, with all the sessions that a token may have
        for name in names[1:]:
            token = await stage.token(name)
            for _ in range(16):
                assert sessions.begin(token)

    assert len(sessions) == SESSIONS_MAX
    assert sessions.find(operator)
    assert sessions.find(alone)


async def test_changes_by_a_script_that_loads_no_page_leave_few_notices(stage: Stage) -> None:
    await stage.workspace("acme")
    async with visitor(stage.url) as owner:
        await owner.sign_in(await stage.token("acme"))
        owner.form_token = (await owner.get("/console/w/acme/outbound")).form_token
        for _ in range(NOTICES_MAX + 5):
            seen = await owner.post(
                "/console/w/acme/webhook/enable", headers={"HX-Request": "true"}
            )
            assert seen.status == 204

        shown = (await owner.get("/console/w/acme/outbound")).text

    assert shown.count('class="notice') == NOTICES_MAX
