"""What a process did to its data file, in order, as read from the log of strace.

    7 pwrite64(8, "\\x00\\x01", 2, 8192)    = 2     Wrote
    7 fdatasync(8)                          = 0     Synced: all writes before it
    7 pwrite64(9, "\\x00\\x01", 2, 24)      = 2     Wrote, Synced: it alone (9 is open O_DSYNC)
    3 write(11, "\\x5b", 1)                 = 1     Answered: a caller may rely on it from now on

A write may reach the disk as soon as it is called. It is certain to be on the disk only after a
call that syncs it has returned. Where threads take turns, strace logs the call and the return of a
system call on separate lines, and both moments matter here.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which

from hookbundle.storage.database.files import DATA
from hookbundle.tests.reliability.harness.promises import Promise, decode

WRITES = frozenset({"write", "pwrite64", "writev"})
# An image cannot show these calls. LMDB makes none of them unless its options are changed.
UNKNOWN = frozenset({"pwritev", "pwritev2", "ftruncate", "fallocate", "copy_file_range"})
OTHERS = frozenset({"openat", "close", "lseek", "fdatasync", "fsync", "mmap", "mkdir", "rename"})
WHOLE_BYTES = 1 << 26  # strace shortens longer strings
TIMEOUT_S = 120

LINE = re.compile(r"(\d+) +(?:<\.\.\. \w+ resumed>(.+)|(\w+\(.+))")
HEX = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
UNFINISHED = " <unfinished ...>"


@dataclass(frozen=True, slots=True)
class Wrote:
    """These bytes may be in the data file from now on."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Synced:
    """The writes with numbers in range(first, last) are in the data file for good."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Named:
    """The file has this name; a power cut before its directory is synced may undo that."""

    path: Path


@dataclass(frozen=True, slots=True)
class Made:
    """The directory has this name; a power cut before its parent is synced may undo that."""

    path: Path


@dataclass(frozen=True, slots=True)
class SyncedNames:
    """All names in the directory are on the disk for good."""

    path: Path


@dataclass(frozen=True, slots=True)
class UnknownCall:
    """A call that changes the data file in a way that an image can't show."""

    call: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The process has given these answers, and a caller may rely on them."""

    promises: tuple[Promise, ...]


Event = Wrote | Synced | Named | Made | SyncedNames | UnknownCall | Answered


@dataclass(slots=True)
class _File:
    path: Path
    each_write_synced: bool
    offset: int = 0


def traced(log: Path, *command: str) -> None:
    """The Python command has run to its end, and its system calls are in the log."""
    strace = which("strace")
    assert strace, "this test needs strace: run tests/install-strace.sh"
    calls = ",".join(sorted(WRITES | UNKNOWN | OTHERS))
    options = ["-f", "-qq", "-xx", "-v", "-s", str(WHOLE_BYTES), "--seccomp-bpf"]
    choice = ["-e", f"trace={calls}", "-e", "signal=none", "-o", str(log)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = [strace, *options, *choice, sys.executable, *command]
    subprocess.run(run, env=env, check=True, timeout=TIMEOUT_S)


def history(log: Path, folder: Path) -> list[Event]:
    """The events of FOLDER/data, with the answers written to FOLDER/answers, in order."""
    return list(_Reader(folder / "data", folder / "answers").read(log))


@dataclass(slots=True)
class _Reader:
    """A write counts from its call, because it may take effect at once; a sync from its return.

    A new database is made in a staging directory and then renamed, so every file below the data
    directory that has the name of the data file is followed.
    """

    data: Path
    answers: Path
    files: dict[str, _File] = field(default_factory=dict)
    unfinished: dict[str, tuple[str, int]] = field(default_factory=dict)
    writes: int = 0

    def read(self, log: Path) -> Iterator[Event]:
        with log.open() as lines:
            for line in lines:
                match = LINE.match(line)
                assert match, f"can't parse a line of the log: {line[:200]}"
                yield from self._line(*match.groups(""))

    def _line(self, thread: str, resumed: str, whole: str) -> Iterator[Event]:
        if resumed:
            call, before = self.unfinished.pop(thread)
            yield from self._returned(call + resumed, before)
            return
        before = self.writes
        yield from self._called(whole)
        if whole.endswith(UNFINISHED):
            self.unfinished[thread] = whole.removesuffix(UNFINISHED), before
        else:
            yield from self._returned(whole, before)

    def _called(self, line: str) -> Iterator[Event]:
        name, _, arguments = line.partition("(")
        if name not in WRITES | UNKNOWN:
            return
        numbers = re.findall(r"\d+", HEX.sub("", arguments))
        file = self.files.get(numbers[0])
        if file is None:
            return
        data = b"".join(map(_bytes, HEX.findall(line)))
        if file.path == self.answers:
            yield Answered(tuple(decode(data)))
        elif self._is_data(file):
            if name in UNKNOWN:
                yield UnknownCall(name)
                return
            yield Wrote(int(numbers[2]) if name == "pwrite64" else file.offset, data)
            self.writes += 1

    def _is_data(self, file: _File) -> bool:
        return file.path.name == DATA and self.data in file.path.parents

    def _returned(self, line: str, before: int) -> Iterator[Event]:
        """`before`: the number of writes that had been called before this call."""
        call, _, result = line.rpartition(" = ")
        result = result.split(" ")[0]
        name, _, arguments = call.partition("(")
        number = re.split("[,)]", arguments, maxsplit=1)[0]
        file = self.files.get(number)
        of_data = file is not None and self._is_data(file)
        if result == "-1":
            return
        match name:
            case "openat":
                (path,) = _paths(call)
                self.files[result] = _File(path, "O_DSYNC" in call)
                if "O_CREAT" in call:
                    yield Named(path)
            case "close":
                self.files.pop(number, None)
            case "lseek" if file:
                file.offset = int(result)
            case "write" | "writev" if file:
                file.offset += int(result)
            case "mkdir":
                yield Made(_paths(call)[0])
            case "rename":
                yield Named(_paths(call)[1])
            case "mmap" if {"PROT_WRITE", "MAP_SHARED"} <= set(re.findall(r"\w+", call)):
                mapped = self.files.get(arguments.split(", ")[4])
                if mapped and self._is_data(mapped):
                    yield UnknownCall("mmap")
            case "fdatasync" | "fsync" if of_data:
                yield Synced(0, before)
            case "fsync" if file:
                yield SyncedNames(file.path)
        if file and of_data and file.each_write_synced and name in WRITES:
            yield Synced(before, before + 1)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _paths(call: str) -> list[Path]:
    return [Path(os.fsdecode(_bytes(text))) for text in HEX.findall(call)]
