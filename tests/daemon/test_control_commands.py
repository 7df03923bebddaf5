"""The control commands: the installed program, a real daemon, and the socket between them.

All tests of this file share one daemon, so each test has its own workspace.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from hookbundle.tests.hook_receiver import HookReceiver, verified
from hookbundle.tests.in_process import Api, connected, event, facts_of, receiving
from hookbundle.tests.program import Program, serving

AT_ONCE = ",".join(["1ms"] * 10)
NUMBERS = count(1)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with serving(tmp_path_factory.mktemp("daemon"), DELIVERY__BACKOFF=AT_ONCE) as program:
        yield program


@dataclass(slots=True)
class Scene:
    """A workspace, the receiver it sends to, and the API for steps that are not tested."""

    socket_path: Path
    api: Api
    receiver: HookReceiver
    ws: str

    async def make(self, aggregation: str = "1h") -> str:
        """Creates the workspace; returns its signing secret."""
        return await self.api.make(self.ws, self.receiver, aggregation=aggregation)

    async def send(self, *message_ids: str, chat: str = "c1") -> None:
        await self.api.accept(self.ws, *(event(message_id, chat) for message_id in message_ids))

    async def reject(self, *message_ids: str) -> list[str]:
        """Deliveries that the receiver rejected three times; returns their ids."""
        await self.make("none")
        self.receiver.answers(404)
        await self.send(*message_ids)
        async with facts_of(self.socket_path) as facts:
            rejected = await facts.until(
                "delivery.dead_lettered", len(message_ids), workspace=self.ws
            )
        self.receiver.answers(200)
        return [fact["data"]["delivery"] for fact in rejected]


@asynccontextmanager
async def setting(program: Program) -> AsyncIterator[Scene]:
    async with receiving() as receiver, connected(program.socket_path) as session:
        yield Scene(program.socket_path, Api(session), receiver, f"w{next(NUMBERS)}")


@pytest.fixture
async def scene(program: Program) -> AsyncIterator[Scene]:
    async with setting(program) as scene:
        yield scene


# ---- chats


async def test_chats_list_shows_the_open_windows_of_a_workspace(
    program: Program, scene: Scene
) -> None:
    await scene.make()
    await scene.send("m1", "m2", chat="c1")
    await scene.send("m3", chat="c2")

    plain = await program("chats", "list", scene.ws)
    some = await program("chats", "list", scene.ws, "--json", "--limit", "1")

    assert [(row[0], row[1], row[4]) for row in plain.rows] == [
        ("workspace", "chat_id", "messages"),
        (scene.ws, "c1", "2"),
        (scene.ws, "c2", "1"),
    ]
    assert [chat["chat_id"] for chat in some.document] == ["c1"]
    assert "more" in some.err


async def test_chats_list_of_all_workspaces_begins_with_the_first_due(
    program: Program, scene: Scene
) -> None:
    async with setting(program) as slow:
        await slow.make("24h")
        await slow.send("m1")
        await scene.make("1h")
        await scene.send("m2")

        listed = await program("chats", "list", "--json")
        soon = await program("chats", "list", "--due-within", "2h", "--json")

    found = [chat["workspace"] for chat in listed.document]
    assert found.index(scene.ws) < found.index(slow.ws)
    assert slow.ws not in [chat["workspace"] for chat in soon.document]


async def test_chats_preview_prints_the_bundle_that_chats_flush_sends(
    program: Program, scene: Scene
) -> None:
    await scene.make()
    await scene.send("m1", "m2", chat="a/b %2F?ä")

    preview = await program("chats", "preview", scene.ws, "a/b %2F?ä")
    flush = await program("chats", "flush", scene.ws, "a/b %2F?ä", "--json")

    (post,) = await scene.receiver.until(1)
    assert preview.out.encode() == post.body + b"\n"
    assert flush.document == {"sealed": 1, "messages": 2}


async def test_chats_flush_without_a_chat_seals_all_of_the_workspace(
    program: Program, scene: Scene
) -> None:
    await scene.make()
    for chat in ("c1", "c2", "c3"):
        await scene.send(f"m-{chat}", chat=chat)

    flush = await program("chats", "flush", scene.ws, "--yes")

    assert flush.rows == [["sealed", "3"], ["messages", "3"]]
    assert len(await scene.receiver.until(3)) == 3


# ---- deliveries


async def test_deliveries_list_shows_one_workspace_or_all(program: Program, scene: Scene) -> None:
    (first,) = await scene.reject("m1")
    await scene.api.switch(scene.ws, "disable")
    await scene.send("m2")

    of_all = await program("deliveries", "list")
    queued = await program("deliveries", "list", scene.ws, "--state", "queued", "--json")
    dead = await program("deliveries", "list", scene.ws, "--state", "dead_letter", "--json")
    of_old = [
        (await program("deliveries", "list", scene.ws, "--state", name, "--json")).document
        for name in ("pending", "parked", "dead-letter")
    ]

    mine = [row[1:3] for row in of_all.rows if row[0] == scene.ws]
    assert mine == [[first, "dead_letter"], [queued.document[0]["id"], "queued"]]
    assert of_old == [queued.document, dead.document, dead.document]


async def test_deliveries_show_prints_a_delivery_with_its_body(
    program: Program, scene: Scene
) -> None:
    (delivery,) = await scene.reject("m1")

    shown = await program("deliveries", "show", delivery, "--json")
    plain = await program("deliveries", "show", delivery)

    facts = {row[0]: row[1] for row in plain.rows}
    assert shown.document["body"].encode() == scene.receiver.posts[0].body
    assert (facts["state"], facts["last_error"]) == ("dead_letter", "status 404")


async def test_deliveries_retry_sends_a_dead_letter_again(program: Program, scene: Scene) -> None:
    (delivery,) = await scene.reject("m1")

    retried = await program("deliveries", "retry", delivery)

    assert retried.rows == [["returned", "1"], ["messages", "1"]]
    assert (await scene.receiver.until(4))[3].id == delivery


@pytest.mark.parametrize("option", ["--all-dead-letters", "--all-parked"])
async def test_deliveries_retry_sends_all_dead_letters_in_order(
    program: Program, scene: Scene, option: str
) -> None:
    ids = await scene.reject("m1", "m2")

    retried = await program("deliveries", "retry", option, scene.ws, "--json")

    assert retried.document == {"returned": 2, "messages": 2}
    assert [post.id for post in (await scene.receiver.until(8))[6:]] == ids


async def test_deliveries_discard_discards_one_with_a_reason(
    program: Program, scene: Scene
) -> None:
    (delivery,) = await scene.reject("m1")

    discarded = await program(
        "deliveries", "discard", delivery, "--reason", "sent by hand", "--yes"
    )

    assert discarded.rows[0] == ["id", delivery]
    newest = (await scene.api.get(f"/v1/workspaces/{scene.ws}/activity"))[0]
    assert newest["detail"].startswith("sent by hand")
    assert (await scene.api.show(scene.ws))["counts"]["dead_letters"] == 0


@pytest.mark.parametrize("given", [(), ("dlv_x", "--all-dead-letters", "acme")])
async def test_deliveries_retry_wants_an_id_or_a_workspace_and_not_both(
    program: Program, given: tuple[str, ...]
) -> None:
    assert (await program("deliveries", "retry", *given)).code == 2


# ---- secrets and tokens


async def test_workspace_rotate_secret_prints_the_new_secret_alone(
    program: Program, scene: Scene
) -> None:
    old = await scene.make("none")

    rotated = await program("workspace", "rotate-secret", scene.ws, "--keep", "1h")

    new = rotated.out.strip()
    await scene.send("m1")
    (post,) = await scene.receiver.until(1)
    assert (verified(post, [old]), verified(post, [new])) == (True, True)
    assert "old secrets sign until" in rotated.err


async def test_token_create_list_and_revoke(program: Program, scene: Scene) -> None:
    await scene.make()

    made = await program("token", "create", "--scope", "intake", "--workspace", scene.ws)
    ends = await program(
        "token", "create", "--scope", "intake", "--name", "CRM", "--expires", "90d"
    )
    wrong = await program("token", "create", "--scope", "intake", "--expires", "yesterday")
    listed = await program("token", "list")
    (mine,) = [row for row in listed.rows if row[2] == scene.ws]
    revoked = await program("token", "revoke", mine[0], "--yes")

    assert (ends.code, wrong.code) == (0, 2)
    assert "must be a time like" in wrong.err
    shown = [each for each in (await scene.api.get("/v1/tokens"))["tokens"] if each["expires_at"]]
    assert [each["name"] for each in shown] == ["CRM"]
    assert made.out.startswith("hbt_")
    assert made.out.strip() not in listed.out
    assert (revoked.code, mine[1]) == (0, "intake")
    assert mine[0] not in [one["id"] for one in (await scene.api.get("/v1/tokens"))["tokens"]]


# ---- exit codes


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("chats", "list", "nobody"), 5),
        (("chats", "list", "{ws}", "--due-within", "soon"), 2),
        (("chats", "flush", "nobody"), 5),
        (("chats", "flush", "nobody", "--yes"), 5),
        (("chats", "flush", "{ws}", "nobody"), 5),
        (("chats", "preview", "{ws}", "nobody"), 5),
        (("deliveries", "list", "nobody"), 5),
        (("deliveries", "list", "--state", "gone"), 2),
        (("deliveries", "show", "dlv_x"), 5),
        (("deliveries", "retry", "dlv_x"), 5),
        (("deliveries", "retry", "--all-dead-letters", "nobody"), 5),
        (("deliveries", "discard", "dlv_x", "--reason", "x"), 5),
        (("deliveries", "discard", "dlv_x"), 2),
        (("token", "create"), 2),
        (("token", "create", "--scope", "admin", "--workspace", "nobody"), 5),
        (("token", "revoke", "tok_x", "--yes"), 5),
        (("workspace", "rotate-secret", "nobody"), 5),
        (("workspace", "rotate-secret", "{ws}", "--keep", "soon"), 2),
        (("workspace", "show", "{ws}?x"), 5),
        (("workspace", "show", "../status"), 5),
    ],
)
async def test_the_exit_code_says_why(
    program: Program, scene: Scene, arguments: tuple[str, ...], code: int
) -> None:
    await scene.make()

    ran = await program(*(argument.replace("{ws}", scene.ws) for argument in arguments))

    assert (ran.code, ran.out) == (code, "")
    assert ran.err


async def test_a_conflict_has_an_exit_code_of_its_own(program: Program, scene: Scene) -> None:
    await scene.make("none")
    await scene.api.switch(scene.ws, "disable")
    await scene.send("m1")
    listed = await scene.api.get(f"/v1/workspaces/{scene.ws}/deliveries")

    ran = await program("deliveries", "retry", listed["deliveries"][0]["id"])

    assert (ran.code, ran.out) == (6, "")
