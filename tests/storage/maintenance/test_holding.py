"""A restore that holds: all webhooks that were enabled are disabled, the others as they were."""

from pathlib import Path

from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.maintenance import backups
from hookbundle.tests.storage.populated import findings
from hookbundle.tests.storage.scratch import START_MS, ScratchDatabase


def tick() -> None:
    pass


def backed_up(db: ScratchDatabase, path: Path) -> None:
    for name in ("acme", "globex"):
        number = db.workspace(name, aggregation_ms=3_600_000)
        db.accept(f"{name}1", ws=number, chat="c")
    db.workspace("off")
    db.disable("off")
    backups.back_up(db.env, path, tick)


def test_a_restore_that_holds_disables_what_was_enabled(
    db: ScratchDatabase, tmp_path: Path
) -> None:
    backed_up(db, tmp_path / "backup")

    done = backups.restore(tmp_path / "backup", tmp_path / "new", START_MS, tick, hold=True)
    plain = backups.restore(tmp_path / "backup", tmp_path / "plain", START_MS, tick)

    held = ScratchDatabase(tmp_path / "new")
    assert (done.held, plain.held) == (("acme", "globex"), ())
    assert (done.windows, done.queued) == (plain.windows, plain.queued) == (2, 0)
    assert [view.state.enabled for view in held.reads.workspaces(9).found] == [False] * 3
    assert findings(held) == []
    held.close()
    open_environment(tmp_path / "plain", START_MS).close()
