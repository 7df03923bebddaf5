"""Sources whose workspace another node owns: who pays for what they post."""

from pathlib import Path

import pytest

from hookbundle.engine import limits
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Overloaded
from hookbundle.storage.reads.source_view import SourceReads
from hookbundle.tests.in_process import until
from hookbundle.tests.server.cluster.hostile.apart import Apart, apart, request

PIECE = b"x" * 40_000


async def path_of(made: Apart, workspace: str) -> str:
    """Of a new source of the workspace."""
    wanted = {"kind": "waha"}
    found = await made.api.ask("POST", f"/v1/workspaces/{workspace}/sources", wanted)
    assert found.status == 201, found
    return f"/v1/sources/{found.document['token']}"


async def test_nobody_reads_what_is_posted_to_an_address_that_leads_nowhere(tmp_path: Path) -> None:
    async with apart(tmp_path) as made:
        path = await path_of(made, made.theirs[0])
        line = await made.line()
        answer = await line.ask(
            request(f"POST {path[:-1]}x HTTP/1.1\nContent-Length: 8000000\nExpect: 100-continue")
        )
        line.hang_up()

    assert answer.split()[1] == b"404"


async def test_a_source_of_which_its_owner_can_not_say_anything_is_not_said_to_be_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other systems give up an address for good that answers 404."""

    def fail(*_: object) -> None:
        raise Overloaded.of(Code.DATABASE_GROWING)

    async with apart(tmp_path) as made:
        path = await path_of(made, made.theirs[0])
        with monkeypatch.context() as patch:
            patch.setattr(SourceReads, "addressed", fail)
            before = await made.status(f"POST {path} HTTP/1.1", b"{}")

    assert before == 503


async def test_a_source_s_workspace_pays_for_its_body_and_its_connection(tmp_path: Path) -> None:
    async with apart(tmp_path) as made:
        workspace, node = made.theirs[0], made.nodes[0]
        path = await path_of(made, workspace)
        line = await made.line()
        line.writer.write(request(f"POST {path} HTTP/1.1\nContent-Length: 80000") + PIECE)
        bodies, connections = node.fair_limits.bodies, node.fair_limits.connections
        await until(lambda: bodies.held(workspace) > 0)

        assert bodies.used == bodies.held(workspace)
        assert connections.held(workspace) == 1
        line.hang_up()
        await until(lambda: bodies.used == 0)


async def test_what_is_too_large_is_taken_and_ignored_as_by_the_owner(tmp_path: Path) -> None:
    async with apart(tmp_path) as made:
        path = await path_of(made, made.theirs[0])
        body = b"[" + b" " * limits.REQUEST_BYTES_MAX + b"]"
        found = []
        for at in (0, 1):
            line = await made.line(at)
            found.append(await line.ask(request(f"POST {path} HTTP/1.1", body)))
            line.hang_up()

    heads, bodies = zip(*(answer.split(b"\r\n\r\n") for answer in found), strict=True)
    assert [head.split()[1] for head in heads] == [b"200", b"200"]
    assert bodies[0] == bodies[1]
    assert b"oversize" in bodies[0]
