"""Answers of receivers, byte for byte, and what each says about the delivery (answers.ndjson).

`answer`: parts of it, in Latin-1; a pair is a part and how often it is repeated. `ends`: what
becomes of the connection after it. `whole`: the body was read to its end. `kept`: the connection is
used again.
"""

import json
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from hookbundle.actors.outbound import connection
from hookbundle.actors.outbound.answer import Answer
from hookbundle.engine.delivery.outcomes import Failed, Response, judged, outcome_name
from hookbundle.engine.delivery.success import SEED
from hookbundle.tests.actors.outbound.calling import BODY, calling
from hookbundle.tests.receivers import Script, Wire, receiving

Case: TypeAlias = dict[str, Any]
CASES: list[Case] = [
    json.loads(line) for line in (Path(__file__).parent / "answers.ndjson").read_text().splitlines()
]
NOW_S = 1_700_000_000
BODY_S = 0.05
ANSWERED = ("delivered", "failed", "rejected")
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])


def bytes_of(case: Case) -> bytes:
    parts = [(part, 1) if isinstance(part, str) else part for part in case["answer"]]
    return b"".join(text.encode("latin-1") * times for text, times in parts)


def answers(case: Case) -> Script:
    data = bytes_of(case)

    async def script(wire: Wire) -> None:
        while await wire.request() is not None:
            await wire.send(data)
            if case["ends"] == "resets":
                wire.reset()
            if case["ends"] != "stays":
                return

    return script


def test_there_are_more_than_a_hundred() -> None:
    assert len(CASES) > 100


@each_case
async def test_the_status_line_decides_whatever_follows_it(
    case: Case,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "BODY_S_MAX", BODY_S)

    async with receiving(answers(case)) as receiver, calling() as client:
        result = await client.post(receiver.url, BODY, {})
        await client.post(receiver.url, BODY, {})

    if case["verdict"] not in ANSWERED:
        assert not isinstance(result, Response)
        assert (result.error, result.sent) == (case["verdict"], True)
        return
    assert isinstance(result, Response)
    outcome = judged(result, SEED, NOW_S)
    assert (outcome_name(outcome), result.status) == (case["verdict"], case["status"])
    assert result.body == case["body"].encode("latin-1")
    assert result.truncated is not case["whole"]
    assert (receiver.connections == 1) is case["kept"]
    if isinstance(outcome, Failed):
        assert outcome.retry_after_ms == case.get("retry_after_ms")


@pytest.mark.parametrize("size", [1, 2, 7, 1_000])
@each_case
def test_how_the_bytes_are_cut_into_packets_changes_nothing(
    case: Case,
    size: int,
) -> None:
    data = bytes_of(case)
    data = data if size >= 1_000 else data[:20_000]
    whole, cut = Answer(), Answer()

    whole.feed(data)
    for at in range(0, len(data), size):
        if cut.is_done:
            break
        cut.feed(data[at : at + size])
    for answer in (whole, cut):
        answer.end()

    assert seen(cut) == seen(whole)


def seen(answer: Answer) -> tuple[object, ...]:
    head = answer.head
    return (answer.is_http, head and head.status, head and head.headers, bytes(answer.body))
