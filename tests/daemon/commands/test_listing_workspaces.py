"""`workspace list`: a workspace in one row, whatever its webhooks do; and what two forms share."""

from hookbundle.tests.in_process import Api, connected
from hookbundle.tests.program import Program

HOOK = {"url": "https://receiver.example/x", "aggregation": "1h"}


async def listed(program: Program, ws: str) -> dict[str, str]:
    ran = await program("workspace", "list", "--q", ws)
    return dict(zip(*ran.rows, strict=True))


async def test_of_several_webhooks_the_worst_state_stands_there_and_how_many(
    program: Program,
) -> None:
    async with connected(program.socket_path) as session:
        api = Api(session)
        await api.ask("PUT", "/v1/workspaces/three", {"webhook": HOOK})
        one = await listed(program, "three")
        for name in ("crm", "phone"):
            await api.ask("PUT", f"/v1/workspaces/three/webhooks/{name}", HOOK)
        fine = await listed(program, "three")
        await api.ask("POST", "/v1/workspaces/three/webhooks/phone/disable")
        worst = await listed(program, "three")
        await api.ask("DELETE", "/v1/workspaces/three/webhooks/outbound")
        without = await listed(program, "three")

    assert (one["state"], "not_enabled" in one) == ("enabled", False)
    assert (fine["state"], fine["not_enabled"]) == ("enabled", "0 of 3")
    assert (worst["state"], worst["not_enabled"]) == ("disabled", "1 of 3")
    assert (without["state"], without["not_enabled"]) == ("disabled", "1 of 2")
    assert (worst["aggregation"], without["aggregation"]) == ("1h", "-")


async def test_json_has_the_workspaces_as_the_api_has_them(program: Program) -> None:
    await program("workspace", "set", "plain", "--aggregation", "1h")

    (document,) = (await program("workspace", "list", "--q", "plain", "--json")).document

    assert (document["webhook"]["state"], "not_enabled" in document) == ("unconfigured", False)


async def test_both_forms_of_a_command_do_the_same(program: Program) -> None:
    async with connected(program.socket_path) as session:
        await Api(session).ask("PUT", "/v1/workspaces/twins", {"webhook": HOOK})
    forms = (("workspace", "twins"), ("webhook", "twins", "outbound"))

    rotated = [await program(f[0], "rotate-secret", *f[1:], "--keep", "0s") for f in forms]
    refused = [await program(f[0], "rotate-secret", *f[1:], "--keep", "soon") for f in forms]
    tested = [await program(f[0], "test", *f[1:]) for f in forms]

    assert [ran.code for ran in rotated] == [0, 0]
    assert len({ran.out for ran in rotated}) == 2  # each has made a secret of its own
    assert len({ran.err for ran in rotated}) == 1
    assert [(ran.code, ran.err) for ran in refused] == [(2, refused[0].err)] * 2
    assert [(ran.code, ran.err) for ran in tested] == [(1, tested[0].err)] * 2
    assert "did not accept the test request" in tested[0].err
