"""`hookbundle log` writes what comes as it comes, and no half of it under the file's name."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookbundle.commands.terminal.private_file import written_to


def pieces(*given: bytes, then: Exception | None = None) -> Iterator[bytes]:
    yield from given
    if then is not None:
        raise then


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "log.json"

    count = written_to(pieces(b"[", b"]"), path)

    assert (count, path.read_bytes()) == (2, b"[]")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_that_ends_early_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_bytes(b"of before")

    with pytest.raises(ConnectionError):
        written_to(pieces(b"[1,", then=ConnectionError()), path)

    assert path.read_bytes() == b"of before"
    assert os.listdir(tmp_path) == ["log.json"]


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        written_to(pieces(b"[]"), path)

        assert os.read(reader, 9) == b"[]"
        assert stat.S_ISFIFO(path.stat().st_mode)
    finally:
        os.close(reader)
