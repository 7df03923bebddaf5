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
from hookbundle.actors.replication.nats.making import FIRST, Wanted, make_cluster, may_be_made
from hookbundle.commands.cluster import settings
from hookbundle.commands.cluster.splitting import Source, split_into
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
from hookbundle.engine.replication.entries import Generation
from hookbundle.storage.database.records import SCHEMA
from hookbundle.storage.maintenance.replication import manifest
from hookbundle.storage.maintenance.replication.manifest import ClusterBackup
from hookbundle.storage.maintenance.splitting.of_backups import check_number
from hookbundle.storage.maintenance.splitting.splitting import Split

PARTITIONS = 32
WITHIN_S = 300.0
BYTES_PER_S = 1 << 20  # of what is split; a slow disk of the log servers does more


def made(
    config: Configuration,
    partitions: int | None,
    replicas: int,
    path: Path | None,
    *,
    insecure: bool,
    hold: bool,
) -> dict[str, Any]:
    """What was made, by name. `path`: of the data of a stopped daemon, or of a backup; or None.

    Raises: CommandFailure.
    """
    # What a daemon would log is said in one sentence at the end.
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    logging.disable()
    data = data_directory(config)
    with _as_failures():
        source = None if path is None else _source(path.expanduser().absolute(), data, hold=hold)
    backup = None if source is None else source.backup
    if partitions is None:
        partitions = PARTITIONS if backup is None else len(backup.partitions)
    try:
        servers, names = settings.servers(config), settings.names(config)
        key_file = settings.key_file(config)
        # Before the long work, and before there is a key: no node may find one of no cluster.
        with _as_failures():
            asyncio.run(may_be_made(servers, names, insecure=insecure))
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
        first=FIRST if backup is None else _after(backup, record.created_ms),
    )

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
            if backup is not None:
                check_number(backup, partitions)
            # The source stays locked until the cluster is there: no daemon takes more meanwhile.
            with split_into(data, source, partitions, clock.now_ms()) as done:
                within_s = WITHIN_S + done.bytes / BYTES_PER_S
                asyncio.run(_make(servers, wanted, done.folder, within_s))
            found |= {"workspaces": done.split.workspaces, "records": done.split.records}
            if hold:
                found |= {"held": done.split.held}
            output.say(_what_is_sent(source, done.split))
    output.say(f"The cluster {names.cluster} is ready, with {partitions} partitions.")
    return found


def _source(path: Path, data: Path, *, hold: bool) -> Source:
    """Raises: CommandFailure; Unusable for a backup that is not finished."""
    if path.resolve() == data.resolve():
        raise CommandFailure(
            f"{path} stays as it is, so no node can have its data there; rename it, and name "
            "it here as it is called then",
            USAGE,
        )
    return Source(path, manifest.read(path), hold)


def _after(backup: ClusterBackup, now_ms: int) -> Generation:
    """A generation that the cluster of the backup never had, whatever it did since."""
    number, epoch = manifest.last_generation(backup)
    return Generation(max(number + 1, now_ms // 1_000), epoch + 1)


def _what_is_sent(source: Source, split: Split) -> str:
    waiting = f"{split.windows} open windows and {split.queued} queued deliveries"
    held = f"; {split.held} workspaces are held: enable them one by one" if source.hold else ""
    if source.backup is not None:
        return (
            f"The backup had {waiting}. They are sent again, also if they went out since: the "
            "deliveries with the same ids, the windows with new ones, which receivers can't "
            f"recognise{held}."
        )
    return (
        f"{source.path} is as it was, with {waiting} that the cluster has now: start no daemon on "
        f"it again, or both send them{held}."
    )


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
