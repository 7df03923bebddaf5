"""Bugs of starting and stopping, and of files: logs, sockets, damaged data, settings, modes."""

from hookbundle.tests.mutants.mutant import Mutant

MACHINE = "tests/daemon/machine"

FILES = (
    Mutant(
        name="f1",
        bug="a log line waits for its reader",
        path="commands/daemon/log_stream.py",
        edits=(("poll.poll(0)]", "poll.poll(None)]"),),
        caught_by=(
            f"{MACHINE}/test_log_lost.py::test_a_daemon_whose_log_is_not_read_on_serves_and_stops",
        ),
    ),
    Mutant(
        name="f2",
        bug="a log line whose reader is gone raises",
        path="commands/daemon/log_stream.py",
        edits=(
            (
                "        except (OSError, ValueError):  # ValueError",
                "        except ValueError:  #",
            ),
        ),
        caught_by=(f"{MACHINE}/test_log_lost.py::test_a_write_that_fails_is_a_lost_line",),
    ),
    Mutant(
        name="f3",
        bug="the hard end is only armed by the loop",
        path="commands/daemon/run.py",
        edits=(("        if len(told) < 2:\n", "        if len(told) > 2:\n"),),
        caught_by=(f"{MACHINE}/test_hard_end.py::test_the_log_says_where_a_stop_hangs",),
    ),
    Mutant(
        name="f4",
        bug="a port of an orchestrator is told by its name alone",
        path="commands/configuration/variables.py",
        edits=(('(rf"{SERVICE}_PORT", URL)', '(rf"{SERVICE}_PORT", r".*")'),),
        caught_by=(
            "tests/commands/configuration/test_orchestrators.py"
            "::test_a_misspelled_setting_is_refused",
        ),
    ),
    Mutant(
        name="f5",
        bug="the upper end of a range is not checked",
        path="commands/configuration/kinds.py",
        edits=(("if not self.least <= number <= self.most:", "if not self.least <= number:"),),
        caught_by=(
            "tests/commands/configuration/test_ranges.py"
            "::test_a_setting_is_refused_beyond_both_ends_and_taken_at_them",
        ),
    ),
    Mutant(
        name="f6",
        bug="only a control socket that is gone is noticed, not the feed's",
        path="server/daemon/process.py",
        edits=(("SocketWatch((self.listeners, feed_socket))", "SocketWatch((self.listeners,))"),),
        caught_by=(
            f"{MACHINE}/test_socket_files.py::test_a_reload_makes_files_that_are_gone_again",
        ),
    ),
    Mutant(
        name="f7",
        bug="restore maps a backup without looking at its pages",
        path="storage/maintenance/backups.py",
        edits=(
            (
                "        _check_empty(into)  # before the directory is created and locked\n"
                "        _check_pages(backup)\n",
                "        _check_empty(into)  # before the directory is created and locked\n",
            ),
        ),
        caught_by=(
            f"{MACHINE}/test_damaged_files.py"
            "::test_a_damaged_backup_is_refused_and_ends_no_command_by_a_signal",
        ),
    ),
    Mutant(
        name="f8",
        bug="a walk of pages may come to a page twice",
        path="storage/database/data_file/tree.py",
        edits=(
            (
                "        if any(self._seen[number : number + count]):\n",
                "        if number < 0:\n",
            ),
        ),
        caught_by=("tests/storage/database/test_tree.py::test_a_circle_of_pages_has_an_end",),
    ),
    Mutant(
        name="f9",
        bug="an existing file keeps its mode",
        path="commands/terminal/private_file.py",
        edits=(
            (
                "                partial.replace(path)\n",
                "                path.write_bytes(partial.read_bytes())\n",
            ),
        ),
        caught_by=(
            f"{MACHINE}/test_files_of_others.py"
            "::test_every_file_that_a_command_writes_is_for_its_owner_alone",
        ),
    ),
    Mutant(
        name="f10",
        bug="a copy listens to no stop",
        path="storage/database/data_file/stoppable_copy.py",
        edits=(("                        self._tick()\n", ""),),
        caught_by=(
            "tests/storage/database/test_stoppable_copy.py"
            "::test_a_copy_that_is_stopped_writes_no_more",
        ),
    ),
    Mutant(
        name="f11",
        bug="a map grows beyond the address space",
        path="storage/database/environment.py",
        edits=(
            (
                "            if not address_space.allows(map_bytes):\n"
                "                return False\n",
                "",
            ),
        ),
        caught_by=(
            f"{MACHINE}/test_address_space.py"
            "::test_a_map_that_can_not_grow_is_a_full_store_and_stays_readable",
        ),
    ),
    Mutant(
        name="f12",
        bug="a full disk refuses all changes of settings",
        path="storage/transitions/table.py",
        edits=(
            (
                "        return unit.find_workspace(transition.workspace_id) is None\n",
                "        return True\n",
            ),
        ),
        caught_by=(
            f"{MACHINE}/test_full_disk.py"
            "::test_on_a_full_disk_a_wrong_url_can_be_mended_and_nothing_new_be_made",
        ),
    ),
)
