"""Bugs of what a cluster does over its log servers, and of its copies."""

from hookbundle.tests.mutants.mutant import Mutant

READING = "tests/actors/replication/nats/test_reading.py"
FAULTS = "tests/actors/replication/nats/test_faults.py"
CONNECTION = "tests/actors/replication/nats/test_connection.py"
ASKING = "tests/actors/replication/nats/test_asking.py"
BEATING = "tests/actors/replication/nats/test_beating.py"
ENVELOPES = "tests/engine/replication/test_envelopes.py"
MEMBERS = "tests/engine/replication/test_members.py"
COPIES = "tests/storage/database/replication/test_copies.py"
INIT = "tests/commands/cluster/test_init.py"

LOG_SERVERS = (
    Mutant(
        name="nl1",
        bug="a publication of which nothing is known is taken for an ack",
        path="actors/replication/nats/log.py",
        edits=(
            (
                "        except FAILED as exc:\n            return self._unknown(str(exc))\n",
                "        except FAILED:\n            return Acked(int(headers['Hb-Prev']) + 1)\n",
            ),
        ),
        caught_by=(f"{FAULTS}::test_an_ack_that_is_lost_is_found_by_reading",),
    ),
    Mutant(
        name="nl2",
        bug="an error in the place of an ack is taken for one",
        path="actors/replication/nats/log.py",
        edits=(("        if answer.code in api.SEQUENCE_TAKEN:\n", "        if False:\n"),),
        caught_by=(f"{READING}::test_a_publication_that_expects_another_number_is_refused",),
    ),
    Mutant(
        name="nl3",
        bug="a hole in the log is read past",
        path="actors/replication/nats/reading.py",
        edits=(("        if seq != after + len(entries) + 1:\n", "        if seq <= after:\n"),),
        caught_by=(f"{READING}::test_a_log_with_a_hole_is_not_read_past_it",),
    ),
    Mutant(
        name="cq3",
        bug="a log of which no server says anything is read to its end",
        path="actors/replication/nats/reading.py",
        edits=(("    entries = Entries()\n", "    entries = Entries((), 0)\n"),),
        caught_by=(f"{READING}::test_without_servers_nothing_is_known_and_nobody_waits_for_it",),
    ),
    Mutant(
        name="nl4",
        bug="a log that has lost entries is waited for",
        path="actors/replication/nats/log.py",
        edits=(("if answer.error is not None or answer.state.last_seq >= after:", "if True:"),),
        caught_by=(f"{READING}::test_a_log_that_lost_what_was_read_of_it_is_found_to_be_shorter",),
    ),
    Mutant(
        name="nl5",
        bug="the oldest generation is whichever was said last",
        path="actors/replication/nats/log.py",
        edits=((".decode()) >= generation:", ".decode()) == generation:"),),
        caught_by=(f"{READING}::test_the_oldest_generation_only_moves_on_whoever_says_so",),
    ),
    Mutant(
        name="nl6",
        bug="entries can be deleted one by one",
        path="actors/replication/nats/log.py",
        edits=(('            "deny_delete": True,\n', ""),),
        caught_by=(f"{READING}::test_entries_can_be_neither_deleted_nor_purged",),
    ),
    Mutant(
        name="nl7",
        bug="a password is told to a server without TLS",
        path="actors/replication/nats/client.py",
        edits=(("if initial_connection and self._servers.is_secure and", "if False and"),),
        caught_by=(f"{CONNECTION}::test_a_server_without_tls_is_told_nothing_if_tls_was_wanted",),
    ),
    Mutant(
        name="nl8",
        bug="a client that has closed for good is kept",
        path="actors/replication/nats/connection.py",
        edits=(("if not state.is_closing and not is_tried:", "if state.is_closing:"),),
        caught_by=(f"{CONNECTION}::test_a_server_that_closes_for_good_is_connected_to_again",),
    ),
    Mutant(
        name="nl24",
        bug="garbage in the headers of a message ends the reading of the connection",
        path="actors/replication/nats/client.py",
        edits=(
            ('written.decode(errors="replace")', "written.decode()"),
            ("        except Exception as exc:  # noqa", "        except OSError as exc:  # noqa"),
        ),
        caught_by=(f"{CONNECTION}::test_garbage_in_headers_costs_nobody_the_connection",),
    ),
    Mutant(
        name="nl9",
        bug="the proof of a request is not compared",
        path="engine/replication/envelopes.py",
        edits=(
            (
                "if not hmac.compare_digest(mac, _mac(headers, reply_to, body, key).encode()):",
                "if not mac:",
            ),
        ),
        caught_by=(
            f"{ENVELOPES}::test_nothing_of_a_part_can_be_changed",
            f"{ASKING}::test_who_has_no_key_is_not_answered_and_nothing_is_done",
        ),
    ),
    Mutant(
        name="nl10",
        bug="where an answer goes is not proven",
        path="engine/replication/envelopes.py",
        edits=((" for name in PROVEN), reply_to]", " for name in PROVEN), '']"),),
        caught_by=(
            f"{ENVELOPES}::test_neither_its_body_nor_where_the_answer_goes_nor_who_has_no_key",
        ),
    ),
    Mutant(
        name="nl11",
        bug="a request that was recorded is done again",
        path="actors/replication/nats/asking.py",
        edits=((" or not self._fresh.is_new(part):", ":"),),
        caught_by=(f"{ASKING}::test_what_was_recorded_and_is_sent_again_is_not_done_again",),
    ),
    Mutant(
        name="nl12",
        bug="what is too old to be remembered is taken for new",
        path="engine/replication/envelopes.py",
        edits=(("envelope.number + WINDOW <= numbers.greatest or place", "place"),),
        caught_by=(f"{ENVELOPES}::test_what_is_older_than_can_be_known_is_taken_for_a_repetition",),
    ),
    Mutant(
        name="nl13",
        bug="a node does what its earlier life was asked",
        path="actors/replication/nats/asking.py",
        edits=(("        if part.to != self._self:\n", "        if not part.to:\n"),),
        caught_by=(
            f"{ASKING}"
            "::test_a_node_that_was_started_again_does_nothing_of_what_its_earlier_life_was_asked",
        ),
    ),
    Mutant(
        name="nl14",
        bug="an answer is believed from any sender and to any question",
        path="actors/replication/nats/asking.py",
        edits=(("if part is None or not _answers(part, asked):", "if part is None:"),),
        caught_by=(f"{ASKING}::test_an_answer_of_who_has_no_key_is_not_believed",),
    ),
    Mutant(
        name="nl15",
        bug="a request whose answer was lost is said not to have been asked",
        path="actors/replication/nats/asking.py",
        edits=(
            (
                "                    raise AnswerLost(str(exc)) from exc\n                if f",
                "                    raise NotAsked(str(exc)) from exc\n                if f",
            ),
        ),
        caught_by=(f"{ASKING}::test_an_answer_on_a_connection_that_was_lost_is_lost",),
    ),
    Mutant(
        name="nl16",
        bug="one node may hold all that nodes may hold together",
        path="engine/replication/held_parts.py",
        edits=(("if held + size > SHARE_BYTES_MAX or", "if"),),
        caught_by=(
            f"{ENVELOPES}::test_a_node_has_a_share_and_its_flood_keeps_no_other_from_being_heard",
        ),
    ),
    Mutant(
        name="nl17",
        bug="a node takes a beat of its name for its own, whatever life it is of",
        path="engine/replication/members.py",
        edits=(("        if beat.life != self._life:\n", "        if not beat.life:\n"),),
        caught_by=(
            f"{MEMBERS}::test_who_has_just_begun_to_listen_gives_way_to_another_of_its_name",
        ),
    ),
    Mutant(
        name="nl18",
        bug="a node that was deaf for a while has heard itself all the time",
        path="engine/replication/members.py",
        edits=(
            (
                "        if now_s - state.own_s > UNHEARD_S:\n",
                "        if state.own_since_s < 0:\n",
            ),
        ),
        caught_by=(
            f"{MEMBERS}::test_for_how_long_a_node_has_heard_itself_without_a_break_is_known",
        ),
    ),
    Mutant(
        name="nl19",
        bug="a second node of a name beats before it has listened",
        path="actors/replication/nats/beating.py",
        edits=(("        if fault is not None:\n", "        if False:\n"),),
        caught_by=(f"{BEATING}::test_a_second_node_of_a_name_ends_and_the_first_is_not_disturbed",),
    ),
    Mutant(
        name="nl20",
        bug="a copy that was open when the machine went down is gone on with",
        path="storage/database/replication/copy_state.py",
        edits=(("bool(this_run) and state.boot_id == this_run", "bool(this_run)"),),
        caught_by=(
            f"{COPIES}::test_a_copy_that_was_open_when_the_machine_went_down_is_not_gone_on_with",
        ),
    ),
    Mutant(
        name="nl21",
        bug="a copy counts as clean while it is open",
        path="storage/database/replication/copy_state.py",
        edits=(("CopyState(this_run, clean=False, ends", "CopyState(this_run, clean=True, ends"),),
        caught_by=(
            f"{COPIES}::test_a_copy_that_was_open_when_the_machine_went_down_is_not_gone_on_with",
        ),
    ),
    Mutant(
        name="nl22",
        bug="a cluster is made where there is one",
        path="actors/replication/nats/making.py",
        edits=(
            (
                "        if found is not None:\n            raise ClusterUnusable(\n"
                '                f"there is a cluster',
                "        if not found and found:\n            raise ClusterUnusable(\n"
                '                f"there is a cluster',
            ),
        ),
        caught_by=(f"{INIT}::test_a_cluster_is_made_once_and_keeps_the_key_that_is_there",),
    ),
    Mutant(
        name="nl23",
        bug="a node with another key is let into the cluster",
        path="actors/replication/nats/membership.py",
        edits=(("    if found.cluster.key_id != key_id(key):\n", "    if False:\n"),),
        caught_by=(
            f"{INIT}::test_a_node_is_in_the_cluster_only_with_its_key_and_a_schema_that_it_reads",
        ),
    ),
    Mutant(
        name="crn3",
        bug="each try at a server that says nothing leaves a connection open",
        path="actors/replication/nats/client.py",
        edits=(("self._transport.close()  # type", "pass  # type"),),
        caught_by=(
            "tests/actors/replication/nats/test_connection.py::"
            "test_a_server_that_says_nothing_has_one_connection_at_a_time",
        ),
    ),
)
