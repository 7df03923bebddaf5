"""What a process did to its data file, in order, from the log that strace wrote of it.

    7 pwrite64(8, "\\x00\\x01", 2, 8192)    = 2     Wrote
    7 fdatasync(8)                          = 0     Synced: all writes before it
    7 pwrite64(9, "\\x00\\x01", 2, 24)      = 2     Wrote, Synced: it alone (9 is open O_DSYNC)
    3 write(11, "\\x5b", 1)                 = 1     Answered: somebody relies on it from now on

A write may reach the disk from the moment it is called. It is sure to be there only once the call
that syncs it has returned. strace shows the two moments apart where threads take turns.
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
# Not shown in images, and not called on a data file unless somebody changes how it is opened.
UNKNOWN = frozenset({"pwritev", "pwritev2", "ftruncate", "fallocate", "copy_file_range"})
OTHERS = frozenset({"openat", "close", "lseek", "fdatasync", "fsync", "mmap", "mkdir", "rename"})
WHOLE_BYTES = 1 << 26  # longer strings would be cut
PATIENCE_S = 120

LINE = re.compile(r"(\d+) +(?:<\.\.\. \w+ resumed>(.+)|(\w+\(.+))")
HEX = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
UNFINISHED = " <unfinished ...>"


@dataclass(frozen=True, slots=True)
class Wrote:
    """Bytes that may be in the data file from now on."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Synced:
    """The writes from number `first` to before `last` are in the data file for good."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Named:
    """The file has this name, unless the power fails before its directory is synced."""

    path: Path


@dataclass(frozen=True, slots=True)
class Made:
    """So has the directory."""

    path: Path


@dataclass(frozen=True, slots=True)
class SyncedNames:
    """The names in the directory are there for good."""

    path: Path


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that reaches the data file in a way that an image can't show."""

    call: str


@dataclass(frozen=True, slots=True)
class Answered:
    promises: tuple[Promise, ...]


Event = Wrote | Synced | Named | Made | SyncedNames | Unknown | Answered


@dataclass(slots=True)
class _File:
    path: Path
    each_write_synced: bool
    offset: int = 0


def traced(log: Path, *command: str) -> None:
    """The Python command has run to its end; what it called is in the log."""
    strace = which("strace")
    assert strace, "this test wants strace: run tests/install-strace.sh"
    calls = ",".join(sorted(WRITES | UNKNOWN | OTHERS))
    options = ["-f", "-qq", "-xx", "-v", "-s", str(WHOLE_BYTES), "--seccomp-bpf"]
    choice = ["-e", f"trace={calls}", "-e", "signal=none", "-o", str(log)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = [strace, *options, *choice, sys.executable, *command]
    subprocess.run(run, env=env, check=True, timeout=PATIENCE_S)


def history(log: Path, folder: Path) -> list[Event]:
    """What happened to FOLDER/data, and what FOLDER/answers says was answered when."""
    return list(_Reader(folder / "data", folder / "answers").read(log))


@dataclass(slots=True)
class _Reader:
    """What a call does it may do at once; what came of it is known when it returns.

    A database is made elsewhere and then gets its place, so any file of its name is meant.
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
                assert match, f"a line of the log can't be read: {line[:200]}"
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
                yield Unknown(name)
                return
            yield Wrote(int(numbers[2]) if name == "pwrite64" else file.offset, data)
            self.writes += 1

    def _is_data(self, file: _File) -> bool:
        return file.path.name == DATA and self.data in file.path.parents

    def _returned(self, line: str, before: int) -> Iterator[Event]:
        """`before`: how many writes had been called when this call was."""
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
                    yield Unknown("mmap")
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
