"""Backup, restore, check, compact and delete: the installed program, and a real daemon."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import event, facts_of, receiving
from hookbundle.tests.program import Program, program_in, serving

SECRET = "the launch code"


@pytest.fixture
async def receiver() -> AsyncIterator[HookReceiver]:
    async with receiving() as receiver:
        yield receiver


async def make(program: Program, receiver: HookReceiver, ws: str = "acme") -> None:
    made = await program(
        *("workspace", "set", ws, "--url", receiver.url(), "--aggregation", "1h", "--json")
    )
    receiver.trust(made.document["secret"])


async def send(program: Program, ws: str, count: int, text: str, chats: int = 7) -> None:
    events = [event(f"m{n}", f"c{n % chats}", text=f"{text} {n} " * 20) for n in range(count)]
    sent = await program("send", ws, "-", given=msgspec.json.encode(events))
    assert sent.code == 0, sent


async def until(program: Program, kind: str) -> None:
    async with facts_of(program.socket_path) as facts:
        await facts.until(kind)


def occurrences(folder: Path) -> int:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sum(path.read_bytes().count(SECRET.encode()) for path in files)


# ---- delete


async def test_workspace_delete_asks_first(tmp_path: Path, receiver: HookReceiver) -> None:
    with serving(tmp_path) as program:
        await make(program, receiver)
        await send(program, "acme", 3, "a word")

        no = await program("workspace", "delete", "acme", given=b"n\n")
        shown = await program("workspace", "show", "acme", "--json")
        yes = await program("workspace", "delete", "acme", given=b"y\n")
        gone = await program("workspace", "show", "acme")

    assert "Delete acme? 3 messages will never be sent, and 0 dead letters" in no.err
    assert (no.code, yes.code, gone.code) == (1, 0, 5)
    assert shown.document["counts"]["held_messages"] == 3
    assert ["messages", "3"] in yes.rows


async def test_workspace_delete_with_yes_does_not_ask(
    tmp_path: Path, receiver: HookReceiver
) -> None:
    with serving(tmp_path) as program:
        await make(program, receiver)

        deleted = await program("workspace", "delete", "acme", "--yes", "--json")
        again = await program("workspace", "delete", "acme", "--yes")

    assert deleted.document == {"windows": 0, "deliveries": 0, "messages": 0}
    assert again.code == 5


async def test_chats_delete_deletes_one_chat(tmp_path: Path, receiver: HookReceiver) -> None:
    with serving(tmp_path) as program:
        await make(program, receiver)
        await send(program, "acme", 4, "a word", chats=2)

        deleted = await program("chats", "delete", "acme", "c0", "--yes", "--json")
        listed = await program("chats", "list", "acme", "--json")

    assert deleted.document == {"messages": 2}
    assert [chat["chat_id"] for chat in listed.document] == ["c1"]


async def test_after_delete_and_compact_no_byte_of_the_text_is_left(
    tmp_path: Path, receiver: HookReceiver
) -> None:
    with serving(tmp_path) as program:
        await make(program, receiver)
        await send(program, "acme", 1_000, SECRET)
        await program("chats", "flush", "acme", "c1")
        await receiver.until(1)
        await until(program, "delivery.delivered")
        held = occurrences(tmp_path / "data")
        await program("workspace", "delete", "acme", "--yes")
        running = await program("compact")

    compacted = await program("compact", "--json")

    assert held > 1_000
    assert running.code == 6
    assert "is in use by the process with pid" in running.err
    assert compacted.document["bytes"] < compacted.document["bytes_before"]
    assert occurrences(tmp_path / "data") == 0


# ---- check


async def test_check_asks_the_daemon_or_looks_by_itself(
    tmp_path: Path, receiver: HookReceiver
) -> None:
    with serving(tmp_path) as program:
        await make(program, receiver)
        await send(program, "acme", 100, "a word")
        running = await program("check", "--json")

    before = (tmp_path / "data" / "data.mdb").read_bytes()
    stopped = await program("check", "--json")

    assert running.document["findings"] == stopped.document["findings"] == []
    assert stopped.document["records"] > running.document["records"] > 20
    assert (tmp_path / "data" / "data.mdb").read_bytes() == before


async def test_check_says_what_is_damaged_and_fails(tmp_path: Path, receiver: HookReceiver) -> None:
    with serving(tmp_path) as program:
        await make(program, receiver)
        await send(program, "acme", 1, "a word that is only here")
    data = tmp_path / "data" / "data.mdb"
    data.write_bytes(data.read_bytes().replace(b"only here", b"anywhere "))

    plain = await program("check")
    as_json = await program("check", "--json")

    assert (plain.code, as_json.code) == (1, 1)
    assert "chat 'c0' of workspace 1\trecord" in plain.out
    assert "its checksum does not match" in plain.out
    assert "faults found" in plain.err
    (first, *_) = msgspec.json.decode(as_json.out)["findings"]
    assert first["where"] == "chat 'c0' of workspace 1"


async def test_check_of_nothing_fails(tmp_path: Path) -> None:
    checked = await program_in(tmp_path)("check")

    assert (checked.code, checked.out) == (1, "")
    assert "there is no database" in checked.err


# ---- backup and restore


async def test_a_backup_under_traffic_is_restored_with_what_was_accepted_before_it(
    tmp_path: Path, receiver: HookReceiver
) -> None:
    with serving(tmp_path) as program:
        await make(program, receiver)
        await send(program, "acme", 500, "a word", chats=50)
        await make(program, receiver, "busy")
        traffic = asyncio.create_task(send(program, "busy", 5_000, "a word", chats=500))

        backup = await program("backup", str(tmp_path / "backup"), "--json")
        again = await program("backup", str(tmp_path / "backup"))
        await traffic

    new = program_in(tmp_path / "new")
    full = await program("restore", str(tmp_path / "backup"))
    restored = await new("restore", str(tmp_path / "backup"), "--json")
    checked = await new("check", "--json")
    with serving(tmp_path / "new") as program:
        shown = await program("workspace", "show", "acme", "--json")
        await until(program, "daemon.restored")

    assert (backup.document["findings"], again.code, full.code) == ([], 6, 6)
    assert restored.document["records"] == backup.document["records"]
    assert checked.document["findings"] == []
    assert (
        shown.document["counts"] | {"windows": 50, "held_messages": 500}
        == (shown.document["counts"])
    )


async def test_a_backup_wants_a_daemon_and_a_place(tmp_path: Path) -> None:
    stopped = await program_in(tmp_path)("backup", str(tmp_path / "backup"))
    with serving(tmp_path) as program:
        nowhere = await program("backup", str(tmp_path / "not there" / "backup"))
        inside = await program("backup", str(tmp_path / "data" / "backup"))

    assert (stopped.code, nowhere.code, inside.code) == (3, 2, 6)
    assert "is not a directory" in nowhere.err


async def test_a_stopped_daemon_is_backed_up_with_all_that_it_did(
    tmp_path: Path, receiver: HookReceiver
) -> None:
    elsewhere, new = tmp_path / "backup", tmp_path / "new"
    of_data = ("--data", str(tmp_path / "data"))
    with serving(tmp_path) as program:
        await make(program, receiver)
        await send(program, "acme", 7, "a word")
        running = await program("backup", str(elsewhere), *of_data)
        await program("chats", "flush", "acme", "--yes")
        await receiver.until(7)
        await send(program, "acme", 8, "a word", chats=8)

    backup = await program("backup", str(elsewhere), *of_data, "--json")
    inside = await program("backup", str(tmp_path / "data" / "backup"), *of_data)
    of_backup = await program("backup", str(tmp_path / "other"), "--data", str(elsewhere))
    of_nothing = await program("backup", str(tmp_path / "other"), "--data", str(tmp_path / "no"))
    await program_in(new)("restore", str(elsewhere))
    with serving(new) as program:
        await program("chats", "flush", "acme", "--yes")
        posts = await receiver.until(8)

    assert (running.code, "stop it first" in running.err) == (6, True)
    assert backup.document["findings"] == []
    assert (inside.code, of_backup.code, of_nothing.code) == (6, 1, 1)
    assert sorted(one for post in posts for one in post.message_ids) == [f"m{n}" for n in range(8)]


async def test_a_daemon_does_not_run_on_a_backup(tmp_path: Path) -> None:
    with serving(tmp_path) as program:
        await program("backup", str(tmp_path / "backup"))

    run = await program("run", "--data", str(tmp_path / "backup"))

    assert run.code == 1
    assert "is a backup; `hookbundle restore" in run.err
