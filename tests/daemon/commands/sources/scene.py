"""A workspace, the commands that make its sources, and what posts to them."""

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from hookbundle.tests.in_process import Api
from hookbundle.tests.program import Program, Ran

NUMBERS = count(1)
SECRET = "s3cret-that-nobody-sees"


@dataclass(frozen=True, slots=True)
class Scene:
    """A workspace without sources, and the other systems."""

    program: Program
    api: Api
    ws: str
    folder: Path

    async def __call__(self, action: str, *arguments: str, given: bytes = b"") -> Ran:
        return await self.program("source", action, self.ws, *arguments, given=given)

    async def added(self, kind: str, *arguments: str) -> dict[str, Any]:
        document: dict[str, Any] = (await self("add", kind, *arguments, "--json")).document
        return document

    async def shown(self, source: str) -> dict[str, Any]:
        document: dict[str, Any] = (await self("show", source, "--json")).document
        return document

    async def post(self, path: str, body: dict[str, Any]) -> int:
        return (await self.api.ask("POST", path, body)).status

    def file(self, text: str) -> str:
        path = self.folder / f"secret{next(NUMBERS)}"
        path.write_text(f"{text}\n")
        return f"@{path}"
