"""An operator at the keyboard of a machine whose directories and systemd are those of the test."""

import asyncio
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program
from hookbundle.tests.shared_work.systemctl import Manager

NO_MORE: Mapping[str, str] = {}


class Operator:
    """Types commands on a machine whose directories are those of the test."""

    def __init__(
        self, folder: Path, program: Program, stand_ins: Mapping[str, str] = NO_MORE
    ) -> None:
        """`stand_ins`: programs beside systemctl, by their names."""
        self.folder = folder
        self._manager = Manager({"hookbundle": [PROGRAM, "run"]})
        tools = folder / "tools"
        tools.mkdir()
        for name, text in {"systemctl": self._manager.script, **stand_ins}.items():
            (tools / name).write_text(text)
            (tools / name).chmod(0o700)
        (tools / "hookbundle").symlink_to(PROGRAM)
        (folder / "root").mkdir()
        path = f"{tools}:{os.environ['PATH']}"
        self.env = {**program.env, "PATH": path, "ROOT": str(folder)}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """What was started there has ended."""
        await asyncio.to_thread(self._manager.close)

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
