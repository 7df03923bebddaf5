"""What the lane takes, for whom, and what of it comes to which answer."""

import asyncio
from dataclasses import replace

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotFound, StoreFull
from hookbundle.tests.in_process import until
from hookbundle.tests.server.http.lane.taught import (
    ACCEPTED,
    NUMBERS,
    Taught,
    connections,
    plain,
    turns,
)
from hookbundle.tests.server.http.lane.twins import (
    lane_of,
    message,
    request,
)
from hookbundle.tests.server.http.lines import Line


async def test_all_but_the_first_of_a_connection_are_taken(daemon: Taught) -> None:
    line = await daemon.line()

    for workspace in ("acme", "other", "acme"):
        assert ACCEPTED in await line.ask(plain(daemon, workspace=workspace))

    assert daemon.taken == ["acme", "other", "acme"]
    assert daemon.requests == 4


async def test_on_the_socket_no_token_is_wanted(daemon: Taught) -> None:
    path = str(daemon.system.daemon.listeners.path)
    line = Line(*await asyncio.open_unix_connection(path))
    for _ in range(3):
        assert ACCEPTED in await line.ask(request("acme", message(next(NUMBERS))))
    line.hang_up()

    assert daemon.taken == ["acme", "acme"]


async def test_other_requests_come_between(daemon: Taught) -> None:
    line = await daemon.line()
    asked = b"GET /v1/workspaces/acme HTTP/1.1\r\nHost: localhost\r\n\r\n"

    for _ in range(2):
        assert ACCEPTED in await line.ask(plain(daemon))
        assert b" 401 " in await line.ask(asked)

    assert daemon.taken == ["acme", "acme"]


async def test_a_field_that_is_not_known_is_said_as_ever(daemon: Taught) -> None:
    line = await daemon.line()

    answer = await line.ask(plain(daemon, surprise=1))

    assert b"message.surprise" in answer
    assert daemon.taken == []


async def test_a_revoked_token_is_refused_on_a_connection_that_it_opened(daemon: Taught) -> None:
    made = (await daemon.system.ask("POST", "/v1/tokens", {"scope": "intake"})).document
    line = await daemon.street.line()
    wanted = [plain(replace(daemon, token=made["token"])) for _ in range(3)]
    for each in wanted[:2]:
        assert ACCEPTED in await line.ask(each)
    await daemon.system.daemon.token_uses.close()

    await daemon.system.ask("DELETE", f"/v1/tokens/{made['id']}")

    assert b" 401 " in await line.ask(wanted[2])
    assert daemon.taken == ["acme"]


async def test_a_token_of_another_workspace_is_refused(daemon: Taught) -> None:
    of_acme = replace(daemon, token=await daemon.street.token("acme"))
    line = await of_acme.line()

    assert b" 403 " in await line.ask(plain(of_acme, workspace="other"))
    assert ACCEPTED in await line.ask(plain(of_acme))
    assert daemon.taken == ["acme"]


async def test_a_connection_belongs_to_who_sends_on_it(daemon: Taught) -> None:
    """Else one workspace could use more than its share of the connections."""
    of_acme = replace(daemon, token=await daemon.street.token("acme"))
    line = await daemon.line()
    shares = daemon.system.daemon.fair_limits.connections

    assert ACCEPTED in await line.ask(plain(of_acme))
    assert (shares.held("acme"), shares.held("")) == (1, 0)
    assert ACCEPTED in await line.ask(plain(daemon))
    assert (shares.held("acme"), shares.held("")) == (0, 1)

    new = await daemon.street.line()
    assert b" 403 " in await new.ask(plain(of_acme, workspace="other"))
    assert shares.held("acme") == 0
    assert ACCEPTED in await new.ask(plain(of_acme))
    assert shares.held("acme") == 1


async def test_a_name_that_is_no_longer_ours_is_refused(daemon: Taught) -> None:
    guard = daemon.system.daemon.guard
    guard.limits = replace(guard.limits, hosts=("hooks.example",))
    line = await daemon.street.line()
    wanted = [plain(daemon).replace(b"localhost", b"hooks.example") for _ in range(3)]
    for each in wanted[:2]:
        assert ACCEPTED in await line.ask(each)

    guard.limits = replace(guard.limits, hosts=())

    assert b" 421 " in await line.ask(wanted[2])
    assert daemon.taken == ["acme"]


