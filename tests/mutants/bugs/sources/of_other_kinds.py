"""Bugs of what the other kinds say."""

from hookbundle.tests.mutants.mutant import Mutant

TESTS = "tests/engine/sources"
SAMPLES = f"{TESTS}/test_samples.py"
BODIES = f"{TESTS}/test_rules_of_bodies.py"
GENERIC = f"{TESTS}/test_generic.py"
MEMORY = f"{TESTS}/test_rules_of_memory.py"
MUTATED = f"{TESTS}/test_mutated_samples.py"
ADDRESSES = f"{TESTS}/test_addresses.py"
CHANGES = f"{TESTS}/test_changes_left_out.py"

OTHER_KINDS = (
    Mutant(
        name="so31",
        bug="Chatwoot's private notes are sent on",
        path="engine/sources/adapters/chatwoot.py",
        edits=(("    if said.private:\n        return Reason.PRIVATE_NOTE\n", ""),),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so32",
        bug="Chatwoot's e-mails and website chats are taken too",
        path="engine/sources/adapters/chatwoot.py",
        edits=(
            (
                '    if reading.at(said.conversation, "channel") not in '
                "maker.settings.channels:\n"
                "        return Reason.NOT_WHATSAPP\n",
                "",
            ),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so33",
        bug="a note that does not say whether it is private is taken",
        path="engine/sources/adapters/chatwoot.py",
        edits=(
            ("    private: bool\n    content: str", "    private: bool = False\n    content: str"),
        ),
        caught_by=(f"{BODIES}::test_a_note_that_does_not_say_whether_it_is_private_is_not_taken",),
    ),
    Mutant(
        name="so34",
        bug="the text of a message deleted in Chatwoot becomes its new text",
        path="engine/sources/adapters/chatwoot.py",
        edits=(
            ('if reading.has(said.content_attributes, "deleted"):', "if said.content is None:"),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so35",
        bug="Twilio's chat is `From` as it is",
        path="engine/sources/adapters/twilio.py",
        edits=(("            chat=chat,", "            chat=addresses.Address(sender),"),),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so36",
        bug="a file of TimelinesAI's v1 is not seen",
        path="engine/sources/adapters/timelinesai.py",
        edits=(
            (
                'reading.has(message, "attachments") or reading.has(message, "attachment")',
                'reading.has(message, "attachments")',
            ),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so37",
        bug="a chat of TimelinesAI stays new for ever",
        path="engine/sources/events.py",
        edits=(("        self.notes.chat_has_begun(event.chat.chat_id)\n", ""),),
        caught_by=(f"{MEMORY}::test_a_chat_is_new_for_one_message",),
    ),
    Mutant(
        name="so38",
        bug="GREEN-API's chat is the sender, of a sent message ourselves",
        path="engine/sources/adapters/green_api.py",
        edits=(('reading.text(sender, "chatId")', 'reading.text(sender, "sender")'),),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so39",
        bug="a message that GREEN-API could not decrypt is taken, and its text is a repeat",
        path="engine/sources/adapters/green_api.py",
        edits=(
            (
                "    if NOT_DECRYPTED.fullmatch(text.strip()):\n"
                "        return Nothing(Reason.WAITING)\n",
                "",
            ),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so40",
        bug="what Wati says of a read message is a message again",
        path="engine/sources/adapters/wati.py",
        edits=(
            (
                "    if event.removesuffix(VERSION) in MESSAGES:",
                '    if reading.text(body, "text"):',
            ),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so41",
        bug="Periskope's message id is the serialised one",
        path="engine/sources/adapters/periskope.py",
        edits=(
            ("            message_id=message_id.bare,", "            message_id=said.message_id,"),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so42",
        bug="Periskope's groups have no name",
        path="engine/sources/adapters/periskope.py",
        edits=(("            _learn_name(maker, data)\n", "            pass\n"),),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so43",
        bug="of whapi's replies the button's id is taken",
        path="engine/sources/adapters/whapi.py",
        edits=(
            (
                'reading.text(told, "reply", each, "title")',
                'reading.text(told, "reply", each, "id")',
            ),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so44",
        bug="digits in a generic body are taken for a phone",
        path="engine/sources/adapters/generic.py",
        edits=(
            (
                '    is_phone = written.startswith(("+", "whatsapp:")) and '
                "addresses.digits_of(written)\n",
                "    is_phone = addresses.digits_of(written)\n",
            ),
        ),
        caught_by=(f"{GENERIC}::test_digits_alone_are_any_systems_id_and_no_phone",),
    ),
    Mutant(
        name="so45",
        bug="a time in milliseconds is read as seconds, or not at all",
        path="engine/sources/times.py",
        edits=(("(high << LOW_BITS) + (low & LOW)", "(high << LOW_BITS) + low"),),
        caught_by=(
            f"{SAMPLES}::test_a_body_yields_what_is_expected",
            f"{ADDRESSES}::test_a_time_is_read_as_sources_write_it",
        ),
    ),
    Mutant(
        name="so46",
        bug="a text that is too long is stored all the same",
        path="engine/sources/events.py",
        edits=(
            (
                '        event = bodies.part(value, Event, "")\n',
                '        text = value["message"].pop("text")\n'
                '        event = bodies.part(value, Event, "")\n'
                "        told = msgspec.structs.replace(event.message, text=text)\n"
                "        event = msgspec.structs.replace(event, message=told)\n",
            ),
        ),
        caught_by=(f"{BODIES}::test_a_bad_event_does_not_take_the_rest_of_its_batch_along",),
    ),
    Mutant(
        name="so81",
        bug="edits and deletions of sent messages are taken where sent messages are not",
        path="engine/sources/adapters/meta.py",
        edits=(
            (
                "        maker.refuse_unwanted(chat, is_sent=is_sent)\n        return _changed",
                "        maker.refuse_unwanted(chat, is_sent=False)\n        return _changed",
            ),
        ),
        caught_by=(f"{CHANGES}::test_a_change_of_a_sent_message_is_left_out",),
    ),
    Mutant(
        name="so82",
        bug="in a group the key of a change is taken to say whose message it is",
        path="engine/sources/adapters/evolution.py",
        edits=(("    return key.from_me and not chat.is_group\n", "    return key.from_me\n"),),
        caught_by=(
            f"{CHANGES}::test_a_change_in_a_group_that_does_not_say_whose_message_it_is_is_taken",
        ),
    ),
    Mutant(
        name="so83",
        bug="a generic source's numbers are looked for by their digits alone",
        path="engine/sources/adapters/generic.py",
        edits=(("phone or written, written)", "phone or written)"),),
        caught_by=(
            f"{GENERIC}::test_numbers_names_accounts_by_phone_or_by_what_else_the_body_says",
        ),
    ),
    Mutant(
        name="so47",
        bug="a value of sent messages that is set with a capital letter is never met",
        path="engine/sources/adapters/generic.py",
        edits=(
            (
                "frozenset(value.lower() for value in settings.sent_values)",
                "frozenset(settings.sent_values)",
            ),
        ),
        caught_by=(
            f"{GENERIC}::test_a_sent_message_is_known_in_whatever_case_its_direction_is_written",
        ),
    ),
)
