"""Bugs in what leaves the daemon: large answers, live pages, mails, secrets outside their field."""

from hookbundle.tests.mutants.mutant import Mutant

LARGE = "tests/server/http/test_large_answers.py"
LIVE = "tests/server/console/pages/test_live_pages.py"
OUTBOX = "tests/storage/tables/test_outbox.py"
MAILER = "tests/actors/test_mailer.py"
TEXT = "tests/actors/mails/test_text.py"
SECRETS = "tests/reliability/hostility/test_planted_secrets.py"
OWNER = "tests/server/http/resources/test_owner_address.py"

ANSWERS = (
    Mutant(
        name="a1",
        bug="the detailed log is read as a whole before its first byte is sent",
        path="server/http/resources/logs.py",
        edits=(
            (
                "        lines = self._lines(request, walk, wanted)\n",
                "        parts = self._lines(request, walk, wanted)\n"
                "        all_of_it = [line async for line in parts]\n\n"
                "        async def ready() -> AsyncIterator[bytes]:\n"
                "            for line in all_of_it:\n"
                "                yield line\n\n"
                "        lines = ready()\n",
            ),
        ),
        caught_by=(
            f"{LARGE}::test_no_more_of_a_log_is_read_than_its_reader_takes",
            "tests/reliability/load/test_slow_downloads.py"
            "::test_slow_readers_of_a_large_log_take_little_memory",
        ),
    ),
    Mutant(
        name="a2",
        bug="a reader that is cut off sees the proper end of an answer",
        path="server/http/large_answers.py",
        edits=(
            (
                "            except (ConnectionError, TimeoutError) as exc:\n"
                "                _cut(request, exc)\n"
                "            except BaseException:\n",
                "            except (ConnectionError, TimeoutError):\n"
                "                pass\n"
                "            except BaseException:\n",
            ),
        ),
        caught_by=(f"{LARGE}::test_a_reader_that_takes_nothing_is_cut_off_and_sees_it",),
    ),
    Mutant(
        name="a3",
        bug="readers of large answers have no share",
        path="server/http/large_answers.py",
        edits=(
            (
                "    return UNKNOWN if caller is None else caller.workspace_id\n",
                "    return str(id(request))\n",
            ),
        ),
        caught_by=(f"{LARGE}::test_a_workspace_has_its_share_of_readers_and_leaves_others_theirs",),
    ),
    Mutant(
        name="a4",
        bug="live pages of workspaces take the places of operators",
        path="server/console/pages/recent/news.py",
        edits=(
            (
                "            else (limits.streams, caller.workspace_id)\n",
                "            else (limits.feed, caller.workspace_id)\n",
            ),
        ),
        caught_by=(
            f"{LIVE}::test_one_workspace_takes_its_share_and_leaves_others_theirs",
            f"{LIVE}::test_a_live_page_that_takes_nothing_is_cut_off",
        ),
    ),
    Mutant(
        name="a5",
        bug="a page that was left keeps its place among the session's live ones",
        path="server/console/pages/recent/news.py",
        edits=(("                session.live -= 1\n", "                pass\n"),),
        caught_by=(f"{LIVE}::test_one_more_page_of_a_session_is_shown_but_not_live",),
    ),
    Mutant(
        name="a6",
        bug="what is disabled while a mail is being sent is left out",
        path="storage/tables/outbox.py",
        edits=(("    if mail.total <= told:\n", "    if told:\n"),),
        caught_by=(
            f"{OUTBOX}::test_what_was_disabled_while_the_mail_was_being_sent_is_told_in_the_next",
        ),
    ),
    Mutant(
        name="a7",
        bug="the hour between two mails begins when the mail is written",
        path="storage/tables/outbox.py",
        edits=(
            ("        hour.until_ms = now_ms + HOUR_MS\n", ""),
            (
                "    hour.mail = number\n",
                "    hour.mail, hour.until_ms = number, now_ms + HOUR_MS\n",
            ),
        ),
        caught_by=(
            f"{OUTBOX}::test_what_was_disabled_while_the_mail_was_being_sent_is_told_in_the_next",
            f"{OUTBOX}::test_a_clock_that_was_ahead_once_keeps_no_mail_longer_than_an_hour",
        ),
    ),
    Mutant(
        name="a8",
        bug="a tenant's words in a mail become links",
        path="actors/mails/text.py",
        edits=(
            (
                '    line = LINKING.sub(lambda match: DEFUSED.get(match[0], "[.]"), line)\n',
                "",
            ),
        ),
        caught_by=(f"{TEXT}::test_no_link_is_left_in_a_tenant_s_words",),
    ),
    Mutant(
        name="a9",
        bug="a receiver that repeats the query puts it into the detailed log",
        path="actors/attempts/sending.py",
        edits=(
            (
                "    response = _shown(result, sending) if isinstance(result, Response)",
                "    response = result if isinstance(result, Response)",
            ),
        ),
        caught_by=(f"{SECRETS}::test_no_secret_and_no_text_is_in_the_output_of_the_daemon",),
    ),
    Mutant(
        name="a10",
        bug="the feed tells the owner's address",
        path="storage/transitions/settings.py",
        edits=(
            ('    if shown.get("owner_email"):\n', '    if not shown.get("owner_email", "-"):\n'),
        ),
        caught_by=(
            f"{SECRETS}::test_no_secret_and_no_text_is_in_the_output_of_the_daemon",
            f"{SECRETS}::test_after_deletion_and_compaction_no_secret_is_in_the_data_file",
        ),
    ),
    Mutant(
        name="a11",
        bug="a workspace's own token may set the owner's address with a PUT",
        path="server/http/resources/workspaces.py",
        edits=(
            (
                "                by_its_own=by_its_own,\n",
                "                by_its_own=by_its_own and not whole,\n",
            ),
        ),
        caught_by=(f"{OWNER}::test_a_workspace_s_own_token_may_not_set_it",),
    ),
    Mutant(
        name="a12",
        bug="an upgrade keeps what 0.1.0 told of secrets",
        path="storage/maintenance/migration/feed.py",
        edits=(("_as_of_today(row.events), owners)", "row.events, owners)"),),
        caught_by=(
            "tests/storage/maintenance/migration/test_secrets.py"
            "::test_no_query_and_no_address_is_in_feed_log_or_activity",
        ),
    ),
)
