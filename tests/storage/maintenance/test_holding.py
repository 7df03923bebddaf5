"""A restore that holds: all webhooks that were enabled are disabled, the others as they were."""

from pathlib import Path

from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.maintenance import backups
from hookbundle.tests.storage.populated import findings
from hookbundle.tests.storage.scratch import START_MS, ScratchDatabase
from hookbundle.tests.storage.transitions.timed.merging import disabled, enable_merged
from hookbundle.tests.storage.webhooks import add_webhook


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


def test_each_webhook_of_a_workspace_has_a_version_of_its_own_disabling(
    db: ScratchDatabase, tmp_path: Path
) -> None:
    db.workspace()
    add_webhook(db, "acme", "crm")
    before = {each.webhook.id: each.webhook.version for each in db.view().webhooks}
    backups.back_up(db.env, tmp_path / "backup", tick)

    backups.restore(tmp_path / "backup", tmp_path / "new", START_MS, tick, hold=True)

    held = ScratchDatabase(tmp_path / "new")
    after = {each.webhook.id: each.webhook.version for each in held.view().webhooks}
    assert all(after[name] > version for name, version in before.items())
    assert not any(each.state.enabled for each in held.view().webhooks)
    held.close()


def test_what_was_to_be_enabled_after_its_merge_is_held(
    db: ScratchDatabase, tmp_path: Path
) -> None:
    disabled(db, ("a", "a1"), ("a", "a2"))
    enable_merged(db)
    backups.back_up(db.env, tmp_path / "backup", tick)

    done = backups.restore(tmp_path / "backup", tmp_path / "new", START_MS, tick, hold=True)

    held = ScratchDatabase(tmp_path / "new")
    assert done.held == ("acme",)
    assert held.view().state.merging is None
    assert held.dues(DueKind.MERGE) == []
    assert findings(held) == []
    held.close()
