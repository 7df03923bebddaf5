"""Bugs of starting and stopping, and of files: logs, sockets, damaged data, settings, modes."""

from hookbundle.tests.mutants.mutant import Mutant

MACHINE = "tests/daemon/machine"
GIVEN = "tests/daemon/restarts/test_given_sockets.py"
TAKEN = "tests/server/http/sockets/test_given_sockets.py"

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
    Mutant(
        name="given-last-request",
        bug="a daemon whose socket lives on hangs up on who was about to ask",
        path="server/http/listeners.py",
        edits=(("await handing_over.last_requests(server)", "await asyncio.sleep(0)"),),
        caught_by=(f"{GIVEN}::test_what_was_accepted_is_answered_and_who_comes_later_waits",),
    ),
    Mutant(
        name="given-close",
        bug="a client is not told that an answer is its connection's last",
        path="server/http/sockets/handing_over.py",
        edits=(("    server.is_ending = True\n", ""),),
        caught_by=(f"{GIVEN}::test_what_was_accepted_is_answered_and_who_comes_later_waits",),
    ),
    Mutant(
        name="given-accepting",
        bug="a daemon that ends goes on accepting, and hangs up on the last ones",
        path="server/http/sockets/handing_over.py",
        edits=(
            (
                "                asyncio.get_running_loop().remove_reader(each.fileno())\n",
                "                each.fileno()\n",
            ),
        ),
        caught_by=(f"{GIVEN}::test_what_was_accepted_is_answered_and_who_comes_later_waits",),
    ),
    Mutant(
        name="given-own",
        bug="the daemon listens by itself, though it was given a socket",
        path="server/http/listeners.py",
        edits=(("        if self._given is not None:\n", "        if self._given is None:\n"),),
        caught_by=(f"{GIVEN}::test_both_sockets_are_served_said_and_left_as_they_were",),
    ),
    Mutant(
        name="given-herd",
        bug="all who waited are accepted at once, and most of them refused for their share",
        path="server/http/listeners.py",
        edits=(("\nGIVEN_ACCEPTED_AT_ONCE = 4\n", "\nGIVEN_ACCEPTED_AT_ONCE = 400\n"),),
        caught_by=(f"{GIVEN}::test_of_many_who_waited_none_is_over_the_share_of_connections",),
    ),
    Mutant(
        name="given-queue",
        bug="the daemon shortens the queue of a socket that others hold",
        path="server/http/sockets/given_sockets.py",
        edits=(("    def listen(self,", "    def listen_not(self,"),),
        caught_by=(f"{GIVEN}::test_both_sockets_are_served_said_and_left_as_they_were",),
    ),
    Mutant(
        name="given-file",
        bug="a stop removes the file of a control socket that others hold",
        path="server/http/listeners.py",
        edits=(
            (
                "        if self._given.control is None:\n            remove(self)\n",
                "        remove(self)\n",
            ),
        ),
        caught_by=(f"{GIVEN}::test_both_sockets_are_served_said_and_left_as_they_were",),
    ),
    Mutant(
        name="given-slow",
        bug="callers wait in the queue for slow receivers of the daemon that ends",
        path="server/daemon/process.py",
        edits=(("            await self._shutdown_deadline.wait(self._attempts_ended())\n", ""),),
        caught_by=(f"{GIVEN}::test_callers_do_not_wait_for_the_receivers_of_a_daemon_that_ends",),
    ),
    Mutant(
        name="given-elsewhere",
        bug="a setting that names another address than the given socket's is overlooked",
        path="commands/daemon/assembling.py",
        edits=(("    if value.origin == DEFAULT or agrees:", "    if value.origin or agrees:"),),
        caught_by=(f"{GIVEN}::test_a_setting_that_names_another_address_is_refused",),
    ),
    Mutant(
        name="given-unknown",
        bug="a socket that nobody serves is taken, and its callers wait for good",
        path="server/http/sockets/given_sockets.py",
        edits=(
            ('            if called not in ("", HTTP, CONTROL):', '            if called == "?":'),
        ),
        caught_by=(f"{TAKEN}::test_what_would_not_be_served_is_refused",),
    ),
    Mutant(
        name="given-open",
        bug="a control socket that everybody may open makes everybody an administrator",
        path="server/http/sockets/given_sockets.py",
        edits=(("    if mode & stat.S_IWOTH:", "    if not mode:"),),
        caught_by=(f"{TAKEN}::test_what_would_not_be_served_is_refused",),
    ),
    Mutant(
        name="given-children",
        bug="children inherit the sockets",
        path="server/http/sockets/given_sockets.py",
        edits=(("    sock.set_inheritable(False)\n", ""),),
        caught_by=(f"{TAKEN}::test_a_process_takes_what_was_meant_for_it",),
    ),
    Mutant(
        name="given-others",
        bug="sockets that were meant for another process are taken",
        path="server/http/sockets/given_sockets.py",
        edits=(("    if pid != str(os.getpid()):", "    if not pid:"),),
        caught_by=(f"{TAKEN}::test_sockets_of_another_process_are_left_alone",),
    ),
)
