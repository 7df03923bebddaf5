"""Follows a page: a fresh HOME, a folder that looks like the checkout, free ports."""

import json
import os
import re
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from hookbundle.tests.docs.pages import DOCS, ROOT, Block, Step, When, blocks, first_difference
from hookbundle.tests.docs.terminal import WITHIN_S, Terminal

PORTS = ("8470", "8480")  # those of the pages
LEFT_OUT = (".git", ".venv", ".venv-rivals", "build", "site")
# What the reader puts in its place is what was printed last: a signing secret.
PASTED = re.compile(r"whsec_…")
SECRET = re.compile(r"whsec_[\w+/=]+")
NO_RECEIVER: Mapping[str, str] = {}
LONG_FORM = os.environ.get("BATTERY") == "full"


@dataclass(slots=True)
class Reader:
    """Somebody who follows a page from top to bottom."""

    env: dict[str, str]
    folder: Path
    replaced: dict[str, str]  # what stands on the page: what it is here
    stack: ExitStack
    terminals: dict[str, Terminal] = field(default_factory=dict)
    secret: str = ""

    def follow(self, page: Path, parts: Sequence[Block]) -> None:
        for block in parts:
            where = f"{page.relative_to(ROOT)}:{block.line}"
            if block.when is When.NEVER or (block.when is When.LONG_FORM and not LONG_FORM):
                continue
            if block.file:
                (self.folder / block.file).write_text(self._here(block.text), encoding="utf-8")
            for step in block.steps:
                self._take(step, block.terminal, where)

    def _take(self, step: Step, name: str, where: str) -> None:
        terminal = self._terminal(name)
        typed = self._here(PASTED.sub(lambda _: self.secret, step.typed or ""))
        printed = [self._here(line) for line in step.printed]
        if typed == "^C":
            terminal.interrupts()
        elif name:
            if typed:
                terminal.types(typed)
            if typed.startswith("hookbundle tail"):
                self._wait_for_a_subscriber()
            terminal.shows(printed)
        else:
            code, lines = terminal.runs(typed)
            assert code == 0, f"{where}: `{typed}` ended with {code}: {lines}"
            difference = first_difference(printed, lines)
            assert difference is None, f"{where}: `{typed}`: {difference}"
            if found := SECRET.search(" ".join(lines)):
                self.secret = found[0]

    def _wait_for_a_subscriber(self) -> None:
        """Who types has one before going on: `tail` would not show what comes earlier."""
        end = time.monotonic() + WITHIN_S
        while True:
            code, lines = self._terminal("").runs("hookbundle status --json")
            assert code == 0, lines
            if json.loads("".join(lines))["feed"]["subscribers"]:
                return
            assert time.monotonic() < end, "`hookbundle tail` does not read the feed"

    def _terminal(self, name: str) -> Terminal:
        if name not in self.terminals:
            self.terminals[name] = self.stack.enter_context(Terminal(self.env, self.folder))
        return self.terminals[name]

    def _here(self, text: str) -> str:
        names = "|".join(re.escape(name) for name in self.replaced)
        return re.sub(rf"\b({names})\b", lambda found: self.replaced[found[0]], text)


@contextmanager
def reader() -> Iterator[Reader]:
    """In a folder with a short name: the path of a control socket has at most 107 bytes."""
    with TemporaryDirectory(prefix="page-") as folder, _reader_in(Path(folder)) as follower:
        yield follower


@contextmanager
def _reader_in(folder: Path) -> Iterator[Reader]:
    checkout = folder / "hookbundle"
    checkout.mkdir()
    for path in ROOT.iterdir():
        if path.name not in LEFT_OUT:
            (checkout / path.name).symlink_to(path)
    (folder / "home").mkdir()
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    # Where the quickstart installs it, in the long form; each of its terminals has that path.
    programs = [str(folder / "home/hookbundle-env/bin"), str(Path(sys.executable).parent)]
    env = {
        "HOME": str(folder / "home"),
        "PATH": ":".join([*programs, os.environ["PATH"]]),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",  # its notice comes with each release
        "HOOKBUNDLE_LISTEN": f"127.0.0.1:{ports['8470']}",
        "HOOKBUNDLE_STORAGE__FLOOR": "0KiB",
        "HOOKBUNDLE_STORAGE__RESERVE": "64KiB",
    }
    with ExitStack() as stack:
        yield Reader(env, checkout, ports, stack)


def follow(*names: str, receiver: Mapping[str, str] = NO_RECEIVER) -> None:
    """Does what the pages say, in turn. Raises: AssertionError at the first difference.

    `receiver`: the stand-in of one that the page calls, by its origin there.
    """
    with reader() as follower:
        if receiver:
            follower.replaced |= receiver
            follower.env["HOOKBUNDLE_DELIVERY__ALLOW_NETWORKS"] = "127.0.0.0/8"
        for page in (DOCS / name for name in names):
            follower.follow(page, blocks(page))


def free_ports(count: int) -> list[str]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [str(each.getsockname()[1]) for each in sockets]
