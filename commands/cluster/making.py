"""`hookbundle cluster init`, once its options are read."""

import asyncio
import logging
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from hookbundle import __version__
from hookbundle.actors.replication.log import Life
from hookbundle.actors.replication.nats.client import NoAnswer, Servers, Unreachable
from hookbundle.actors.replication.nats.making import Wanted, make_cluster, may_be_made
from hookbundle.commands.cluster import settings
from hookbundle.commands.cluster.splitting import split_into
from hookbundle.commands.configuration.paths import data_directory
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
from hookbundle.engine.errors import ClusterUnusable, ConfigError, HookbundleError, InUse
from hookbundle.engine.replication.cluster import FORMAT, ClusterRecord, key_id
from hookbundle.storage.database.records import SCHEMA

WITHIN_S = 300.0
BYTES_PER_S = 1 << 20  # of what is split; a slow disk of the log servers does more


def made(
    config: Configuration,
    partitions: int,
    replicas: int,
    source: Path | None,
    *,
    insecure: bool,
) -> dict[str, Any]:
    """What was made, by name. `source`: the data directory of a stopped daemon, or None.

    Raises: CommandFailure.
    """
    data = data_directory(config)
    source = None if source is None else source.expanduser().absolute()
    if source is not None and source.resolve() == data.resolve():
        raise CommandFailure(
            f"{source} stays as it is, so no node can have its data there; rename it, and name "
            "it here as it is called then",
            USAGE,
        )
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

    found = {
        "name": names.cluster,
        "id": record.id,
        "partitions": partitions,
        "replicas": replicas,
        "version": __version__,
        "key": str(key_file),
        "key_made": is_new,
    }
    with _as_failures():
        if source is None:
            with tempfile.TemporaryDirectory(prefix="hookbundle-") as folder:
                asyncio.run(_make(servers, wanted, Path(folder), WITHIN_S))
        else:
            asyncio.run(may_be_made(servers, wanted))  # before the long work
            # The source stays locked until the cluster is there: no daemon takes more meanwhile.
            with split_into(data, source, partitions, clock.now_ms()) as done:
                within_s = WITHIN_S + done.bytes / BYTES_PER_S
                asyncio.run(_make(servers, wanted, done.folder, within_s))
            found |= {"workspaces": done.split.workspaces, "records": done.split.records}
            output.say(
                f"{source} is as it was, with {done.split.windows} open windows and "
                f"{done.split.queued} queued deliveries that the cluster has now: start no daemon "
                "on it again, or both send them."
            )
    output.say(f"The cluster {names.cluster} is ready, with {partitions} partitions.")
    return found


async def _make(servers: Servers, wanted: Wanted, folder: Path, within_s: float) -> None:
    async with asyncio.timeout(within_s):
        await make_cluster(servers, wanted, folder, lambda count: None)


@contextmanager
def _as_failures() -> Iterator[None]:
    try:
        yield
    except ClusterUnusable as exc:
        raise CommandFailure(str(exc), CONFLICT) from exc
    except InUse as exc:
        raise CommandFailure(f"{exc}; stop it first", CONFLICT) from exc
    except (Unreachable, NoAnswer, OSError) as exc:
        words = str(exc) or "the log servers did not do it in time"
        raise CommandFailure(words, UNREACHABLE) from exc
    except HookbundleError as exc:
        raise CommandFailure(str(exc), FAILED) from exc
