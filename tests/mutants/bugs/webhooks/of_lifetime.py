"""Bugs of webhooks that are made, changed and deleted, and of what one does to its neighbour."""

from hookbundle.tests.mutants.mutant import Mutant

MODEL = "tests/reliability/lives/test_several.py"
HERE = "tests/storage/transitions/webhooks"
LIFETIME, DELETING = f"{HERE}/test_lifetime.py", f"{HERE}/test_deleting.py"
MEANWHILE = f"{HERE}/test_deleting_meanwhile.py"
LIVES = f"{HERE}/test_several_lives.py"
DAEMON = "tests/daemon/receivers/test_several_webhooks.py"
API = "tests/server/http/resources/webhooks/test_webhooks.py"

LIFETIMES = (
    Mutant(
        name="b70",
        bug="the eleventh error of one webhook disables its neighbours too",
        path="storage/transitions/outcomes.py",
        edits=(
            (
                '        switching.switch_off(unit, settings, webhook, "errors", ended.now_ms, '
                '"hookbundle")\n',
                "        for webhook in settings.webhooks:\n"
                "            now = unit.workspace(settings.workspace.id)\n"
                "            switching.switch_off(\n"
                '                unit, now, webhook, "errors", ended.now_ms, ""\n            )\n',
            ),
        ),
        caught_by=(
            f"{MODEL}::test_eleven_errors_disable_one_webhook_and_delay_no_other",
            f"{DAEMON}"
            "::test_ones_eleventh_error_disables_it_and_not_its_neighbour_and_the_mail_names_it",
        ),
    ),
    Mutant(
        name="b71",
        bug="an attempt of a deleted webhook is recorded, and its test requests are sent",
        path="storage/database/settings.py",
        edits=(
            (
                "    def webhook_or_none(self, number: int) -> Webhook | None:\n"
                "        for webhook in self.webhooks:\n",
                "    def webhook_or_none(self, number: int) -> Webhook | None:\n"
                "        for webhook in self.all:\n",
            ),
        ),
        caught_by=(
            f"{MEANWHILE}"
            "::test_an_attempt_under_way_ends_in_not_found_and_changes_nothing_of_others",
            f"{DELETING}::test_a_deleted_webhook_is_found_by_nobody",
        ),
    ),
    Mutant(
        name="b72",
        bug="a window of a deleted webhook that is due meanwhile is sealed",
        path="storage/transitions/sealing.py",
        edits=(("    if webhook.deleted_ms:\n", "    if webhook.deleted_ms < 0:\n"),),
        caught_by=(
            f"{MEANWHILE}::test_its_windows_that_are_due_meanwhile_are_erased_and_not_sealed",
        ),
    ),
    Mutant(
        name="b73",
        bug="of what a deleted webhook had queued the bodies stay",
        path="storage/transitions/timed/delete_steps.py",
        edits=(
            (
                "        history.delete(unit, webhook, delivery)\n",
                "        unit.delete(history.key_of(webhook.number, delivery.number))\n",
            ),
        ),
        caught_by=(
            f"{DELETING}::test_it_is_erased_in_steps_until_nothing_but_the_feed_knows_of_it",
            f"{LIVES}::test_a_life_with_several_webhooks_is_sound_after_every_commit",
        ),
    ),
    Mutant(
        name="b74",
        bug="PUT replaces what somebody else has made, without a condition",
        path="storage/transitions/webhooks/lifetime.py",
        edits=(
            (
                "    if webhook is not None and transition.must_match and not names_version:\n",
                "    if webhook is not None and transition.must_match and names_version is None:\n",
            ),
        ),
        caught_by=(
            f"{LIFETIME}::test_put_replaces_nothing_for_one_who_names_no_version",
            f"{API}::test_put_replaces_the_whole_only_for_one_who_says_what_he_saw",
        ),
    ),
    Mutant(
        name="b75",
        bug="the number of a webhook is given again",
        path="storage/transitions/webhooks/lifetime.py",
        edits=(
            (
                "    unit.meta.workspace_next += 1\n",
                "    unit.meta.workspace_next += not settings.leaving\n",
            ),
        ),
        caught_by=(f"{LIFETIME}::test_a_new_one_has_nothing_of_the_old_one_of_its_id",),
    ),
    Mutant(
        name="b76",
        bug="messages are held for ever for an `outbound` without URL, beside another webhook",
        path="storage/database/settings.py",
        edits=(
            (
                " for each in self.webhooks if each.url or each.id != OUTBOUND)\n",
                " for each in self.webhooks)\n",
            ),
        ),
        caught_by=(
            f"{LIFETIME}::test_outbound_without_url_collects_only_while_it_is_alone",
            f"{API}::test_without_outbound_what_means_it_is_not_found_until_it_is_made_again",
        ),
    ),
    Mutant(
        name="b77",
        bug="a webhook made with all defaults has the version of an earlier one",
        path="storage/transitions/webhooks/changing.py",
        edits=(("after if fields or is_new else None", "after if fields else None"),),
        caught_by=(f"{LIFETIME}::test_a_new_one_has_nothing_of_the_old_one_of_its_id",),
    ),
    Mutant(
        name="b78",
        bug="a chat keeps something of every webhook that ever was",
        path="storage/tables/windows.py",
        edits=(
            (
                "        if each.window is not None or "
                "settings.webhook_or_none(each.webhook) is not None\n",
                "        if each is not None\n",
            ),
        ),
        caught_by=(f"{LIFETIME}::test_the_chats_do_not_grow_by_webhooks_that_were",),
    ),
    Mutant(
        name="b79",
        bug="a deleted webhook without a window waits for ever for the end of a re-timing",
        path="storage/transitions/webhooks/lifetime.py",
        edits=(
            (
                "    changing.retime_windows(unit, erased, state)\n",
                "    if state.windows:\n        changing.retime_windows(unit, erased, state)\n",
            ),
        ),
        caught_by=(
            "tests/storage/tables/arrivals/test_erasing.py"
            "::test_a_deleted_webhook_leaves_none_also_in_chats_without_a_window",
        ),
    ),
    Mutant(
        name="b80",
        bug="a message for twenty webhooks costs its owner what one for one webhook does",
        path="actors/turns.py",
        edits=(("        if cost.times and self._webhooks:\n", "        if False:\n"),),
        caught_by=(
            "tests/actors/fairness/test_turns.py"
            "::test_a_message_weighs_as_much_for_each_webhook_of_its_workspace",
        ),
    ),
    Mutant(
        name="b81",
        bug="who brings what is heavier than it looks pays for what it looks like",
        path="actors/turns.py",
        edits=(("            self._last.order.charge(owner, more)\n", ""),),
        caught_by=(
            "tests/actors/fairness/test_turns.py"
            "::test_who_brings_what_is_heavier_than_it_looks_pays_with_what_he_brings_next",
        ),
    ),
    Mutant(
        name="b82e",
        bug="long edits of a chat are cut by their number alone",
        path="actors/portions.py",
        edits=(
            (
                "(len(each.text.encode()) if isinstance(each, Change) else 0 for each in run)",
                "(0 for each in run)",
            ),
        ),
        caught_by=(
            "tests/server/http/resources/messages/test_long_changes.py"
            "::test_a_run_of_long_edits_is_cut_by_its_bytes_and_none_is_lost_or_moved",
        ),
    ),
    Mutant(
        name="b82s",
        bug="the messages of a source are cut as if they were short",
        path="engine/sources/intake/sorting.py",
        edits=(("                found.size += len(kept.message)\n", ""),),
        caught_by=(
            "tests/engine/sources/intake/test_sorting.py"
            "::test_the_size_is_that_of_the_messages_as_they_are_stored",
        ),
    ),
    Mutant(
        name="b82",
        bug="what twenty webhooks get of a request is stored in as few transitions as for one",
        path="actors/portions.py",
        edits=(
            (
                "    most = limits.PART_MESSAGES_MAX // webhooks\n",
                "    most = limits.PART_MESSAGES_MAX\n",
            ),
        ),
        caught_by=(
            "tests/server/http/resources/messages/test_message_parts.py"
            "::test_however_a_request_is_cut_no_part_is_long_and_nothing_is_lost_or_moved",
        ),
    ),
    Mutant(
        name="b83",
        bug="a workspace with many webhooks has as many chains of steps",
        path="actors/due_rows.py",
        edits=(
            (
                "budget.part, but=claims.until_ms, lap=claims.lap",
                "1_000, but=claims.until_ms, lap=claims.lap",
            ),
        ),
        caught_by=(
            "tests/actors/fairness/test_chains.py"
            "::test_a_workspace_with_many_webhooks_has_one_chain_beside_that_of_another",
        ),
    ),
    Mutant(
        name="b84",
        bug="a step of a merge looks at any number of rows of other webhooks",
        path="storage/transitions/timed/merge_steps.py",
        edits=((" and unit.weight < heavy:\n", ":\n"),),
        caught_by=(
            "tests/storage/transitions/timed/test_merging.py"
            "::test_a_step_ends_when_it_has_become_heavy_whatever_it_looked_at",
        ),
    ),
    Mutant(
        name="b145",
        bug="the end of a deleted webhook's window is told as that of the chat's",
        path="storage/tables/windows.py",
        edits=(
            (
                "settings.webhook_or_none(each.webhook)\n        if webhook",
                "settings.any_webhook(each.webhook)\n        if webhook",
            ),
        ),
        caught_by=(
            "tests/storage/tables/test_told_windows.py"
            "::test_the_window_of_a_deleted_webhook_is_not_told",
        ),
    ),
)
