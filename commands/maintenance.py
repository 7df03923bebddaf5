"""`backup`, `restore`, `check` and `compact`: commands on the whole database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hookbundle.commands.configuration import paths
from hookbundle.commands.terminal import output, progress
from hookbundle.commands.terminal.client import Control, decoded
from hookbundle.commands.terminal.failures import CONFLICT, FAILED, CommandFailure
from hookbundle.commands.terminal.options import Shared, as_json, pass_shared
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.errors import Conflict, HookbundleError, InUse

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

    from hookbundle.storage.maintenance.backups import Restored
    from hookbundle.storage.maintenance.check import Finding
    from hookbundle.storage.maintenance.copying import Tick

FINDING = ("workspace", "where", "what")

data_option = click.option("--data", help="The data directory.")


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--data", help="The data directory of a daemon that is stopped.")
@as_json
@pass_shared
def backup(shared: Shared, directory: Path, data: str | None, as_json: bool) -> None:
    """Backs up the running daemon's database to DIRECTORY, which must be new or empty.

    With --data that of a stopped daemon: nothing is sent after it. Any node of a cluster backs up
    all partitions.
    """
    if data is not None:
        _show_copied(shared, data, directory.absolute(), as_json=as_json)
        return
    wanted = msgspec.json.encode({"directory": str(directory.absolute())})
    found = shared.ask(lambda control: _ask_long(control, "POST", "/v1/backup", wanted))
    _show(found, found["findings"], as_json=as_json)


def _show_copied(shared: Shared, data: str, into: Path, *, as_json: bool) -> None:
    from hookbundle.storage.maintenance import backups

    path = paths.data_directory(shared.configuration(data=data))
    with _as_failures(), _progress("copying") as tick:
        done = backups.back_up_stopped(path, into, tick)
    found = {"directory": str(into), "records": done.records, "bytes": done.bytes}
    _show(found, _listed(done.findings), as_json=as_json)


@click.command()
@click.argument("backup", type=click.Path(path_type=Path))
@data_option
@click.option("--hold", is_flag=True, help="Disable all webhooks, so that nothing is sent yet.")
@as_json
@pass_shared
def restore(shared: Shared, backup: Path, data: str | None, hold: bool, as_json: bool) -> None:
    """Creates a data directory from BACKUP. The directory must not hold data yet.

    What was sent after the backup was made is sent again; see --hold. A backup of a cluster becomes
    one by `cluster init --from`.
    """
    from hookbundle.storage.maintenance import backups

    into = paths.data_directory(shared.configuration(data=data))
    with _as_failures(), _progress("restoring") as tick:
        backup = _of_one_database(backup)
        done = backups.restore(backup, into, SystemClock().now_ms(), tick, hold=hold)
    found: dict[str, Any] = {
        "directory": str(into),
        "records": done.copied.records,
        "bytes": done.copied.bytes,
        "windows": done.windows,
        "queued": done.queued,
        "held": list(done.held) if as_json else len(done.held),
    }
    output.say(_sent_again(done))
    _show(found, _listed(done.copied.findings), as_json=as_json)


def _of_one_database(backup: Path) -> Path:
    """Where the backup of the database is. Raises: CommandFailure; Unusable."""
    from hookbundle.storage.maintenance.replication import manifest

    found = manifest.read(backup)
    if found is None:
        return backup
    if len(found.partitions) > 1:
        raise CommandFailure(
            f"{backup} is a backup of a cluster of {len(found.partitions)} partitions, which "
            "number their records each for itself, so they can't be put into one database; "
            f"`hookbundle cluster init --from {backup}` makes a cluster of it",
            CONFLICT,
        )
    manifest.check_whole(backup, found)
    return manifest.folder_of(backup, 0)


def _sent_again(done: "Restored") -> str:
    words = (
        f"When the backup was made, {done.windows} windows were open and {done.queued} deliveries "
        "were queued. They are sent again, also if they went out since: the deliveries with the "
        "same ids, the windows with new ones, which receivers can't recognise."
    )
    if done.held:
        return (
            f"{words}\n{len(done.held)} workspaces are held. `hookbundle workspace enable WS` lets "
            "one send, `--discard` drops its queued deliveries instead."
        )
    return words


@click.command("check")
@data_option
@as_json
@pass_shared
def check_data(shared: Shared, data: str | None, as_json: bool) -> None:
    """Verifies every record and changes nothing. If the daemon runs, the daemon does it.

    --data may name a backup, also one of a cluster.
    """
    path = paths.data_directory(shared.configuration(data=data))
    try:
        with _as_failures():
            found = _checked(path)
    except CommandFailure as failure:
        if failure.exit_code != CONFLICT:
            raise
        found = shared.ask(lambda control: _ask_long(control, "GET", "/v1/check"))
    _show({"records": found["records"]}, found["findings"], as_json=as_json)


@click.command()
@data_option
@as_json
@pass_shared
def compact(shared: Shared, data: str | None, as_json: bool) -> None:
    """Rewrites the database without deleted data. The daemon must be stopped."""
    from hookbundle.storage.maintenance import backups

    path = paths.data_directory(shared.configuration(data=data))
    with _as_failures(), _progress("compacting") as tick:
        done = backups.compact(path, SystemClock().now_ms(), tick)
    found = {"records": done.records, "bytes_before": done.bytes_before, "bytes": done.bytes}
    _show(found, [], as_json=as_json)


def _ask_long(control: Control, method: str, path: str, body: bytes | None = None) -> Any:
    headers = {"Content-Type": "application/json"}
    with control.ask(method, path, body, headers, within_s=None) as response:
        return decoded(response.read())


def _checked(path: Path) -> dict[str, Any]:
    from hookbundle.storage.maintenance.check_damage import check_directory
    from hookbundle.storage.maintenance.replication import manifest

    records = 0
    with _progress("checking") as tick:

        def count() -> None:
            nonlocal records
            records += 1
            tick()

        backup = manifest.read(path)
        if backup is None:
            findings = tuple(check_directory(path, count, lambda: None))
        else:
            of_all = manifest.findings(path, backup, count)
            findings = tuple(
                replace(found, where=f"partition {number}: {found.where}")
                for number, found in of_all
            )
    return {"records": records, "findings": _listed(findings)}


def _listed(findings: "tuple[Finding, ...]") -> list[dict[str, str]]:
    return [msgspec.to_builtins(finding) for finding in findings]


def _show(found: dict[str, Any], findings: list[dict[str, str]], *, as_json: bool) -> None:
    """Prints the result. Raises: Failure if there are findings."""
    if as_json:
        output.show_json({**found, "findings": findings})
    else:
        partitions = found.get("partitions", [])
        facts = {name: found[name] for name in found if name not in ("findings", "partitions")}
        output.show_facts(
            {**facts, **({"partitions": len(partitions)} if partitions else {})}.items()
        )
        output.show_rows(FINDING, ([f[name] for name in FINDING] for f in findings))
    if findings:
        from hookbundle.storage.database.data_file.pages import WHAT_TO_DO

        raise CommandFailure(f"faults found: {len(findings)}; {WHAT_TO_DO}", FAILED)


@contextmanager
def _as_failures() -> Iterator[None]:
    try:
        yield
    except InUse as exc:
        raise CommandFailure(f"{exc}; stop it first", CONFLICT) from exc
    except Conflict as exc:
        raise CommandFailure(str(exc), CONFLICT) from exc
    except HookbundleError as exc:
        raise CommandFailure(str(exc), FAILED) from exc


@contextmanager
def _progress(what: str) -> "Iterator[Tick]":
    """Shows a count of records on a terminal; the total is not known in advance."""
    with progress.bar(_columns, what) as update:
        count = 0

        def tick() -> None:
            nonlocal count
            count += 1
            if not count % 1_000:
                update(completed=count)

        yield tick


def _columns() -> "tuple[ProgressColumn, ...]":
    from rich.progress import BarColumn, TextColumn

    count = TextColumn("{task.completed:,.0f} records")
    return TextColumn("{task.description}"), BarColumn(), count
