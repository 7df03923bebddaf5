"""Bugs of what WAHA says, and of addresses that all kinds share."""

from hookbundle.tests.mutants.mutant import Mutant

TESTS = "tests/engine/sources"
SAMPLES = f"{TESTS}/test_samples.py"
RULES = f"{TESTS}/test_rules_of_memory.py"
ADDRESSES = f"{TESTS}/test_addresses.py"

WAHA_EVENTS = (
    Mutant(
        name="so1",
        bug="WAHA's chat is `to` of what is sent and `from` of the rest",
        path="engine/sources/adapters/waha.py",
        edits=(
            (
                "    chat = _chat(maker, message_id, payload.data, envelope.me, "
                "is_sent=is_sent)\n"
                "    name",
                '    told = reading.text(envelope.payload, "to" if is_sent else "from")\n'
                "    chat = addresses.of(told, maker.notes)\n"
                "    name",
            ),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so2",
        bug="WAHA's message id is the serialised one, which no edit names",
        path="engine/sources/adapters/waha.py",
        edits=(("message_id=message_id.bare,", "message_id=payload.id,"),),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so3",
        bug="the number of a hidden id is taken for a phone",
        path="engine/sources/addresses.py",
        edits=(("whatsapp\\.net|hosted))", "whatsapp\\.net|hosted|lid))"),),
        caught_by=(
            f"{SAMPLES}::test_a_body_yields_what_is_expected",
            f"{ADDRESSES}::test_a_hidden_id_is_no_phone_until_one_is_known",
        ),
    ),
    Mutant(
        name="so4",
        bug="the phone of a hidden id is not remembered",
        path="engine/sources/addresses.py",
        edits=(('digits = notes.phone_of_lid(lid) or ""', 'digits = ""'),),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so5",
        bug="our own push name names the chat (WAHA)",
        path="engine/sources/adapters/waha.py",
        edits=(
            (
                'name = "" if is_sent else _push_name(payload.data)',
                "name = _push_name(payload.data)",
            ),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so6",
        bug="a caption is a text",
        path="engine/sources/adapters/waha.py",
        edits=(
            (
                "if payload.has_media or payload.media or by_type == ATTACHMENT:",
                "if (payload.has_media or by_type == ATTACHMENT) and not payload.body:",
            ),
            ("payload.cards or by_type == NO_TEXT", "payload.cards or by_type is NO_TEXT"),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so7",
        bug="a thumbnail is taken for a text, as the type is not looked at",
        path="engine/sources/adapters/waha.py",
        edits=(
            (
                'contents.of_web_type(reading.at(payload.data, "type"))',
                "contents.of_web_type(None)",
            ),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so8",
        bug="a participant's name becomes that of the group",
        path="engine/sources/adapters/waha.py",
        edits=(
            (
                '            chat_name="" if chat.is_group else name,',
                "            chat_name=name,",
            ),
        ),
        caught_by=(f"{RULES}::test_what_a_participant_is_called_is_not_the_name_of_the_group",),
    ),
    Mutant(
        name="so9",
        bug="a known hidden id is learned anew with every message",
        path="engine/sources/memory.py",
        edits=(("        if self.phone_of_lid(lid) != phone:\n", "        if phone:\n"),),
        caught_by=(f"{RULES}::test_a_hidden_id_goes_beside_the_phone_and_is_learned_once",),
    ),
)
