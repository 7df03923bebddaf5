"""The next version of the program: this one, with a field added to a record as it is to be done.

It knows one schema more, and counts the messages of each workspace in the field, from that schema
on. So what it counted says since when the schema was raised, and whether a program that does not
know the field has dropped it.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec

from hookbundle import __version__
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.records import SCHEMA, Usage
from hookbundle.tests.program import Program
from hookbundle.tests.reliability.cluster.nodes import NodeProcess

ROOT = Path(__file__).parents[4]
ROOMS = ("actors", "commands", "engine", "server", "storage")
PATH = "PYTHONPATH"
LATER = SCHEMA + 1
VERSION = f"{__version__}+later"
EDITS = (
    ("__init__.py", f'"{__version__}"', f'"{VERSION}"'),
    ("storage/database/records.py", f"\nSCHEMA = {SCHEMA}  #", f"\nSCHEMA = {LATER}  #"),
    (
        "storage/database/records.py",
        "    sources_due_ms: int = -1\n",
        "    sources_due_ms: int = -1\n    counted: int = 0\n",
    ),
    (
        "storage/transitions/accepting.py",
        "    first = windows.first_to_end(record, settings)\n",
        f"    if unit.identity.schema >= {LATER}:\n"
        "        unit.usage(number).counted += len(fresh)\n"
        "    first = windows.first_to_end(record, settings)\n",
    ),
)
FIELD = len(Usage.__struct_fields__)
"""The place of the new field in the record."""


@dataclass(frozen=True, slots=True)
class Version:
    """`path`: where Python finds the program, if it is not the one that is installed."""

    name: str
    path: Path | None

    def put_on(self, node: NodeProcess) -> None:
        """The node has it with its next start, and so have commands there."""
        env = {name: value for name, value in node.program.env.items() if name != PATH}
        node.program = Program(env | ({PATH: str(self.path)} if self.path else {}))


PRESENT = Version(__version__, None)


def later_version(folder: Path) -> Version:
    """The program, changed, in the folder; each of the edits has to find its text once."""
    tree = folder / "hookbundle"
    for name in ROOMS:
        shutil.copytree(ROOT / name, tree / name)  # with what Python has compiled of it
    for name in ("__init__.py", "__main__.py", "cli.py"):
        shutil.copy2(ROOT / name, tree)
    for name, before, after in EDITS:
        path = tree / name
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{name} has {before!r} {text.count(before)} times"
        path.write_text(text.replace(before, after), encoding="utf-8")
    return Version(VERSION, folder)


def counted(env: Environment) -> int:
    """The sum of the new field over all workspaces of a database."""
    found = 0
    with env.read() as txn:
        for key, value in txn.cursor():
            if bytes(key[:1]) == keyspace.USAGES:
                fields = msgspec.msgpack.decode(value[codec.HEAD_BYTES :])
                found += fields[FIELD] if len(fields) > FIELD else 0
    return found