async def test_answers_are_in_the_order_of_requests_and_few_are_read_ahead(daemon: Taught) -> None:
    line = await daemon.line()
    await daemon.held(line, plain(daemon))
    many = b"".join(plain(daemon, text="x" * 900) for _ in range(200))
    line.writer.write(plain(daemon, workspace="nobody") + many)
    await turns()

    (ours,) = [each for each in connections(daemon) if each._taken is not None]
    assert len(ours._behind) < 8_192
    daemon.chats.go_on()
    assert ACCEPTED in await line.answer()
    assert b" 404 " in await line.answer()
    for _ in range(200):
        assert ACCEPTED in await line.answer()


async def test_each_client_has_its_own_answer(daemon: Taught) -> None:
    lines = [await daemon.line() for _ in range(6)]
    daemon.chats.is_held = True
    for number, line in enumerate(lines):
        line.writer.write(plain(daemon, chat_id=f"c{number}", text=" " if number % 2 else "yes"))
    await until(lambda: len(daemon.chats.held) == len(lines))
    daemon.chats.held.reverse()

    daemon.chats.go_on()

    for number, line in enumerate(lines):
        assert (b'"skipped":[]' in await line.answer()) == (number % 2 == 0)


async def test_a_workspace_has_its_share_of_places_and_no_more(daemon: Taught) -> None:
    places = daemon.system.daemon.partition.store_queue.places
    number = lane_of(daemon.system).intake.number_of("acme")
    line = await daemon.line()
    free = places.total // 2
    with places.holding(number, free):
        answer = await line.ask(plain(daemon))
        assert (answer.split()[1], places.refused_owner, places.used) == (b"429", 1, free)

    assert ACCEPTED in await line.ask(plain(daemon))
    assert (daemon.taken, places.used) == (["acme"], 0)


async def test_what_the_store_refuses_is_refused_in_the_words_of_all(daemon: Taught) -> None:
    line = await daemon.line()
    await daemon.held(line, plain(daemon))
    ((_, collect),) = daemon.chats.held

    collect.reply.fail(StoreFull.of(Code.DISK_NEARLY_FULL))

    answer = await line.answer()
    assert answer.startswith(b"HTTP/1.1 507 Insufficient Storage\r\nX-Request-Id: ")
    assert b"\r\nRetry-After: 30\r\n" in answer
    assert b'"code":"disk_nearly_full"' in answer
    assert daemon.system.daemon.partition.store_queue.places.used == 0
    daemon.chats.held.clear()
    daemon.chats.is_held = False
    assert ACCEPTED in await line.ask(plain(daemon))


async def test_a_workspace_made_anew_meanwhile_gets_the_messages(daemon: Taught) -> None:
    line = await daemon.line()
    await daemon.held(line, plain(daemon))
    ((_, collect),) = daemon.chats.held
    daemon.chats.held.clear()
    daemon.chats.is_held = False
    await daemon.system.ask("DELETE", "/v1/workspaces/acme")
    hook = {"url": "http://127.0.0.1:8099/", "aggregation": "24h"}
    await daemon.system.ask("PUT", "/v1/workspaces/acme", {"webhook": hook})

    collect.reply.fail(NotFound.of(Code.WORKSPACE_DELETED, number=1))

    assert ACCEPTED in await line.answer()
    assert (await daemon.system.get("/v1/workspaces/acme/chats"))["chats"] != []
    assert daemon.system.daemon.partition.store_queue.places.used == 0


async def test_a_chat_that_refuses_at_once_is_answered(daemon: Taught) -> None:
    line = await daemon.line()
    full = StoreFull.of(Code.DISK_NEARLY_FULL)
    daemon.chats.tell = lambda _key, collect: collect.reply.fail(full)

    assert b" 507 " in await line.ask(plain(daemon))
    assert b" 507 " in await line.ask(plain(daemon))


async def test_what_follows_half_a_head_belongs_to_it(daemon: Taught) -> None:
    line = await daemon.line()
    line.writer.write(b"GET /healthz HTTP/1.1\r\nX: ")
    await turns()

    assert (await line.ask(plain(daemon))).startswith(b"HTTP/1.1 200 ")
    assert daemon.taken == []
    assert daemon.requests == 1
