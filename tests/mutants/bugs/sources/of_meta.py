"""Bugs of what Meta's API says."""

from hookbundle.tests.mutants.mutant import Mutant

TESTS = "tests/engine/sources"
SAMPLES = f"{TESTS}/test_samples.py"
BODIES = f"{TESTS}/test_rules_of_bodies.py"

META = (
    Mutant(
        name="so21",
        bug="the first contact of a change names all its chats",
        path="engine/sources/adapters/meta.py",
        edits=(
            (
                'contact = _contact(change, phone or "", user or "")',
                "contact = next((each for _, each in change.by_phone.values()), None)",
            ),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so22",
        bug="only the first entry of a body is read",
        path="engine/sources/adapters/meta.py",
        edits=(("for entry in entries:", "for entry in entries[:1]:"),),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so23",
        bug="a user who hides the number has no chat",
        path="engine/sources/adapters/meta.py",
        edits=(
            (
                'person = addresses.of_user(digits, user, maker.notes, path="messages.from")',
                'person = addresses.of_user(digits, "", maker.notes, path="messages.from")',
            ),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so24",
        bug="a contact without a user id is that of every message without one",
        path="engine/sources/adapters/meta.py",
        edits=(
            (
                "        if key := reading.text(contact, name):\n"
                "            found.setdefault(key, (place, contact))\n",
                "        found.setdefault(reading.text(contact, name), (place, contact))\n",
            ),
        ),
        caught_by=(f"{SAMPLES}::test_a_body_yields_what_is_expected",),
    ),
    Mutant(
        name="so25",
        bug="one bad event takes its batch along",
        path="engine/sources/events.py",
        edits=(
            (
                "        for part in parts:\n            self.one(part, make)\n",
                "        try:\n"
                "            self.outcomes += [make(part) for part in parts]\n"
                "        except InvalidInput as exc:\n"
                "            self.outcomes.append(Invalid(exc.faults, self.event))\n",
            ),
        ),
        caught_by=(f"{BODIES}::test_a_bad_event_does_not_take_the_rest_of_its_batch_along",),
    ),
    Mutant(
        name="so26",
        bug="what a request teaches is not known to its later events",
        path="engine/sources/memory.py",
        edits=(
            (
                "return self._users.get(user_id) or self.memory.phone_of_user(user_id)",
                "return self.memory.phone_of_user(user_id)",
            ),
        ),
        caught_by=(
            f"{BODIES}::test_one_person_is_one_chat_within_a_body_that_names_it_in_two_ways",
        ),
    ),
    Mutant(
        name="so27a",
        bug="of two contacts that fit, the one with the phone counts, wherever it stands",
        path="engine/sources/adapters/meta.py",
        edits=(("min(found, key=itemgetter(0))[1]", "found[-1][1]"),),
        caught_by=(f"{BODIES}::test_a_contact_is_the_first_that_has_the_phone_or_the_user_id",),
    ),
)
