"""Bugs to plant, one at a time, and the tests that are expected to notice.

A battery of tests is worth what it catches. Each mutant is a mistake somebody might make, as an
exact change of the product's text, so that it fails loudly when that text has moved on.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`edits`: what stands in the file exactly once, and what is put in its place."""

    name: str
    bug: str
    path: str
    edits: tuple[tuple[str, str], ...]
    caught_by: tuple[str, ...]

    def plant(self, tree: Path) -> None:
        file = tree / self.path
        file.write_text(self.applied_to(file.read_text()))

    def applied_to(self, text: str) -> str:
        for old, new in self.edits:
            found = text.count(old)
            assert found == 1, f"{self.name}: {self.path} has {found} times, want once:\n{old}"
            text = text.replace(old, new)
        return text


POWER_CUT = (
    "tests/reliability/test_power_cut.py"
    "::test_after_a_power_cut_the_database_opens_and_keeps_every_promise"
)
MADE = (
    "tests/reliability/test_power_cut.py"
    "::test_a_power_cut_while_the_database_is_made_leaves_one_that_can_be_used"
)
UNSEEN = (
    "tests/reliability/test_power_cut.py"
    "::test_nothing_reaches_the_data_file_but_by_calls_that_can_be_watched"
)
CRASH = "tests/daemon/test_crash.py"
COUNTER = "tests/daemon/test_counter.py"
TIMER = "tests/actors/test_timer.py"
OUTBOUND = "tests/actors/test_outbound.py"
CLOCK = "tests/engine/test_clock.py"

LMDB_OPTIONS = "            lib_version=LMDB_FORMAT,\n"

STORE = (
    Mutant(
        name="m1",
        bug="commits are not synced (sync=False)",
        path="storage/environment.py",
        edits=((LMDB_OPTIONS, LMDB_OPTIONS + "            sync=False,\n"),),
        caught_by=(POWER_CUT,),
    ),
    Mutant(
        name="m2",
        bug="the meta page is not synced (metasync=False)",
        path="storage/environment.py",
        edits=((LMDB_OPTIONS, LMDB_OPTIONS + "            metasync=False,\n"),),
        caught_by=(POWER_CUT,),
    ),
    Mutant(
        name="m3",
        bug="answers are given before the commit",
        path="actors/store.py",
        edits=(
            (
                "            feed_next = unit.meta.feed_next\n",
                "            feed_next = unit.meta.feed_next\n"
                "            self._answer(group, outcomes)\n",
            ),
            (
                "        self._env.grow_if_needed()\n        self._answer(group, outcomes)\n",
                "        self._env.grow_if_needed()\n",
            ),
        ),
        caught_by=(
            POWER_CUT,
            "tests/actors/test_store.py::test_an_answer_comes_after_the_commit",
        ),
    ),
    Mutant(
        name="m13",
        bug="the data directory is not locked",
        path="storage/directory.py",
        edits=(("        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)\n", "        pass\n"),),
        caught_by=(
            "tests/storage/test_environment.py"
            "::test_a_second_process_is_refused_and_told_the_first_one_s_pid",
        ),
    ),
    Mutant(
        name="m15",
        bug="the data file is written through its mapping (writemap=True)",
        path="storage/environment.py",
        edits=(
            (
                "            **options,\n",
                "            **{'writemap': not options, **options},\n",
            ),
        ),
        caught_by=(UNSEEN,),
    ),
    Mutant(
        name="m16",
        bug="a new database is made in its place, not beside it",
        path="storage/environment.py",
        edits=(
            ("    staging.mkdir(mode=0o700)\n", ""),
            ("    staging = path / STAGING\n", "    staging = path\n"),
        ),
        caught_by=(MADE,),
    ),
)

DELIVERY = (
    Mutant(
        name="m4",
        bug="a bundle is built anew when it is sent again",
        path="storage/attempting.py",
        edits=(
            (
                "    attempt = delivery.attempts + 1\n",
                "    attempt = delivery.attempts + 1\n"
                "    if delivery.attempts:\n"
                "        import msgspec\n"
                "        body = msgspec.json.decode(delivery.body)\n"
                '        delivery.body = msgspec.json.encode(body, order="sorted")\n',
            ),
        ),
        caught_by=(
            "tests/daemon/test_bodies.py::test_every_attempt_has_the_same_id_and_bytes",
            "tests/storage/test_lost_attempts.py"
            "::test_an_attempt_lost_in_a_crash_is_found_and_made_again_with_the_same_bytes",
        ),
    ),
    Mutant(
        name="m5",
        bug="a delivery gets a new id when it is sent again",
        path="storage/queue.py",
        edits=(("{delivery.number:012x}", "{delivery.number + (delivery.attempts << 32):012x}"),),
        caught_by=(
            "tests/actors/test_webhook.py::test_after_an_error_the_same_delivery_comes_first",
            "tests/daemon/test_bodies.py::test_every_attempt_has_the_same_id_and_bytes",
        ),
    ),
    Mutant(
        name="m6",
        bug="errors of before the start are not counted",
        path="storage/unit.py",
        edits=(
            (
                "            self._states[number] = state\n        return state\n",
                "            self._states[number] = state\n"
                "            if (self.identity.epoch, number) not in COUNTED:\n"
                "                state.consecutive_errors = 0\n"
                "            COUNTED.add((self.identity.epoch, number))\n"
                "        return state\n",
            ),
            ("\n\nclass Unit:\n", "\nCOUNTED: set[tuple[str, int]] = set()\n\n\nclass Unit:\n"),
        ),
        caught_by=(f"{CRASH}::test_the_error_count_and_the_next_attempt_survive_a_crash",),
    ),
    Mutant(
        name="m7a",
        bug="the 10th error disables",
        path="storage/attempting.py",
        edits=(
            ("consecutive_errors > policy.errors_max", "consecutive_errors >= policy.errors_max"),
        ),
        caught_by=(
            f"{COUNTER}::test_ten_errors_and_a_success_leave_it_enabled_with_a_count_of_zero",
        ),
    ),
    Mutant(
        name="m7b",
        bug="only the 12th error disables",
        path="storage/attempting.py",
        edits=(
            (
                "consecutive_errors > policy.errors_max",
                "consecutive_errors > policy.errors_max + 1",
            ),
        ),
        caught_by=(
            f"{COUNTER}"
            "::test_the_eleventh_error_disables_tells_the_owner_once_and_stops_all_attempts",
        ),
    ),
    Mutant(
        name="m8",
        bug="a redirect starts the error count anew",
        path="storage/attempting.py",
        edits=(
            (
                "        state.consecutive_errors += 1\n",
                "        state.consecutive_errors += 1\n"
                "        if 300 <= transition.exchange.status < 400:\n"
                "            state.consecutive_errors = 0\n",
            ),
        ),
        caught_by=(f"{COUNTER}::test_any_error_counts_and_a_success_between_them_starts_anew",),
    ),
    Mutant(
        name="m14",
        bug="the webhook actor swallows every error",
        path="actors/webhook.py",
        edits=(
            ("        except (Conflict, NotFound) as exc:\n", "        except Exception as exc:\n"),
        ),
        caught_by=(
            "tests/actors/test_webhook.py"
            "::test_a_damaged_delivery_ends_in_quarantine_and_frees_its_place",
        ),
    ),
)

