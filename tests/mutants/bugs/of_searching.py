"""Bugs in how deliveries are found: pages, indexes, filters, and what is no longer kept."""

from hookbundle.tests.mutants.mutant import Mutant

MOVING = "tests/storage/reads/test_pages_while_it_moves.py"
SEARCHING = "tests/storage/reads/test_searching.py"
VIEW = "tests/storage/reads/test_delivery_view.py"
API = "tests/server/http/resources/searching/test_search.py"
SEVERAL = "tests/storage/reads/test_several_webhooks.py"
WEBHOOKS = "tests/server/http/resources/webhooks/test_reads_of_webhooks.py"
PATHS = "tests/storage/reads/paths/test_paths_of_webhooks.py"
PAGES = f"{MOVING}::test_pages_repeat_and_skip_nothing_that_was_there_all_the_time"

REPLAYS = "tests/server/http/resources/searching/test_replays.py"

SEARCHES = (
    Mutant(
        name="z1",
        bug="a page begins with the delivery that the one before ended with",
        path="storage/reads/searching/search.py",
        edits=(
            (
                'end = min(bounds.end, int.from_bytes(position, "big"))',
                'end = min(bounds.end, int.from_bytes(position, "big") + 1)',
            ),
        ),
        caught_by=(PAGES,),
    ),
    Mutant(
        name="z2",
        bug="a page that ends early goes on at the last one found, not the last one looked at",
        path="storage/reads/searching/search.py",
        edits=(
            (
                'last = candidate.number.to_bytes(NUMBER_BYTES, "big")',
                "number = candidate.number - (len(found) == limit)\n"
                '                    last = number.to_bytes(NUMBER_BYTES, "big")',
            ),
        ),
        caught_by=(PAGES,),
    ),
    Mutant(
        name="z3",
        bug="a search by state takes deliveries for what they are stored as",
        path="storage/reads/delivery_view.py",
        edits=(
            (
                "found = moving.state_of(state, delivery)",
                "found = DeliveryState(delivery.state)",
            ),
        ),
        caught_by=(f"{SEARCHING}::test_what_a_command_has_queued_again_is_queued_at_once", PAGES),
    ),
    Mutant(
        name="z4",
        bug="a deleted chat is found until it is erased",
        path="storage/reads/searching/search.py",
        edits=(
            (
                "if is_erased(txn, scope.usage, scope.workspace, delivery):",
                "if is_erased(txn, scope.usage, 0, delivery):",
            ),
        ),
        caught_by=(
            f"{SEARCHING}::test_a_deleted_chat_is_not_found_and_its_new_deliveries_are",
            PAGES,
        ),
    ),
    Mutant(
        name="z5",
        bug="a cursor is taken for whatever question it comes with",
        path="server/http/parameters/searches.py",
        edits=(("given[:DIGEST_BYTES] != digest or ", ""),),
        caught_by=(f"{API}::test_a_cursor_is_good_for_its_own_question_alone",),
    ),
    Mutant(
        name="z6",
        bug="an age counts from now on every page, so that the list's end moves away",
        path="server/http/parameters/searches.py",
        edits=(
            (
                'now_ms = min(now_ms, int.from_bytes(given[DIGEST_BYTES:head], "big"))',
                "pass",
            ),
        ),
        caught_by=(f"{API}::test_an_age_means_the_same_on_every_page",),
    ),
    Mutant(
        name="z7",
        bug="the numbers of a time are found without slack",
        path="storage/reads/searching/bounds.py",
        edits=((" - DISORDER_MS", ""), (" + DISORDER_MS", "")),
        caught_by=(f"{SEARCHING}::test_what_waited_for_the_store_is_found_by_its_own_time",),
    ),
    Mutant(
        name="z8",
        bug="a trimmed delivery is said never to have been there",
        path="storage/reads/delivery_view.py",
        edits=(
            (
                "number < meta.delivery_next:",
                "number < 0:",
            ),
        ),
        caught_by=(f"{VIEW}::test_a_trimmed_delivery_is_gone_and_one_to_come_is_not_known",),
    ),
    Mutant(
        name="b1",
        bug="a replay that does not say whether to send sends",
        path="server/http/schemas/replays.py",
        edits=(("    dry_run: bool = True\n", "    dry_run: bool = False\n"),),
        caught_by=(f"{REPLAYS}::test_a_replay_only_counts_until_it_is_told_to_send",),
    ),
    Mutant(
        name="b2",
        bug="a replay of a class of statuses means its lowest one",
        path="storage/tables/repeating/matching.py",
        edits=(("max(wanted.http_status, wanted.http_status_most)", "wanted.http_status"),),
        caught_by=(f"{REPLAYS}::test_a_replay_takes_ages_and_classes_as_lists_do",),
    ),
    Mutant(
        name="b3",
        bug="a resend that still waits is said to have failed",
        path="storage/tables/repeating/resends.py",
        edits=((" and not is_waiting(state, delivery)\n\n\ndef are", "\n\n\ndef are"),),
        caught_by=(f"{REPLAYS}::test_what_waits_to_be_sent_once_more_is_found_by_that",),
    ),
    Mutant(
        name="b4",
        bug="what waits to be sent once more is not looked for among what waits",
        path="storage/reads/searching/candidates.py",
        edits=(
            ("        stretches.append(Stretch(keyspace.RESENDS, 0, END))\n", "        pass\n"),
        ),
        caught_by=(f"{REPLAYS}::test_what_waits_to_be_sent_once_more_is_found_by_that",),
    ),
    Mutant(
        name="b50",
        bug="lists forget every webhook but the first",
        path="storage/reads/workspace_view.py",
        edits=(
            (
                "tuple(each for each in self.webhooks if not wanted or each.webhook.id in wanted)",
                "tuple(\n            each for each in self.webhooks[:1] if not wanted "
                "or each.webhook.id in wanted\n        )",
            ),
        ),
        caught_by=(f"{SEVERAL}::test_every_list_of_three_webhooks_pages_right",),
    ),
    Mutant(
        name="b51",
        bug="the bundle of another webhook is shown than that which is asked for",
        path="storage/reads/chats/preview.py",
        edits=(("(webhook_id,) if webhook_id else ()", "()"),),
        caught_by=(
            f"{SEVERAL}::test_a_preview_is_that_of_the_webhook_asked_for_and_lists_all",
            f"{WEBHOOKS}::test_a_preview_has_the_fields_of_outbound_and_a_list_of_all",
        ),
    ),
    Mutant(
        name="b52",
        bug="a delivery is retried as if it were one of `outbound`",
        path="server/http/resources/deliveries.py",
        edits=(
            (
                "            webhook_id=waiting.webhook_id,\n            number",
                "            number",
            ),
        ),
        caught_by=(
            f"{WEBHOOKS}::test_a_delivery_of_any_webhook_is_retried_discarded_and_sent_again",
        ),
    ),
    Mutant(
        name="b53",
        bug="a message that one webhook has is looked for in all of its chat's past for the others",
        path="storage/reads/paths/message_path.py",
        edits=(("if found.head.placed_ms < at.floor:", "if found.head.sealed_ms < 0:"),),
        caught_by=(f"{PATHS}::test_the_search_for_the_others_ends_at_the_time_when_it_came",),
    ),
    Mutant(
        name="b54",
        bug="deliveries of a deleted webhook are shown until they are erased",
        path="storage/reads/workspace_view.py",
        edits=(("if webhook is None or webhook.deleted_ms:", "if webhook is None:"),),
        caught_by=(
            "tests/storage/reads/test_leaving_webhook.py"
            "::test_its_deliveries_are_gone_for_who_knows_their_ids",
        ),
    ),
)
