"""A request takes places in the Store's queue, or none; what is large of it is stored in parts."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hookbundle.actors import portions
from hookbundle.actors.portions import NO_CHANGES, WHOLE_BYTES_MAX, Portion, cut, portions_of
from hookbundle.actors.store import StoreConfig
from hookbundle.actors.store_queue import PLACE_BYTES, REQUEST_PLACES_MAX
from hookbundle.actors.turns import Then
from hookbundle.engine import limits
from hookbundle.engine.fairness import loop_share
from hookbundle.engine.messages.changes import ChangesByChat
from hookbundle.engine.messages.message import Incoming, PartsByChat, Skipped, by_chat
from hookbundle.engine.messages.parsing import parse_json
from hookbundle.engine.runtime.directory import Directory
from hookbundle.server.http.resources import messages
from hookbundle.storage.transitions.accepting import AcceptMessages
from hookbundle.storage.transitions.table import Transition
from hookbundle.tests.actors.stores import incoming
from hookbundle.tests.actors.writing import Writing, waiting
from hookbundle.tests.in_process import System, daemon_in, event, receiving
from hookbundle.tests.passes import Passes, passes

MESSAGES = "/v1/workspaces/acme/messages"


async def test_a_workspace_with_its_share_of_places_is_refused_and_no_other(tmp_path: Path) -> None:
    store = StoreConfig(floor_bytes=0, reserve_bytes=0, waiting_max=8)
    async with receiving() as receiver, daemon_in(tmp_path, store=store) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.make("other", receiver, "other", aggregation="1h")
        writing = Writing(system)
        await writing.begin()
        under_way = [
            asyncio.create_task(system.ask("POST", MESSAGES, [event("m1", f"a{n}"), event("m1")]))
            for n in (1, 2)
        ]
        await waiting(system, 4)

        over = await system.ask("POST", MESSAGES, event("m3", "c"))
        other = asyncio.create_task(
            system.ask("POST", "/v1/workspaces/other/messages", event("m1"))
        )
        await waiting(system, 5)
        writing.end()

        assert (over.status, int(over.headers["retry-after"])) == (429, 1)
        assert "you have your share" in over.document["detail"]
        assert [(await task).status for task in (*under_way, other)] == [202, 202, 202]
        assert (await system.ask("POST", MESSAGES, event("m3", "c"))).status == 202
        assert system.daemon.partition.store_queue.places.used == 0


async def test_a_refused_request_has_stored_nothing_of_itself_however_many_chats_it_has(
    tmp_path: Path,
) -> None:
    store = StoreConfig(floor_bytes=0, reserve_bytes=0, waiting_max=20)
    async with receiving() as receiver, daemon_in(tmp_path, store=store) as system:
        await system.make("acme", receiver, aggregation="1h")

        answer = await system.ask("POST", MESSAGES, [event("m1", f"c{n}") for n in range(21)])

        assert answer.status == 503
        assert (await system.get("/v1/status"))["totals"]["accepted"] == 0


async def test_a_request_of_ten_thousand_chats_is_taken_beside_another_of_its_workspace(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        places = system.daemon.partition.store_queue.places
        large = [event("m1", f"c{n}", text="x") for n in range(limits.REQUEST_MESSAGES_MAX)]

        with places.holding(1, places.total // 2 - 2_000):
            answer = await system.ask("POST", MESSAGES, large)

        assert (answer.status, answer.document["accepted"]) == (202, 10_000)


def submissions(system: System, monkeypatch: pytest.MonkeyPatch) -> list[type]:
    """The types of what is submitted to the Store from now on, the daemon's own work included."""
    seen: list[type] = []
    queue = system.daemon.partition.store_queue
    submit = queue.submit

    def seeing(transition: Transition, then: Then) -> None:
        seen.append(type(transition))
        submit(transition, then)

    monkeypatch.setattr(queue, "submit", seeing)
    return seen


async def test_a_long_part_is_stored_in_several_transitions_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        ids = [f"m{number}" for number in range(1_200)]
        events = [event(id_, text="x") for id_ in ids]
        events += [event(f"s{number}", text="") for number in range(1_100)]
        submitted = submissions(system, monkeypatch)

        answer = await system.ask("POST", MESSAGES, events)
        of_intake = submitted.count(AcceptMessages)
        again = await system.ask("POST", MESSAGES, events)

        assert (answer.document["accepted"], len(answer.document["skipped"])) == (1_200, 1_100)
        assert [skip["message_id"] for skip in answer.document["skipped"]][::1_099] == [
            "s0",
            "s1099",
        ]
        assert of_intake == 3 + 2
        assert again.document["duplicate"] == 1_200
        page = system.daemon.partition.feed.reader.read(0, 10_000)
        known = [fact.data["accepted"] for fact in page.events if "accepted" in fact.data]
        assert [id_ for accepted in known for id_ in accepted] == ids


