"""Bugs where a webhook's format is set or tried: another body than was asked for would be sent."""

from hookbundle.tests.mutants.mutant import Mutant

FORMATS = "server/http/schemas/webhooks/formats.py"
TRIED = "server/http/resources/webhooks/format_testing.py"
HERE = "tests/server/http/resources/webhooks/test_formats.py"

SET_FORMATS = (
    Mutant(
        name="sf1",
        bug="what is wrong with a format is lost",
        path="server/http/schemas/wanted_settings.py",
        edits=(("    faults += formatted.faults\n", ""),),
        caught_by=(f"{HERE}::test_every_fault_is_told_by_its_path",),
    ),
    Mutant(
        name="sf2",
        bug="another preset keeps the options of the one before",
        path=FORMATS,
        edits=(("given_options if is_same else {}", "given_options"),),
        caught_by=(f"{HERE}::test_variables_belong_to_their_format",),
    ),
    Mutant(
        name="sf3",
        bug="a preset does not set its success, so what its receiver took is sent again",
        path=FORMATS,
        edits=(('        "success": success.shown(preset.success),\n', ""),),
        caught_by=(f"{HERE}::test_a_preset_is_set_with_what_its_receiver_wants",),
    ),
    Mutant(
        name="sf4",
        bug="a preset replaces what the same change names",
        path=FORMATS,
        edits=((" if getattr(hook, name) is UNSET}", "}"),),
        caught_by=(f"{HERE}::test_what_is_named_beside_a_preset_is_as_it_was_named",),
    ),
    Mutant(
        name="sf5",
        bug="a preset named once more undoes what its owner has changed since",
        path=FORMATS,
        edits=((" and read.format != was.format:", ":"),),
        caught_by=(f"{HERE}::test_settings_stay_where_the_preset_is_the_same_or_the_seed_is_back",),
    ),
    Mutant(
        name="sf6",
        bug="a format is tried on the oldest bundles",
        path="storage/reads/past/sealed_bodies.py",
        edits=(
            (
                "rows.rows_before(txn, prefix, history.key_of(webhook.number, 2**63))",
                "rows.rows(txn, prefix)",
            ),
        ),
        caught_by=(f"{HERE}::test_a_format_is_tried_on_the_sample_and_on_the_last_bundles",),
    ),
    Mutant(
        name="sf8",
        bug="each daemon loads what reads templates, also one without formats",
        path="server/console/pages/formats/fields.py",
        edits=(
            (
                "from hookbundle.engine.formats.format import SEED, TEMPLATE\n",
                "from hookbundle.engine.formats.parsing import SEED, TEMPLATE\n",
            ),
        ),
        caught_by=(
            "tests/server/daemon/test_imports.py"
            "::test_a_daemon_without_formats_does_not_load_what_reads_templates",
        ),
    ),
    Mutant(
        name="sf7",
        bug="the webhook's own format is tried, whichever was asked for",
        path=TRIED,
        edits=(
            (
                "webhook = msgspec.structs.replace(webhook, **given)",
                "msgspec.structs.replace(webhook, **given)",
            ),
        ),
        caught_by=(f"{HERE}::test_a_format_is_tried_on_the_sample_and_on_the_last_bundles",),
    ),
    Mutant(
        name="sf9",
        bug="a format that is tried on a page shows the values of the webhook's headers",
        path="server/http/resources/webhooks/previewing.py",
        edits=(
            (
                "[name for name, _ in called.headers]",
                '[f"{name}: {value}" for name, value in called.headers]',
            ),
        ),
        caught_by=(
            "tests/crm/end_to_end/test_secrets.py"
            "::test_secrets_are_in_the_settings_and_nowhere_else",
        ),
    ),
    Mutant(
        name="sf10",
        bug="bytes of bodies that were rendered are not counted",
        path="actors/attempts/rendering.py",
        edits=(("self._sum.bytes += len(made.body)", "self._sum.bytes += 0"),),
        caught_by=(
            "tests/server/http/resources/test_metrics.py"
            "::test_bodies_of_formats_are_counted_by_the_process_that_had_them",
        ),
    ),
    Mutant(
        name="sf11",
        bug="why a webhook waits whose rendering rests is not said",
        path="commands/workspaces/shown.py",
        edits=(('if until and webhook["state"] == "backing_off":', "if until and not webhook:"),),
        caught_by=(
            "tests/commands/workspaces/test_shown.py"
            "::test_why_a_webhook_waits_whose_receiver_has_not_failed_is_said",
        ),
    ),
)
