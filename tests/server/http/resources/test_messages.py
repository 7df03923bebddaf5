"""Intake: every shape it takes, every fault it names, and when it answers."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.engine import limits
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.tests.actors.writing import Writing, waiting
from hookbundle.tests.in_process import Answer, System, daemon_in, event, receiving

MESSAGES = "/v1/workspaces/acme/messages"
NDJSON = {"Content-Type": "application/x-ndjson"}


async def post(system: System, body: bytes, **headers: str) -> Answer:
    return await system.ask("POST", MESSAGES, data=body, headers=headers)


def paths(answer: Answer) -> set[str]:
    return {fault["path"] for fault in answer.document["errors"]}


async def test_an_object_an_array_and_lines_are_taken_alike(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        lines = b"\n\n".join(msgspec.json.encode(event(f"l{n}")) for n in range(3)) + b"\n"

        one = await system.ask("POST", MESSAGES, event("o"))
        many = await system.ask("POST", MESSAGES, [event("a1"), event("a2")])
        streamed = await system.ask("POST", MESSAGES, data=lines, headers=NDJSON)

        assert [answer.status for answer in (one, many, streamed)] == [202, 202, 202]
        accepted = [answer.document["accepted"] for answer in (one, many, streamed)]
        assert accepted == [1, 2, 3]
        posts = await receiver.until(6)
        assert [p.message_ids[0] for p in posts] == ["o", "a1", "a2", "l0", "l1", "l2"]


async def test_every_fault_is_named_with_its_path_and_nothing_is_stored(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        late = event("m2", timestamp="2021-02-24T16:25:29")
        wrong: dict[str, Any] = event("m3", direction="up", text=5)
        del wrong["chat"]["chat_id"]

        shape = await system.ask("POST", MESSAGES, [event("m1"), wrong])
        rules = await system.ask("POST", MESSAGES, [event("m1"), late])

        assert (shape.status, rules.status) == (422, 422)
        assert shape.headers["content-type"] == "application/problem+json"
        assert paths(shape) == {"[1].chat.chat_id", "[1].message.direction", "[1].message.text"}
        assert paths(rules) == {"[1].message.timestamp"}
        assert (await system.get("/v1/status"))["totals"]["accepted"] == 0


@pytest.mark.parametrize("content_type", ["application/json", "application/x-ndjson"])
async def test_what_is_no_message_is_invalid_input(tmp_path: Path, content_type: str) -> None:
    bodies = (
        b"{",
        b"",
        b" \n",
        b"\xff\xfe",
        b'"text"',
        b"null",
        b'{"chat": 5}, {',
        b'{"whatsapp_account": 5, "chat": {"chat_id": "x"',
        b"[" * 100_000,
        b'[{"a":' * 50_000,
        b'{"message":{"timestamp":1e999}}',
    )
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)

        headers = {"Content-Type": content_type}
        answers = {
            body[:20]: await system.ask("POST", MESSAGES, data=body, headers=headers)
            for body in bodies
        }

        assert {body: a.status for body, a in answers.items()} == dict.fromkeys(answers, 422)
        assert all(answer.document["errors"] for answer in answers.values())


async def test_a_message_sent_again_is_a_duplicate_and_leaves_once(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)

        first = await system.accept("acme", event("m1"), event("m1"))
        again = await system.accept("acme", event("m1", text="another text"), event("m2"))
        elsewhere = await system.accept("acme", event("m1", "another-chat"))

        counts = [(a["accepted"], a["duplicate"]) for a in (first, again, elsewhere)]
        assert counts == [(1, 1), (1, 1), (1, 0)]
        posts = await receiver.until(3)
        assert [p.document["message"]["text"] for p in posts][:2] == ["text of m1", "text of m2"]


async def test_what_the_seed_cant_carry_is_skipped_counted_and_in_the_feed(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)

        answer = await system.accept(
            "acme",
            event("m1", attachments=[{"filename": "photo.jpg"}]),
            event("m2", text=None),
            event("m3", text="  \n"),
            event("m4", attachments=[]),
        )

        assert answer["accepted"] == 1
        assert answer["skipped"] == [
            {"message_id": "m1", "reason": "attachment"},
            {"message_id": "m2", "reason": "no_text"},
            {"message_id": "m3", "reason": "no_text"},
        ]
        (fact,) = await system.facts.until("message.received")
        assert fact["data"]["accepted"] == ["m4"]
        assert fact["data"]["skipped"] == [
            {"message": "m1", "reason": "attachment"},
            {"message": "m2", "reason": "no_text"},
            {"message": "m3", "reason": "no_text"},
        ]


async def test_an_answer_says_that_the_messages_are_on_disk(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        writing = Writing(system)
        await writing.begin()

        answer = asyncio.ensure_future(system.accept("acme", event("m1"), event("m1", "other")))
        await waiting(system, 2)
        answered_before = answer.done()
        stored_before = system.daemon.partition.reads.meta().windows
        writing.end()
        await answer

        assert (answered_before, stored_before) == (False, 0)
        assert system.daemon.partition.reads.meta().windows == 2


async def test_too_large_a_body_is_refused_as_such(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)

        just = await post(system, b" " * (limits.REQUEST_BYTES_MAX - 2) + b"{}")
        over = await post(system, b" " * limits.REQUEST_BYTES_MAX + b"{}")

        assert (just.status, over.status) == (422, 413)
        assert over.headers["content-type"] == "application/problem+json"


async def test_too_many_messages_at_once_are_refused(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        line = msgspec.json.encode(event("m1", text="x")) + b"\n"

        answer = await system.ask(
            "POST", MESSAGES, data=line * (limits.REQUEST_MESSAGES_MAX + 1), headers=NDJSON
        )

        assert answer.status == 422
        assert "10000" in answer.document["errors"][0]["detail"]


async def test_a_workspace_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        answer = await system.ask("POST", "/v1/workspaces/nobody/messages", event("m1"))

        assert answer.status == 404
        assert "nobody" in answer.document["detail"]


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
@pytest.mark.parametrize("body", [[event("m1")], []])
async def test_a_workspace_is_not_found_any_more_once_it_is_deleted(
    tmp_path: Path, headers: dict[str, str], body: list[dict[str, Any]]
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        await system.accept("acme", event("m0"))
        await system.ask("DELETE", "/v1/workspaces/acme")

        answer = await system.ask("POST", MESSAGES, body, headers=headers)

        assert answer.status == 404
        assert "acme" in answer.document["detail"]


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
async def test_a_new_workspace_under_an_old_name_gets_its_messages(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        await system.accept("acme", event("m0"))
        await receiver.until(1)
        await system.ask("DELETE", "/v1/workspaces/acme")
        await system.make("acme", receiver)

        answer = await system.ask("POST", MESSAGES, [event("m1"), event("m0")], headers=headers)

        assert answer.document["accepted"] == 2
        posts = await receiver.until(3)
        assert [p.message_ids[0] for p in posts] == ["m0", "m1", "m0"]


async def test_a_disabled_workspace_holds_up_to_its_quota_then_says_so(tmp_path: Path) -> None:
    async with (
        receiving() as receiver,
        daemon_in(tmp_path, quota=Quota(messages_max=2)) as system,
    ):
        await system.make("acme", receiver, enabled=False)
        await system.make("other", receiver, "other", enabled=False)
        await system.accept("acme", event("m1"), event("m2"))

        over = await system.ask("POST", MESSAGES, event("m3"))
        known = await system.ask("POST", MESSAGES, event("m2"))
        other = await system.ask("POST", "/v1/workspaces/other/messages", event("m1"))

        assert (over.status, known.status, other.status) == (429, 202, 202)
        assert int(over.headers["retry-after"]) > 0
        assert (await system.show())["counts"]["held_messages"] == 2


async def test_a_full_disk_is_507_while_what_was_accepted_is_delivered(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", event("m1"))
        system.daemon.partition.store_queue.state.intake_open = False
        system.daemon.partition.store_queue.state.disk_checked_ms = (
            system.clock.elapsed_ms() + 10_000_000
        )

        refused = await system.ask("POST", MESSAGES, event("m2"))
        ready = await system.ask("GET", "/readyz")
        system.clock.move(3_600_000)
        await system.facts.until("delivery.delivered")

        assert (refused.status, ready.status) == (507, 503)
        assert int(refused.headers["retry-after"]) > 0
        assert [p.message_ids for p in receiver.posts] == [["m1"]]
