"""The input of `send`: its batches, their places in the input, and a live pipe."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest

from hookbundle.commands import message_input
from hookbundle.commands.message_input import BATCH_MESSAGES, Batch, Lines, batches
from hookbundle.commands.terminal.failures import USAGE, CommandFailure

TIMEOUT_S = 60


def line(number: int, length: int = 1) -> bytes:
    return msgspec.json.encode({"n": number, "text": "x" * length}) + b"\n"


def read(folder: Path, content: bytes) -> list[Batch]:
    file = folder / "input"
    file.write_bytes(content)
    with file.open("rb") as opened:
        return list(batches(opened))


@contextmanager
def pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Both ends; the writer's is closed in the end, lest a wait that is a bug has none."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "wb", buffering=0) as writer:
        giving_up = threading.Timer(TIMEOUT_S, writer.close)
        giving_up.start()
        try:
            yield reader, writer
        finally:
            giving_up.cancel()


def test_a_file_is_read_in_full_batches_that_know_their_lines(tmp_path: Path) -> None:
    content = b"\n" + b"".join(line(n) for n in range(700)) + b"  \n" + line(700) + line(701)[:-1]

    first, second = read(tmp_path, content)

    assert (first.name, second.name) == ("lines 2 to 501", "lines 502 to 704")
    assert (first.places[0], len(first.places)) == (2, BATCH_MESSAGES)
    assert second.places[-3:] == [701, 703, 704]
    assert first.body + second.body == b"".join(line(n) for n in range(702))


def test_a_long_line_is_a_batch_of_its_own(tmp_path: Path) -> None:
    content = line(1) + line(2, length=message_input.BATCH_BYTES) + line(3)

    found = read(tmp_path, content)

    assert [batch.name for batch in found] == ["line 1", "line 2", "line 3"]


def test_the_messages_of_an_array_are_counted_through_all_batches(tmp_path: Path) -> None:
    content = b"[" + b",\n".join(line(n)[:-1] for n in range(1_200)) + b"]"

    found = read(tmp_path, content)

    names = ["messages 1 to 500", "messages 501 to 1000", "messages 1001 to 1200"]
    assert [batch.name for batch in found] == names
    assert found[2].located("line 4.chat", "is missing") == "message 1004: chat: is missing"


def test_a_fault_has_its_place_in_the_input(tmp_path: Path) -> None:
    (lines,) = read(tmp_path, b"\n\n" + line(1) + b"\n" + line(2))
    (single,) = read(tmp_path, msgspec.json.format(line(1), indent=2))

    assert lines.located("line 2.message.text", "is missing") == "line 5: message.text: is missing"
    assert lines.located("line 2", "is not JSON") == "line 5: is not JSON"
    assert lines.located("", "has more faults") == "input: has more faults"
    assert single.located("line 1.message.text", "is missing") == "message.text: is missing"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the input is empty"),
        (b" \n\n", "the input is empty"),
        (b"\nnonsense\n" + line(1), "line 2 is not JSON"),
        (b'{\n "a": 1,\n b\n}', "line 3 is not JSON"),
        (b'[{"a": 1},\n{"a": 2},\n', "line 2 is not JSON: it ends too early"),
        (b'{"a": "\xff"}\n', "invalid input\n  line 1: a: has bytes that are not UTF-8"),
        (b"[" * 100_000, "line 1 is not JSON that can be read: it is nested too deeply"),
    ],
)
def test_what_is_not_json_is_named_with_its_line(
    tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(CommandFailure) as failed:
        read(tmp_path, content)

    assert failed.value.message.startswith(words)
    assert failed.value.exit_code == USAGE


def test_the_mark_that_windows_puts_before_a_file_is_no_fault(tmp_path: Path) -> None:
    (batch,) = read(tmp_path, b"\xef\xbb\xbf" + line(1))

    assert batch.body == line(1)


def test_a_live_pipe_is_sent_when_it_pauses_and_its_parts_are_joined() -> None:
    with pipe() as (reader, writer):
        found = batches(reader)
        writer.write(line(1) + line(2) + line(3)[:4])
        first = next(found)
        writer.write(line(3)[4:])
        second = next(found)
        writer.close()
        rest = list(found)

    assert (first.places, second.places, rest) == ([1, 2], [3], [])
    assert second.body == line(3)


class Dripping(Lines):
    """A pipe with a new line every 0.15 s, sooner than the moment ends."""

    at_s = 0.0

    def now_s(self) -> float:
        return self.at_s

    def next(self, within_s: float | None = None) -> bytes:
        if within_s is not None and within_s < 0.15:
            raise TimeoutError
        self.at_s += 0.15
        self.number += 1
        return line(self.number)


def test_a_pipe_that_never_pauses_is_sent_after_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each line comes sooner than the moment ends; still the first does not wait for 500."""
    monkeypatch.setattr(message_input, "Lines", Dripping)

    with pipe() as (reader, _):
        found = batches(reader)
        first, second = next(found), next(found)

    assert (first.places, second.places) == ([1, 2], [3, 4])


def test_a_fault_in_the_first_line_of_a_live_pipe_does_not_wait_for_its_end() -> None:
    with pipe() as (reader, writer):
        writer.write(b"nonsense\n")
        with pytest.raises(CommandFailure, match="line 1 is not JSON"):
            next(batches(reader))
        writer.write(line(1))  # nobody has given up waiting


def test_an_interrupt_ends_the_wait_for_a_live_pipe() -> None:
    waiting = threading.get_ident()

    def interrupt() -> None:
        while sys._current_frames()[waiting].f_code is not Lines._read.__code__:
            os.sched_yield()
        signal.pthread_kill(waiting, signal.SIGINT)

    with pipe() as (reader, _):
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            next(batches(reader))