@given(
    st.dictionaries(
        st.text("abc", min_size=1, max_size=3),
        st.tuples(st.lists(st.integers(0, 300_000), max_size=1_200), st.integers(0, 1_200)),
        max_size=5,
    ),
    st.integers(1, limits.WEBHOOKS_MAX),
)
@example({"a": ([0, limits.PART_BYTES_MAX // 20 + 1], 0)}, 20)
@settings(max_examples=40, deadline=None)
def test_however_a_request_is_cut_no_part_is_long_and_nothing_is_lost_or_moved(
    sizes: dict[str, tuple[list[int], int]], webhooks: int
) -> None:
    text = bytes(300_000)
    chats = {
        chat_id: (
            [sized(f"{chat_id}{n}", text[:size]) for n, size in enumerate(messages)],
            [Skipped(f"{chat_id}s{n}", "no_text") for n in range(skipped)],
        )
        for chat_id, (messages, skipped) in sizes.items()
    }

    portions = portions_of(chats, 10_000_000, webhooks)

    for portion in portions:
        assert len(portion.parts) <= portion.places <= REQUEST_PLACES_MAX
        sizes_of = [sum(len(each.message) for each in part.messages) for part in portion.parts]
        assert portion.places >= sum(sizes_of) // PLACE_BYTES
        for part in portion.parts:
            assert len(part.messages) <= limits.PART_MESSAGES_MAX // webhooks
            assert len(part.skipped) <= limits.PART_MESSAGES_MAX // webhooks
            size = sum(len(each.message) for each in part.messages)
            assert size <= limits.PART_BYTES_MAX // webhooks or len(part.messages) == 1
    parts = [part for portion in portions for part in portion.parts]
    for chat_id, (texts, skipped) in chats.items():
        own = [part for part in parts if part.chat_id == chat_id]
        assert [each for part in own for each in part.messages] == texts
        assert [each for part in own for each in part.skipped] == skipped


@given(st.lists(st.sampled_from(("a", "b", "")), min_size=1, max_size=600), st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_short_request_of_many_short_messages_has_short_parts(
    chats: list[str], has_text: bool
) -> None:
    body = b",".join(shortest(n, chat or f"c{n}", has_text) for n, chat in enumerate(chats))
    body = b"[%b]" % body

    portions = portions_of(by_chat(parse_json(body).events), len(body))

    assert all(portion.places <= REQUEST_PLACES_MAX for portion in portions)
    parts = [part for portion in portions for part in portion.parts]
    assert sum(len(part.messages) + len(part.skipped) for part in parts) == len(chats)
    for part in parts:
        assert len(part.messages) <= limits.PART_MESSAGES_MAX
        assert len(part.skipped) <= limits.PART_MESSAGES_MAX
        assert sum(len(each.message) for each in part.messages) <= limits.PART_BYTES_MAX


def test_many_messages_of_a_chat_are_cut_however_short() -> None:
    body = b"[%b]" % b",".join(shortest(n, "a", True) for n in range(530))

    (portion,) = portions_of(by_chat(parse_json(body).events), len(body))

    assert len(body) <= WHOLE_BYTES_MAX
    assert [len(part.messages) for part in portion.parts] == [limits.PART_MESSAGES_MAX, 30]


def shortest(number: int, chat_id: str, has_text: bool) -> bytes:
    text = b',"text":"."' if has_text else b""
    return (
        b'{"whatsapp_account":{},"chat":{"chat_id":"%b"},"message":{"direction":"sent",'
        b'"timestamp":1,"message_id":"%x"%b}}' % (chat_id.encode(), number, text)
    )


def sized(message_id: str, message: bytes) -> Incoming:
    return msgspec.structs.replace(incoming(message_id), message=message)


# ---- what a large request does on the loop


async def test_between_two_passes_few_chats_are_told_however_many_requests_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell, seen = Directory.tell, Passes()

    def tell_counted(directory: Directory[Any, Any], key: object, message: object) -> None:
        if directory.name == "chat":
            seen.count()
        tell(directory, key, message)

    monkeypatch.setattr(Directory, "tell", tell_counted)
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        for ws in ("acme", "other"):
            await system.make(ws, receiver, aggregation="24h")
        with passes(seen):
            answers = await asyncio.gather(
                *(
                    system.ask(
                        "POST",
                        f"/v1/workspaces/{ws}/messages",
                        [event(f"m{n}", f"{turn}-{n}") for n in range(300)],
                    )
                    for ws in ("acme", "other")
                    for turn in range(4)
                )
            )

    assert [answer.document["accepted"] for answer in answers] == [300] * 8
    assert (seen.total, seen.most) == (2_400, 128)


@pytest.mark.parametrize("kind", ["received", "thrown"])
async def test_the_thread_that_reads_a_large_request_leaves_others_as_much_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Whether it is new, a repeat or invalid: what it costs the Store is not known yet."""
    many = [event(f"m{n}", f"c{n}", direction=kind) for n in range(1_500)]
    worked_s, rests = [0.0], list[float]()

    def thread_time() -> float:
        worked_s[0] += 0.125
        return worked_s[0]

    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="24h")
        monkeypatch.setattr(loop_share, "thread_time", thread_time)
        monkeypatch.setattr(loop_share, "sleep", rests.append)
        answer = await system.ask("POST", MESSAGES, many)

    assert answer.status == (202 if kind == "received" else 422)
    assert len(rests) >= 4
    assert set(rests) == {0.125}


async def test_a_large_request_is_cut_off_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = set[int]()

    def cut_watched(
        chats: PartsByChat, webhooks: int = 1, changes: ChangesByChat = NO_CHANGES
    ) -> Iterator[Portion]:
        for portion in cut(chats, webhooks, changes):
            threads.add(threading.get_ident())
            yield portion

    monkeypatch.setattr(messages, "cut", cut_watched)
    monkeypatch.setattr(portions, "cut", cut_watched)
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="24h")
        many = [event(f"m{n}", f"c{n}") for n in range(1_500)]
        answer = await system.ask("POST", MESSAGES, many)

    assert answer.document["accepted"] == 1_500
    assert threads
    assert threading.get_ident() not in threads
