"""An operator at the keyboard of a machine whose directories and systemd are those of the test."""

import asyncio
import os
import re
from collections.abc import Mapping
from pathlib import Path

from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program

# Stands for systemd: `start` waits until the daemon is ready, `stop` until it has ended.
SYSTEMCTL = """#!/bin/sh
stop() {
    [ -f pid ] && kill "$(cat pid)" && while kill -0 "$(cat pid)"; do sleep 0.05; done
}
start() {
    hookbundle run 2>>log & echo $! > pid
    until [ -S "$HOOKBUNDLE_SOCKET" ]; do sleep 0.05; done
    until hookbundle status; do :; done
}
case "$1" in
    stop|disable) stop ;;
    start|enable) start ;;
    restart) stop; start ;;
esac >/dev/null 2>&1
exit 0
"""
NO_MORE: Mapping[str, str] = {}


class Operator:
    """Types commands on a machine whose directories are those of the test."""

    def __init__(
        self, folder: Path, program: Program, stand_ins: Mapping[str, str] = NO_MORE
    ) -> None:
        """`stand_ins`: programs beside systemctl, by their names."""
        self.folder = folder
        tools = folder / "tools"
        tools.mkdir()
        for name, text in {"systemctl": SYSTEMCTL, **stand_ins}.items():
            (tools / name).write_text(text)
            (tools / name).chmod(0o700)
        (tools / "hookbundle").symlink_to(PROGRAM)
        (folder / "root").mkdir()
        self.env = {**program.env, "PATH": f"{tools}:{os.environ['PATH']}"}

    def placed(self, text: str) -> str:
        for there, here in (
            ("/var/lib/private/hookbundle", self.folder / "data"),
            ("/var/lib/hookbundle-backups", self.folder / "backups"),
            ("/var/lib/hookbundle", self.folder / "data"),
            ("/root", self.folder / "root"),
            ("/etc", self.folder / "etc"),
        ):
            text = re.sub(rf"(?<![\w/]){there}(?![\w-])", str(here), text)
        return text

    async def types(self, commands: str) -> list[int]:
        """The exit code of each command."""
        codes = []
        for command in commands.splitlines():
            process = await asyncio.create_subprocess_exec(
                "sh", "-c", self.placed(command), env=self.env, cwd=self.folder
            )
            codes.append(await asyncio.wait_for(process.wait(), TIMEOUT_S))
        return codes
