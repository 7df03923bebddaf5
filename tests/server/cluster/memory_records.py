"""Records of sessions in memory, where a cluster has them on its log servers."""

from dataclasses import dataclass, field

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Overloaded


@dataclass(slots=True)
class MemoryRecords:
    """Of sessions. `is_down`: nobody answers."""

    kept: dict[str, bytes] = field(default_factory=dict)
    is_down: bool = False

    async def get(self, place: str) -> bytes | None:
        self._check()
        return self.kept.get(place)

    async def put(self, place: str, record: bytes) -> None:
        self._check()
        self.kept[place] = record

    async def renew(self, place: str, before: bytes, record: bytes) -> None:
        self._check()
        if self.kept.get(place) == before:
            self.kept[place] = record

    async def delete(self, place: str) -> None:
        self._check()
        self.kept.pop(place, None)

    def _check(self) -> None:
        if self.is_down:
            raise Overloaded.of(Code.LOG_WAITS)
