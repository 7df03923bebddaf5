"""How often the work of a postponed row has failed."""

from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import Due
from hookbundle.storage.tables.postponed import Postponed


def tries(env: Environment, row: Due) -> int:
    """0 if there is no such row."""
    with env.read() as txn:
        found = rows.get(txn, keyspace.due(row), Postponed)
        return found.tries if found else 0
