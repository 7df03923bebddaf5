"""`hookbundle cluster init`, once its options are read."""

import asyncio
import logging
import secrets
import tempfile
from pathlib import Path
from typing import Any

import structlog

from hookbundle import __version__
from hookbundle.actors.replication.log import Life
from hookbundle.actors.replication.nats.client import NoAnswer, Unreachable
from hookbundle.actors.replication.nats.making import Wanted, make_cluster
from hookbundle.commands.cluster import settings
from hookbundle.commands.configuration.settings import Configuration
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.failures import (
    CONFLICT,
    FAILED,
    UNREACHABLE,
    USAGE,
    CommandFailure,
)
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.errors import ClusterUnusable, ConfigError, HookbundleError
from hookbundle.engine.replication.cluster import FORMAT, ClusterRecord, key_id
from hookbundle.storage.database.records import SCHEMA

WITHIN_S = 300.0


def made(
    config: Configuration, partitions: int, replicas: int, *, insecure: bool
) -> dict[str, Any]:
    """What was made, by name. Raises: CommandFailure."""
    try:
        servers, names = settings.servers(config), settings.names(config)
        key_file = settings.key_file(config)
        key, is_new = settings.made_key(key_file)
    except ConfigError as exc:
        raise CommandFailure(str(exc), USAGE) from exc
    clock = SystemClock()
    record = ClusterRecord(
        format=FORMAT,
        id=secrets.token_hex(8),
        partitions=partitions,
        schema=SCHEMA,
        created_ms=clock.now_ms(),
        key_id=key_id(key),
    )
    wanted = Wanted(
        names=names,
        record=record,
        life=Life(secrets.token_hex(8), SCHEMA, clock.now_ms),
        replicas=replicas,
        insecure=insecure,
    )

    # What a daemon would log is said in one sentence at the end.
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    logging.disable()

    async def make(folder: Path) -> None:
        async with asyncio.timeout(WITHIN_S):
            await make_cluster(servers, wanted, folder, lambda count: None)

    try:
        with tempfile.TemporaryDirectory(prefix="hookbundle-") as folder:
            asyncio.run(make(Path(folder)))
    except ClusterUnusable as exc:
        raise CommandFailure(str(exc), CONFLICT) from exc
    except (Unreachable, NoAnswer, OSError) as exc:
        words = str(exc) or "the log servers did not do it in time"
        raise CommandFailure(words, UNREACHABLE) from exc
    except HookbundleError as exc:
        raise CommandFailure(str(exc), FAILED) from exc
    output.say(f"The cluster {names.cluster} is ready, with {partitions} partitions.")
    return {
        "name": names.cluster,
        "id": record.id,
        "partitions": partitions,
        "replicas": replicas,
        "version": __version__,
        "key": str(key_file),
        "key_made": is_new,
    }
