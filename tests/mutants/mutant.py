"""A bug to plant: an exact change of the product's text, and the tests that must catch it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`edits`: pairs of a text that is in the file exactly once, and its replacement."""

    name: str
    bug: str
    path: str
    edits: tuple[tuple[str, str], ...]
    caught_by: tuple[str, ...]

    def plant(self, tree: Path) -> None:
        file = tree / self.path
        file.write_text(self.applied_to(file.read_text()))

    def applied_to(self, text: str) -> str:
        for old, new in self.edits:
            found = text.count(old)
            assert found == 1, f"{self.name}: {self.path} has this {found} times, want 1:\n{old}"
            text = text.replace(old, new)
        return text
