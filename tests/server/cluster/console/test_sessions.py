"""Who is signed in at one node is at all of them, and who is signed out nowhere any more."""

import asyncio
from pathlib import Path

import pytest

from hookbundle.server.cluster.console import sessions
from hookbundle.server.console.security import SESSION
from hookbundle.server.console.sessions import SESSIONS_OF_A_TOKEN_MAX
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.server.cluster.two_nodes import NAMES, two

LIST = "/console/workspaces"


async def test_a_browser_that_goes_to_another_node_stays_signed_in(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        signed_in = await at.sign_in()
        seen = [(await visitor.get(LIST)).status for visitor in at.visitors]

    assert signed_in.status == 303
    assert seen == [200, 200]


async def test_who_belongs_to_a_workspace_signs_in_at_whichever_node(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.made()
        for name in NAMES:
            assert (await at.sign_in(await at.token(name), 1)).status == 303
            for visitor in at.visitors:
                assert (await visitor.get(f"/console/w/{name}/outbound")).status == 200
                other = next(each for each in NAMES if each != name)
                assert (await visitor.get(f"/console/w/{other}/outbound")).status == 404
                listed = await visitor.get(LIST)
                assert f"/console/w/{name}/" in listed.text
                assert f"/console/w/{other}/" not in listed.text


async def test_who_signs_out_at_one_node_is_signed_out_at_all(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.sign_in()
        cookie = next(each.value for each in at.jar if each.key == SESSION)
        assert (await at.visitors[1].get(LIST)).status == 200
        await at.visitors[0].post("/console/sign-out")
        headers = {"Cookie": f"{SESSION}={cookie}"}
        seen = [(await each.get(LIST, headers=headers)).status for each in at.visitors]

    assert seen == [303, 303]


async def test_a_revoked_token_ends_its_sessions_at_all_nodes(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.made()
        for workspace in ("", *NAMES):
            wanted = {"scope": "admin", **({"workspace": workspace} if workspace else {})}
            made = await at.apis[0].ask("POST", "/v1/tokens", wanted)
            await at.sign_in(made.document["token"])
            path = f"/console/w/{workspace or NAMES[0]}/outbound"
            before = [(await each.get(path)).status for each in at.visitors]
            revoked = await at.apis[1].ask("DELETE", f"/v1/tokens/{made.document['id']}")

            assert (before, revoked.status) == ([200, 200], 204)
            async with asyncio.timeout(TIMEOUT_S):  # a node that follows knows it a moment later
                for each in at.visitors:
                    while (await each.get(path)).status != 303:
                        pass


async def test_an_open_page_hears_nothing_more_once_its_session_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "LOOK_S", 0.02)
    async with two(tmp_path) as at:
        await at.made()
        await at.sign_in(await at.token("ws9"))
        visitor = at.elsewhere("ws9")
        async with (
            asyncio.timeout(TIMEOUT_S),
            visitor.session.get(f"{visitor.url}/console/w/ws9/news") as stream,
        ):
            assert b"all is well" in await stream.content.readline()
            await at.apis[0].ask("PATCH", "/v1/workspaces/ws9", {"name": "new"})
            while b"event: changed" not in await stream.content.readline():
                pass
            await at.visitors[0].post("/console/sign-out")
            await stream.content.read()

    assert stream.status == 200


async def test_lost_records_sign_everybody_out_and_no_more(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.sign_in()
        at.cluster.sessions.kept.clear()
        lost = (await at.visitors[0].get(LIST)).status
        await at.sign_in()
        again = (await at.visitors[1].get(LIST)).status

    assert (lost, again) == (303, 200)


async def test_while_no_log_server_answers_nobody_is_taken_for_signed_out(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.sign_in()
        at.cluster.sessions.is_down = True
        down = await at.visitors[0].get(LIST)
        at.cluster.sessions.is_down = False
        up = await at.visitors[0].get(LIST)

    assert (down.status, up.status) == (503, 200)


async def test_a_record_tells_neither_the_token_nor_the_name_of_the_session(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as at:
        token = await at.token()
        await at.sign_in(token)
        cookie = next(each.value for each in at.jar if each.key == SESSION)
        (record,) = at.cluster.sessions.kept.values()

    assert cookie.rpartition(".")[2].encode() not in record
    assert token.encode() not in record


async def test_one_session_too_many_takes_the_place_of_its_owner_s_oldest(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.made()
        operator = await at.nodes[0].sessions.sign_in(await at.token())
        token = await at.token("ws0")
        names = [
            await at.nodes[number % 2].sessions.sign_in(token)
            for number in range(SESSIONS_OF_A_TOKEN_MAX + 1)
        ]
        good = [await at.nodes[1].sessions.session(name or "") for name in (operator, *names)]

    assert sum(each is not None for each in good) == SESSIONS_OF_A_TOKEN_MAX + 1
    assert good[0] is not None


@pytest.mark.parametrize("name", ["", "x", "*.>", "0123456789abcdef.1.*", "a" * 500, "é.1.x"])
async def test_what_is_no_session_asks_nobody(tmp_path: Path, name: str) -> None:
    async with two(tmp_path) as at:
        at.cluster.sessions.is_down = True
        assert await at.nodes[0].sessions.session(name) is None
        at.cluster.sessions.is_down = False


async def test_a_place_without_its_secret_opens_nothing(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.sign_in()
        (place,) = at.cluster.sessions.kept
        guessed = await at.nodes[1].sessions.session(f"{place}.{'x' * 43}")
        await at.nodes[1].sessions.sign_out(f"{place}.{'x' * 43}")
        seen = await at.visitors[0].get(LIST)

    assert guessed is None
    assert seen.status == 200
