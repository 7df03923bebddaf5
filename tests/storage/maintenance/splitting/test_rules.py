"""Every kind of record has a rule by which it is split."""

from types import ModuleType

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.sources import keys as source_keys
from hookbundle.storage.maintenance.splitting.rules import MADE_ANEW, RULES


def letters(module: ModuleType) -> set[bytes]:
    return {
        value
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, bytes) and len(value) == 1
    }


def test_each_kind_of_key_has_one_rule() -> None:
    known = letters(keyspace) | letters(source_keys)

    assert len(known) > 45
    assert set(RULES) | set(MADE_ANEW) == known
    assert not set(RULES) & set(MADE_ANEW)
