"""The last requests of a source, for its owner; and that no secret is in them or anywhere else."""

import logging
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from hookbundle.engine import limits
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.server.http.resources.sources import observing
from hookbundle.tests.in_process import System, daemon_in, receiving
from hookbundle.tests.server.http.resources.sources.posting import ACK, SOURCES, make, waha

CANARY = "c4n4ry-"
HOUR_S = 3_600


async def test_a_request_is_shown_with_what_came_of_it(system: System) -> None:
    source = await make(system)

    await source.post(waha("A", "first"), "/message", **{"X-Request-Id": "r1", "X-Key": "k"})

    (request,) = await source.requests()
    assert request["method"] == "POST"
    assert (request["tail"], request["status"]) == ("message", 200)
    assert request["outcomes"] == {"accepted": 1}
    assert msgspec.json.decode(request["body"]) == waha("A", "first")
    assert request["headers"]["x-request-id"] == "r1"
    assert request["headers"]["x-key"] == "***"


async def test_acks_do_not_push_out_what_is_looked_for(system: System) -> None:
    source = await make(system)
    await source.post(waha("A"))

    for _ in range(30):
        await source.post(ACK)
        await source.shown()  # writes what was noted

    requests = await source.requests()
    quiet = [each for each in requests if "accepted" not in each["outcomes"]]
    assert len(quiet) == limits.SOURCE_QUIET_REQUESTS_MAX
    assert requests[-1]["outcomes"] == {"accepted": 1}


async def test_a_flood_of_acks_is_noted_with_one_transition(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "WRITTEN_EVERY_S", HOUR_S)
    source = await make(system)
    queue = system.daemon.partition.store_queue
    before = queue.state.transitions

    for _ in range(60):
        await source.post(ACK)

    assert (await source.shown())["counts"] == {"ignored.ack": 60}
    assert queue.state.transitions - before == 1
    assert len(await source.requests()) == 1


async def test_pages_of_requests_follow_each_other(system: System) -> None:
    source = await make(system)
    for number in range(5):
        await source.post(waha(f"A{number}"))
    path = f"{SOURCES}/waha-1/requests?limit=2"

    first = await system.get(path)
    second = await system.get(f"{path}&cursor={first['cursor']}")
    third = await system.get(f"{path}&cursor={second['cursor']}")

    numbers = [each["number"] for page in (first, second, third) for each in page["requests"]]
    assert numbers == [5, 4, 3, 2, 1]
    assert third["cursor"] is None


async def test_a_request_goes_with_its_chat(system: System) -> None:
    source = await make(system)
    await source.post(waha("A", "of the chat"))
    await source.post(ACK)
    assert len(await source.requests()) == 2

    await system.ask("DELETE", "/v1/workspaces/acme/chats/447911111111")

    assert await source.requests() == []
    await system.facts.until("chat.erased")
    assert await source.requests() == []


async def test_no_token_and_no_secret_is_in_any_output(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    listeners = ListenersConfig(tmp_path / "run" / "control.sock", "127.0.0.1:0")
    seen: list[str] = []
    with capture_logs() as logs:
        async with receiving() as receiver, daemon_in(tmp_path, listeners=listeners) as system:
            await system.make("acme", receiver)
            header = {"name": "X-A", "value": f"{CANARY}a"}
            signed = await make(system, hmac_key=f"{CANARY}hmac", header=header)
            source = await make(system, "evolution")
            tokens = [signed.token, source.token]
            key = {"apikey": f"{CANARY}apikey", "nested": [{"instanceToken": f"{CANARY}i"}]}
            answers = [
                await signed.post(waha(), **{"X-A": f"{CANARY}a", "Cookie": f"{CANARY}cookie"}),
                await signed.post(b"{", f"/{signed.token}"),
                await source.post({**key, "event": "x", "echo": source.token}),
                await source.post(msgspec.json.encode(key)[:-40], f"/{source.token}/deeper"),
                await system.ask("POST", f"/v1/sources/{source.token}x", {}),
                await system.ask("GET", f"/v1/sources/{source.token}/a/b"),
                await system.ask("GET", f"/v1/sources/{source.token}?hub.verify_token={CANARY}q"),
            ]
            monkeypatch.setattr(
                "hookbundle.server.http.resources.sources.taking.Reader._taken", _fails
            )
            answers.append(await source.post(ACK))
            assert answers[-1].status == 500
            seen += [each.body.decode() for each in answers]
            for path in (
                "/metrics",
                SOURCES,
                f"{SOURCES}/evolution-2/requests?limit=50",
                f"{SOURCES}/waha-1/requests?limit=50",
                "/v1/workspaces/acme/activity",
            ):
                seen.append((await system.ask("GET", path)).body.decode())
            await system.facts.until("source.created", 2)
            seen += [str(fact) for fact in system.facts.seen]
    seen += [str(line) for line in logs]
    seen.append(caplog.text)

    assert any("/v1/sources/…" in each for each in seen)
    for each in seen:
        assert CANARY not in each
        assert not any(token in each for token in tokens)


def _fails(*_: object) -> None:
    raise RuntimeError("a fault of our own")
