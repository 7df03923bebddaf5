"""Bugs of what Evolution says."""

from hookbundle.tests.mutants.mutant import Mutant

TESTS = "tests/engine/sources"
SAMPLES = f"{TESTS}/test_samples.py"
RULES = f"{TESTS}/test_rules_of_memory.py"

EVOLUTION = (
    Mutant(
        name="so11",
        bug="our own push name names the chat (Evolution)",
        path="engine/sources/adapters/evolution.py",
        edits=(
            (
                'name = "" if is_sent else reading.name(said.push_name)',
                "name = reading.name(said.push_name)",
            ),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so12",
        bug="a message within a wrapper is not found",
        path="engine/sources/contents.py",
        edits=(("UNWRAPPED_MAX = 6", "UNWRAPPED_MAX = 0"),),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so13",
        bug="the status DELETED of an update deletes the message",
        path="engine/sources/adapters/evolution.py",
        edits=(
            (
                '    elif name == "messages.delete":',
                '    elif name in ("messages.delete", "messages.update"):',
            ),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so14",
        bug="the key of an edit is believed, which has our own number as the chat",
        path="engine/sources/adapters/evolution.py",
        edits=(
            ("    known = maker.notes.chat_of_message(key.id)\n", "    known = None\n"),
            ("    if chat.phone and chat.phone == account.phone:\n", "    if not chat.id:\n"),
        ),
        caught_by=(
            f"{SAMPLES}::test_a_body_yields_what_is_expected",
            f"{RULES}::test_an_edit_that_does_not_say_its_chat_is_not_put_into_ours",
        ),
    ),
    Mutant(
        name="so15",
        bug="every `messages.edited` is an edit",
        path="engine/sources/adapters/evolution.py",
        edits=(
            (
                'EDITS = ("MESSAGE_EDIT", 14)',
                'EDITS = ("MESSAGE_EDIT", 14, "REVOKE", 0, "EPHEMERAL_SETTING", 3)',
            ),
            ('DELETIONS = ("REVOKE", 0)', "DELETIONS: tuple[str, ...] = ()"),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so16",
        bug="history is taken for today's messages",
        path="engine/sources/adapters/evolution.py",
        edits=(
            ("        if settings.accept.history:\n", "        if not settings.accept.history:\n"),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so17",
        bug="a reaction teaches where a message is, and costs a write",
        path="engine/sources/adapters/evolution.py",
        edits=(
            ("if is_told_badly and isinstance(outcome, MessageEvent):", "if is_told_badly:"),
            ("outcome.event.chat.chat_id", "maker.chat_id(chat, account)"),
        ),
        caught_by=(f"{RULES}::test_what_yields_no_message_teaches_no_place_of_one",),
    ),
)
