"""Bugs by which an owner loses what he was not told of, or is told what does not help him."""

from hookbundle.tests.mutants.mutant import Mutant

QUESTIONS = "tests/server/console/pages/test_questions.py"
WORDS = "tests/server/console/pages/test_words.py"
READ = "tests/actors/mails/test_what_owners_read.py"
CAUSES = "tests/actors/mails/test_causes.py"
REPLAYS = "tests/server/console/pages/test_replays.py"
DUE_ORDER = "tests/storage/reads/chats/test_due_order.py"
COMMANDS = "tests/daemon/commands/test_questions.py"

PAGES = (
    Mutant(
        name="g1",
        bug="an answer agrees to whatever it has become",
        path="server/console/questions.py",
        edits=(("counts.get(each.word, -1) >= each.count", "counts.get(each.word, -1) >= 0"),),
        caught_by=(f"{QUESTIONS}::test_sending_all_now_says_how_many_requests_it_makes",),
    ),
    Mutant(
        name="g8",
        bug="nothing is asked",
        path="server/console/questions.py",
        edits=(("    if not found or (", "    if True or ("),),
        caught_by=(
            f"{QUESTIONS}::test_discarding_says_how_many_messages_of_how_many_chats_are_lost",
            f"{QUESTIONS}::test_resending_all_dead_letters_is_asked",
        ),
    ),
    Mutant(
        name="g2",
        bug="what came between the count and the commit is discarded unseen",
        path="storage/transitions/switching.py",
        edits=(("        if most is not None and held > most:\n", "        if False:\n"),),
        caught_by=(
            f"{QUESTIONS}::test_what_came_between_the_count_and_the_commit_is_not_discarded_unseen",
        ),
    ),
    Mutant(
        name="g3",
        bug="the question before discarding does not say how many messages are lost",
        path="commands/consequences.py",
        edits=(
            (
                "    if len(found) > COUNTED_MAX:\n",
                "    if found:\n",
            ),
        ),
        caught_by=(f"{COMMANDS}::test_discarding_counts_what_waits_and_not_what_still_collects",),
    ),
    Mutant(
        name="g4",
        bug="an Arabic mail quotes the error as it was stored",
        path="actors/mails/text.py",
        edits=(
            (
                "defused(each.error if is_english else status_or_code(each.error))",
                "defused(each.error)",
            ),
        ),
        caught_by=(f"{READ}::test_each_cause_is_told_with_what_helps",),
    ),
    Mutant(
        name="g5",
        bug="a mail that waits keeps the language that it was begun in",
        path="storage/transitions/settings.py",
        edits=(
            ('OF_MAILS = {"owner_email", "language", "time_zone"}', 'OF_MAILS = {"owner_email"}'),
        ),
        caught_by=(f"{READ}::test_a_mail_that_waits_is_in_the_language_that_was_set_meanwhile",),
    ),
    Mutant(
        name="g6",
        bug="a time-out is told as any failure",
        path="actors/mails/causes.py",
        edits=(("    ErrorClass.TIMEOUT_TOTAL: Explanation(", '    "timeout": Explanation('),),
        caught_by=(f"{CAUSES}::test_each_class_of_error_has_words_of_its_own",),
    ),
    Mutant(
        name="g7",
        bug="pages show times in UTC whatever the zone of the workspace is",
        path="server/console/times.py",
        edits=(('view.settings.time_zone if view else "UTC"', '"UTC"'),),
        caught_by=(f"{WORDS}::test_times_are_those_of_the_workspace_and_show_utc_on_hovering",),
    ),
    Mutant(
        name="u1",
        bug="a delivery is sent once more without a question",
        path="server/console/pages/replays.py",
        edits=(('found = [Consequence("resent", shown.messages)]', "found = []"),),
        caught_by=(f"{REPLAYS}::test_a_delivered_one_is_sent_once_more_after_a_question",),
    ),
    Mutant(
        name="u2",
        bug="the command for curl has every header, the signature included",
        path="server/console/curl.py",
        edits=(("        if name.lower() in KEPT\n", "        if name\n"),),
        caught_by=("tests/server/console/pieces/test_curl.py::test_it_has_no_secret",),
    ),
    Mutant(
        name="u3",
        bug="a page of windows in due order begins with the last one of the page before",
        path="storage/reads/chats/due_order.py",
        edits=(('place > (self.position or b"")', 'place >= (self.position or b"")'),),
        caught_by=(f"{DUE_ORDER}::test_pages_in_due_order_miss_nothing_and_repeat_nothing",),
    ),
    Mutant(
        name="u4",
        bug="the search box finds a deleted chat until its records are erased",
        path="storage/reads/chats/names.py",
        edits=(("    return None if is_erased else found\n", "    return found\n"),),
        caught_by=(
            "tests/storage/reads/chats/test_finding.py"
            "::test_a_deleted_chat_is_not_found_though_its_records_are_erased_later",
        ),
    ),
    Mutant(
        name="u5",
        bug="the times of a filter are taken for UTC whatever the zone of the workspace is",
        path="server/console/times.py",
        edits=((".replace(tzinfo=zone)", ".replace(tzinfo=UTC)"),),
        caught_by=(
            "tests/server/console/pieces/test_times.py::test_a_local_time_is_one_of_the_workspace",
        ),
    ),
    Mutant(
        name="u51",
        bug="the page of a delivery that is sent once more stays as it was",
        path="server/console/pages/deliveries.py",
        edits=(
            (
                "if found.state in ENDED and not found.resending else",
                "if found.state in ENDED else",
            ),
        ),
        caught_by=(f"{REPLAYS}::test_the_page_of_a_resend_tells_when_it_goes_and_follows_it",),
    ),
    Mutant(
        name="u52",
        bug="the digits of a phone change places among Arabic words",
        path="server/console/isolating.py",
        edits=(("not text.isdigit() and all(", "not text.isdigit() and not all("),),
        caught_by=(
            "tests/server/console/test_rendering.py::test_a_phone_keeps_its_order_among_arabic_words",
        ),
    ),
    Mutant(
        name="u6",
        bug="a page hears of news from when it was made, not from before it was read",
        path="server/console/pages/deliveries.py",
        edits=(
            (
                "        news = self.news(visit)\n"
                "        found = decoded(await self.deliveries.show(visit.request), DeliveryOut)\n",
                "        found = decoded(await self.deliveries.show(visit.request), DeliveryOut)\n"
                "        news = self.news(visit)\n",
            ),
        ),
        caught_by=(
            "tests/server/console/pages/test_live_pages.py"
            "::test_what_happens_while_a_page_is_made_is_news_to_it",
        ),
    ),
    Mutant(
        name="u7",
        bug="in the console, the end of a conversation is the end of one webhook's window",
        path="server/http/resources/chats.py",
        edits=(
            (
                'Flush(reply, reason="close", note=reason))',
                'Flush(reply, 1, reason="close", note=reason))',
            ),
        ),
        caught_by=(
            "tests/server/console/pages/test_windows.py"
            "::test_a_chat_shows_its_edits_and_is_closed_for_all_webhooks",
        ),
    ),
)
