"""What became of messages, asked of a workspace with five thousand deliveries of three days."""

import random
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from hookbundle.engine.messages.became import BecameCode, what_of
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import System, daemon_in, event
from hookbundle.tests.past.cases import STORED, Case, Past
from hookbundle.tests.past.once import copy_of_three_days

NOWHERE = ("skipped.attachment", "skipped.no_text", "trimmed", "deleted", "never_came")
CASES = (
    *STORED,
    *NOWHERE,
)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    return copy_of_three_days(tmp_path_factory, tmp_path_factory.mktemp("past") / "data")


@pytest.fixture
async def system(past: Past, tmp_path: Path) -> AsyncIterator[System]:
    shutil.copytree(past.path, tmp_path / "data")
    async with daemon_in(tmp_path) as system:
        yield system


def path_of(case: Case) -> str:
    message = quote(case.message_id, safe="")
    return f"/v1/workspaces/{case.workspace}/messages/{message}?chat={case.chat_id}"


def history_of(case: Case, **query: str | int) -> str:
    asked = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
    return f"/v1/workspaces/{case.workspace}/chats/{case.chat_id}/history?{asked}"


def around(case: Case) -> dict[str, str]:
    at = datetime.fromtimestamp(case.arrived_ms / 1_000, UTC)
    since, until = at - timedelta(minutes=1), at + timedelta(minutes=1)
    return {"since": since.isoformat(), "until": until.isoformat()}


