"""Bugs that change stored times, or delay work that is due."""

from hookbundle.tests.mutants.mutant import Mutant

CRASH = "tests/daemon/test_crash.py"
TIMER = "tests/actors/test_timer.py"
CLOCK = "tests/engine/test_clock.py"
SHARES = "tests/actors/fairness/test_due_shares.py"
DUES = "tests/storage/reads/test_dues.py"
WORK = "tests/actors/test_due_work.py"
SIMULATION = "tests/reliability/lives/test_simulation.py"
LIVES = f"{SIMULATION}::test_whatever_happens_in_weeks_every_promise_is_kept"

WATCH = "tests/server/daemon/test_watch.py"

TIME = (
    Mutant(
        name="y1",
        bug="what is old counts as standing still, also while it is worked off",
        path="engine/conditions.py",
        edits=(("if not waits or done != self._done or unseen:", "if not waits or unseen:"),),
        caught_by=(
            "tests/engine/test_conditions.py::test_a_herd_that_is_worked_off_never_stands_still",
        ),
    ),
    Mutant(
        name="y2",
        bug="stored messages hide a timer that is gone",
        path="server/daemon/watch.py",
        edits=(
            (
                "done = timer.acted if",
                "done = partition.store_queue.state.commits if",
            ),
        ),
        caught_by=(f"{WATCH}::test_a_timer_that_is_gone_is_told_though_messages_are_stored",),
    ),
    Mutant(
        name="y3",
        bug="EIO is a full disk, however much is free",
        path="storage/database/environment.py",
        edits=(
            (
                "code != errno.EIO or not has_room(self.path / DATA, SURELY_ROOM_BYTES)",
                "code == code",
            ),
        ),
        caught_by=(f"{WATCH}::test_a_store_that_cannot_commit_ends_the_daemon",),
    ),
    Mutant(
        name="y4",
        bug="a commit under way counts as nothing to do",
        path="server/daemon/watch.py",
        edits=(("queue.state.is_busy or queue.waiting > 0", "queue.waiting > 0"),),
        caught_by=(f"{WATCH}::test_a_commit_that_hangs_is_told",),
    ),
    Mutant(
        name="m9",
        bug="stored times are times of the boot clock",
        path="engine/clock.py",
        edits=(("self._ahead_ms = self.wall_ms() - self.elapsed_ms()", "self._ahead_ms = 0"),),
        caught_by=(f"{CLOCK}::test_a_reboot_loses_no_time_that_was_stored",),
    ),
    Mutant(
        name="m10",
        bug="a start restarts the open windows",
        path="server/daemon/partition.py",
        edits=(
            (
                "            clock.start_after(meta.last_ms)\n",
                "            clock.start_after(meta.last_ms)\n"
                "        from hookbundle.storage.database import keyspace\n"
                "        from hookbundle.storage.tables import windows\n"
                "        from hookbundle.storage.database.unit import Unit\n"
                "        from hookbundle.storage.reads.dues import DueReads\n"
                "        window = keyspace.DueKind.WINDOW\n"
                "        rows = DueReads(self.env).due(window, 10**15, 10**6)\n"
                "        with self.env.write() as txn:\n"
                "            unit = Unit(txn, self.env.identity)\n"
                "            for row in rows:\n"
                "                _, webhook = unit.webhook_numbered(row.number)\n"
                "                chat = unit.chat(webhook.workspace, row.subject)\n"
                "                open_one = chat.window_of(row.number)\n"
                "                due_ms = clock.now_ms() + row.at_ms - open_one.opened_ms\n"
                "                windows.retime(unit, webhook, row.subject, open_one, due_ms)\n"
                "            unit.flush()\n",
            ),
        ),
        caught_by=(
            f"{CRASH}::test_open_windows_keep_their_time_over_a_crash",
            f"{TIMER}::test_a_restart_neither_restarts_nor_shortens_a_window",
            LIVES,
        ),
    ),
    Mutant(
        name="m18",
        bug="what is due is taken in the order of time, and a flood of one webhook hides others",
        path="storage/reads/dues.py",
        edits=(
            (
                "            found, is_all = "
                "_walk(txn, start, end, limit, part, but, lap, owners)\n",
                "            found, is_all = dict[bytes, None](), False\n",
            ),
        ),
        caught_by=(
            f"{SHARES}::test_a_window_behind_a_flood_of_another_webhooks_is_sealed_among_the_first",
        ),
    ),
    Mutant(
        name="t1",
        bug="a look begins at the earliest row each time, and never comes to what is far behind",
        path="storage/reads/dues.py",
        edits=(("                lap.at = key\n", '                lap.at = b""\n'),),
        caught_by=(
            f"{DUES}::test_a_window_behind_a_flood_of_many_moments_is_found_in_a_few_looks",
        ),
    ),
    Mutant(
        name="cq1",
        bug="a timer that found nothing due looks again when something is stored, and not in time",
        path="actors/due_rows.py",
        edits=(("return now_ms < self._quiet_until_ms and ", "return "),),
        caught_by=(f"{WORK}::test_the_index_is_not_read_while_nothing_is_stored_or_falls_due",),
    ),
    Mutant(
        name="cq2",
        bug="a timer that found nothing due looks again in time, and not when something is stored",
        path="actors/due_rows.py",
        edits=((" and self._basis() == self._seen", ""),),
        caught_by=(f"{WORK}::test_the_index_is_not_read_while_nothing_is_stored_or_falls_due",),
    ),
    Mutant(
        name="t2",
        bug="large windows are sealed in one transition, however large",
        path="storage/tables/postponed.py",
        edits=(("        if unit.weight >= most:\n", "        if False:\n"),),
        caught_by=(
            f"{SHARES}"
            "::test_large_windows_are_sealed_in_many_transitions_and_a_small_one_among_them",
        ),
    ),
)
