"""Bugs of how a request proves whose it is, and of the settings that hold the secrets."""

from hookbundle.tests.mutants.mutant import Mutant

TESTS = "tests/engine/sources"
SAMPLES = f"{TESTS}/test_samples.py"
PROOF = f"{TESTS}/test_authentication.py"
SETTINGS = f"{TESTS}/test_settings.py"
RULES = f"{TESTS}/test_rules_of_settings.py"

PROOFS = (
    Mutant(
        name="so51",
        bug="a request without a signature is taken as if none were needed",
        path="engine/sources/authentication.py",
        edits=(
            (
                "        return NotAuthentic(Reason.SIGNATURE_MISSING)\n    if is_one_of",
                "        return Authentic(proven=False)\n    if is_one_of",
            ),
        ),
        caught_by=(f"{PROOF}::test_a_secret_that_is_set_makes_its_header_required",),
    ),
    Mutant(
        name="so52",
        bug="only the newest of two secrets counts",
        path="engine/sources/settings.py",
        edits=(("else tuple(secret)", "else tuple(secret[:1])"),),
        caught_by=(f"{PROOF}::test_while_a_secret_is_rotated_both_count",),
    ),
    Mutant(
        name="so53",
        bug="a late retry of Evolution is refused, for which 401 is final",
        path="engine/sources/authentication.py",
        edits=(("JWT_LEEWAY_S = 1_800", "JWT_LEEWAY_S = 0"),),
        caught_by=(f"{PROOF}::test_a_vector_is_judged_as_expected",),
    ),
    Mutant(
        name="so54",
        bug="a token of Evolution never expires",
        path="engine/sources/authentication.py",
        edits=(("or now_s > expires_s + JWT_LEEWAY_S", "or now_s < 0"),),
        caught_by=(f"{PROOF}::test_a_vector_is_judged_as_expected",),
    ),
    Mutant(
        name="so55",
        bug="an old request of Chatwoot can be sent again",
        path="engine/sources/authentication.py",
        edits=(
            (
                "abs(request.arrived_s - int(time)) > TOLERANCE_S",
                "abs(request.arrived_s - int(time)) < 0",
            ),
        ),
        caught_by=(f"{PROOF}::test_a_vector_is_judged_as_expected",),
    ),
    Mutant(
        name="so56",
        bug="Chatwoot's signature is over the body alone",
        path="engine/sources/authentication.py",
        edits=(
            (
                'text = time.encode("utf-8", "backslashreplace") + b"." + request.body',
                "text = request.body",
            ),
        ),
        caught_by=(f"{PROOF}::test_a_vector_is_judged_as_expected",),
    ),
    Mutant(
        name="so57",
        bug="fields without a value are left out of what Twilio signs",
        path="engine/sources/bodies.py",
        edits=(("        if each:\n", '        if each and each.partition("=")[2]:\n'),),
        caught_by=(f"{PROOF}::test_a_vector_is_judged_as_expected",),
    ),
    Mutant(
        name="so58",
        bug="a header of strange length raises",
        path="engine/sources/authentication.py",
        edits=(
            ('given = value.encode("utf-8", "backslashreplace")', 'given = value.encode("ascii")'),
        ),
        caught_by=(f"{PROOF}::test_a_strange_header_is_wrong_and_no_error",),
    ),
    Mutant(
        name="so59",
        bug="a challenge is repeated to a caller with another token",
        path="engine/sources/handshakes.py",
        edits=(
            (
                '    if not is_one_of(told.get("hub.verify_token", ""), known):',
                '    if known and not is_one_of("", [b""]):',
            ),
        ),
        caught_by=(f"{PROOF}::test_a_vector_is_judged_as_expected",),
    ),
    Mutant(
        name="so60",
        bug="a kind's own proof makes up for the header that the owner set",
        path="engine/sources/authentication.py",
        edits=(
            (
                "or settings.header is None or check is evolution:",
                "or own.proven or settings.header is None:",
            ),
        ),
        caught_by=(f"{PROOF}::test_an_own_proof_does_not_make_up_for_the_header",),
    ),
    Mutant(
        name="so61",
        bug="the value of a source's header is shown",
        path="engine/sources/settings.py",
        edits=(('"value": {"set": True}}', '"value": settings.header.value}'),),
        caught_by=(f"{SETTINGS}::test_no_secret_is_shown",),
    ),
    Mutant(
        name="so62",
        bug="a changed setting takes the secret away",
        path="engine/sources/settings.py",
        edits=(("**(msgspec.to_builtins(base) if base else {}), **named", "**named"),),
        caught_by=(f"{SETTINGS}::test_a_change_leaves_what_it_does_not_name_and_null_takes_away",),
    ),
    Mutant(
        name="so63",
        bug="groups are taken though the settings leave them out",
        path="engine/sources/events.py",
        edits=(
            (
                "if chat.is_group and not self.settings.accept.groups:",
                "if not chat.id and not self.settings.accept.groups:",
            ),
        ),
        caught_by=(f"{RULES}::test_groups_and_sent_messages_can_be_left_out",),
    ),
)
