"""Bugs of what is stored of sources: their tokens, memory and requests."""

from hookbundle.tests.mutants.mutant import Mutant

TESTS = "tests/storage/transitions/sources"
LIFETIME = f"{TESTS}/test_lifetime.py"
MEMORY = f"{TESTS}/test_memory.py"
REQUESTS = f"{TESTS}/test_requests.py"
TABLES = "storage/tables/sources"

SOURCE_STORAGE = (
    Mutant(
        name="sm1",
        bug="a former token is good for ever",
        path="storage/reads/source_view.py",
        edits=(("(not each.until_ms or now_ms < each.until_ms)", "now_ms"),),
        caught_by=(f"{LIFETIME}::test_a_rotated_token_is_good_for_as_long_as_it_is_kept",),
    ),
    Mutant(
        name="sm2",
        bug="the secrets of a deleted source can still be read",
        path="storage/transitions/sources/lifetime.py",
        edits=(('name="", settings=b"", tokens=()', 'name="", tokens=()'),),
        caught_by=(f"{LIFETIME}::test_a_deleted_source_is_gone_at_once_and_erased_in_steps",),
    ),
    Mutant(
        name="sm3",
        bug="a workspace makes sources without end",
        path="storage/transitions/sources/lifetime.py",
        edits=(("if len(alive) >= limits.SOURCES_MAX or", "if len(alive) < 0 or"),),
        caught_by=(f"{LIFETIME}::test_a_workspace_has_no_more_sources_than_it_may",),
    ),
    Mutant(
        name="sm4",
        bug="a source remembers without end",
        path=f"{TABLES}/memory.py",
        edits=(("    for _ in range(DROPPED_AT_ONCE):\n", "    for _ in range(0):\n"),),
        caught_by=(f"{MEMORY}::test_the_oldest_go_first_and_messages_push_out_only_messages",),
    ),
    Mutant(
        name="sm5",
        bug="messages push out the phones of hidden ids",
        path=f"{TABLES}/memory.py",
        edits=(("MESSAGES if name.map == Map.MESSAGE else LASTING", "LASTING"),),
        caught_by=(f"{MEMORY}::test_the_oldest_go_first_and_messages_push_out_only_messages",),
    ),
    Mutant(
        name="sm6",
        bug="a source knows a deleted chat until its erasure is done",
        path="storage/reads/source_view.py",
        edits=(("entry is None or entry.at_ms <=", "entry is None or entry.at_ms < 0 *"),),
        caught_by=(f"{MEMORY}::test_a_chat_is_forgotten_the_moment_it_is_deleted",),
    ),
    Mutant(
        name="sm7",
        bug="what a source remembers is not counted for its workspace",
        path=f"{TABLES}/memory.py",
        edits=(("        usage.source_bytes += size\n", "        pass\n"),),
        caught_by=(f"{MEMORY}::test_many_long_names_are_no_more_than_their_bytes",),
    ),
    Mutant(
        name="sm8",
        bug="requests without a message push out all others",
        path=f"{TABLES}/requests.py",
        edits=(("if len(quiet) > limits.SOURCE_QUIET_REQUESTS_MAX:", "if len(quiet) < 0:"),),
        caught_by=(f"{REQUESTS}::test_those_without_a_message_push_out_only_each_other",),
    ),
    Mutant(
        name="sm9",
        bug="a request is kept for ever",
        path="storage/transitions/timed/source_steps.py",
        edits=(("limits.SOURCE_REQUEST_MS_MAX <= now_ms]", "limits.SOURCE_REQUEST_MS_MAX <= 0]"),),
        caught_by=(f"{REQUESTS}::test_requests_are_too_old_after_a_week",),
    ),
    Mutant(
        name="sm16",
        bug="of the requests that are kept the one that was noted first counts as the oldest",
        path=f"{TABLES}/lookup.py",
        edits=(
            (
                "min(each.at_ms for each in notes.kept) + limits",
                "notes.kept[0].at_ms + limits",
            ),
        ),
        caught_by=(
            f"{REQUESTS}"
            "::test_one_that_was_long_under_way_is_too_old_before_those_that_overtook_it",
        ),
    ),
    Mutant(
        name="si28",
        bug="of one second the requests without a message are written first, whenever they came",
        path="server/http/resources/sources/observing.py",
        edits=(
            (
                "tuple(sorted((each.shown() for each in held), key=_arrived_ms))",
                "tuple(each.shown() for each in held)",
            ),
        ),
        caught_by=(
            "tests/server/http/resources/sources/test_observing.py"
            "::test_requests_of_one_second_are_written_in_the_order_in_which_they_came",
        ),
    ),
    Mutant(
        name="sm10",
        bug="a request of no known chat outlives the deletion of its chat",
        path=f"{TABLES}/erasing.py",
        edits=(
            (
                '(keys.of_chat(workspace, chat), keys.of_chat(workspace, b"")):\n        looks',
                "(keys.of_chat(workspace, chat),):\n        looks",
            ),
        ),
        caught_by=(f"{REQUESTS}::test_requests_of_no_known_chat_go_with_the_deletion_of_any",),
    ),
    Mutant(
        name="sm11",
        bug="each refused request is told",
        path="storage/transitions/sources/noting.py",
        edits=(("TOLD_EVERY_MS = 60_000", "TOLD_EVERY_MS = 0"),),
        caught_by=(f"{REQUESTS}::test_refused_requests_are_told_once_a_minute",),
    ),
    Mutant(
        name="sm12",
        bug="what is learned of a chat after its deletion is erased with it",
        path=f"{TABLES}/erasing.py",
        edits=(("LATER_MAX = 1_000 ", "LATER_MAX = 0 "),),
        caught_by=(f"{MEMORY}::test_what_is_learned_while_a_chat_is_erased_stays",),
    ),
    Mutant(
        name="sm13",
        bug="the looks at requests that came after the deletion of a chat are free",
        path="storage/transitions/timed/erase_steps.py",
        edits=(("ROWS_OF_A_CHAT + looks)", "ROWS_OF_A_CHAT)"),),
        caught_by=(
            f"{REQUESTS}::test_each_deleted_chat_pays_for_the_looks_at_requests_that_came_later",
        ),
    ),
    Mutant(
        name="sm14",
        bug="a damaged source stops the others of its workspace",
        path=f"{TABLES}/lookup.py",
        edits=(("codec.readable(key, value, Source)", "codec.unpack(key, value, Source)"),),
        caught_by=(
            "tests/storage/transitions/sources/test_damaged_sources.py"
            "::test_the_others_are_changed_and_made",
        ),
    ),
    Mutant(
        name="sm15",
        bug="the token of a damaged source outlives its workspace",
        path="storage/transitions/sources/lifetime.py",
        edits=(("    if is_any_damaged:\n", "    if not is_any_damaged:\n"),),
        caught_by=(
            "tests/storage/transitions/sources/test_damaged_sources.py"
            "::test_its_workspace_is_deleted_with_all_that_leads_to_it",
        ),
    ),
)
