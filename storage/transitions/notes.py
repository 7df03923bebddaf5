"""What concerns the database as a whole: facts about the daemon, its schema; and no change."""

import msgspec

from hookbundle.storage.cluster_facts import OfCluster
from hookbundle.storage.daemon_facts import DaemonUpgraded, Noted
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.unit import Unit


class Note(msgspec.Struct, frozen=True):
    """A fact about the daemon: started, stopped, the wall clock was stepped; or about a cluster."""

    fact: Noted | OfCluster
    now_ms: int


class Confirm(msgspec.Struct, frozen=True):
    """Changes nothing. In a cluster its group is agreed on all the same: the caller gets a result
    only if this node still owns the partition."""


class RaiseSchema(msgspec.Struct, frozen=True):
    """From now on transitions may use what came with the `schema`, and all before it; a database
    that has it already, or a later one, stays as it is."""

    schema: int
    now_ms: int


def note(unit: Unit, transition: Note) -> None:
    unit.emit(transition.fact, transition.now_ms)


def confirm(unit: Unit, transition: Confirm) -> None:
    pass


def raise_schema(unit: Unit, transition: RaiseSchema) -> None:
    before, after = unit.identity.schema, transition.schema
    if after <= before:
        return
    unit.identity = msgspec.structs.replace(unit.identity, schema=after)
    unit.put(keyspace.IDENTITY, unit.identity)
    unit.emit(DaemonUpgraded(detail=f"from schema {before} to {after}"), transition.now_ms)
