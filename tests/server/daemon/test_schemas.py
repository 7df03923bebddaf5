"""A daemon alone raises the schema of its database by itself: nobody else has to read it."""

from pathlib import Path

import pytest

from hookbundle.storage.database import codec, keyspace, opening
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.records import SCHEMA, Identity
from hookbundle.storage.maintenance.migration import migrating
from hookbundle.tests.in_process import daemon_in

BEFORE = SCHEMA - 1


async def test_a_database_of_a_schema_that_needs_no_migration_is_raised_at_the_first_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (opening, migrating):
        monkeypatch.setattr(module, "SCHEMA_OLDEST", BEFORE)
    async with daemon_in(tmp_path) as system:
        data = system.daemon.config.data
        await system.ask("POST", "/v1/workspaces", {"id": "acme"})
    env = open_environment(data, 1)
    with env.write() as txn:
        before = Identity(env.identity.epoch, BEFORE, 0)
        txn.put(keyspace.IDENTITY, codec.pack(keyspace.IDENTITY, before))
    env.close()

    for _ in range(2):
        async with daemon_in(tmp_path) as system:
            (fact,) = await system.facts.until("daemon.upgraded")
            shown = await system.show("acme")

    assert fact["data"]["detail"] == f"from schema {BEFORE} to {SCHEMA}"
    assert shown["id"] == "acme"
    env = open_environment(data, 1)
    assert env.identity == Identity(before.epoch, SCHEMA, 0)
    env.close()