TIME = (
    Mutant(
        name="m9",
        bug="stored times are of the boot clock",
        path="engine/clock.py",
        edits=(("self._ahead_ms = self.wall_ms() - self.elapsed_ms()", "self._ahead_ms = 0"),),
        caught_by=(f"{CLOCK}::test_a_reboot_loses_no_time_that_was_stored",),
    ),
    Mutant(
        name="m10",
        bug="a start begins the open windows anew",
        path="actors/daemon.py",
        edits=(
            (
                "            clock.start_after(meta.last_ms)\n",
                "            clock.start_after(meta.last_ms)\n"
                "        from hookbundle.storage import keyspace, windows\n"
                "        from hookbundle.storage.unit import Unit\n"
                "        rows = self.reads.due(10**15, 10**6)\n"
                "        with self.env.write() as txn:\n"
                "            unit = Unit(txn, self.env.identity)\n"
                "            for row in rows:\n"
                "                if row.kind is keyspace.DueKind.WINDOW:\n"
                "                    chat = unit.chat(row.number, row.subject)\n"
                "                    due_ms = clock.now_ms() + row.at_ms - chat.window.opened_ms\n"
                "                    windows.retime(unit, row.number, row.subject, chat, due_ms)\n"
                "            unit.flush(10**6, 10**12)\n",
            ),
        ),
        caught_by=(
            f"{TIMER}::test_a_restart_neither_restarts_nor_shortens_a_window",
            f"{CRASH}::test_open_windows_keep_their_time_over_a_crash",
        ),
    ),
)

RECEIVERS = (
    Mutant(
        name="m11a",
        bug="redirects are followed",
        path="actors/outbound.py",
        edits=(("allow_redirects=False", "allow_redirects=True"),),
        caught_by=(f"{OUTBOUND}::test_a_redirect_is_an_answer_and_is_never_followed",),
    ),
    Mutant(
        name="m11b",
        bug="answers are read to their end",
        path="actors/outbound.py",
        edits=(
            (
                "len(attempt.body) < BODY_READ_BYTES_MAX and not content.at_eof()",
                "not content.at_eof()",
            ),
            ("content.read(BODY_READ_BYTES_MAX - len(attempt.body))", "content.read(2**20)"),
        ),
        caught_by=(f"{OUTBOUND}::test_a_body_without_end_is_cut_and_its_connection_dropped",),
    ),
    Mutant(
        name="m12",
        bug="addresses are judged where names are looked up, and nowhere else",
        path="actors/outbound.py",
        edits=(
            (
                "        refusal = self._policy.refusal(str(sockaddr[0])) "
                "or port_refusal(int(sockaddr[1]))\n",
                "        refusal = port_refusal(int(sockaddr[1]))\n",
            ),
            (
                "resolver=resolver),\n            timeout=",
                "resolver=_Judging(resolver, self._policy)),\n            timeout=",
            ),
            (
                "\n\nclass _Protocol(ResponseHandler):\n",
                "\n\nclass _Judging(AbstractResolver):\n"
                "    def __init__(self, resolver, policy):\n"
                "        self.resolver, self.policy = resolver, policy\n"
                "        self.close = resolver.close\n\n"
                "    async def close(self): ...\n\n"
                "    async def resolve(self, host, port=0, family=socket.AF_UNSPEC):\n"
                "        found = await self.resolver.resolve(host, port, family)\n"
                "        kept = [one for one in found if not self.policy.refusal(one['host'])]\n"
                "        if not kept:\n"
                "            _ATTEMPT.get().refusals.append('by name')\n"
                "            raise ForbiddenAddressError(host)\n"
                "        return kept\n"
                "\n\nclass _Protocol(ResponseHandler):\n",
            ),
        ),
        caught_by=(f"{OUTBOUND}::test_by_default_nothing_inside_is_ever_connected_to",),
    ),
)

MUTANTS = STORE + DELIVERY + TIME + RECEIVERS
