"""The everyday commands against a real daemon: their output and exit codes."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import msgspec

from hookbundle.tests.in_process import event, facts_of, receiving
from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program, program_in, serving
from hookbundle.tests.running import running


def lines(count: int) -> bytes:
    return b"".join(msgspec.json.encode(event(f"m{n}")) + b"\n" for n in range(count))


async def test_a_workspace_is_created_shown_fed_and_has_an_activity_log(tmp_path: Path) -> None:
    async with receiving() as receiver:
        with serving(tmp_path) as program:
            made = await program("workspace", "set", "acme", "--url", receiver.url(), "--json")
            receiver.trust(made.document["secret"])
            sent = await program("send", "acme", "--json", given=lines(3))
            await receiver.until(3)
            changed = await program("workspace", "set", "acme", "--aggregation", "6h", "--json")
            shown = await program("workspace", "show", "acme")
            listed = await program("workspace", "list", "--no-header")
            activity = await program("activity", "acme", "--json")
            log = await program("log", "acme", "--format", "ndjson")
            status = await program("status", "--json")

        assert made.code == 0
        assert sent.document == {"accepted": 3, "duplicate": 0, "skipped": []}
        assert changed.document["webhook"]["aggregation"] == "6h"
        assert "secret" not in changed.document
        assert ["webhook.aggregation", "6h"] in shown.rows
        assert listed.rows == [["acme", "enabled", "no", "6h", "0", "0"]]
        assert activity.document[0]["action"] == "settings changed"
        assert len(log.out.splitlines()) == 3
        assert status.document["totals"]["delivered"] == 3
        assert "\x1b" not in shown.out + listed.out


async def test_a_message_an_array_and_lines_may_be_sent_from_a_file_or_a_pipe(
    tmp_path: Path,
) -> None:
    array, pretty = tmp_path / "array.json", tmp_path / "pretty.json"
    array.write_bytes(msgspec.json.encode([event("a1"), event("a2", attachments=[{}])]))
    pretty.write_bytes(msgspec.json.format(msgspec.json.encode(event("p1")), indent=2))
    with serving(tmp_path) as program:
        await program("workspace", "set", "acme", "--aggregation", "1h")

        sent = [
            await program("send", "acme", str(array), "--json"),
            await program("send", "acme", str(pretty), "--json"),
            await program("send", "acme", "-", "--json", given=b"\n" + lines(2)),
        ]
        plain = await program("send", "acme", str(array))

    counts = [(s.document["accepted"], len(s.document["skipped"])) for s in sent]
    assert counts == [(1, 1), (1, 0), (2, 0)]
    assert plain.rows == [["accepted", "0"], ["duplicate", "1"], ["skipped", "1"]]
    assert "skipped a2: attachment" in plain.err


async def test_an_interrupted_send_may_be_repeated_without_duplicates(tmp_path: Path) -> None:
    everything = lines(1_200)
    program = program_in(tmp_path)
    async with running(program) as daemon, facts_of(program.socket_path) as facts:
        await daemon.ask("PUT", "/v1/workspaces/acme", {"webhook": {"aggregation": "24h"}})
        pipe = asyncio.subprocess.PIPE
        sending = await asyncio.create_subprocess_exec(
            PROGRAM, "send", "acme", env=program.env, stdin=pipe, stdout=pipe, stderr=pipe
        )
        assert sending.stdin is not None
        sending.stdin.write(everything[: len(everything) // 2])
        (accepted,) = await facts.until("message.received")

        sending.send_signal(signal.SIGINT)  # while it waits for more
        shown, words = await asyncio.wait_for(sending.communicate(), TIMEOUT_S)
        again = (await program("send", "acme", "--json", given=everything)).document

    before = len(accepted["data"]["accepted"])
    assert sending.returncode == 1
    assert b"run the same command again" in words
    # What was accepted may be on disk a moment before the answer is there to be counted.
    assert shown.decode().splitlines()[0] in ("accepted\t0", f"accepted\t{before}")
    assert (again["accepted"], again["duplicate"]) == (1_200 - before, before)


async def test_the_exit_code_says_why(tmp_path: Path) -> None:
    wrong: dict[str, Any] = event("m1", direction="up")
    unknown = Program({**program_in(tmp_path).env, "HOOKBUNDLE_NONSENSE": "1"})
    async with receiving() as receiver:
        receiver.answers(500)
        alone = await program_in(tmp_path)("status")
        with serving(tmp_path) as program:
            made = await program("workspace", "set", "acme", "--url", receiver.url(), "--json")
            receiver.trust(made.document["secret"])
            tested = await program("workspace", "test", "acme")
            empty = await program("send", "acme")
            invalid = await program("send", "acme", given=msgspec.json.encode([wrong]))
            second = await program("run")
        misspelled = await unknown("status")

    assert (alone.code, alone.out) == (3, "")
    assert "is it running?" in alone.err
    assert [ran.code for ran in (tested, empty, invalid, second, misspelled)] == [1, 2, 2, 6, 2]
    assert invalid.out == ""
    assert "message 1: message.direction" in invalid.err
    assert "HOOKBUNDLE_NONSENSE" in misspelled.err


async def test_disabling_enabling_and_discarding_say_what_they_did(tmp_path: Path) -> None:
    async with receiving() as receiver:
        with serving(tmp_path) as program:
            made = await program("workspace", "set", "acme", "--url", receiver.url(), "--json")
            receiver.trust(made.document["secret"])

            disabled = await program("workspace", "disable", "acme")
            await program("send", "acme", given=lines(2))
            enabled = await program("workspace", "enable", "acme", "--discard", "--yes", "--json")

    assert disabled.rows == [["changed", "yes"]]
    assert enabled.document["discarded_messages"] == 2
    assert receiver.posts == []


async def test_the_demo_shows_the_main_job_and_ends(tmp_path: Path) -> None:
    demo = await asyncio.create_subprocess_exec(
        PROGRAM,
        "demo",
        env=program_in(tmp_path).env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )

    out, err = await asyncio.wait_for(demo.communicate(), 60)

    text = out.decode()
    assert demo.returncode == 0, err.decode()
    assert text.count("signature verified") >= 4
    assert "SIGNATURE WRONG" not in text
    assert "the webhook is disabled" in text
    assert "Subject: A webhook was disabled (workspace acme)" in text


async def test_send_says_what_is_not_known_and_which_texts_differ(tmp_path: Path) -> None:
    misspelt = event("m1", text="at 5 pm")
    misspelt["chat"]["full_nmae"] = misspelt["chat"].pop("full_name")
    with serving(tmp_path) as program:
        await program("workspace", "set", "acme", "--aggregation", "1h")

        first = await program("send", "acme", given=msgspec.json.encode(misspelt))
        again = await program(
            "send", "acme", given=msgspec.json.encode(event("m1", text="at 6 pm"))
        )
        for_programs = await program("send", "acme", "--json", given=msgspec.json.encode(misspelt))

    assert "chat.full_nmae is no field that is known here" in first.err
    assert "did you mean chat.full_name?" in first.err
    assert "m1 is known with another text" in again.err
    assert again.rows == [["accepted", "0"], ["duplicate", "1"], ["skipped", "0"]]
    assert for_programs.document["unknown"] == ["chat.full_nmae"]
    assert "differs" not in for_programs.document


async def test_send_names_the_message_whose_text_is_none(tmp_path: Path) -> None:
    whole = [msgspec.json.encode(event(f"m{number}")) for number in range(20)]
    whole[11] = whole[11].replace(b"text of m11", b"see you \\ud83d")
    array = tmp_path / "array.json"
    array.write_bytes(b"[" + b",\n".join(whole) + b"]")
    with serving(tmp_path) as program:
        await program("workspace", "set", "acme", "--aggregation", "1h")

        as_array = await program("send", "acme", str(array))
        as_lines = await program("send", "acme", given=b"\n\n" + b"\n".join(whole))

    assert as_array.code != 0
    assert "message 12: message.text: has half a surrogate pair" in as_array.err
    assert "line 14: message.text: has half a surrogate pair" in as_lines.err
