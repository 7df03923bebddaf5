"""Bugs of tokens, sessions, backups, and of where a partition is looked for."""

from hookbundle.tests.mutants.mutant import Mutant

CLUSTER = "tests/server/cluster"
STORAGE = "tests/storage"

AT_CALLERS = (
    Mutant(
        name="cv1",
        bug="a source that was deleted is not said to have left anything in the log",
        path="storage/database/replication/erasures.py",
        edits=(
            (
                "(MessageDeleted, ChatDeleted, WebhookDeleted, SourceDeleted, WorkspaceDeleted)",
                "(MessageDeleted, ChatDeleted, WebhookDeleted, WorkspaceDeleted)",
            ),
        ),
        caught_by=(
            f"{STORAGE}/database/replication/test_erasures.py::test_deleting_a_message_a_chat_a_webhook_a_source_or_a_workspace_is_seen_in_its_rows",
        ),
    ),
    Mutant(
        name="cv2",
        bug="generation 9 is taken for a later one than generation 10",
        path="storage/maintenance/replication/manifest.py",
        edits=(
            (
                "return max(map(int, generations)), max(each.epoch for each in found.partitions)",
                "return int(max(generations)), max(each.epoch for each in found.partitions)",
            ),
        ),
        caught_by=(
            f"{STORAGE}/maintenance/replication/test_manifest.py::test_a_cluster_made_of_it_begins_after_the_greatest_number_and_the_greatest_epoch",
        ),
    ),
    Mutant(
        name="cv3",
        bug="a backup's list may name a partition twice, and another one not at all",
        path="storage/maintenance/replication/manifest.py",
        edits=(
            (
                "if not numbers or numbers != list(range(len(numbers))):",
                "if not numbers:",
            ),
        ),
        caught_by=(
            f"{STORAGE}/maintenance/replication/test_manifest.py::test_a_list_that_does_not_name_each_partition_once_is_refused",
        ),
    ),
    Mutant(
        name="cv4",
        bug="a token for messages alone opens the console of a node",
        path="server/cluster/console/sessions.py",
        edits=(
            (
                'if found is None or found.scope != "admin":',
                "if found is None:",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/console/test_owners_of_sessions.py::test_a_token_that_is_no_admin_s_signs_nobody_in",
        ),
    ),
    Mutant(
        name="cv5",
        bug="each token of a workspace has sessions for all",
        path="server/cluster/console/sessions.py",
        edits=(
            (
                "owner = found.workspace_id.encode() or digest",
                "owner = digest",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/console/test_owners_of_sessions.py::test_tokens_of_a_workspace_share_its_places",
        ),
    ),
    Mutant(
        name="cv6",
        bug="all operators have the sessions of one",
        path="server/cluster/console/sessions.py",
        edits=(
            (
                "owner = found.workspace_id.encode() or digest",
                "owner = found.workspace_id.encode()",
            ),
        ),
        caught_by=(f"{CLUSTER}/console/test_owners_of_sessions.py::test_each_operator_has_places",),
    ),
    Mutant(
        name="cv7",
        bug="an open page does not see that its session was signed out",
        path="server/cluster/console/sessions.py",
        edits=(
            (
                "        if session is not None:\n            session.ended = True\n",
                "",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/console/test_owners_of_sessions.py::test_a_page_that_is_open_sees_that_its_session_was_signed_out",
        ),
    ),
    Mutant(
        name="cv8",
        bug="a node forgets the sessions that it saw first, also if they are in use",
        path="server/cluster/console/sessions.py",
        edits=(
            (
                "        self._here.move_to_end(key)\n",
                "",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/console/test_owners_of_sessions.py::test_a_node_keeps_what_belongs_to_the_sessions_that_it_saw_last",
        ),
    ),
    Mutant(
        name="cv9",
        bug="a new owner believes of a token what the one before it has said",
        path="server/cluster/tokens.py",
        edits=(
            (
                "return asked[0] if owned is None else owned.tokens.find(digest)",
                "return asked[0]",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/hostile/test_good_tokens.py::test_what_was_said_of_a_token_gives_way_to_what_its_owner_knows",
        ),
    ),
    Mutant(
        name="cv10",
        bug="the end of a request takes from others what was said of their token",
        path="server/cluster/tokens.py",
        edits=(
            (
                "if not asked and self._asked.get(digest) is asked:\n"
                "                del self._asked[digest]",
                "if not asked:\n                self._asked.pop(digest, None)",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/hostile/test_good_tokens.py::test_the_end_of_one_request_takes_nothing_from_those_that_began_later",
        ),
    ),
    Mutant(
        name="cv11",
        bug="a token that has expired signs in at a node that knows it",
        path="server/cluster/tokens.py",
        edits=(
            (
                "            return check.good(digest)\n",
                "            return token\n",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/hostile/test_good_tokens.py::test_a_token_that_has_expired_is_good_nowhere",
        ),
    ),
    Mutant(
        name="cv12",
        bug="a token that has expired signs in at a node that asks for it",
        path="server/cluster/tokens.py",
        edits=(
            (
                "return None if token is None or check.is_expired(token) else token",
                "return token",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/hostile/test_good_tokens.py::test_a_token_that_has_expired_is_good_nowhere",
        ),
    ),
    Mutant(
        name="cv13",
        bug="partitions from 65 on are nobody's at other nodes",
        path="server/cluster/partitions/placing.py",
        edits=(
            (
                "number = number_of(hint_of(request, PARTITION), 1_000)",
                "number = number_of(hint_of(request, PARTITION), 64)",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/partitions/test_placing.py::test_what_one_node_names_another_one_reads",
        ),
    ),
    Mutant(
        name="cv14",
        bug="a node that has just begun to listen recovers what another one may have more of",
        path="server/cluster/commanding/recovering.py",
        edits=(
            (
                "if node.neighbours.heard_s() < node.cluster.dead_after_s:",
                "if False:",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/commanding/test_recovering.py::test_a_node_that_has_not_heard_the_others_for_long_enough_recovers_nothing",
        ),
    ),
)
