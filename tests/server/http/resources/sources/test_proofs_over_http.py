"""The vectors of each kind's proof, posted to a running daemon: taken, or 401 and told."""

from pathlib import Path
from typing import Any

import pytest

from hookbundle.commands.demo.clock import MovableClock
from hookbundle.server.http.resources.sources import observing
from hookbundle.tests.engine.sources.test_authentication import SECRET_OF, VECTORS
from hookbundle.tests.in_process import System, daemon_in, receiving
from hookbundle.tests.server.http.resources.sources.posting import ACK, SOURCES, make, waha

HOUR_S = 3_600
Vector = tuple[str, dict[str, Any], str | dict[str, Any]]


def settings_of(kind: str, vector: dict[str, Any]) -> dict[str, Any]:
    secret = vector["secret"]
    said = secret if isinstance(secret, dict) else {SECRET_OF[kind]: secret}
    # The URL that is signed is not ours here; a source behind a proxy is in the same position.
    url = vector.get("public_url") or vector.get("url", "")
    return {**said, "public_url": url} if kind == "twilio" else said


def right_of(expected: str | dict[str, Any]) -> int | tuple[int, bytes]:
    if isinstance(expected, dict):
        return expected["status"], expected.get("body", "").encode()
    return 401 if expected == "reject" else 200


async def answered(system: System, kind: str, vector: dict[str, Any]) -> int | tuple[int, bytes]:
    source = await make(system, kind, **settings_of(kind, vector))
    if vector["method"] == "GET":
        answer = await system.ask("GET", source.path + vector["url"].removeprefix("/"))
        await system.ask("DELETE", f"/v1/workspaces/acme/sources/{source.id}")
        return answer.status, answer.body
    answer = await source.post(vector["body"].encode(), **vector["headers"])
    await system.ask("DELETE", f"/v1/workspaces/acme/sources/{source.id}")
    return answer.status


async def test_vectors_are_judged_over_http_as_they_should(tmp_path: Path) -> None:
    clock = MovableClock()
    in_time: list[Vector] = sorted(VECTORS, key=lambda each: each[1].get("now", 0))
    first_s = next(each[1]["now"] for each in in_time if "now" in each[1])
    clock.move(first_s * 1_000 - clock.now_ms())
    wrong = []
    async with receiving() as receiver, daemon_in(tmp_path, clock) as system:
        await system.make("acme", receiver)
        for kind, vector, expected in in_time:
            clock.move(max(vector.get("now", 0) * 1_000 - clock.now_ms(), 0))

            found = await answered(system, kind, vector)

            if found != right_of(expected):
                wrong.append((kind, vector["name"], found))
    assert wrong == []


async def test_requests_without_proof_are_counted_and_told_together(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "WRITTEN_EVERY_S", HOUR_S)
    source = await make(system, hmac_key="a secret")

    answers = [await source.post(waha(str(n))) for n in range(5)]

    assert {(each.status, each.document["code"]) for each in answers} == {
        (401, "source_not_proven")
    }
    shown = await source.shown()
    assert shown["counts"] == {"refused.signature_missing": 5}
    (request,) = await source.requests()
    assert request["status"] == 401
    await system.ask("DELETE", f"{SOURCES}/{source.id}")
    await system.facts.until("source.deleted")
    (told,) = system.facts.known("source.refused")
    assert told["data"] == {"source": "waha-1", "requests": 5, "reason": "signature_missing"}


async def test_the_header_of_the_owner_is_required_as_well(system: System) -> None:
    source = await make(system, header={"name": "X-Gate", "value": "open sesame"})

    answers = [
        await source.post(ACK),
        await source.post(ACK, **{"x-gate": "guess"}),
        await source.post(ACK, **{"X-GATE": "open sesame"}),
    ]

    assert [each.status for each in answers] == [401, 401, 200]