async def whole_history(system: System, case: Case, **query: str | int) -> list[dict[str, Any]]:
    """The groups of all pages."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await system.get(history_of(case, cursor=cursor, **query))
        found += page["groups"]
        cursor = page["cursor"]
    return found


@pytest.mark.parametrize("code", CASES)
async def test_a_message_says_what_became_of_it(system: System, past: Past, code: str) -> None:
    case = past.cases[BecameCode(code)]

    answer = await system.get(path_of(case))

    became = answer["became"]
    assert (became["code"], became["what"]) == (code, what_of(BecameCode(code)))
    assert became["detail"].endswith((".", became.get("error", "."), became.get("reason", ".")))
    assert answer["cursor"] is answer["searched_to"] is None
    assert answer["history_since"]
    assert answer["feed_since"]
    if code in NOWHERE:
        assert answer["group"] is None
    else:
        (message,) = answer["group"]["messages"]
        assert message["message_id"] == case.message_id
        arrived = datetime.fromisoformat(message["arrived_at"])
        assert round(arrived.timestamp() * 1_000) == case.arrived_ms


@pytest.mark.parametrize("code", ["duplicate", "duplicate.differs"])
async def test_a_message_that_came_again_says_so_beside_what_became_of_the_first(
    system: System, past: Past, code: str
) -> None:
    answer = await system.get(path_of(past.cases[BecameCode(code)]))

    assert answer["became"]["what"] == "delivered"
    assert [came["code"] for came in answer["came"]] == [code]


async def test_each_attempt_is_shown_with_its_answer(system: System, past: Past) -> None:
    answer = await system.get(path_of(past.cases[BecameCode.REJECTED]))

    tried = [(each["attempt"], each["status"], each["outcome"]) for each in answer["attempts"]]
    assert tried == [(1, 404, "rejected"), (2, 404, "rejected"), (3, 404, "rejected")]
    assert {each["response"]["body"] for each in answer["attempts"]} == {"no such contact"}
    assert answer["group"]["reason"] == "time"
    assert answer["group"]["delivery_id"].startswith("dlv_")


async def test_a_message_that_never_came_shows_what_else_its_chat_has(
    system: System, past: Past
) -> None:
    answer = await system.get(path_of(past.cases[BecameCode.NEVER_CAME]))

    assert len(answer["around"]) == 5
    assert all(group["messages"] for group in answer["around"])


@pytest.mark.parametrize("code", [*CASES, "duplicate", "duplicate.differs"])
async def test_a_chat_s_history_of_that_minute_has_the_answer(
    system: System, past: Past, code: str
) -> None:
    case = past.cases[BecameCode(code)]

    groups = await whole_history(system, case, **around(case))

    told = {
        group["became"]["code"]
        for group in groups
        if not group["messages"]
        or case.message_id in [message["message_id"] for message in group["messages"]]
    }
    # What is trimmed, or never was, is not there; of a deleted chat only that it was deleted.
    expected = {"trimmed": set[str](), "never_came": set[str](), "deleted": {"deleted"}}
    assert told >= expected.get(code, {code})
    if code in expected:
        assert told == expected[code]


async def test_pages_of_a_history_miss_nothing_and_repeat_nothing(
    system: System, past: Past
) -> None:
    case = past.cases[BecameCode.DELIVERED]
    whole = await whole_history(system, case, limit=1_000)

    small = await whole_history(system, case, limit=random.Random(7).choice((1, 2, 3, 7)))

    assert len(whole) > 30
    assert small == whole
    times = [group["sealed_at"] for group in whole if group["sealed_at"]]
    assert times == sorted(times, reverse=True)


async def test_a_cursor_of_another_question_is_refused(system: System, past: Past) -> None:
    case = past.cases[BecameCode.DELIVERED]
    cursor = (await system.get(history_of(case, limit=1)))["cursor"]

    other = history_of(case, limit=1, cursor=cursor, since="2021-01-01T00:00:00Z")
    answer = await system.ask("GET", other)

    assert answer.status == 422
    assert [fault["code"] for fault in answer.document["errors"]] == ["no_cursor"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "chat_wanted"),
        ("chat=", "chat_wanted"),
        ("chat=c&cursor=A", "no_cursor"),
        ("chat=c&cursor=AAAA", "no_cursor"),
        ("chat=c&state=queued", "unknown_parameter"),
    ],
)
async def test_a_message_is_asked_for_with_its_chat(system: System, query: str, code: str) -> None:
    answer = await system.ask("GET", f"/v1/workspaces/acme/messages/m1?{query}")

    assert answer.status == 422
    assert [fault["code"] for fault in answer.document["errors"]] == [code]


@pytest.mark.parametrize("query", ["since=yesterday", "until=2021-02-24T16:25:29", "limit=0"])
async def test_a_history_is_asked_for_with_times_and_numbers(system: System, query: str) -> None:
    answer = await system.ask("GET", f"/v1/workspaces/acme/chats/c/history?{query}")

    assert answer.status == 422


async def test_strange_ids_are_found(tmp_path: Path, receiver: HookReceiver) -> None:
    strange = ("a/b", "50%", '"', "\\", "ä😀", "line\nfeed", "+", "{}", "\u2028")
    async with daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        await system.accept("acme", *(event(each, each) for each in strange))
        await receiver.until(len(strange))

        for each in strange:
            message = quote(each, safe="").replace(".", "%2E")
            answer = await system.get(
                f"/v1/workspaces/acme/messages/{message}?chat={quote(each, safe='')}"
            )
            assert answer["became"]["what"] in ("delivered", "sending")
            assert answer["group"]["messages"][0]["message_id"] == each


async def test_nobody_knows_a_chat_that_never_was(system: System) -> None:
    answer = await system.get("/v1/workspaces/acme/messages/m?chat=nobody")
    history = await system.get("/v1/workspaces/acme/chats/nobody/history")
    none = await system.ask("GET", "/v1/workspaces/none/chats/c/history")

    assert answer["became"]["what"] == "never_came"
    assert (history["groups"], history["cursor"]) == ([], None)
    assert none.status == 404


async def test_a_delivery_is_found_by_a_message_of_it(system: System, past: Past) -> None:
    case = past.cases[BecameCode.REJECTED]
    path = await system.get(path_of(case))

    asked = f"/v1/workspaces/acme/deliveries?chat={case.chat_id}&message={case.message_id}"
    found = await system.get(asked)
    none = await system.get(f"/v1/workspaces/acme/deliveries?chat={case.chat_id}&message=none")
    alone = await system.ask("GET", f"/v1/workspaces/acme/deliveries?message={case.message_id}")

    assert [each["id"] for each in found["deliveries"]] == [path["group"]["delivery_id"]]
    assert none["deliveries"] == []
    assert [fault["code"] for fault in alone.document["errors"]] == ["chat_wanted"]
