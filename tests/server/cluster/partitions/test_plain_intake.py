"""Messages that another node passes on are answered the same by the shorter way as by all of it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hookbundle.server.cluster.answering import Answering
from hookbundle.server.cluster.asked import Answered, Asked
from hookbundle.server.cluster.node import Node
from hookbundle.server.cluster.partitions import under_way
from hookbundle.server.http.authentication import Caller
from hookbundle.tests.in_process import Api, connected, event, receiving, until
from hookbundle.tests.server.cluster.in_memory import cluster

PATH = "/v1/workspaces/{ws}/messages"
JSON = ("Content-Type", "application/json")
NDJSON = ("content-type", "application/x-ndjson; charset=utf-8")
OTHERS = (("Host", "localhost"), ("User-Agent", "test"), ("Hb-Partition", "0"))
FOR_ALL = Caller("test", "intake")
REQUEST_ID = re.compile("[0-9a-f]{16}")
Headers = tuple[tuple[str, str], ...]
Given = tuple[str, Headers, bytes]


def given(*messages: Any, headers: Headers = (JSON,), path: str = PATH) -> Given:
    body = json.dumps(messages[0] if len(messages) == 1 else messages)
    return path, headers, body.encode()


PLAIN = (
    given(event("m1")),
    given(event("m1")),  # once more
    given(event("m1", text="another")),
    given(event("m2"), event("m3", "other chat")),
    given([]),
    given(event("m4"), headers=(JSON, ("X-Forwarded-For", "192.0.2.1"))),
    (PATH, (NDJSON,), b"\n".join(json.dumps(event(f"n{n}")).encode() for n in range(3))),
)
ODD = (
    given(event("o1"), headers=(JSON, ("Idempotency-Key", "k1"))),
    given(event("o1"), headers=(JSON, ("Idempotency-Key", "k1"))),
    given(event("o2"), headers=(JSON, ("Idempotency-Key", "k1"))),
    given(event("o3"), headers=()),
    given(event("o4"), headers=(("Content-Type", "text/plain"),)),
    given(event("o5"), headers=(JSON, NDJSON)),
    given(event("o6"), headers=(("Content-Encoding", "zstd"), JSON)),
    given(event("o7", unknown=1), path=PATH + "?strict=1"),
    given(event("o8"), path=PATH + "?strict=2"),
    given(event("o9"), path=PATH + "#fragment"),
    given(event("o10"), path="/v1/workspaces/%61{ws}/messages"),
    given(event("o11"), path="/v1/workspaces/nobody/messages"),
    given(event("o12"), path=PATH + "/"),
    given(event("o13", unknown=1)),
    given({"message": 1}),
    given(event("o14"), event("o15", chat_id="")),
    given(event("x" * 1_000)),
    (PATH, (JSON,), b""),
    (PATH, (JSON,), b"  "),
    (PATH, (JSON,), b'{"a"'),
    (PATH, (JSON,), b"\xff"),
    given(*[event(f"many{n}", f"c{n}") for n in range(60)]),
)


def asked(node: Node, ws: str, what: Given) -> tuple[Answering, Asked]:
    path, headers, body = what
    assert node._answering is not None
    request = Asked("POST", path.format(ws=ws), (*headers, *OTHERS), body, FOR_ALL)
    return node._answering, request


async def by_both(node: Node, what: Given) -> tuple[Any, Any]:
    """Each way has a workspace of its own."""
    answering, request = asked(node, "short", what)
    short = await answering.answer(request)
    answering, request = asked(node, "whole", what)
    whole = await answering.by_application(request)
    return _told(short, "short"), _told(whole, "whole")


def _told(answered: Answered, ws: str) -> tuple[int, list[tuple[str, str]], str]:
    headers = sorted((name, REQUEST_ID.sub("ID", value)) for name, value in answered.headers)
    body = answered.body.decode().replace(ws, "ws")
    return answered.status, headers, REQUEST_ID.sub("ID", body)


async def test_the_shorter_way_answers_what_the_whole_one_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handled, counts = Answering.by_application, list[Asked]()

    async def counted(self: Answering, request: Asked) -> Answered:
        counts.append(request)
        return await handled(self, request)

    monkeypatch.setattr(Answering, "by_application", counted)
    async with receiving() as receiver, cluster(tmp_path, partitions=1) as made:
        node = await made.start("a")
        async with connected(node.config.listeners.socket_path) as session:
            api = Api(session)
            for ws in ("short", "whole"):
                await api.make(ws, receiver, ws, aggregation="24h")
            for what in (*PLAIN, *ODD):
                counts.clear()
                short, whole = await by_both(node, what)
                assert short == whole, what
                assert len(counts) == (1 if what in PLAIN and what[2] != b"[]" else 2), what
            shown = [await api.show(ws) for ws in ("short", "whole")]

    assert [each["counts"] for each in shown[:1]] == [each["counts"] for each in shown[1:]]


async def test_a_node_that_may_own_no_more_does_not_take_what_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with cluster(tmp_path, partitions=1) as made:
        node = await made.start("a")
        async with connected(node.config.listeners.socket_path) as session:
            await Api(session).ask("POST", "/v1/workspaces", {"id": "acme"})
        answering, request = asked(node, "acme", given(event("m1")))
        with monkeypatch.context() as patched:
            patched.setattr(Node, "is_doubtful", lambda *_: True)
            doubtful = await answering.answer(request)
        taken = await answering.answer(request)

    assert (doubtful.status, taken.status) == (421, 202)
    assert json.loads(taken.body)["accepted"] == 1


async def test_what_is_passed_on_to_a_log_that_does_not_answer_is_refused_and_kept_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_way, "STALLED_S", 0.2)
    async with cluster(tmp_path, partitions=1) as made:
        node = await made.start("a")
        async with connected(node.config.listeners.socket_path) as session:
            await Api(session).ask("POST", "/v1/workspaces", {"id": "acme"})
        answering, request = asked(node, "acme", given(event("m1")))
        made.logs[0].is_up.clear()
        refused = await answering.answer(request)
        places = node.owned[0].intake.store.places
        held = places.used
        made.logs[0].is_up.set()
        await until(lambda: places.used == 0)
        again = await answering.answer(request)

    assert (refused.status, json.loads(refused.body)["code"]) == (503, "log_waits")
    assert dict(refused.headers)["Retry-After"]
    assert held > 0, "it is under way until the log has decided"
    assert (again.status, json.loads(again.body)["duplicate"]) == (202, 1)
