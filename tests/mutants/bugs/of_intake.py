"""Bugs by which a sender is not told what is wrong, or a receiver is shown what was not said."""

from hookbundle.tests.mutants.mutant import Mutant

HINTS = "tests/engine/messages/test_hints.py"
UNKNOWN = "tests/engine/messages/test_unknown_fields.py"
TEXTS = "tests/storage/tables/test_seen_texts.py"
DIRECTIONS = "tests/engine/messages/test_directions.py"
SENDERS = "tests/engine/messages/test_shown_senders.py"
PAYLOAD = "tests/engine/messages/test_payload.py"
SAYS = "tests/server/http/resources/messages/test_what_intake_says.py"

INTAKE = (
    Mutant(
        name="i1",
        bug="half an emoji hides all other faults of its message",
        path="engine/messages/malformed.py",
        edits=(("        return Broken(_mended(value), faults)", "        return faults[0]"),),
        caught_by=(f"{HINTS}::test_all_broken_texts_and_all_other_faults_are_listed_together",),
    ),
    Mutant(
        name="i2",
        bug="a text with half an emoji is compared with the types as it is",
        path="engine/messages/malformed.py",
        edits=(("Broken(_mended(value), faults)", "Broken(value, faults)"),),
        caught_by=(f"{HINTS}::test_all_broken_texts_and_all_other_faults_are_listed_together",),
    ),
    Mutant(
        name="i3",
        bug="an array that is cut off at a slice's end is taken for one that ends early",
        path="engine/messages/slices.py",
        edits=(("is_cut_off = not is_end and _ends_early(found.fault)", "is_cut_off = False"),),
        caught_by=(f"{HINTS}::test_in_a_large_array_the_place_is_found_too",),
    ),
    Mutant(
        name="i4",
        bug="unknown fields are looked for though no more are listed",
        path="engine/messages/parsing.py",
        edits=(
            (
                "    if unknown.is_full and not strict and not changes.may_be_in(body):",
                "    if False:",
            ),
        ),
        caught_by=(f"{UNKNOWN}::test_once_the_list_is_full_nothing_more_is_looked_for",),
    ),
    Mutant(
        name="i5",
        bug="the empty lines before a faulty one are not counted",
        path="engine/messages/places.py",
        edits=(
            (
                "self._lines = [number for number, line in lines if line.strip()]",
                "self._lines = [number for number, line in lines]",
            ),
        ),
        caught_by=(f"{HINTS}::test_a_line_is_counted_with_the_empty_ones_before_it",),
    ),
    Mutant(
        name="i6",
        bug="the texts of old ids are moved with the wrong ids",
        path="storage/tables/seen_texts.py",
        edits=(
            (
                "cut = max(len(record.texts) - left * TEXT_BYTES, 0)",
                "cut = min(ids * TEXT_BYTES, len(record.texts))",
            ),
        ),
        caught_by=(f"{TEXTS}::test_ids_that_were_known_before_texts_were_never_differ",),
    ),
    Mutant(
        name="i7",
        bug="a correction within one request is a plain repeat",
        path="storage/tables/seen_texts.py",
        edits=(("        text = came.get(message.digest)\n", "        text = None\n"),),
        caught_by=(f"{TEXTS}::test_another_text_within_one_request_is_named_too",),
    ),
    Mutant(
        name="i8",
        bug="what is open within an isolate is closed after it",
        path="engine/messages/directions.py",
        edits=(
            (
                "        while self.controls.pop() not in ISOLATES:\n            pass\n",
                "        self.controls.pop()\n",
            ),
        ),
        caught_by=(f"{DIRECTIONS}::test_nothing_is_open_at_the_end_of_any_text",),
    ),
    Mutant(
        name="i9",
        bug="the bytes that close a control are not counted",
        path="engine/messages/payload.py",
        edits=((" + directions.bytes_added(message)", ""),),
        caught_by=(f"{PAYLOAD}::test_what_closes_the_most_controls_is_in_the_weight",),
    ),
    Mutant(
        name="i10",
        bug="a name of spaces is shown as one",
        path="engine/messages/payload.py",
        edits=(("        if given and not given.isspace():", "        if given:"),),
        caught_by=(f"{SENDERS}::test_a_sender_without_a_name_is_shown_by_what_is_known",),
    ),
    Mutant(
        name="i11",
        bug="a large request is never strict",
        path="server/http/resources/messages.py",
        edits=(
            (
                "read = yield from slices.read(body, ndjson=ndjson, strict=strict)",
                "read = yield from slices.read(body, ndjson=ndjson, strict=False)",
            ),
        ),
        caught_by=(f"{SAYS}::test_strictly_nothing_of_such_a_request_is_taken",),
    ),
)
