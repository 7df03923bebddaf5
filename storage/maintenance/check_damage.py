"""The check of a whole database: first of its pages, then of its records.

Only if LMDB can read every page are the records read through LMDB and compared with each other
(check.py). If not, the pages are walked without LMDB (storage/database/tree.py): each damage is
reported with the workspaces whose records may have been there, and each record that can still be
reached is checked for itself. Contradictions are not looked for: most would follow from the damage.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import lmdb

from hookbundle.engine.errors import CorruptRecord, Unusable
from hookbundle.storage.database import codec, files, key_fields, keyspace
from hookbundle.storage.database.data_file import tree
from hookbundle.storage.database.data_file.pages import MetaPage
from hookbundle.storage.database.data_file.tree import Damage, Tick
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.records import WebhookState, WorkspaceName
from hookbundle.storage.maintenance import check_names
from hookbundle.storage.maintenance.check import MALFORMED, Finding, check
from hookbundle.storage.maintenance.check_rules import rule_of
from hookbundle.storage.maintenance.copying import disk_errors, opened_to_read

FREE_PAGES = "list of free pages"
TRIES = 5  # to see the head of a moment before it is overwritten


def check_directory(path: Path, tick: Tick, paged: Tick) -> Iterator[Finding]:
    """All problems of the database in the directory, which may be a backup, and is not in use.

    `tick` is called for each record, `paged` for each page.

    Raises: InUse; Unusable if there is none, or if not even its head can be read.
    """
    with disk_errors(path), files.locked_to_read(path):
        damages = tree.damages(path / DATA, paged)
        if damages:
            yield from findings_of(path / DATA, damages, None, tick, paged)
            return
        with opened_to_read(path) as env, env.read_long() as txn:
            yield from check(txn, tick)


def check_in_use(env: Environment, tick: Tick, paged: Tick) -> Iterator[Finding]:
    """All problems of an open database, as it is now. Raises: Unusable; what the ticks raise."""
    with one_moment(env) as (txn, head):
        damages = tree.damages(env.path / DATA, paged, head)
        if damages:
            yield from findings_of(env.path / DATA, damages, head, tick, paged)
        else:
            yield from check(txn, tick)


@contextmanager
def one_moment(env: Environment) -> Iterator[tuple[lmdb.Transaction, MetaPage]]:
    """A long read transaction, and the head of the file at its moment. Raises: Unusable."""
    with ExitStack() as stack:
        for left in reversed(range(TRIES)):
            txn = stack.enter_context(env.read_long())
            try:
                head = tree.head_of(env.path / DATA, txn.id())
            except Unusable:  # two commits came in between
                if not left:
                    raise
                stack.close()
            else:
                break
        yield txn, head


def findings_of(
    data: Path, damages: list[Damage], head: MetaPage | None, tick: Tick, paged: Tick
) -> Iterator[Finding]:
    """What is wrong with a data file that has damaged pages. `head`: as in tree.py."""
    yield from _Damaged(data, damages, head).findings(tick, paged)


class _Damaged:
    def __init__(self, data: Path, damages: list[Damage], head: MetaPage | None = None) -> None:
        self._data = data
        self._damages = damages
        self._head = head
        self._names: dict[int, str] = {}
        self._workspaces: dict[int, int] = {}  # of the webhooks

    def findings(self, tick: Tick, paged: Tick) -> Iterator[Finding]:
        unreadable = list(self._records(tick, paged))
        for damage in self._damages:
            yield from self._of_damage(damage)
        for key, what in unreadable:
            yield Finding(_name_of(key), what, self._owner(key))

    def _records(self, tick: Tick, paged: Tick) -> Iterator[tuple[bytes, str]]:
        """Those that can be reached, but are damaged; the others tell who is who."""
        for row in tree.walk(self._data, paged, self._head, rows=True):
            if isinstance(row, Damage):
                continue
            key, value = row
            tick()
            try:
                self._read(key, value)
            except CorruptRecord as exc:
                yield key, str(exc)
            except MALFORMED:
                yield key, "malformed key"

    def _read(self, key: bytes, value: bytes) -> None:
        rule = rule_of(key)
        if rule is None or rule.kind is None:
            return
        record = codec.unpack(key, value, rule.kind)
        if isinstance(record, WorkspaceName):
            self._names[key_fields.owner(key)] = record.id
        elif isinstance(record, WebhookState):
            self._workspaces[key_fields.owner(key)] = record.workspace

    def _owner(self, key: bytes) -> str:
        if key[:1] == keyspace.WORKSPACES:
            return key[1:].decode(errors="replace")
        try:
            owner = check_names.owner_of(key)
        except MALFORMED:
            return ""
        return "" if owner is None else self._name(owner.number, is_webhook=owner.is_webhook)

    def _name(self, number: int, *, is_webhook: bool) -> str:
        workspace = self._workspaces.get(number, number) if is_webhook else number
        return self._names.get(workspace, f"number {workspace}")

    def _of_damage(self, damage: Damage) -> Iterator[Finding]:
        what = f"can't be read: page {damage.page} {damage.what}"
        if damage.is_of_free_pages:
            yield Finding(FREE_PAGES, f"{what}; no record is on it")
            return
        kinds: dict[str, list[str]] = defaultdict(list)
        for letter, kind in sorted(check_names.KINDS.items()):
            if _overlaps(damage, letter):
                for name in self._owners(damage, letter):
                    kinds[name].append(kind)
        for name in sorted(kinds):
            yield Finding(f"records of the kinds {', '.join(kinds[name])}", what, name)
        if not kinds:
            yield Finding("records of an unknown kind", what)

    def _owners(self, damage: Damage, letter: bytes) -> set[str]:
        """Whose records of the kind may be lost; an empty name stands for what nobody owns."""
        owner = _owner_or_none(letter + bytes(4))
        if owner is None:
            return {""}
        low = _owner_or_none(damage.first) if damage.first[:1] == letter else None
        high = _owner_or_none(damage.after) if (damage.after or b"")[:1] == letter else None
        known = self._workspaces if owner.is_webhook else self._names
        least, most = low.number if low else 0, high.number if high else 1 << 32
        found = {
            self._name(number, is_webhook=owner.is_webhook)
            for number in known
            if least <= number <= most
        }
        return found or {""}


def _overlaps(damage: Damage, letter: bytes) -> bool:
    begins_before_end = damage.after is None or letter < damage.after
    return begins_before_end and bytes([letter[0] + 1]) > damage.first


def _owner_or_none(key: bytes | None) -> check_names.Owner | None:
    try:
        return check_names.owner_of(key or b"")
    except MALFORMED:
        return None


def _name_of(key: bytes) -> str:
    try:
        return check_names.name_of(key)
    except MALFORMED:
        return f"key {key.hex()}"


def damaged_in_words(damages: list[Damage]) -> str:
    """The first of them, and how many there are."""
    first, more = damages[0], len(damages) - 1
    words = f"page {first.page} {first.what}"
    return f"{words}, and {more} more pages" if more else words
