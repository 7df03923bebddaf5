"""A shell on a terminal of 80 columns: what is typed is run, and what is printed is read."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self, TypeVar

from hookbundle.tests.docs.pages import as_pattern

WITHIN_S = 600.0 if os.environ.get("BATTERY") == "full" else 60.0  # the long form installs
# Commands come through a pipe of their own, so that none reads the next one as its input.
SHELL = r"""
trap : INT
while IFS= read -r -d '' -u {fd} typed; do
    eval "$typed" {fd}<&-
    printf '\0%d\0' $?
done
"""
Found = TypeVar("Found")
ENDED = re.compile(r"\0(\d+)\0")


class Terminal:
    def __init__(self, env: Mapping[str, str], folder: Path) -> None:
        self._ours, theirs = pty.openpty()
        commands, self._typing = os.pipe()
        _make_plain(theirs)
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-c", SHELL.replace("{fd}", str(commands))],
            env=env,
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            pass_fds=[commands],
            start_new_session=True,
        )
        os.close(theirs)
        os.close(commands)
        self._printed = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for sent in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._shell.pid, sent)
            with suppress(TimeoutError):
                self._read_until(lambda: None, "ends")
        self._shell.wait()
        os.close(self._typing)
        os.close(self._ours)

    def types(self, command: str) -> None:
        os.write(self._typing, f"{command}\0".encode())

    def interrupts(self) -> None:
        """Ctrl-C; what ran has ended then."""
        os.killpg(self._shell.pid, signal.SIGINT)
        self._end_of_command("ends after Ctrl-C")

    def runs(self, command: str) -> tuple[int, list[str]]:
        """The command's exit code, and all that it printed."""
        self.types(command)
        return self._end_of_command(f"`{command}` ends")

    def shows(self, lines: Sequence[str]) -> None:
        """Waits until these lines have been printed, in this order; others may stand between."""
        for line in lines:
            pattern = as_pattern(line.strip())

            def found(line: str = line, pattern: re.Pattern[str] = pattern) -> int | None:
                end = 0
                for printed in self._text().splitlines(keepends=True):
                    end += len(printed)
                    if printed.endswith("\n") and pattern.fullmatch(printed.strip()):
                        return end
                assert not ENDED.search(self._text()), f"ended before {line!r}: {self._text()!r}"
                return None

            self._drop(self._read_until(found, f"prints {line!r}"))

    def _end_of_command(self, what: str) -> tuple[int, list[str]]:
        ended = self._read_until(lambda: ENDED.search(self._text()), what)
        text = self._text()[: ended.start()]
        self._drop(ended.end())
        return int(ended[1]), text.splitlines()

    def _text(self) -> str:
        return self._printed.decode(errors="ignore")

    def _drop(self, characters: int) -> None:
        self._printed = self._text()[characters:].encode()

    def _read_until(self, found: Callable[[], Found | None], what: str) -> Found:
        """Reads on until something is found. Raises: TimeoutError, which says what was read."""
        end = time.monotonic() + WITHIN_S
        while (result := found()) is None:
            left = max(0.0, end - time.monotonic())
            readable, _, _ = select.select([self._ours], [], [], left)
            try:
                more = os.read(self._ours, 65_536) if readable else b""
            except OSError:  # the last process that had the terminal open has ended
                more = b""
            if not more:
                raise TimeoutError(f"waited in vain: {what}; printed was {self._text()!r}")
            self._printed += more
        return result


def _make_plain(terminal: int) -> None:
    """No echo, and line ends as they were written."""
    modes = termios.tcgetattr(terminal)
    modes[1] &= ~termios.ONLCR
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, modes)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
