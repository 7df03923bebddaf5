"""What each operation does, the codes of its errors, and its examples: operations.toml, examples/.

They are files of data, because they are prose and bodies, and nobody needs them before somebody
asks for the document.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from hookbundle.engine.error_codes import Code
from hookbundle.engine.error_table import MEANINGS

TEXTS = Path(__file__).with_name("operations.toml")
EXAMPLES = Path(__file__).with_name("examples.json")

# The codes that every path with this status may answer with.
SHARED: dict[int, tuple[Code, ...]] = {
    400: (
        Code.UNREADABLE_REQUEST,
        Code.HOST_MISSING,
        Code.PATH_NOT_UTF8,
        Code.HEADER_NOT_UTF8,
        Code.BODY_GARBLED,
        Code.SMALL_CHUNKS,
        Code.BAD_REQUEST,
    ),
    401: (Code.NO_TOKEN, Code.TOKEN_EXPIRED),
    403: (Code.INTAKE_TOKEN, Code.TOKEN_OF_WORKSPACE, Code.OPERATORS_ONLY),
    404: (Code.NO_PATH, Code.WORKSPACE_DELETED, Code.NO_WEBHOOK),
    408: (Code.BODY_TOO_SLOW,),
    413: (Code.BODY_TOO_LARGE,),
    415: (Code.UNKNOWN_ENCODING,),
    417: (Code.UNKNOWN_EXPECTATION,),
    421: (Code.WRONG_HOST,),
    422: (Code.INVALID_INPUT,),
    429: (Code.SHARE_USED,),
    431: (Code.HEAD_TOO_LARGE, Code.HEAD_LINE_TOO_LONG),
    500: (Code.INTERNAL_ERROR,),
    503: (
        Code.ALL_USED,
        Code.CONNECTIONS_USED,
        Code.STOPPING,
        Code.UPGRADING,
        Code.DATABASE_GROWING,
        Code.ACTOR_FAILED,
        Code.QUARANTINED,
        Code.STORE_STOPPED,
        Code.STORE_FAILED,
        Code.DATA_READ_ONLY,
        Code.DATA_DAMAGED,
        Code.DATA_UNUSABLE,
        Code.NO_OWNER,
        Code.NOT_OWNER,
        Code.LOG_WAITS,
        Code.PARTS_MISSING,
    ),
    504: (Code.ANSWER_LOST,),
    507: (Code.DISK_FULL, Code.DISK_NEARLY_FULL, Code.MAP_FULL),
}


@dataclass(frozen=True, slots=True)
class Operations:
    """The texts by the operation's name; examples of bodies by it, and of answers by it or by the
    name of their type."""

    texts: dict[str, dict[str, Any]]
    bodies: dict[str, Any]
    answers: dict[str, Any]

    @classmethod
    def read(cls) -> "Operations":
        texts = tomllib.loads(TEXTS.read_text(encoding="utf-8"))
        examples = msgspec.json.decode(EXAMPLES.read_bytes())
        return cls(texts, examples["bodies"], examples["answers"])

    def about(self, name: str) -> str:
        """The description of the operation; empty if there is none."""
        texts = [self.texts[each]["about"].strip() for each in self._itself_and_like(name)]
        return "\n\n".join(texts)

    def codes(self, name: str, status: int, *, with_token: bool) -> list[Code]:
        """The codes with which the operation answers with this status: its own ones first.

        `with_token`: it needs a bearer token, which may be refused.
        """
        own = (Code(code) for each in self._itself_and_like(name) for code in self._own_codes(each))
        of_status = [code for code in own if MEANINGS[code].status == status]
        shared = SHARED.get(status, ()) if with_token or status not in (401, 403) else ()
        return list(dict.fromkeys((*of_status, *shared)))

    def body(self, name: str) -> Any:
        """The example of the body; None if there is none."""
        found = (self.bodies.get(each) for each in self._itself_and_like(name))
        return next((each for each in found if each is not None), None)

    def answer(self, name: str, type_name: str) -> Any:
        """The example of the answer; None if there is none."""
        names = (*self._itself_and_like(name), type_name)
        return next((self.answers[each] for each in names if each in self.answers), None)

    def _own_codes(self, name: str) -> list[str]:
        found: list[str] = self.texts[name].get("codes", [])
        return found

    def _itself_and_like(self, name: str) -> Iterator[str]:
        if name in self.texts:
            yield name
            if "like" in self.texts[name]:
                yield from self._itself_and_like(self.texts[name]["like"])
