"""Bugs of bodies in a format: kept, sent, set aside, erased."""

from hookbundle.tests.mutants.mutant import Mutant

HERE = "tests/storage/transitions/rendering"
STORING = f"{HERE}/test_storing.py"
NOT_RENDERED = f"{HERE}/test_not_rendered.py"
FORMATS = f"{HERE}/test_formatting.py"
ACTOR = "tests/actors/attempts/test_rendering.py"
OF_IT = "storage/transitions/rendering"

RENDERED_BODIES = (
    Mutant(
        name="rb1",
        bug="another format changes the bytes of a delivery that was sent already",
        path="storage/tables/rendering/jobs.py",
        edits=(
            (
                "return bool(webhook.format) and not delivery.rendered_bytes and not "
                "delivery.attempts",
                "return bool(webhook.format)",
            ),
        ),
        caught_by=(
            f"{STORING}::test_every_attempt_sends_the_same_bytes_whatever_the_format_is_by_then",
        ),
    ),
    Mutant(
        name="rb2",
        bug="what was sent in the seed's body is sent in another one",
        path="storage/tables/rendering/jobs.py",
        edits=((" and not delivery.attempts", ""),),
        caught_by=(f"{STORING}::test_what_was_sent_as_the_seed_s_body_stays_that",),
    ),
    Mutant(
        name="rb3",
        bug="a body that can't be rendered counts as an error of the receiver",
        path=f"{OF_IT}/storing.py",
        edits=(
            (
                "    delivery.status = 0\n",
                "    delivery.status = 0\n    unit.state(webhook.number).consecutive_errors += 1\n",
            ),
        ),
        caught_by=(
            f"{NOT_RENDERED}"
            "::test_what_cannot_be_rendered_is_a_dead_letter_and_no_error_of_the_receiver",
            f"{NOT_RENDERED}::test_many_of_them_never_disable_the_webhook",
        ),
    ),
    Mutant(
        name="rb4",
        bug="another format leaves the dead letters that waited for it",
        path=f"{OF_IT}/formatting.py",
        edits=(("kinds.BY_FORMAT", "(kinds.FAILING,)"),),
        caught_by=(f"{FORMATS}::test_another_format_puts_them_back_in_their_old_order",),
    ),
    Mutant(
        name="rb5",
        bug="a body of the former format is stored after the format was changed",
        path=f"{OF_IT}/storing.py",
        edits=(
            (
                "    return (webhook.format, webhook.format_options) == (transition.format, "
                "transition.options)\n",
                "    return True\n",
            ),
        ),
        caught_by=(
            f"{STORING}::test_a_body_of_a_former_format_is_not_stored",
            f"{ACTOR}::test_a_format_changed_meanwhile_is_the_one_that_is_sent",
        ),
    ),
    Mutant(
        name="rb6",
        bug="the second of two bodies takes the place of the first",
        path=f"{OF_IT}/storing.py",
        edits=(
            (
                "    if delivery.number != transition.delivery or not jobs.is_wanted(webhook, "
                "delivery):\n",
                "    if delivery.number != transition.delivery:\n",
            ),
        ),
        caught_by=(f"{STORING}::test_of_two_bodies_the_first_one_wins",),
    ),
    Mutant(
        name="rb7",
        bug="a rendered body stays when its chat is deleted",
        path="storage/tables/history.py",
        edits=(
            (
                "    bodies.delete(unit, webhook.number, number, delivery.rendered_bytes, "
                "bodies.RENDERED)\n",
                "",
            ),
        ),
        caught_by=(f"{HERE}/test_erasing.py::test_with_a_deleted_chat",),
    ),
    Mutant(
        name="rb8",
        bug="of a damaged delivery the rendered text stays",
        path="storage/tables/bodies.py",
        edits=(("BOTH = (SEALED, RENDERED)\n", "BOTH = (SEALED,)\n"),),
        caught_by=(f"{HERE}/test_erasing.py::test_with_a_delivery_whose_head_is_damaged",),
    ),
    Mutant(
        name="rb9",
        bug="a rendered body is nobody's bytes",
        path="storage/tables/history.py",
        edits=((" + kept + delivery.rendered_bytes\n", " + kept\n"),),
        caught_by=(f"{STORING}::test_a_rendered_body_counts_for_what_waits_and_then_for_history",),
    ),
    Mutant(
        name="rb10",
        bug="a rest of the rendering has no end when the format changes",
        path=f"{OF_IT}/formatting.py",
        edits=(("    if state.rests_until_ms:", "    if not state.rests_until_ms:"),),
        caught_by=(
            f"{NOT_RENDERED}::test_another_format_ends_the_rest",
            f"{NOT_RENDERED}::test_a_wait_after_an_error_is_not_ended_by_another_format",
        ),
    ),
    Mutant(
        name="rb11",
        bug="a dead letter that fails again while all are put back is put back for ever",
        path=f"{OF_IT}/storing.py",
        edits=(("    moving.begun(unit.state(webhook.number), delivery.number)\n", ""),),
        caught_by=(
            f"{NOT_RENDERED}::test_a_dead_letter_that_fails_again_while_all_are_put_back_stays_one",
        ),
    ),
    Mutant(
        name="rb12",
        bug="the feed has the values of a format's variables",
        path=f"{OF_IT}/formatting.py",
        edits=(
            (
                "names = sorted(msgspec.json.decode(options)) if options else []",
                "names = [options.decode()] if options else []",
            ),
        ),
        caught_by=(f"{FORMATS}::test_the_feed_names_variables_and_has_none_of_their_values",),
    ),
    Mutant(
        name="rb13",
        bug="a webhook that waits for the renderer holds a slot",
        path="actors/webhook.py",
        edits=(
            (
                "            while not isinstance(step, Idle | SlotReleased | Render):\n",
                "            while not isinstance(step, Idle | SlotReleased):\n"
                "                if isinstance(step, Render):\n"
                "                    return await self._render(step)\n",
            ),
        ),
        caught_by=(f"{ACTOR}::test_who_waits_for_the_renderer_holds_no_slot",),
    ),
    Mutant(
        name="rb14",
        bug="one workspace may fill the memory with bodies that wait for the renderer",
        path="actors/attempts/rendering.py",
        edits=(("self._take(render, len(render.job.body) + 1)", "self._take(render, 1)"),),
        caught_by=(f"{ACTOR}::test_one_workspace_cannot_take_all_the_memory_for_bodies",),
    ),
    Mutant(
        name="rb15",
        bug="the bundles that a window is cut into all say that they are its first part",
        path="storage/tables/windows.py",
        edits=(("    return before + 1\n", "    return 1\n"),),
        caught_by=(f"{HERE}/test_context.py::test_parts_are_counted_within_one_window",),
    ),
    Mutant(
        name="rb16",
        bug="what a small body has become costs nothing while it waits for a slot",
        path="actors/attempts/rendering.py",
        edits=(("len(made.body) > held", "len(made.body) < 0"),),
        caught_by=(
            f"{ACTOR}::test_what_is_made_of_a_small_body_counts_as_long_as_it_waits_for_a_slot",
        ),
    ),
    Mutant(
        name="rb17",
        bug="what was sent without its format is taken back as what could not be rendered",
        path="storage/tables/queue.py",
        edits=(('"" if is_sent else delivery.dead_reason', "delivery.dead_reason"),),
        caught_by=(
            f"{FORMATS}"
            "::test_one_that_was_sent_without_a_format_is_taken_back_as_one_that_was_sent",
        ),
    ),
)
